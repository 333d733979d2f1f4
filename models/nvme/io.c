/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The NVM command set: what commands ask for. Everything is checked before anything is done; data.c then
 * does it. Format NVM, an admin command, clears namespaces in the same way and is here, too.
 */
#include <string.h>

#include "models/nvme/data.h"

/* Fields of commands. */
#define RW_BLOCKS(rq)  (((rq)->dw[12] & 0xffff) + 1)
#define RW_FUA	       (1u << 30) /* dword 12 */
#define WZ_DEAC	       (1u << 25) /* dword 12 */
#define DSM_RANGES(rq) (((rq)->dw[10] & 0xff) + 1)
#define DSM_DEALLOCATE (1u << 2) /* dword 11 */

/* Bytes of the submission entry, for the error log. */
#define AT_NSID	  4u
#define AT_SLBA	  40u
#define AT_FORMAT 40u
#define AT_LENGTH 48u

#define MDTS_UNIT 4096u

/* What is left to do of a command that works on one namespace after the other: in progress[1]. */
#define NEXT_NSID(rq) ((rq)->progress[1])
/* Whether it is the one that formats its namespace. */
#define FORMATS(rq) ((rq)->progress[2])

static uint64_t first_block(const struct nvme_request *rq)
{
	return rq->dw[10] | (uint64_t)rq->dw[11] << 32;
}

static bool is_within(const struct nvme_namespace *ns, uint64_t first, uint64_t count)
{
	uint64_t blocks = svf_nvme_namespace_blocks(ns);

	return first <= blocks && count <= blocks - first;
}

static bool is_too_long(const struct nvme_request *rq, uint64_t len)
{
	unsigned int mdts = rq->controller->subsystem->mdts;

	return mdts && len > (uint64_t)MDTS_UNIT << mdts;
}

/* --- commands on blocks that the entry names --- */

static uint16_t begin_blocks(struct nvme_request *rq, enum nvme_data_kind kind, bool durable)
{
	struct nvme_namespace *ns = rq->ns;
	uint64_t first = first_block(rq), count = RW_BLOCKS(rq);

	if (kind <= NVME_DATA_COMPARE && is_too_long(rq, count << ns->block_shift)) {
		rq->location = AT_LENGTH;
		return NVME_INVALID_FIELD;
	}
	if (!is_within(ns, first, count)) {
		rq->location = AT_SLBA;
		rq->lba = first;
		return NVME_LBA_OUT_OF_RANGE;
	}
	return svf_nvme_data_begin(rq, kind, first << ns->block_shift, count << ns->block_shift,
				   durable);
}

/* Force unit access, or there is no volatile cache to be lost. */
static bool is_durable(const struct nvme_request *rq)
{
	return (rq->dw[12] & RW_FUA) || !rq->controller->write_cache;
}

static uint16_t begin_read(struct nvme_request *rq)
{
	return begin_blocks(rq, NVME_DATA_READ, false);
}

static uint16_t begin_write(struct nvme_request *rq)
{
	return begin_blocks(rq, NVME_DATA_WRITE, is_durable(rq));
}

static uint16_t begin_compare(struct nvme_request *rq)
{
	return begin_blocks(rq, NVME_DATA_COMPARE, false);
}

static uint16_t begin_verify(struct nvme_request *rq)
{
	return begin_blocks(rq, NVME_DATA_VERIFY, false);
}

static uint16_t begin_write_zeroes(struct nvme_request *rq)
{
	return begin_blocks(rq, rq->dw[12] & WZ_DEAC ? NVME_DATA_TRIM : NVME_DATA_ZERO,
			    is_durable(rq));
}

/* --- others --- */

static uint16_t begin_flush(struct nvme_request *rq)
{
	return svf_nvme_data_begin(rq, NVME_DATA_FLUSH, 0, 0, false);
}

static uint16_t check_ranges(struct nvme_request *rq, const uint8_t *ranges, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, ranges += NVME_RANGE_BYTES) {
		uint64_t first = svf_nvme_get(ranges + 8, 8);

		if (is_within(rq->ns, first, svf_nvme_get(ranges + 4, 4)))
			continue;
		rq->lba = first;
		return NVME_LBA_OUT_OF_RANGE;
	}
	return NVME_SUCCESS;
}

