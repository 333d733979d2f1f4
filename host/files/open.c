/* SPDX-License-Identifier: BSD-3-Clause */
/* Open files of ours; see open.h. */
#include "host/files/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "host/client/linger.h"
#include "host/files/fuse_ops.h"
#include "host/files/node.h"
#include "host/host.h"

int svf_open_alloc(struct svf_host *host, struct svf_tree_node *node, struct svf_file *file,
		   pid_t pid, struct svf_open **ret)
{
	struct svf_open *open;

	if (host->open_count >= host->bounds.opens)
		return -ENFILE;
	open = calloc(1, sizeof(*open));
	if (!open)
		return -ENOMEM;
	open->share = file ? svf_share_take(host, pid) : NULL;
	if (file && !open->share) {
		free(open);
		return -ENOMEM;
	}
	open->host = host;
	open->refs = 1;
	open->node = node;
	if (node)
		svf_tree_node_get(node);
	open->file = file;
	open->pid = pid;
	svf_list_add_tail(&host->opens, &open->link);
	host->open_count++;
	*ret = open;
	return 0;
}

void svf_open_get(struct svf_open *open)
{
	open->refs++;
}

void svf_open_put(struct svf_open *open)
{
	if (!open || --open->refs)
		return;
	if (svf_linger_holds(open->file))
		open->lingers = true;
	else
		svf_open_end(open);
}

void svf_open_end(struct svf_open *open)
{
	svf_list_del(&open->link);
	open->host->open_count--;
	svf_kvm_forget(&open->host->kvm, open->file);
	if (open->file)
		svf_file_close(open->file);
	svf_share_release(open->share);
	svf_tree_node_put(open->host->tree, open->node);
	if (open->poll)
		fuse_pollhandle_destroy(open->poll);
	free(open->text);
	free(open);
}

struct svf_open *svf_open_lookup(struct svf_host *host, const struct svf_file *file)
{
	struct svf_open *open;

	svf_list_for_each(open, &host->opens, link) {
		if (file && open->file == file)
			return open;
	}
	return NULL;
}

void svf_open_describe(const struct svf_open *open, char *buf, size_t size)
{
	const struct svf_device_file *df;

	if (open->node) {
		svf_tree_node_path(open->node, buf, size);
	} else if (open->file && open->file->kind == SVF_FILE_DEVICE) {
		df = svf_container_of(open->file, const struct svf_device_file, file);
		snprintf(buf, size, "device " SVF_BDF_FMT, SVF_BDF_ARG(df->device->fn->bdf));
	} else {
		snprintf(buf, size, "?");
	}
}
