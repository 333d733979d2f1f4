/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the host ask of the whole; see host.h. */
#include "host/host.h"

#include <fcntl.h>
#include <unistd.h>

#include "host/files/tree.h"
#include "host/sysfs.h"

void svf_host_settle(struct svf_host *host)
{
	if (!host->tree_changed)
		return;
	svf_tree_begin(host->tree);
	svf_sysfs_state(host->tree, host->machine);
	/* Without memory the names stay as they were until the next call. */
	if (!svf_tree_end(host->tree))
		host->tree_changed = false;
}

void svf_host_leave(struct svf_host *host)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	host->control.stay = true;
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

void svf_host_ready(struct svf_host *host)
{
	ssize_t n;

	if (host->options.ready_fd < 0)
		return;
	n = write(host->options.ready_fd, "R", 1);
	(void)n; /* the launcher may be gone, which we learn elsewhere */
	close(host->options.ready_fd);
	host->options.ready_fd = -1;
}
