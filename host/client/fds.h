/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's descriptors, as named by number in the arguments of its calls; theory in fds.c. */
#ifndef SVF_HOST_CLIENT_FDS_H
#define SVF_HOST_CLIENT_FDS_H

#include <stdint.h>

#include "base/compiler.h"

struct svf_call;
struct svf_fd;
struct svf_host;
struct svf_open;
struct svf_request;

/* The port's fd_lookup. */
int svf_fds_lookup(struct svf_call *call, int number, struct svf_fd *ret) SVF_MUST_CHECK;
/* The helper's question has arrived: cookie's descriptor is this open file. */
void svf_fds_identified(struct svf_host *host, uint64_t cookie, struct svf_open *open);
/* Lets go of what the request looked up. */
void svf_fds_release(struct svf_request *request);

#endif
