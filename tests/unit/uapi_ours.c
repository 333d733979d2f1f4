/* SPDX-License-Identifier: BSD-3-Clause */
/* What our headers say: all of the list. */
#include "uapi_table.h"

#include "base/compiler.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define SINCE(major, minor) 1

const struct uapi_entry uapi_ours[] = {
#include "uapi_list.h"
};
const size_t uapi_ours_count = SVF_ARRAY_SIZE(uapi_ours);
