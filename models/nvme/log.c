/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log pages, and what is written into them.
 *
 * A page can be read in parts, by an offset. What is asked for beyond its end is left alone in the
 * host's memory, and what was read retains its events only when the host says so (RAE).
 */
#include <string.h>

#include "models/nvme/admin.h"
#include "models/nvme/queues.h"
#include "models/nvme/transfer.h"

#define PAGE_MAX 4096u
#define RETAIN	 0x8000u /* in dword 10 */

/* An entry of the error log: offsets in it. */
#define ERROR_COUNT    0u
#define ERROR_SQID     8u
#define ERROR_CID      10u
#define ERROR_STATUS   12u
#define ERROR_LOCATION 14u
#define ERROR_LBA      16u
#define ERROR_NSID     24u

#define NO_COMMAND     0xffffu

/* SMART: offsets. */
#define HEALTH_WARNING	   0u
#define HEALTH_TEMPERATURE 1u
#define HEALTH_SPARE	   3u
#define HEALTH_THRESHOLD   4u
#define HEALTH_READ	   32u
#define HEALTH_WRITTEN	   48u
#define HEALTH_READS	   64u
#define HEALTH_WRITES	   80u
#define HEALTH_CYCLES	   112u
#define HEALTH_ERRORS	   176u

#define MDTS_UNIT	   4096u

/* --- writing the error log --- */

static uint8_t *new_error(struct nvme_controller *c)
{
	struct nvme_logs *logs = &c->admin->logs;
	uint8_t *entry = logs->errors[++logs->error_count % NVME_ERRORS_MAX];

	memset(entry, 0, NVME_ERROR_BYTES);
	svf_nvme_put(entry + ERROR_COUNT, 8, logs->error_count);
	return entry;
}

void svf_nvme_log_error(struct nvme_controller *c, const struct nvme_request *rq)
{
	uint8_t *entry = new_error(c);

	svf_nvme_put(entry + ERROR_SQID, 2, rq->sq->id);
	svf_nvme_put(entry + ERROR_CID, 2, rq->cid);
	svf_nvme_put(entry + ERROR_STATUS, 2, (uint64_t)rq->status << 1);
	svf_nvme_put(entry + ERROR_LOCATION, 2, rq->location);
	svf_nvme_put(entry + ERROR_LBA, 8, rq->lba);
	svf_nvme_put(entry + ERROR_NSID, 4, rq->nsid);
}

void svf_nvme_doorbell_error(struct nvme_controller *c, uint16_t queue, uint8_t info)
{
	uint8_t *entry = new_error(c);

	svf_nvme_put(entry + ERROR_SQID, 2, queue);
	svf_nvme_put(entry + ERROR_CID, 2, NO_COMMAND);
	svf_nvme_put(entry + ERROR_LOCATION, 2, NVME_NO_LOCATION);
	svf_nvme_event(c, (struct nvme_event){NVME_EVENT_ERROR, info, NVME_LOG_ERROR});
}

/* --- the pages; each is zeroed before --- */

/* The newest first. */
static void fill_errors(struct nvme_controller *c, uint8_t *page)
{
	const struct nvme_logs *logs = &c->admin->logs;

	for (uint64_t i = 0; i < NVME_ERRORS_MAX && i < logs->error_count; i++)
		memcpy(page + i * NVME_ERROR_BYTES,
		       logs->errors[(logs->error_count - i) % NVME_ERRORS_MAX], NVME_ERROR_BYTES);
}

/* Thousands of 512 bytes, rounded up. */
static void put_units(uint8_t *at, uint64_t blocks)
{
	svf_nvme_put(at, 8, blocks / 1000 + (blocks % 1000 != 0));
}

static void fill_health(struct nvme_controller *c, uint8_t *page)
{
	const struct nvme_traffic *traffic = &c->traffic;

	page[HEALTH_WARNING] = svf_nvme_critical_warning(c);
	svf_nvme_put(page + HEALTH_TEMPERATURE, 2, NVME_KELVIN);
	page[HEALTH_SPARE] = 100;
	page[HEALTH_THRESHOLD] = 10;
	put_units(page + HEALTH_READ, traffic->blocks_read);
	put_units(page + HEALTH_WRITTEN, traffic->blocks_written);
	svf_nvme_put(page + HEALTH_READS, 8, traffic->reads);
	svf_nvme_put(page + HEALTH_WRITES, 8, traffic->writes);
	svf_nvme_put(page + HEALTH_CYCLES, 8, 1);
	svf_nvme_put(page + HEALTH_ERRORS, 8, c->admin->logs.error_count);
}

