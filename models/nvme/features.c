/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Set and Get Features. None can be saved, so the saved value is the default, which a reset of the
 * controller brings back; none is of a namespace.
 *
 * Interrupts are never coalesced, which is a legal way to do what coalescing asks for.
 */
#include <string.h>

#include "models/nvme/admin.h"
#include "models/nvme/queues.h"

#define SEL_CURRENT	    0u
#define SEL_CAPABILITIES    3u
#define CAP_CHANGEABLE	    0x4u

#define SAVE		    0x80000000u /* in dword 10 of Set Features */

#define ERROR_RECOVERY_BITS 0x0000ffffu
/* Warnings of SMART, and namespace attribute notices. */
#define ASYNC_EVENTS_BITS     0x0000011fu

#define WARNING_TEMPERATURE   0x02u

#define ARBITRATION_UNLIMITED 0x07u

#define MEMBER(name)	      offsetof(struct nvme_features, name)

void svf_nvme_features_reset(struct nvme_controller *c)
{
	struct nvme_features *f = &c->admin->features;

	memset(f, 0, sizeof(*f));
	f->arbitration = ARBITRATION_UNLIMITED;
	f->temperature_over = NVME_KELVIN_WARNING;
	c->write_cache = true;
}

uint8_t svf_nvme_critical_warning(const struct nvme_controller *c)
{
	const struct nvme_features *f = &c->admin->features;
	bool temperature =
		NVME_KELVIN >= f->temperature_over || NVME_KELVIN <= f->temperature_under;

	return temperature ? WARNING_TEMPERATURE : 0;
}

/* --- what needs more than being kept --- */

/* Errors of deallocated blocks there are none. */
static uint16_t set_error_recovery(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	(void)ret;
	if (dword & 0x10000)
		return NVME_INVALID_FIELD;
	c->admin->features.error_recovery = dword & ERROR_RECOVERY_BITS;
	return NVME_SUCCESS;
}

static uint16_t get_write_cache(const struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	(void)dword;
	*ret = c->write_cache;
	return NVME_SUCCESS;
}

static uint16_t set_write_cache(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	(void)ret;
	c->write_cache = dword & 1;
	return NVME_SUCCESS;
}

static void tell_warning(struct nvme_controller *c, uint8_t before)
{
	uint8_t now = svf_nvme_critical_warning(c);

	if (now & ~before & c->admin->features.async_events)
		svf_nvme_event(c, (struct nvme_event){NVME_EVENT_HEALTH, NVME_EVENT_TEMPERATURE,
						      NVME_LOG_HEALTH});
}

static uint16_t set_async_events(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	uint8_t told = (uint8_t)c->admin->features.async_events;

	(void)ret;
	if (dword & ~ASYNC_EVENTS_BITS)
		return NVME_INVALID_FIELD;
	c->admin->features.async_events = dword;
	/* A warning that stands already counts as new to whoever asks for it now. */
	tell_warning(c, told);
	return NVME_SUCCESS;
}

static uint16_t get_power(const struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	(void)c;
	(void)dword;
	*ret = 0;
	return NVME_SUCCESS;
}

/* There is one power state. */
static uint16_t set_power(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	(void)c;
	(void)ret;
	return dword & 0x1f ? NVME_INVALID_FIELD : NVME_SUCCESS;
}

/* Which of the two thresholds of the one temperature, the composite one. NULL: none. */
static uint16_t *threshold(struct nvme_features *f, uint32_t dword, bool all)
{
	unsigned int sensor = dword >> 16 & 0xf, kind = dword >> 20 & 0x3;

	if ((sensor && !(all && sensor == 0xf)) || kind > 1)
		return NULL;
	return kind ? &f->temperature_under : &f->temperature_over;
}

static uint16_t get_threshold(const struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	const uint16_t *value = threshold(&c->admin->features, dword, false);

	if (!value)
		return NVME_INVALID_FIELD;
	*ret = *value;
	return NVME_SUCCESS;
}

static uint16_t set_threshold(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	uint16_t *value = threshold(&c->admin->features, dword, true);
	uint8_t before = svf_nvme_critical_warning(c);

	(void)ret;
	if (!value)
		return NVME_INVALID_FIELD;
	*value = (uint16_t)dword;
	tell_warning(c, before);
	return NVME_SUCCESS;
}

static uint16_t get_queues(const struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	uint32_t count = c->queues->limit - 1;

	(void)dword;
	/* From zero, so none cannot be said. */
	count = count ? count - 1 : 0;
	*ret = count | count << 16;
	return NVME_SUCCESS;
}

/* Whatever is asked for, all are given. */
static uint16_t set_queues(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	if (c->admin->queues_made)
		return NVME_COMMAND_SEQUENCE_ERROR;
	if ((dword & 0xffff) == 0xffff || dword >> 16 == 0xffff)
		return NVME_INVALID_FIELD;
	return get_queues(c, dword, ret);
}

static uint16_t get_vector(const struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	unsigned int vector = dword & 0xffff;

	if (vector >= c->queues->vectors)
		return NVME_INVALID_FIELD;
	*ret = vector | (uint32_t)(c->admin->features.uncoalesced[vector / 64] >> vector % 64 & 1)
				<< 16;
	return NVME_SUCCESS;
}

