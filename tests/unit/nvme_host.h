/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host's side of NVMe controllers, one struct nvme_host each, for tests of the controller itself: nothing
 * is done that the test does not ask for, and everything can be done wrong.
 */
#ifndef SVF_TESTS_UNIT_NVME_HOST_H
#define SVF_TESTS_UNIT_NVME_HOST_H

#include "vfio_fixture.h"

#include "models/nvme/spec.h"

#define HOST_IOVA    0x10000000ull
#define HOST_MEMORY  (16u << 20)
#define HOST_NOWHERE 0x40000000ull
#define HOST_ENTRIES 32u
#define HOST_QUEUES  8u
/* Queues are in the first part of the memory, two pages each; the rest is the test's. */
#define HOST_FREE 0x20000u
#define HOST_CC	  0x00460001u

struct nvme_host_queue {
	uint32_t tail, head;
	unsigned int phase;
};

struct nvme_host {
	struct svf_machine *machine;
	struct test_client client;
	struct svf_file *file;
	uint8_t *memory;
	struct nvme_host_queue queues[HOST_QUEUES];
	unsigned int stride; /* CAP.DSTRD */
	uint16_t cid;
	/* How long host_settle() takes; 0: until nothing is left to do, which is never while doorbells are polled. */
	uint64_t settle_ns;
	/* Of the last completion. */
	uint32_t result;
	uint16_t status; /* type and code */
	bool retry;	 /* do not retry is clear */
};

/* match: the address and, if needed, a VF token. The memory is mapped, bus mastering on. */
void host_open(struct nvme_host *host, struct svf_machine *machine, const char *match);
void host_close(struct nvme_host *host);

uint32_t host_get(const struct nvme_host *host, uint64_t offset);
void host_put(const struct nvme_host *host, uint64_t offset, uint32_t value);
void host_put64(const struct nvme_host *host, uint64_t offset, uint64_t value);

/* Admin queues, then CC.EN. Return: CSTS. */
uint32_t host_enable(struct nvme_host *host);
/* I/O queues of HOST_ENTRIES entries; vector 0 with interrupts. Asserts success. */
void host_make_queue(struct nvme_host *host, unsigned int id);

uint64_t host_sq_iova(unsigned int id);
uint64_t host_cq_iova(unsigned int id);

/* That much time goes by. Return: how often something happened. */
unsigned int host_pass(const struct nvme_host *host, uint64_t ns);
/* Time goes by until nothing is left to do, or as long as host->settle_ns says; files answer. */
void host_settle(const struct nvme_host *host);
/* One moment of it: one slice of each controller at most. */
void host_step(const struct nvme_host *host);
/* One command more in the queue; its id is put in. The doorbell is not rung. */
uint16_t host_submit(struct nvme_host *host, unsigned int queue, const uint32_t command[16]);
void host_ring(struct nvme_host *host, unsigned int queue);
/* Takes a completion, if there is one: *ret_cid. The doorbell of the completion queue is rung. */
bool host_poll(struct nvme_host *host, unsigned int queue, uint16_t *ret_cid);
/* From beginning to end. Return: the status, which host->result goes with. */
uint16_t host_run(struct nvme_host *host, unsigned int queue, const uint32_t command[16]);

/* Identify with PRP1 at HOST_FREE; dword 10 and namespace given. Return: status. */
uint16_t host_identify(struct nvme_host *host, uint32_t dword10, uint32_t nsid);
uint16_t host_log_page(struct nvme_host *host, uint32_t dword10, uint32_t nsid);
/* The page that they brought. */
uint8_t *host_page(const struct nvme_host *host);
uint64_t host_page_get(const struct nvme_host *host, unsigned int offset, unsigned int size);

uint16_t host_set_feature(struct nvme_host *host, uint32_t dword10, uint32_t dword11);
uint16_t host_get_feature(struct nvme_host *host, uint32_t dword10, uint32_t dword11);

#endif