static void fill_firmware(struct nvme_controller *c, uint8_t *page)
{
	(void)c;
	page[0] = 1; /* the active slot */
	memcpy(page + 8, "1.4     ", 8);
}

static void fill_changed(struct nvme_controller *c, uint8_t *page)
{
	const uint64_t *changed = c->admin->logs.changed;
	unsigned int at = 0;

	for (uint32_t nsid = 1; nsid <= NVME_CHANGED_MAX; nsid++) {
		if (!(changed[nsid / 64] >> nsid % 64 & 1))
			continue;
		svf_nvme_put(page + at, 4, nsid);
		at += 4;
	}
}

static void fill_effects(struct nvme_controller *c, uint8_t *page)
{
	svf_nvme_admin_effects(c, page);
	svf_nvme_io_effects(page + 1024);
}

static const struct log_page {
	uint8_t id;
	uint16_t size;
	void (*fill)(struct nvme_controller *c, uint8_t *page);
} log_pages[] = {
	{NVME_LOG_ERROR, NVME_ERRORS_MAX *NVME_ERROR_BYTES, fill_errors},
	{NVME_LOG_HEALTH, 512, fill_health},
	{NVME_LOG_FIRMWARE, 512, fill_firmware},
	{NVME_LOG_CHANGED_NAMESPACES, 4096, fill_changed},
	{NVME_LOG_EFFECTS, 4096, fill_effects},
};

static const struct log_page *lookup(uint8_t id)
{
	for (unsigned int i = 0; i < sizeof(log_pages) / sizeof(log_pages[0]); i++) {
		if (log_pages[i].id == id)
			return &log_pages[i];
	}
	return NULL;
}

/* What the command asks for: bytes, and from where. */
static uint64_t wanted(const struct nvme_request *rq)
{
	uint64_t dwords = rq->dw[10] >> 16 | (uint64_t)(rq->dw[11] & 0xffff) << 16;

	return 4 * (dwords + 1);
}

static uint64_t offset_of(const struct nvme_request *rq)
{
	return rq->dw[12] | (uint64_t)rq->dw[13] << 32;
}

static enum nvme_step check(struct nvme_request *rq, const struct log_page *log)
{
	unsigned int mdts = rq->controller->subsystem->mdts;

	if (!log)
		return svf_nvme_end_at(rq, NVME_INVALID_LOG_PAGE, 40);
	if (offset_of(rq) % 4 || offset_of(rq) > log->size)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 48);
	if (mdts && wanted(rq) > (uint64_t)MDTS_UNIT << mdts)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 42);
	/* Health is of the controller; LPA does not have it for each namespace. */
	if (log->id == NVME_LOG_HEALTH && rq->nsid && rq->nsid != NVME_ALL_NAMESPACES)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 4);
	return svf_nvme_end(rq, NVME_SUCCESS);
}

enum nvme_step svf_nvme_get_log_page(struct nvme_request *rq)
{
	struct nvme_controller *c = rq->controller;
	const struct log_page *log = lookup((uint8_t)rq->dw[10]);
	uint64_t offset = offset_of(rq), len = wanted(rq);
	struct nvme_transfer transfer;
	uint8_t page[PAGE_MAX];

	if (check(rq, log) == NVME_DONE && rq->status)
		return NVME_DONE;
	memset(page, 0, sizeof(page));
	log->fill(c, page);
	/* PRPs are those of all that was asked for. */
	svf_nvme_transfer_init(&transfer, rq, len, true);
	if (len > log->size - offset)
		len = log->size - offset;
	rq->status = svf_nvme_transfer_move(&transfer, page + offset, len);
	if (rq->status || (rq->dw[10] & RETAIN))
		return NVME_DONE;
	if (log->id == NVME_LOG_CHANGED_NAMESPACES)
		memset(c->admin->logs.changed, 0, sizeof(c->admin->logs.changed));
	svf_nvme_events_unmask(c, log->id);
	return NVME_DONE;
}
