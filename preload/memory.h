/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory as an instruction reaches it that is carried out, trapped or not. */
#ifndef SVF_PRELOAD_MEMORY_H
#define SVF_PRELOAD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Return: 0, or the number of the signal that the access deserves, with the address in *ret_fault; then nothing
 * was changed from there on.
 */
struct svf_memory {
	int (*read)(uint64_t address, void *dst, size_t len, uint64_t *ret_fault);
	int (*write)(uint64_t address, const void *src, size_t len, uint64_t *ret_fault);
	/* Whether it may be written: an instruction that reads first must not when it is not. */
	int (*check_write)(uint64_t address, size_t len, uint64_t *ret_fault);
};

#endif
