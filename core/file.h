/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file: what a client's open of one of our nodes gives, one for each open file description. The
 * real kernel counts dup, fork and SCM_RIGHTS; the core sees one open and one close.
 *
 * Embedded in the object-specific file structures (a container, an open group, an open device, an
 * iommufd context); svf_container_of gets there after a check of kind.
 */
#ifndef SVF_CORE_FILE_H
#define SVF_CORE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct svf_call;
struct svf_file;
struct svf_machine;

enum svf_file_kind {
	SVF_FILE_CONTAINER, /* /dev/vfio/vfio */
	SVF_FILE_GROUP,	    /* /dev/vfio/N */
	SVF_FILE_DEVICE,    /* from GROUP_GET_DEVICE_FD, or /dev/vfio/devices/vfioN */
	SVF_FILE_IOMMUFD,   /* /dev/iommu */
	SVF_FILE_FAULT,	    /* from FAULT_QUEUE_ALLOC */
	SVF_FILE_VEVENTQ,   /* from VEVENTQ_ALLOC */
	SVF_FILE_ACCESS,    /* from IOMMU_TEST_CMD */
};

#define SVF_POLL_IN  (1u << 0)
#define SVF_POLL_OUT (1u << 1)

struct svf_file_ops {
	/* NULL: the kind cannot be read or written (-EINVAL). */
	ssize_t (*read)(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
			uint64_t offset);
	ssize_t (*write)(struct svf_file *file, struct svf_call *call, const void *buf, size_t len,
			 uint64_t offset);
	/* SVF_POLL_*. NULL: always ready for both. */
	unsigned int (*poll)(struct svf_file *file);
	/* A file that a command made has a descriptor of the caller's. NULL: nobody wants to know. */
	void (*installed)(struct svf_file *file);
	/* The last reference is gone. Never fails, frees the file. */
	void (*close)(struct svf_file *file);
};

struct svf_file {
	enum svf_file_kind kind;
	const struct svf_file_ops *ops;
	struct svf_machine *machine;
};

/*
 * Opens by node. Return: 0, -ENODEV, -ENOENT, -EBUSY, -ENOMEM, ... each with a reason.
 * The caller owns *ret and ends it with svf_file_close().
 */
int svf_container_open(struct svf_machine *machine, struct svf_call *call,
		       struct svf_file **ret) SVF_MUST_CHECK;
int svf_group_open(struct svf_machine *machine, struct svf_call *call, unsigned int id,
		   struct svf_file **ret) SVF_MUST_CHECK;
int svf_cdev_open(struct svf_machine *machine, struct svf_call *call, unsigned int minor,
		  struct svf_file **ret) SVF_MUST_CHECK;
int svf_iommufd_open(struct svf_machine *machine, struct svf_call *call,
		     struct svf_file **ret) SVF_MUST_CHECK;

/* Dispatches by (file kind, command) through the table in core/command.c. >= 0 or negative errno, or
 * SVF_RESTART. */
long svf_file_ioctl(struct svf_file *file, struct svf_call *call, uint32_t command,
		    uint64_t arg) SVF_MUST_CHECK;
ssize_t svf_file_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
		      uint64_t offset) SVF_MUST_CHECK;
ssize_t svf_file_write(struct svf_file *file, struct svf_call *call, const void *buf, size_t len,
		       uint64_t offset) SVF_MUST_CHECK;
unsigned int svf_file_poll(struct svf_file *file);
void svf_file_installed(struct svf_file *file);
void svf_file_close(struct svf_file *file);

#endif
