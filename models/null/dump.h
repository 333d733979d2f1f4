/* SPDX-License-Identifier: BSD-3-Clause */
/* The output of "lspci -vvv -xxxx" as the description of a function. */
#ifndef SVF_MODELS_NULL_DUMP_H
#define SVF_MODELS_NULL_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/softvfio/model.h"

struct svf_null_dump {
	uint8_t config[4096];
	size_t len; /* 64, 256 or 4096 */
	/* What lines about regions say; 0: nothing. Of VFs: for all that there can be together. */
	uint64_t bar_sizes[6], vf_bar_sizes[6], rom_size;
};

/*
 * Reads the first function of the text. Return: 0; -EINVAL with *error, when it has no hexadecimal
 * lines or too few.
 */
int svf_null_dump_read(const char *text, struct svf_null_dump *dump,
		       struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/*
 * The six BAR registers at offset in config space, in the header or in an SR-IOV capability: types
 * by the registers, sizes by what lines say, else 0.
 */
void svf_null_dump_bars(const struct svf_null_dump *dump, unsigned int offset,
			struct svf_model_bar bars[6]);

#endif
