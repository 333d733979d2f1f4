/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two tables of the same names: what our headers say and what the system's say. Their names
 * collide, so each is made by a file of its own, uapi_ours.c and uapi_system.c, from the one list.
 */
#ifndef SVF_TESTS_UNIT_UAPI_TABLE_H
#define SVF_TESTS_UNIT_UAPI_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct uapi_entry {
	const char *name;
	uint64_t value;
};

extern const struct uapi_entry uapi_ours[], uapi_system[];
extern const size_t uapi_ours_count, uapi_system_count;
/* As KERNEL_VERSION() makes it: of the system's headers. */
extern const unsigned int uapi_system_version;

#define NUMBER(name_) {#name_, (uint64_t)(name_)},
#define SIZE(type_)   {"sizeof(struct " #type_ ")", sizeof(struct type_)},
#define ARRAY(type_, member_)                                                                      \
	{"offset of struct " #type_ "." #member_, offsetof(struct type_, member_)},
#define MEMBER(type_, member_)                                                                     \
	ARRAY(type_, member_){"size of struct " #type_ "." #member_,                               \
			      sizeof(((struct type_ *)NULL)->member_)},

#endif
