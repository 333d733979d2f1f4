/* SPDX-License-Identifier: BSD-3-Clause */
/* A host's side of NVMe controllers; see nvme_host.h. */
#include "nvme_host.h"

#include <linux/pci_regs.h>

#define PAGE 4096u

static uint64_t now = 1;

uint32_t host_get(const struct nvme_host *host, uint64_t offset)
{
	return test_get(host->file, 0, offset, 4);
}

void host_open(struct nvme_host *host, struct svf_machine *machine, const char *match)
{
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg),
					       .flags = VFIO_DMA_MAP_FLAG_READ |
							VFIO_DMA_MAP_FLAG_WRITE,
					       .iova = HOST_IOVA,
					       .size = HOST_MEMORY};
	char address[13];

	memset(host, 0, sizeof(*host));
	host->machine = machine;
	memcpy(address, match, 12);
	address[12] = 0;
	test_client_open(&host->client, test_fn(machine, address));
	assert_int_equal(test_get_device(host->client.group, match, &host->file), 0);
	host->memory = test_user_alloc(HOST_MEMORY);
	arg.vaddr = (uint64_t)(uintptr_t)host->memory;
	assert_int_equal(test_ioctl(host->client.container, VFIO_IOMMU_MAP_DMA, &arg, sizeof(arg)),
			 0);
	test_put(host->file, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	host->stride = host_get(host, NVME_CAP + 4) & 0xf;
}

void host_close(struct nvme_host *host)
{
	svf_file_close(host->file);
	test_client_close(&host->client);
}

void host_put(const struct nvme_host *host, uint64_t offset, uint32_t value)
{
	test_put(host->file, 0, offset, 4, value);
}

void host_put64(const struct nvme_host *host, uint64_t offset, uint64_t value)
{
	host_put(host, offset, (uint32_t)value);
	host_put(host, offset + 4, (uint32_t)(value >> 32));
}

uint64_t host_sq_iova(unsigned int id)
{
	return HOST_IOVA + (uint64_t)id * 2 * PAGE;
}

uint64_t host_cq_iova(unsigned int id)
{
	return host_sq_iova(id) + PAGE;
}

static void init_queue(struct nvme_host *host, unsigned int id)
{
	memset(host->memory + (host_sq_iova(id) - HOST_IOVA), 0, (size_t)2 * PAGE);
	host->queues[id] = (struct nvme_host_queue){.phase = 1};
}

uint32_t host_enable(struct nvme_host *host)
{
	init_queue(host, 0);
	host_put(host, NVME_AQA, (HOST_ENTRIES - 1) << 16 | (HOST_ENTRIES - 1));
	host_put64(host, NVME_ASQ, host_sq_iova(0));
	host_put64(host, NVME_ACQ, host_cq_iova(0));
	host_put(host, NVME_CC, HOST_CC);
	return host_get(host, NVME_CSTS);
}

void host_make_queue(struct nvme_host *host, unsigned int id)
{
	const uint32_t create_cq[16] = {NVME_ADMIN_CREATE_CQ, [6] = (uint32_t)host_cq_iova(id),
					[10] = (HOST_ENTRIES - 1) << 16 | id, [11] = 3};
	const uint32_t create_sq[16] = {NVME_ADMIN_CREATE_SQ, [6] = (uint32_t)host_sq_iova(id),
					[10] = (HOST_ENTRIES - 1) << 16 | id, [11] = id << 16 | 1};

	init_queue(host, id);
	assert_int_equal(host_run(host, 0, create_cq), NVME_SUCCESS);
	assert_int_equal(host_run(host, 0, create_sq), NVME_SUCCESS);
}

void host_step(const struct nvme_host *host)
{
	svf_machine_advance(host->machine, now);
	now += 2;
}

unsigned int host_pass(const struct nvme_host *host, uint64_t ns)
{
	struct svf_machine *machine = host->machine;
	uint64_t end = now + ns;
	unsigned int count = 0;

	while (svf_timers_next(&machine->timers) <= end) {
		uint64_t next = svf_timers_next(&machine->timers);

		now = next > now ? next : now + 1;
		svf_machine_advance(machine, now);
		count++;
	}
	now = end;
	svf_machine_advance(machine, now);
	return count;
}

