/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A model in a file, in the ways that model-file.test asks for by macros:
 *
 *	NAME, FACTOR	what it is called, and by what its device id is multiplied
 *	VERSION, SIZE	what it says of its struct svf_model_ops
 *	NEWER		its struct svf_model_ops has a member that no softvfio knows, with this value
 *	NO_SYMBOL	it is not registered
 *	NO_CREATE	it lacks create()
 *	UNKNOWN		it calls a function that no softvfio has
 *	OPTION_TYPE	of an option
 *	VFS_OPTION	the name of an option that it does not have
 */
#include <softvfio/model.h>

#ifndef NAME
#define NAME "sample"
#endif
#ifndef FACTOR
#define FACTOR 1
#endif
#ifndef VERSION
#define VERSION SVF_MODEL_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(sample_ops)
#endif
#ifndef OPTION_TYPE
#define OPTION_TYPE SVF_OPTION_HEX
#endif

enum { OPT_ID };

static const struct svf_model_option sample_options[] = {
	[OPT_ID] = {"id", OPTION_TYPE, 0, "ID", "1", 1, 0xfff, "device id"},
	{0},
};

#ifdef UNKNOWN
void svf_model_of_the_future(struct svf_function *fn);
#endif

#ifndef NO_CREATE
static int sample_create(struct svf_function *fn, const struct svf_option_value *values,
			 struct svf_model_error *error)
{
	static unsigned int before; /* functions of this file, not of another */
	struct svf_model_ids ids = {.vendor = 0x1234, .class_code = 0xff0000};

	(void)error;
	ids.device = (uint16_t)(values[OPT_ID].number * FACTOR);
	ids.subdevice = (uint16_t)before++;
	ids.subvendor = 0x1234;
	svf_model_set_ids(fn, &ids);
#ifdef UNKNOWN
	svf_model_of_the_future(fn);
#endif
	return svf_model_add_msi(fn, 1) ? 0 : -1;
}
#endif

static const struct {
	struct svf_model_ops ops;
#ifdef NEWER
	uint64_t newer;
#endif
} sample_ops = {
	.ops =
		{
			.size = SIZE,
			.version = VERSION,
			.name = NAME,
			.help = "a model for tests",
			.options = sample_options,
#ifdef VFS_OPTION
			.vfs_option = VFS_OPTION,
#endif
#ifndef NO_CREATE
			.create = sample_create,
#endif
		},
#ifdef NEWER
	.newer = NEWER,
#endif
};

#ifdef NO_SYMBOL
const struct svf_model_ops *sample(void);
const struct svf_model_ops *sample(void)
{
	return &sample_ops.ops;
}
#else
SVF_MODEL_REGISTER(sample_ops.ops);
#endif
