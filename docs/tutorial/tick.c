/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of the tutorial: it counts ticks, writes the count to memory and interrupts.
 *
 *	0x00  RO  identification, 0x6b636974
 *	0x04  RW  period in microseconds; writing it starts the ticks, 0 stops them
 *	0x08  RO  ticks so far
 *	0x10  RW  64 bits: where in memory each tick writes their number (4 bytes)
 */
#include <errno.h>
#include <softvfio/model.h>
#include <stdlib.h>
#include <string.h>

#define BAR_BYTES 4096
#define PERIOD	  offsetof(struct registers, period)
#define ADDRESS	  offsetof(struct registers, address)

struct registers {
	uint32_t id, period, count, unused;
	uint64_t address;
};

struct tick {
	struct registers registers;
	uint32_t first;
	struct svf_model_timer *timer;
};

enum { OPT_FIRST };

static const struct svf_model_option tick_options[] = {
	[OPT_FIRST] = {"first", SVF_OPTION_NUMBER, 0, "N", "0", 0, 1000000, "what it counts from"},
	{0},
};

/* The timer has gone off. */
static void tick(struct svf_function *fn, void *arg)
{
	struct tick *tick = arg;
	uint32_t *count = &tick->registers.count;

	++*count;
	/* Where the IOMMU has no such mapping, or bus mastering is off, the write is lost. */
	if (svf_dma_write(fn, tick->registers.address, count, sizeof(*count)))
		return;
	svf_model_raise_msi(fn, 0);
}

static void tick_reset(struct svf_function *fn)
{
	struct tick *tick = svf_model_state(fn);

	svf_model_timer_stop(tick->timer);
	tick->registers = (struct registers){.id = 0x6b636974, .count = tick->first};
}

static void tick_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
			  size_t len)
{
	struct tick *tick = svf_model_state(fn);

	memset(buf, 0, len);
	if (offset + len <= sizeof(tick->registers))
		memcpy(buf, (uint8_t *)&tick->registers + offset, len);
}

static void tick_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset,
			   const void *buf, size_t len)
{
	struct tick *tick = svf_model_state(fn);
	uint64_t period;

	if (offset >= ADDRESS && offset + len <= ADDRESS + 8)
		memcpy((uint8_t *)&tick->registers + offset, buf, len);
	if (offset != PERIOD || len != 4)
		return;
	memcpy(&tick->registers.period, buf, 4);
	period = tick->registers.period * UINT64_C(1000);
	if (period)
		svf_model_timer_start(tick->timer, period, period);
	else
		svf_model_timer_stop(tick->timer);
}

static int tick_create(struct svf_function *fn, const struct svf_option_value *values,
		       struct svf_model_error *error)
{
	const struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM32, .size = BAR_BYTES};
	struct tick *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	svf_model_set_state(fn, state); /* from here on destroy() frees it */
	state->timer = svf_model_add_timer(fn, tick, state);
	if (!state->timer)
		return -ENOMEM;
	state->first = (uint32_t)values[OPT_FIRST].number;
	svf_model_set_ids(fn, &(struct svf_model_ids){
				      .vendor = 0x1234, .device = 0x7c4b, .class_code = 0xff0000});
	err = svf_model_add_bar(fn, 0, &bar, 0, error);
	if (err)
		return err;
	if (!svf_model_add_msi(fn, 1) || !svf_model_add_pm(fn, true))
		return svf_model_fail(error, -EINVAL, NULL, "config space is full");
	tick_reset(fn);
	return 0;
}

static void tick_destroy(struct svf_function *fn)
{
	free(svf_model_state(fn));
}

static const struct svf_model_ops tick_ops = {
	.size = sizeof(struct svf_model_ops),
	.version = SVF_MODEL_VERSION,
	.name = "tick",
	.help = "counts ticks, into memory and with interrupts",
	.options = tick_options,
	.create = tick_create,
	.destroy = tick_destroy,
	.reset = tick_reset,
	.bar_read = tick_bar_read,
	.bar_write = tick_bar_write,
};

SVF_MODEL_REGISTER(tick_ops);
