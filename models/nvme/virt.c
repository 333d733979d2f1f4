/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Primary and secondary controllers.
 *
 * Two kinds of resources, queue pairs (VQ) and interrupt vectors (VI). The primary controller, which is
 * the PF's, has private ones for its own queues. Flexible ones, enough for each VF to have as many as it
 * can, are given to secondary controllers by Virtualization Management, or to the primary, which has them
 * from its next reset on.
 *
 * A secondary controller is offline at first: CSTS.CFS is set and nothing else works. It can come online when its
 * VF exists and it has two queue pairs, one for I/O, and a vector. While it is online its resources
 * stay as they are. It goes offline by command, when its VF ends and when the PF is reset; what it was given
 * stays. With vfonline=on it begins, also after a reset of the PF, online with everything it can have.
 */
#include "models/nvme/virt.h"

#include <string.h>

#include "models/nvme/queues.h"

enum {
	ACT_PRIMARY = 0x1,
	ACT_OFFLINE = 0x7,
	ACT_ASSIGN = 0x8,
	ACT_ONLINE = 0x9,
};

/* Primary Controller Capabilities: offsets; those of VI are 32 after those of VQ. */
#define CAP_CNTLID	  0u
#define CAP_CRT		  4u
#define CAP_TOTAL	  32u
#define CAP_ASSIGNED	  36u
#define CAP_PRIMARY	  40u
#define CAP_PRIVATE	  42u
#define CAP_SECONDARY_MAX 44u
#define CAP_GRANULARITY	  46u
#define CAP_VI		  32u

#define CRT_VQ		  0x1u
#define CRT_VI		  0x2u

/* An entry of the list of secondary controllers: offsets in it. */
#define SECONDARY_BYTES	   32u
#define SECONDARY_SCID	   0u
#define SECONDARY_PCID	   2u
#define SECONDARY_SCS	   4u
#define SECONDARY_VFN	   8u
#define SECONDARY_NVQ	   10u
#define SECONDARY_NVI	   12u

#define QUEUES_TO_BE_READY 2u

/* --- how many there are --- */

static unsigned int secondary_max(const struct nvme_subsystem *subsystem)
{
	return subsystem->vf_queues + 1;
}

static unsigned int flexible(const struct nvme_subsystem *subsystem)
{
	return subsystem->total_vfs * secondary_max(subsystem);
}

static unsigned int private(const struct nvme_subsystem *subsystem)
{
	return subsystem->queues + 1;
}

unsigned int svf_nvme_primary_max(const struct nvme_subsystem *subsystem,
				  enum nvme_resource resource)
{
	unsigned int all = private(subsystem) + flexible(subsystem);
	unsigned int limit = resource == NVME_VQ ? NVME_QUEUES_MAX : NVME_VECTORS_MAX;

	return all < limit ? all : limit;
}

static unsigned int assigned(const struct nvme_subsystem *subsystem, enum nvme_resource resource)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < subsystem->total_vfs; i++)
		sum += subsystem->secondaries[i].resources[resource];
	return sum;
}

/* Flexible ones that nobody was given. */
static unsigned int left(const struct nvme_subsystem *subsystem, enum nvme_resource resource)
{
	return flexible(subsystem) - assigned(subsystem, resource) - subsystem->primary[resource];
}

void svf_nvme_virt_set_limits(struct nvme_controller *c)
{
	const struct nvme_subsystem *subsystem = c->subsystem;

	if (c->id) {
		c->queues->limit = subsystem->secondaries[c->id - 1].resources[NVME_VQ];
		c->queues->vectors = subsystem->secondaries[c->id - 1].resources[NVME_VI];
	} else {
		c->queues->limit = private(subsystem) + subsystem->primary[NVME_VQ];
		c->queues->vectors = private(subsystem) + subsystem->primary[NVME_VI];
	}
}

/* --- states --- */

bool svf_nvme_is_offline(const struct nvme_controller *c)
{
	return c->id && !c->subsystem->secondaries[c->id - 1].online;
}

static void set_online(struct nvme_subsystem *subsystem, unsigned int index, bool online)
{
	struct nvme_secondary *secondary = &subsystem->secondaries[index];
	struct nvme_controller *c = subsystem->controllers[index + 1];

	if (secondary->online == online)
		return;
	secondary->online = online;
	if (c)
		svf_nvme_controller_state_changed(c);
}

static bool can_go_online(const struct nvme_subsystem *subsystem, unsigned int index)
{
	const struct nvme_secondary *secondary = &subsystem->secondaries[index];

	return subsystem->controllers[index + 1] &&
	       secondary->resources[NVME_VQ] >= QUEUES_TO_BE_READY && secondary->resources[NVME_VI];
}

void svf_nvme_secondary_begin(struct nvme_subsystem *subsystem, unsigned int index)
{
	struct nvme_secondary *secondary = &subsystem->secondaries[index];

	if (!subsystem->vf_online)
		return;
	for (unsigned int i = 0; i < NVME_RESOURCES; i++) {
		unsigned int most = secondary->resources[i] + left(subsystem, i);

		if (most > secondary_max(subsystem))
			most = secondary_max(subsystem);
		secondary->resources[i] = (uint16_t)most;
	}
	set_online(subsystem, index, can_go_online(subsystem, index));
}

void svf_nvme_secondary_end(struct nvme_subsystem *subsystem, unsigned int index)
{
	set_online(subsystem, index, false);
}

