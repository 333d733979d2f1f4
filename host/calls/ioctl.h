/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands, from FUSE or a listener. */
#ifndef SVF_HOST_CALLS_IOCTL_H
#define SVF_HOST_CALLS_IOCTL_H

#include <stddef.h>

struct svf_request;

/* "ioctl(/dev/vfio/8, VFIO_GROUP_GET_DEVICE_FD, \"0000:01:10.0\")" */
void svf_ioctl_describe(const struct svf_request *request, char *buf, size_t size);

#endif
