/* SPDX-License-Identifier: BSD-3-Clause */
/* What the system's headers say: of the list, the sections that are not younger than they are. */
#include <linux/version.h>
#include <linux/vfio.h>

#define SINCE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#if SINCE(6, 12)
#include <linux/iommufd.h>
#endif

#include "base/compiler.h"
#include "uapi_table.h"

const struct uapi_entry uapi_system[] = {
#include "uapi_list.h"
};
const size_t uapi_system_count = SVF_ARRAY_SIZE(uapi_system);
const unsigned int uapi_system_version = LINUX_VERSION_CODE;