/* Advice other than to deallocate is taken and not used. */
static uint16_t begin_dataset_management(struct nvme_request *rq)
{
	uint8_t ranges[NVME_RANGES_MAX * NVME_RANGE_BYTES];
	unsigned int count = DSM_RANGES(rq);
	uint16_t status = svf_nvme_receive(rq, ranges, (size_t)count * NVME_RANGE_BYTES);

	if (!status)
		status = check_ranges(rq, ranges, count);
	if (!status)
		status =
			svf_nvme_data_begin(rq, NVME_DATA_TRIM, 0, 0, !rq->controller->write_cache);
	if (!status && (rq->dw[11] & DSM_DEALLOCATE))
		status = svf_nvme_data_add_ranges(rq, ranges, count);
	return status;
}

static const struct nvme_io_command {
	uint16_t (*begin)(struct nvme_request *rq); /* NULL: no such command */
	bool for_all;				    /* the namespace can be all of them */
	bool writes;
} nvme_io_commands[] = {
	[NVME_IO_FLUSH] = {begin_flush, .for_all = true},
	[NVME_IO_WRITE] = {begin_write, .writes = true},
	[NVME_IO_READ] = {begin_read},
	[NVME_IO_COMPARE] = {begin_compare},
	[NVME_IO_WRITE_ZEROES] = {begin_write_zeroes, .writes = true},
	[NVME_IO_DATASET_MANAGEMENT] = {begin_dataset_management, .writes = true},
	[NVME_IO_VERIFY] = {begin_verify},
};

#define IO_COMMANDS (sizeof(nvme_io_commands) / sizeof(nvme_io_commands[0]))

static uint16_t find_namespace(struct nvme_request *rq, bool for_all)
{
	if (for_all && rq->nsid == NVME_ALL_NAMESPACES)
		return NVME_SUCCESS;
	rq->ns = svf_nvme_namespace_lookup(rq->controller, rq->nsid);
	if (!rq->ns) {
		rq->location = AT_NSID;
		return NVME_INVALID_NAMESPACE;
	}
	return rq->ns->formatting ? NVME_FORMAT_IN_PROGRESS : NVME_SUCCESS;
}

static uint16_t begin(struct nvme_request *rq)
{
	const struct nvme_io_command *command =
		rq->opcode < IO_COMMANDS ? &nvme_io_commands[rq->opcode] : NULL;
	uint16_t status;

	if (!command || !command->begin) {
		rq->location = 0;
		return NVME_INVALID_OPCODE;
	}
	status = find_namespace(rq, command->for_all);
	return status ? status : command->begin(rq);
}

static void count(struct nvme_request *rq)
{
	struct nvme_traffic *traffic = &rq->controller->traffic;
	uint64_t sectors = rq->ns ? (uint64_t)RW_BLOCKS(rq) << rq->ns->block_shift >> 9 : 0;

	switch (rq->opcode) {
	case NVME_IO_READ:
	case NVME_IO_COMPARE:
		traffic->reads++;
		traffic->blocks_read += sectors;
		break;
	case NVME_IO_VERIFY:
		traffic->blocks_read += sectors;
		break;
	case NVME_IO_WRITE:
		traffic->writes++;
		traffic->blocks_written += sectors;
		break;
	}
}

enum nvme_step svf_nvme_io_execute(struct nvme_request *rq)
{
	enum nvme_step step;

	if (!rq->data) {
		uint16_t status = begin(rq);

		if (status) {
			svf_nvme_data_drop(rq);
			return svf_nvme_end(rq, status);
		}
	}
	step = svf_nvme_data_run(rq);
	if (step == NVME_DONE && !rq->status)
		count(rq);
	return step;
}

/* --- what Identify and the log pages tell --- */

/* Identify Controller: offsets, and what is said there. */
#define ID_ONCS		  520u
#define ID_VWC		  525u
#define ID_SGLS		  536u

