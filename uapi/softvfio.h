/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio's own commands on its files, and the list of commands that must reach the host through
 * the seccomp listener. Shared by the launcher (which builds the filter), the host and the preload.
 *
 * The commands have type 0xf5, which no driver of Linux uses, so that one of them on a foreign
 * descriptor is refused with ENOTTY by whoever owns that descriptor.
 */
#ifndef SVF_UAPI_SOFTVFIO_H
#define SVF_UAPI_SOFTVFIO_H

#include <linux/kvm.h>
#include <stdint.h>

#include "uapi/iommufd_test.h"
#include "uapi/vfio.h"

#define SVF_OWN_IO(nr) ((uint32_t)(0xf5 << 8 | (nr)))

/*
 * On /dev/iommu and device files: does nothing and returns 0, whatever the argument. What any
 * command costs at least; the benchmarks measure it.
 */
#define SVF_NOOP SVF_OWN_IO(0)

/*
 * On a device file, through the listener only: the memory behind part of a region, in place of
 * mmap. The argument points to a struct svf_preload_ram. Returns a new descriptor (close-on-exec)
 * of a memory file, to be mapped shared at ret_memory_offset, or fails as the kernel's mmap of the
 * same range would: EINVAL for what is no mappable region or crosses its end, EPERM for PROT_EXEC
 * on a device file that came from a group. On a file that is no device file: ENODEV. ENODATA: the
 * range can be mapped, but each access is to reach the function; trap it, and read or write the file.
 *
 * The pages of a range need not all be of one kind. The answer, ENODATA too, is that of the first
 * ret_length bytes; for the rest it is to be asked again. With SVF_PRELOAD_LOADS_ONLY the memory
 * cannot be mapped for writing: stores are to be trapped.
 */
#define SVF_PRELOAD_GET_RAM SVF_OWN_IO(1)

struct svf_preload_ram {
	uint32_t argsz;	 /* sizeof(struct svf_preload_ram) */
	uint32_t prot;	 /* as given to mmap: PROT_READ, PROT_WRITE, PROT_EXEC */
	uint64_t offset; /* as given to mmap: region offset plus offset in the region, bytes */
	uint64_t length; /* bytes; rounded up to pages */
	uint64_t ret_memory_offset; /* where in the memory file the range begins, bytes */
	uint64_t ret_length;	    /* bytes that the answer holds for, page-aligned */
	uint32_t ret_flags;	    /* SVF_PRELOAD_LOADS_ONLY or 0 */
	uint32_t reserved;
};

#define SVF_PRELOAD_LOADS_ONLY (1u << 0)

/* The host's own: which open file is this? Refused with ENOTTY to everybody but the host itself. */
#define SVF_HOST_IDENTIFY SVF_OWN_IO(2)

/*
 * On a device node: its device number as sysfs "dev" shows it, major << 20 | minor (the result). On
 * another file of ours: ENOTTY. For the preload, which lets clients see a character device.
 */
#define SVF_NODE_DEVT SVF_OWN_IO(3)

/*
 * ioctl numbers (second argument, compared in its low 32 bits) that the filter sends to the
 * listener: those that return a new descriptor, which FUSE cannot make, and the one by which a VMM
 * gives files of ours to KVM, which does not know them. The filter must be
 * installed with SECCOMP_FILTER_FLAG_NEW_LISTENER and, where the kernel has it (5.19),
 * SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, so that a signal does not undo a call that is under way.
 */
#define SVF_LISTENED_COMMANDS                                                                      \
	{                                                                                          \
		VFIO_GROUP_GET_DEVICE_FD, IOMMU_FAULT_QUEUE_ALLOC, IOMMU_VEVENTQ_ALLOC,            \
			IOMMU_TEST_CMD, SVF_PRELOAD_GET_RAM, KVM_SET_DEVICE_ATTR                   \
	}

#endif
