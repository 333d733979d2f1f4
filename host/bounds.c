/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients may use up together; see bounds.h. */
#include "host/bounds.h"

#include <sys/resource.h>

/* Files of the core's, which count against its own limit too, and attributes. */
#define MAX_OPENS     (5u << 15)
#define MAX_REQUESTS  1024u
#define MAX_LISTENERS 128u
/* More descriptors than this would only make the tables of the kernel larger. */
#define ENOUGH_DESCRIPTORS 65536u
/* Descriptors of the host's own: listeners, control connections, BARs. */
#define RESERVED_DESCRIPTORS 512u

static unsigned int raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 1024;
	limit.rlim_cur = limit.rlim_max < ENOUGH_DESCRIPTORS ? limit.rlim_max : ENOUGH_DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) && getrlimit(RLIMIT_NOFILE, &limit))
		return 1024;
	return (unsigned int)limit.rlim_cur;
}

void svf_bounds_init(struct svf_bounds *bounds)
{
	unsigned int descriptors = raise_descriptors();
	unsigned int spare = descriptors > 2 * RESERVED_DESCRIPTORS
				     ? descriptors - RESERVED_DESCRIPTORS
				     : descriptors / 2;

	*bounds = (struct svf_bounds){
		.opens = MAX_OPENS,
		.requests = MAX_REQUESTS,
		.listeners = MAX_LISTENERS,
		.events = spare / 2,
		.mms = spare / 8,
	};
}