static uint16_t set_vector(struct nvme_controller *c, uint32_t dword, uint32_t *ret)
{
	unsigned int vector = dword & 0xffff;
	uint64_t bit = UINT64_C(1) << vector % 64;

	(void)ret;
	if (vector >= c->queues->vectors)
		return NVME_INVALID_FIELD;
	if (dword & 0x10000)
		c->admin->features.uncoalesced[vector / 64] |= bit;
	else
		c->admin->features.uncoalesced[vector / 64] &= ~bit;
	return NVME_SUCCESS;
}

/* --- the table --- */

/*
 * initial: the default value. Of a feature without get(), member is where it is kept in struct nvme_features;
 * without set(), mask is what is kept of dword 11.
 */
static const struct feature {
	uint8_t id;
	bool asks; /* get() looks at dword 11, and says the default too */
	uint32_t initial, mask;
	size_t member;
	uint16_t (*get)(const struct nvme_controller *c, uint32_t dword, uint32_t *ret);
	uint16_t (*set)(struct nvme_controller *c, uint32_t dword, uint32_t *ret);
} features[] = {
	{NVME_FEATURE_ARBITRATION, false, ARBITRATION_UNLIMITED, 0xffffff07, MEMBER(arbitration),
	 NULL, NULL},
	{NVME_FEATURE_POWER_MANAGEMENT, false, 0, 0, 0, get_power, set_power},
	{NVME_FEATURE_TEMPERATURE_THRESHOLD, true, 0, 0, 0, get_threshold, set_threshold},
	{NVME_FEATURE_ERROR_RECOVERY, false, 0, 0, MEMBER(error_recovery), NULL,
	 set_error_recovery},
	{NVME_FEATURE_WRITE_CACHE, false, 1, 0, 0, get_write_cache, set_write_cache},
	{NVME_FEATURE_NUMBER_OF_QUEUES, true, 0, 0, 0, get_queues, set_queues},
	{NVME_FEATURE_INTERRUPT_COALESCING, false, 0, 0xffff, MEMBER(coalescing), NULL, NULL},
	{NVME_FEATURE_INTERRUPT_VECTOR, true, 0, 0, 0, get_vector, set_vector},
	{NVME_FEATURE_WRITE_ATOMICITY, false, 0, 0x1, MEMBER(write_atomicity), NULL, NULL},
	{NVME_FEATURE_ASYNC_EVENTS, false, 0, 0, MEMBER(async_events), NULL, set_async_events},
};

static uint32_t *kept(const struct nvme_controller *c, const struct feature *feature)
{
	return (uint32_t *)(void *)((uint8_t *)&c->admin->features + feature->member);
}

static const struct feature *lookup(const struct nvme_request *rq)
{
	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (features[i].id == (rq->dw[10] & 0xff))
			return &features[i];
	}
	return NULL;
}

enum nvme_step svf_nvme_set_features(struct nvme_request *rq)
{
	const struct feature *feature = lookup(rq);

	if (!feature)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 40);
	if (rq->dw[10] & SAVE)
		return svf_nvme_end_at(rq, NVME_FEATURE_NOT_SAVEABLE, 43 | 7 << 8);
	/* QEMU's driver names its namespace when it sets the write cache, and drives let that pass. */
	if (rq->nsid && rq->nsid != NVME_ALL_NAMESPACES &&
	    !(feature->id == NVME_FEATURE_WRITE_CACHE &&
	      svf_nvme_namespace_lookup(rq->controller, rq->nsid)))
		return svf_nvme_end_at(rq, NVME_FEATURE_NOT_NAMESPACE_SPECIFIC, 4);
	if (feature->set)
		rq->status = feature->set(rq->controller, rq->dw[11], &rq->result);
	else
		*kept(rq->controller, feature) = rq->dw[11] & feature->mask;
	if (rq->status == NVME_INVALID_FIELD)
		rq->location = 44;
	return NVME_DONE;
}

/* The default of what depends on dword 11. */
static uint16_t get_initial(const struct nvme_request *rq, const struct feature *feature,
			    uint32_t *ret)
{
	uint16_t status = feature->get(rq->controller, rq->dw[11], ret);

	if (status)
		return status;
	if (feature->id == NVME_FEATURE_TEMPERATURE_THRESHOLD)
		*ret = rq->dw[11] >> 20 & 1 ? 0 : NVME_KELVIN_WARNING;
	else if (feature->id == NVME_FEATURE_INTERRUPT_VECTOR)
		*ret = rq->dw[11] & 0xffff;
	return NVME_SUCCESS;
}

enum nvme_step svf_nvme_get_features(struct nvme_request *rq)
{
	const struct feature *feature = lookup(rq);
	unsigned int select = rq->dw[10] >> 8 & 0x7;

	if (!feature)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 40);
	if (select > SEL_CAPABILITIES)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 41);
	rq->status = NVME_SUCCESS;
	if (select == SEL_CAPABILITIES)
		rq->result = CAP_CHANGEABLE;
	else if (select == SEL_CURRENT && !feature->get)
		rq->result = *kept(rq->controller, feature);
	else if (select == SEL_CURRENT)
		rq->status = feature->get(rq->controller, rq->dw[11], &rq->result);
	else if (feature->asks)
		rq->status = get_initial(rq, feature, &rq->result);
	else
		rq->result = feature->initial;
	return NVME_DONE;
}