#define ONCS_COMPARE	  0x01u
#define ONCS_DSM	  0x04u
#define ONCS_WRITE_ZEROES 0x08u
#define ONCS_VERIFY	  0x80u
#define VWC_PRESENT	  0x01u
#define VWC_FLUSH_ALL	  0x06u /* Flush takes all namespaces at once */
#define SGLS_SUPPORTED	  0x01u /* at any address, of any length */
#define SGLS_BIT_BUCKET	  (1u << 16)
#define SGLS_LONGER	  (1u << 18) /* than the data */

/* Fused commands, formats that are of all namespaces, atomicity beyond one block: none. */
void svf_nvme_io_identify(const struct nvme_controller *c, uint8_t *page)
{
	(void)c;
	page[ID_ONCS] |= ONCS_COMPARE | ONCS_DSM | ONCS_WRITE_ZEROES | ONCS_VERIFY;
	page[ID_VWC] = VWC_PRESENT | VWC_FLUSH_ALL;
	svf_nvme_put(page + ID_SGLS, 4, SGLS_SUPPORTED | SGLS_BIT_BUCKET | SGLS_LONGER);
}

#define EFFECTS_SUPPORTED 0x1u
#define EFFECTS_CONTENT	  0x2u /* changes data */

void svf_nvme_io_effects(uint8_t *entries)
{
	for (size_t i = 0; i < IO_COMMANDS; i++) {
		const struct nvme_io_command *command = &nvme_io_commands[i];

		if (command->begin)
			entries[4 * i] = (uint8_t)(EFFECTS_SUPPORTED |
						   (command->writes ? EFFECTS_CONTENT : 0));
	}
}

/* --- Format NVM --- */

static uint16_t begin_format(struct nvme_request *rq)
{
	uint16_t status;

	if (rq->ns->formatting)
		return NVME_FORMAT_IN_PROGRESS;
	status = svf_nvme_data_begin(rq, NVME_DATA_TRIM, 0, rq->ns->bytes, true);
	if (!status) {
		rq->ns->formatting = true;
		FORMATS(rq) = true;
	}
	return status;
}

/* One namespace. Sets rq->status when it is done. */
static enum nvme_step format_one(struct nvme_request *rq)
{
	enum nvme_step step;

	if (!rq->data) {
		uint16_t status = begin_format(rq);

		if (status)
			return svf_nvme_end(rq, status);
	}
	step = svf_nvme_data_run(rq);
	if (step != NVME_DONE)
		return step;
	rq->ns->formatting = false;
	FORMATS(rq) = false;
	if (!rq->status) {
		svf_nvme_namespace_set_format(rq->ns, rq->dw[10]);
		svf_nvme_namespace_changed(rq->controller, rq->ns->nsid);
	}
	return NVME_DONE;
}

static enum nvme_step format_all(struct nvme_request *rq)
{
	enum nvme_step step = NVME_DONE;

	do {
		if (!rq->ns)
			rq->ns = svf_nvme_namespace_lookup(rq->controller,
							   (uint32_t)++NEXT_NSID(rq));
		if (!rq->ns)
			return svf_nvme_end(rq, NVME_SUCCESS);
		step = format_one(rq);
		if (step == NVME_DONE && !rq->status)
			rq->ns = NULL;
	} while (step == NVME_DONE && !rq->status);
	return step;
}

enum nvme_step svf_nvme_namespace_format(struct nvme_request *rq)
{
	uint16_t status = svf_nvme_namespace_check_format(rq->dw[10]);

	if (status)
		return svf_nvme_end_at(rq, status, AT_FORMAT);
	if (rq->nsid == NVME_ALL_NAMESPACES)
		return format_all(rq);
	rq->ns = svf_nvme_namespace_lookup(rq->controller, rq->nsid);
	return rq->ns ? format_one(rq) : svf_nvme_end_at(rq, NVME_INVALID_NAMESPACE, AT_NSID);
}

void svf_nvme_io_cancel(struct nvme_request *rq)
{
	if (rq->data && FORMATS(rq))
		rq->ns->formatting = false;
	svf_nvme_data_drop(rq);
}
