/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vital product data: what the VPD capability gives access to, four bytes at a time, as the function
 * does it and as the kernel reads and writes it.
 */
#ifndef SVF_CORE_PCI_VPD_H
#define SVF_CORE_PCI_VPD_H

#include <stdint.h>
#include <sys/types.h>

#include "core/call.h"

struct svf_function;

#define SVF_VPD_MAX 32768u /* bytes: addresses have 15 bits */

/* Whether the kernel takes the function for one that has such data, once it has looked. */
bool svf_vpd_available(const struct svf_function *fn);

/*
 * As the kernel's users of it (sysfs "vpd", vfio-pci) read and write. Return: bytes, 0 behind the end;
 * -ENODEV: no data; -EINVAL: a write that is not aligned to 4 bytes or passes the end.
 */
ssize_t svf_vpd_read(const struct svf_function *fn, struct svf_call *call, uint64_t offset,
		     void *buf, size_t len);
ssize_t svf_vpd_write(struct svf_function *fn, struct svf_call *call, uint64_t offset,
		      const void *buf, size_t len);

/* config.c: software has written the address register of the function itself. */
void svf_vpd_address_written(struct svf_function *fn);

#endif
