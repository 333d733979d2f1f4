/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading a model from a shared object.
 *
 * The object is linked with nothing: the functions of include/softvfio/model.h it finds in our
 * executable, which exports these and no others. One that needs a function that we do not have is
 * refused by the dynamic linker, when it is loaded and not in the middle of a call.
 *
 * Its struct svf_model_ops may be older than ours, and then ends earlier: what is used is a copy of
 * our size, the rest of it NULL. It may be newer, as long as it does not use what we do not know.
 *
 * A file that is named twice is loaded once; two files that were made of the same source are two
 * models, with their own static variables.
 */
#include "host/topology/model_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/pci/options.h"
#include "include/softvfio/model.h"

/* Up to the last member that the first header had. */
#define OPS_SIZE_MIN (offsetof(struct svf_model_ops, work) + sizeof(void *))
/* More than this is no struct svf_model_ops. */
#define OPS_SIZE_MAX 4096u

#define STRING(x)    STRING_OF(x)
#define STRING_OF(x) #x
#define SYMBOL	     STRING(SVF_MODEL_SYMBOL)

struct model_file {
	struct svf_list link;
	void *handle; /* of dlopen */
	struct svf_model_ops ops;
};

/* Why dlopen or dlsym failed, without the name of the file in front. */
static const char *linker_error(const char *path)
{
	const char *text = dlerror();
	size_t len = strlen(path);

	if (!text)
		return "unknown error";
	return !strncmp(text, path, len) && !strncmp(text + len, ": ", 2) ? text + len + 2 : text;
}

static bool has_newer_members(const struct svf_model_ops *theirs)
{
	const uint8_t *bytes = (const uint8_t *)theirs;

	for (size_t i = sizeof(*theirs); i < theirs->size; i++) {
		if (bytes[i])
			return true;
	}
	return false;
}

static const struct svf_model_option *bad_option(const struct svf_model_ops *ops)
{
	for (const struct svf_model_option *o = ops->options; o && o->name; o++) {
		if (!svf_options_know(o->type))
			return o;
	}
	return NULL;
}

static bool has_option(const struct svf_model_ops *ops, const char *name)
{
	for (const struct svf_model_option *o = ops->options; o && o->name; o++) {
		if (!strcmp(o->name, name))
			return true;
	}
	return false;
}

/* Members in the order in which they can be trusted. Return: whether it can be used. */
static bool check_ops(const struct svf_model_ops *theirs, struct svf_model_ops *ret,
		      const char *path, char *why, size_t size)
{
	const struct svf_model_option *option;

	if (theirs->version != SVF_MODEL_VERSION) {
		snprintf(why, size,
			 "%s is for version %u of the model interface, and this softvfio has "
			 "version %u; compile it with the softvfio/model.h of this softvfio",
			 path, theirs->version, SVF_MODEL_VERSION);
		return false;
	}
	if (theirs->size < OPS_SIZE_MIN || theirs->size > OPS_SIZE_MAX) {
		snprintf(why, size,
			 "%s says that its struct svf_model_ops has %zu bytes; set .size = "
			 "sizeof(struct svf_model_ops), here %zu",
			 path, theirs->size, sizeof(*ret));
		return false;
	}
	if (has_newer_members(theirs)) {
		snprintf(
			why, size,
			"%s uses members of struct svf_model_ops that this softvfio does not have; "
			"it needs a newer softvfio",
			path);
		return false;
	}
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, theirs, theirs->size < sizeof(*ret) ? theirs->size : sizeof(*ret));
	if (!ret->name || !ret->help || !ret->create) {
		snprintf(why, size, "%s lacks one of .name, .help and .create", path);
		return false;
	}
	option = bad_option(ret);
	if (option) {
		snprintf(why, size, "%s: option %s has a type that this softvfio does not know",
			 path, option->name);
		return false;
	}
	if (!ret->vfs_option || (ret->create_vf && has_option(ret, ret->vfs_option)))
		return true;
	snprintf(why, size, "%s has a .vfs_option, but no .create_vf or no option %s", path,
		 ret->vfs_option);
	return false;
}

static bool read_model(void *handle, struct svf_model_ops *ret, const char *path, char *why,
		       size_t size)
{
	const struct svf_model_ops *const *symbol = dlsym(handle, SYMBOL);

	if (symbol && *symbol)
		return check_ops(*symbol, ret, path, why, size);
	snprintf(why, size,
		 "%s is not a softvfio model: no symbol " SYMBOL
		 "; a model's source has SVF_MODEL_REGISTER() in it",
		 path);
	return false;
}

static const struct svf_model_ops *lookup(const struct svf_model_files *files, const void *handle)
{
	const struct model_file *file;

	svf_list_for_each(file, &files->files, link) {
		if (file->handle == handle)
			return &file->ops;
	}
	return NULL;
}

static const struct svf_model_ops *load(struct svf_model_loader *loader, const char *path,
					char *why, size_t size)
{
	struct svf_model_files *files = svf_container_of(loader, struct svf_model_files, loader);
	const struct svf_model_ops *known;
	struct model_file *file;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		snprintf(why, size, "cannot load %s: %s", path, linker_error(path));
		return NULL;
	}
	known = lookup(files, handle);
	file = known ? NULL : calloc(1, sizeof(*file));
	if (file && read_model(handle, &file->ops, path, why, size)) {
		file->handle = handle;
		svf_list_add_tail(&files->files, &file->link);
		return &file->ops;
	}
	if (!known && !file)
		snprintf(why, size, "cannot load %s: out of memory", path);
	free(file);
	dlclose(handle);
	return known;
}

void svf_model_files_init(struct svf_model_files *files)
{
	files->loader.load = load;
	svf_list_init(&files->files);
}

void svf_model_files_fini(struct svf_model_files *files)
{
	struct model_file *file, *next;

	svf_list_for_each_safe(file, next, &files->files, link) {
		svf_list_del(&file->link);
		dlclose(file->handle);
		free(file);
	}
}