void host_settle(const struct nvme_host *host)
{
	if (host->settle_ns) {
		host_pass(host, host->settle_ns);
		return;
	}
	do {
		while (svf_timers_next(&host->machine->timers) != SVF_TIME_NEVER)
			host_step(host);
	} while (test_storage_run(1));
}

uint16_t host_submit(struct nvme_host *host, unsigned int queue, const uint32_t command[16])
{
	struct nvme_host_queue *q = &host->queues[queue];
	uint8_t *sq = host->memory + (host_sq_iova(queue) - HOST_IOVA);
	uint32_t first = (command[0] & 0xffff) | (uint32_t)++host->cid << 16;

	memcpy(sq + q->tail * NVME_SQE_BYTES, command, NVME_SQE_BYTES);
	memcpy(sq + q->tail * NVME_SQE_BYTES, &first, 4);
	q->tail = (q->tail + 1) % HOST_ENTRIES;
	return host->cid;
}

void host_ring(struct nvme_host *host, unsigned int queue)
{
	host_put(host, NVME_DOORBELLS + (8ull * queue << host->stride), host->queues[queue].tail);
}

bool host_poll(struct nvme_host *host, unsigned int queue, uint16_t *ret_cid)
{
	struct nvme_host_queue *q = &host->queues[queue];
	uint32_t entry[4];

	memcpy(entry, host->memory + (host_cq_iova(queue) - HOST_IOVA) + q->head * NVME_CQE_BYTES,
	       sizeof(entry));
	if ((entry[3] >> 16 & 1) != q->phase)
		return false;
	host->result = entry[0];
	host->status = (uint16_t)(entry[3] >> 17 & 0x7ff);
	host->retry = !(entry[3] >> 31);
	*ret_cid = (uint16_t)entry[3];
	assert_int_equal(entry[2] >> 16, queue);
	if (++q->head == HOST_ENTRIES) {
		q->head = 0;
		q->phase = !q->phase;
	}
	host_put(host, NVME_DOORBELLS + ((8ull * queue + 4) << host->stride), q->head);
	return true;
}

uint16_t host_run(struct nvme_host *host, unsigned int queue, const uint32_t command[16])
{
	uint16_t cid = host_submit(host, queue, command), done = 0;

	host_ring(host, queue);
	host_settle(host);
	assert_true(host_poll(host, queue, &done));
	assert_int_equal(done, cid);
	return host->status;
}

uint8_t *host_page(const struct nvme_host *host)
{
	return host->memory + HOST_FREE;
}

uint64_t host_page_get(const struct nvme_host *host, unsigned int offset, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, host_page(host) + offset, size);
	return value;
}

uint16_t host_identify(struct nvme_host *host, uint32_t dword10, uint32_t nsid)
{
	const uint32_t command[16] = {
		NVME_ADMIN_IDENTIFY, nsid, [6] = (uint32_t)(HOST_IOVA + HOST_FREE), [10] = dword10};

	memset(host_page(host), 0xaa, PAGE);
	return host_run(host, 0, command);
}

uint16_t host_log_page(struct nvme_host *host, uint32_t dword10, uint32_t nsid)
{
	const uint32_t command[16] = {
		NVME_ADMIN_GET_LOG_PAGE,
		nsid, [6] = (uint32_t)(HOST_IOVA + HOST_FREE), [10] = dword10};

	memset(host_page(host), 0xaa, PAGE);
	return host_run(host, 0, command);
}

uint16_t host_set_feature(struct nvme_host *host, uint32_t dword10, uint32_t dword11)
{
	return host_run(host, 0,
			(uint32_t[16]){NVME_ADMIN_SET_FEATURES, [10] = dword10, [11] = dword11});
}

uint16_t host_get_feature(struct nvme_host *host, uint32_t dword10, uint32_t dword11)
{
	return host_run(host, 0,
			(uint32_t[16]){NVME_ADMIN_GET_FEATURES, [10] = dword10, [11] = dword11});
}
