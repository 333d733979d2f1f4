/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of models: the core's side of svf_storage_open() and its like (include/softvfio/model.h). The
 * port does the work; here requests are checked, so that no model can reach beyond the size that the
 * file had when it was opened.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "core/machine.h"
#include "core/pci/function.h"
#include "include/softvfio/model.h"

int svf_storage_open(struct svf_function *fn, const char *name, struct svf_storage **ret,
		     struct svf_model_error *error)
{
	const struct svf_port_ops *port = fn->machine->port;

	if (!port->storage_open)
		return svf_model_fail(error, -EINVAL, NULL, "there are no files for devices here");
	return port->storage_open(fn->machine, name, ret, error);
}

uint64_t svf_storage_size(const struct svf_storage *storage)
{
	return storage->size;
}

int svf_storage_submit(struct svf_storage *storage, struct svf_storage_request *request)
{
	if (request->op == SVF_STORAGE_FLUSH) {
		request->offset = 0;
		request->len = 0;
	}
	assert(request->offset <= storage->size && request->len <= storage->size - request->offset);
	request->storage = storage;
	return storage->machine->port->storage_submit(storage, request);
}

void svf_storage_close(struct svf_storage *storage)
{
	if (storage)
		storage->machine->port->storage_close(storage);
}
