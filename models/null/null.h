/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the null model share. */
#ifndef SVF_MODELS_NULL_NULL_H
#define SVF_MODELS_NULL_NULL_H

#include "include/softvfio/model.h"

#define BARS 6u

enum {
	OPT_VFS,
	OPT_TOTALVFS,
	OPT_VENDOR,
	OPT_DEVICE,
	OPT_SUBVENDOR,
	OPT_SUBDEVICE,
	OPT_CLASS,
	OPT_REVISION,
	OPT_BAR0,
	OPT_MSI = OPT_BAR0 + (int)BARS,
	OPT_MSIX,
	OPT_MSIXBAR,
	OPT_INTX,
	OPT_PM,
	OPT_FLR,
	OPT_PCIE,
	OPT_VFBAR0,
	OPT_VFMSIX = OPT_VFBAR0 + (int)BARS,
	OPT_VFDEVICE,
	OPT_OFFSET,
	OPT_STRIDE,
	OPT_DUMP,
	OPT_ROM,
	OPT_ROMSIZE,
	OPT_VPD,
};

extern const struct svf_model_option svf_null_options[];

/* A table of interrupts in a BAR: the last bytes of it. vectors 0: none. */
struct msix {
	unsigned int vectors, bar;
	uint32_t table, pba;
};

/* Legacy VGA: ports from 0x3b0 to 0x3df, memory from 0xa0000 to 0xbffff. */
struct vga {
	uint8_t ports[0x30], memory[0x20000];
};

struct null {
	uint8_t *registers[BARS]; /* contents of BARs that are no RAM, NULL of others */
	size_t register_bytes[BARS];
	struct vga *vga;     /* of a VGA device */
	struct msix vf_msix; /* of a PF */
	bool vf_flr;
};

/* build.c: a function as its options say. Return: 0, -EINVAL with the reason, -ENOMEM. */
int svf_null_build(struct svf_function *fn, struct null *null,
		   const struct svf_option_value *values,
		   struct svf_model_error *error) SVF_MODEL_MUST_CHECK;
/* from_dump.c: a function as a dump and the options beside it say. */
int svf_null_build_from_dump(struct svf_function *fn, struct null *null,
			     const struct svf_option_value *values,
			     struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/* build.c, also for from_dump.c. */
uint64_t svf_null_msix_size(unsigned int vectors);
void svf_null_place_msix(struct msix *msix, unsigned int vectors, unsigned int bar,
			 uint64_t bar_size);
int svf_null_add_bars(struct svf_function *fn, const struct svf_model_bar bars[BARS],
		      struct svf_model_error *error) SVF_MODEL_MUST_CHECK;
int svf_null_add_msix_bar(struct svf_model_bar bars[BARS], unsigned int vectors,
			  unsigned int wanted, struct svf_model_bar fresh, struct msix *msix,
			  const char *option, struct svf_model_error *error) SVF_MODEL_MUST_CHECK;
/* ROM and vital product data. dumped: the size of the ROM that a dump says, 0: none. */
int svf_null_build_contents(struct svf_function *fn, const struct svf_option_value *values,
			    uint64_t dumped, struct svf_model_error *error) SVF_MODEL_MUST_CHECK;
int svf_null_no_room(struct svf_model_error *error);

#endif
