/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver that writes garbage: to every register, into the queues of PF and VF, with queues where there is
 * no memory. The controllers must come through it, do a bounded amount of work at a time, and work when
 * they are set up properly afterwards.
 */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "nvme_host.h"
#include "topo_fixture.h"

#define PF     "0000:01:00.0"
#define VF0    "0000:01:00.1"
#define ROUNDS 60000u
#define WORDS  "at=" PF " model=nvme ns=3 queues=6 totalvfs=2 vfs=1 vfqueues=4 vfonline=on size=1M"

static struct nvme_host pf, vf;

static void open_all(unsigned int seed, bool polled)
{
	struct svf_machine *machine =
		test_device_machine(polled ? WORDS " doorbells=polled" : WORDS);

	host_open(&pf, machine, PF " vf_token=" TOKEN_A);
	host_open(&vf, machine, VF0 " vf_token=" TOKEN_A);
	/* Longer than a polling timer ever takes. */
	pf.settle_ns = vf.settle_ns = polled ? 20000000 : 0;
	srand(seed);
}

static void close_all(void)
{
	host_close(&vf);
	host_close(&pf);
	test_machine_end(pf.machine);
}

static uint32_t any32(void)
{
	return ((uint32_t)rand() << 16 ^ (uint32_t)rand()) >> rand() % 32;
}

/* Mostly in the client's memory. */
static uint32_t any_iova(void)
{
	uint32_t offset = any32() % HOST_MEMORY;

	if (rand() % 16 == 0)
		return any32();
	return (uint32_t)HOST_IOVA + (rand() % 4 ? offset & ~0xfffu : offset & ~0x3u);
}

/* An entry that gets past the first checks often. */
static void make_entry(uint32_t *entry, bool admin)
{
	static const uint8_t admin_opcodes[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 0x1c, 0x80};
	uint32_t opcode =
		admin ? admin_opcodes[rand() % (int)sizeof(admin_opcodes)] : (uint32_t)rand() % 16;

	for (unsigned int i = 0; i < 16; i++)
		entry[i] = rand() % 3 ? any32() >> rand() % 32 : 0;
	if (rand() % 16)
		entry[0] = (entry[0] & 0xffff0000) | opcode | (rand() % 4 ? 0 : 0x4000);
	if (rand() % 4)
		entry[1] = rand() % 8 ? (uint32_t)rand() % 4 : 0xffffffff;
	entry[6] = any_iova();
	entry[8] = any_iova();
	entry[7] = entry[9] = 0;
	if (rand() % 4) {
		entry[10] = (uint32_t)(rand() % 64) << 16 | (uint32_t)rand() % 12;
		entry[11] = (uint32_t)(rand() % 8) << 16 | (uint32_t)rand() % 8;
	}
}

static void fill_queues(struct nvme_host *host)
{
	for (unsigned int id = 0; id < HOST_QUEUES; id++) {
		uint8_t *sq = host->memory + (host_sq_iova(id) - HOST_IOVA);

		for (unsigned int i = 0; i < 64; i++) {
			uint32_t entry[16];

			make_entry(entry, id == 0);
			memcpy(sq + i * NVME_SQE_BYTES, entry, sizeof(entry));
		}
	}
}

static void write_register(struct nvme_host *host)
{
	static const uint16_t registers[] = {NVME_CAP,	NVME_INTMS, NVME_INTMC, NVME_CC, NVME_CSTS,
					     NVME_NSSR, NVME_AQA,   NVME_ASQ,	NVME_ACQ};
	unsigned int size = 1u << rand() % 3;
	uint64_t offset = rand() % 8 ? registers[rand() % 9] : (unsigned int)rand() % 0x4000;

	offset -= offset % size;
	test_put(host->file, 0, offset, size, any32());
	(void)test_get(host->file, 0, offset, size);
}

static void ring_anything(struct nvme_host *host)
{
	uint64_t doorbell = 4 * ((unsigned int)rand() % (rand() % 8 ? 14 : 1024));

	host_put(host, NVME_DOORBELLS + doorbell,
		 rand() % 8 ? (uint32_t)rand() % HOST_ENTRIES : any32());
}

static void make_queues(struct nvme_host *host)
{
	test_put(host->file, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	host_put(host, NVME_CC, 0);
	if (host_enable(host) != NVME_CSTS_RDY)
		return;
	for (unsigned int id = 1; id <= 4; id++)
		host_make_queue(host, id);
	fill_queues(host);
}

/* One of what such a driver does. */
static void do_something(struct nvme_host *host)
{
	switch (rand() % 64) {
	case 0:
		make_queues(host);
		break;
	case 1:
		test_put(host->file, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY | (rand() % 4 ? PCI_COMMAND_MASTER : 0));
		break;
	case 2:
		write_register(host);
		break;
	case 3:
		fill_queues(host);
		break;
	default:
		ring_anything(host);
	}
}

static void expect_that_it_works(struct nvme_host *host)
{
	test_put(host->file, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2,
		 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	host_put(host, NVME_CC, 0);
	host_settle(host);
	assert_int_equal(host_enable(host), NVME_CSTS_RDY);
	host_make_queue(host, 1);
	assert_int_equal(host_identify(host, 1, 0), NVME_SUCCESS);
	assert_int_equal(host_run(host, 1, (uint32_t[16]){0x7f}), NVME_INVALID_OPCODE);
}

/* A slice of each controller; of one that is polled, what its next look brings. */
static void let_work(void)
{
	if (pf.settle_ns)
		host_pass(&pf, 30000);
	else
		host_step(&pf);
}

static void test_garbage(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 4; seed++) {
		open_all(seed, seed % 2);
		make_queues(&pf);
		make_queues(&vf);
		for (unsigned int i = 0; i < ROUNDS / 4; i++) {
			do_something(rand() % 2 ? &pf : &vf);
			if (rand() % 4 == 0)
				let_work();
		}
		/* The PF first: its driver may have taken the VF offline, which its reset mends. */
		assert_int_equal(test_ioctl_value(pf.file, VFIO_DEVICE_RESET, 0), 0);
		expect_that_it_works(&pf);
		expect_that_it_works(&vf);
		close_all();
	}
}

/* Only registers, all widths, without any sense. */
static void test_random_writes(void **state)
{
	(void)state;
	open_all(5, false);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		write_register(rand() % 2 ? &pf : &vf);
		if (rand() % 4 == 0)
			host_step(&pf);
	}
	assert_int_equal(test_ioctl_value(pf.file, VFIO_DEVICE_RESET, 0), 0);
	expect_that_it_works(&pf);
	expect_that_it_works(&vf);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
