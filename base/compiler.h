/* SPDX-License-Identifier: BSD-3-Clause */
/* The few words of the compiler that the rest of the tree uses. */
#ifndef SVF_BASE_COMPILER_H
#define SVF_BASE_COMPILER_H

#include <stddef.h>

/* A result that may not be dropped: every function that returns a negative errno has it. */
#define SVF_MUST_CHECK	       __attribute__((warn_unused_result))
#define SVF_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define SVF_ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))

/* The structure of which ptr is the named member. */
#define svf_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* One past the last byte of a member: the size up to which a caller must have filled a struct. */
#define svf_offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#endif