void svf_nvme_secondaries_reset(struct nvme_subsystem *subsystem)
{
	if (subsystem->vf_online)
		memset(subsystem->primary, 0, sizeof(subsystem->primary));
	for (unsigned int i = 0; i < subsystem->total_vfs; i++) {
		set_online(subsystem, i, false);
		if (subsystem->controllers[i + 1])
			svf_nvme_secondary_begin(subsystem, i);
	}
}

/* --- Virtualization Management --- */

static enum nvme_step give_to_primary(struct nvme_request *rq, enum nvme_resource resource)
{
	struct nvme_subsystem *subsystem = rq->controller->subsystem;
	unsigned int count = rq->dw[11] & 0xffff;

	if (rq->dw[10] >> 16)
		return svf_nvme_end_at(rq, NVME_INVALID_CONTROLLER_ID, 42);
	if (count > left(subsystem, resource) + subsystem->primary[resource] ||
	    private(subsystem) + count > svf_nvme_primary_max(subsystem, resource))
		return svf_nvme_end_at(rq, NVME_INVALID_NUMBER_OF_RESOURCES, 44);
	subsystem->primary[resource] = (uint16_t)count;
	rq->result = count;
	return svf_nvme_end(rq, NVME_SUCCESS);
}

static enum nvme_step give_to_secondary(struct nvme_request *rq, enum nvme_resource resource,
					unsigned int index)
{
	struct nvme_subsystem *subsystem = rq->controller->subsystem;
	struct nvme_secondary *secondary = &subsystem->secondaries[index];
	unsigned int count = rq->dw[11] & 0xffff;
	unsigned int most = left(subsystem, resource) + secondary->resources[resource];

	if (secondary->online)
		return svf_nvme_end(rq, NVME_INVALID_SECONDARY_STATE);
	if (count > secondary_max(subsystem) || count > most)
		return svf_nvme_end_at(rq, NVME_INVALID_NUMBER_OF_RESOURCES, 44);
	secondary->resources[resource] = (uint16_t)count;
	rq->result = count;
	return svf_nvme_end(rq, NVME_SUCCESS);
}

static enum nvme_step go(struct nvme_request *rq, unsigned int index, bool online)
{
	struct nvme_subsystem *subsystem = rq->controller->subsystem;

	if (online && !can_go_online(subsystem, index))
		return svf_nvme_end(rq, NVME_INVALID_SECONDARY_STATE);
	set_online(subsystem, index, online);
	return svf_nvme_end(rq, NVME_SUCCESS);
}

enum nvme_step svf_nvme_virtualization(struct nvme_request *rq)
{
	const struct nvme_subsystem *subsystem = rq->controller->subsystem;
	unsigned int act = rq->dw[10] & 0xf, resource = rq->dw[10] >> 8 & 0x7;
	unsigned int id = rq->dw[10] >> 16;

	if (act != ACT_PRIMARY && act != ACT_OFFLINE && act != ACT_ASSIGN && act != ACT_ONLINE)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 40);
	if (act != ACT_PRIMARY && (!id || id > subsystem->total_vfs))
		return svf_nvme_end_at(rq, NVME_INVALID_CONTROLLER_ID, 42);
	if (act == ACT_OFFLINE || act == ACT_ONLINE)
		return go(rq, id - 1, act == ACT_ONLINE);
	if (resource >= NVME_RESOURCES)
		return svf_nvme_end_at(rq, NVME_INVALID_RESOURCE_ID, 41);
	return act == ACT_PRIMARY ? give_to_primary(rq, resource)
				  : give_to_secondary(rq, resource, id - 1);
}

/* --- Identify --- */

void svf_nvme_identify_primary(const struct nvme_controller *c, uint8_t *page)
{
	const struct nvme_subsystem *subsystem = c->subsystem;

	svf_nvme_put(page + CAP_CNTLID, 2, c->id);
	page[CAP_CRT] = CRT_VQ | CRT_VI;
	for (unsigned int i = 0; i < NVME_RESOURCES; i++) {
		uint8_t *at = page + i * CAP_VI;
		unsigned int now = i == NVME_VQ ? c->queues->limit : c->queues->vectors;

		svf_nvme_put(at + CAP_TOTAL, 4, flexible(subsystem));
		svf_nvme_put(at + CAP_ASSIGNED, 4, assigned(subsystem, i));
		svf_nvme_put(at + CAP_PRIMARY, 2, now - private(subsystem));
		svf_nvme_put(at + CAP_PRIVATE, 2, private(subsystem));
		svf_nvme_put(at + CAP_SECONDARY_MAX, 2, secondary_max(subsystem));
		svf_nvme_put(at + CAP_GRANULARITY, 2, 1);
	}
}

void svf_nvme_identify_secondaries(const struct nvme_controller *c, unsigned int first,
				   uint8_t *page)
{
	const struct nvme_subsystem *subsystem = c->subsystem;
	unsigned int count = 0;

	for (unsigned int id = first ? first : 1; id <= subsystem->total_vfs; id++) {
		const struct nvme_secondary *secondary = &subsystem->secondaries[id - 1];
		uint8_t *at = page + ++count * SECONDARY_BYTES;

		svf_nvme_put(at + SECONDARY_SCID, 2, id);
		svf_nvme_put(at + SECONDARY_PCID, 2, c->id);
		at[SECONDARY_SCS] = secondary->online;
		svf_nvme_put(at + SECONDARY_VFN, 2, id);
		svf_nvme_put(at + SECONDARY_NVQ, 2, secondary->resources[NVME_VQ]);
		svf_nvme_put(at + SECONDARY_NVI, 2, secondary->resources[NVME_VI]);
	}
	page[0] = (uint8_t)count;
}
