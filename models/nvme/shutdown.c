/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shutdown notification: what was written is brought to stable storage before CSTS.SHST says that it
 * is done, so that a host can cut the power then. With namespaces in memory that is at once; with a
 * file it takes a flush, which the controller may be reset in the middle of.
 */
#include <errno.h>
#include <stdlib.h>

#include "models/nvme/namespace.h"
#include "models/nvme/virt.h"

struct nvme_shutdown {
	struct svf_storage_request request;
	struct nvme_controller *c; /* NULL: it does not wait for the answer any more */
};

/* A flush that failed leaves the host without an answer, but with an error. */
static void end(struct nvme_controller *c, int err)
{
	if (err)
		svf_nvme_fatal(c);
	else
		svf_nvme_set_shutdown_status(c, NVME_CSTS_SHST_DONE);
}

static void flushed(struct svf_storage_request *request, int err)
{
	struct nvme_shutdown *shutdown = request->owner;
	struct nvme_controller *c = shutdown->c;

	free(shutdown);
	if (!c)
		return;
	c->shutdown = NULL;
	end(c, err);
}

void svf_nvme_shutdown_begin(struct nvme_controller *c)
{
	struct svf_storage *file = svf_nvme_namespaces_file(c);
	struct nvme_shutdown *shutdown;
	int err;

	/* Asked a second time while the first is under way. */
	if (c->shutdown)
		return;
	if (!file) {
		end(c, 0);
		return;
	}
	shutdown = calloc(1, sizeof(*shutdown));
	if (!shutdown) {
		end(c, -ENOMEM);
		return;
	}
	shutdown->c = c;
	shutdown->request = (struct svf_storage_request){
		.op = SVF_STORAGE_FLUSH, .done = flushed, .owner = shutdown};
	err = svf_storage_submit(file, &shutdown->request);
	if (err == -EINPROGRESS) {
		c->shutdown = shutdown;
		svf_nvme_set_shutdown_status(c, NVME_CSTS_SHST_OCCURRING);
		return;
	}
	free(shutdown);
	end(c, err);
}

void svf_nvme_shutdown_drop(struct nvme_controller *c)
{
	if (c->shutdown)
		c->shutdown->c = NULL;
	c->shutdown = NULL;
}
