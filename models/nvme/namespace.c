/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Namespaces: made with the PF, numbered from 1, all of one size, attached to every controller of the
 * subsystem. Their data is in memory and ends with the machine, or one after the other in a file.
 *
 * There are two formats, without metadata: blocks of 512 bytes and of 4096. The one in use is of the
 * machine, not of the file: an option says which it is at the start, Format NVM changes it and clears
 * the data.
 */
#include "models/nvme/namespace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 4096u /* of a namespace's size: whole blocks in either format */

static const unsigned int format_shifts[] = {9, 12};

#define FORMATS (sizeof(format_shifts) / sizeof(format_shifts[0]))

struct nvme_namespaces {
	uint32_t count;
	uint64_t identity; /* of the subsystem */
	struct svf_storage *file;
	struct nvme_namespace list[];
};

/* --- making them --- */

static int open_file(struct svf_function *fn, const struct svf_option_value *values,
		     struct nvme_namespaces *all, struct svf_model_error *error)
{
	int err;

	if (!values[OPT_FILE].set)
		return 0;
	err = svf_storage_open(fn, values[OPT_FILE].text, &all->file, error);
	if (err && error)
		error->option = "file";
	return err;
}

/* Bytes of each namespace: the option's or, when only a file is given, an equal part of it. */
static int choose_size(const struct svf_option_value *values, const struct nvme_namespaces *all,
		       uint64_t *ret, struct svf_model_error *error)
{
	uint64_t size = values[OPT_SIZE].number;
	uint64_t there = all->file ? svf_storage_size(all->file) : 0;

	if (all->file && !values[OPT_SIZE].given && all->count)
		size = there / all->count / ALIGNMENT * ALIGNMENT;
	if (size % ALIGNMENT)
		return svf_model_fail(error, -EINVAL, "size",
				      "size=%s is not a multiple of %u bytes",
				      values[OPT_SIZE].text, ALIGNMENT);
	if (all->file && !size)
		return svf_model_fail(error, -EINVAL, "file",
				      "'%s' has %lu bytes; each of %u namespaces needs %u at least",
				      values[OPT_FILE].text, (unsigned long)there, all->count,
				      ALIGNMENT);
	if (all->file && all->count && size > there / all->count)
		return svf_model_fail(error, -EINVAL, "file",
				      "'%s' has %lu bytes, fewer than %u times size=%lu; make it "
				      "larger, with truncate -s",
				      values[OPT_FILE].text, (unsigned long)there, all->count,
				      (unsigned long)size);
	*ret = size;
	return 0;
}

static int namespace_init(struct nvme_namespaces *all, uint32_t i, unsigned int block_shift,
			  uint64_t size)
{
	struct nvme_namespace *ns = &all->list[i];

	*ns = (struct nvme_namespace){.all = all,
				      .nsid = i + 1,
				      .block_shift = block_shift,
				      .bytes = size,
				      .file = all->file,
				      .file_offset = i * size};
	return all->file ? 0 : svf_nvme_store_init(&ns->store, size);
}

static int choose_block(const struct svf_option_value *values, unsigned int *ret,
			struct svf_model_error *error)
{
	for (size_t i = 0; i < FORMATS; i++) {
		*ret = format_shifts[i];
		if (values[OPT_BLOCK].number == 1u << format_shifts[i])
			return 0;
	}
	return svf_model_fail(error, -EINVAL, "block", "block=%s: a block has 512 or 4096 bytes",
			      values[OPT_BLOCK].text);
}

static int make_all(struct svf_function *fn, const struct svf_option_value *values,
		    struct nvme_namespaces *all, struct svf_model_error *error)
{
	unsigned int block_shift = 0;
	uint64_t size = 0;
	int err = choose_block(values, &block_shift, error);

	if (!err)
		err = open_file(fn, values, all, error);
	if (!err)
		err = choose_size(values, all, &size, error);
	for (uint32_t i = 0; !err && i < all->count; i++)
		err = namespace_init(all, i, block_shift, size);
	return err;
}

/* FNV-1a: whoever has another serial number has, as good as certainly, other identifiers. */
static uint64_t hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return hash;
}

int svf_nvme_namespaces_alloc(struct svf_function *fn, const char *serial,
			      const struct svf_option_value *values, struct nvme_namespaces **ret,
			      struct svf_model_error *error)
{
	uint32_t count = (uint32_t)values[OPT_NS].number;
	struct nvme_namespaces *all = calloc(1, sizeof(*all) + count * sizeof(all->list[0]));
	int err;

	if (!all)
		return -ENOMEM;
	all->count = count;
	all->identity = hash(serial);
	err = make_all(fn, values, all, error);
	if (err)
		svf_nvme_namespaces_destroy(all);
	else
		*ret = all;
	return err;
}

void svf_nvme_namespaces_destroy(struct nvme_namespaces *namespaces)
{
	if (!namespaces)
		return;
	for (uint32_t i = 0; i < namespaces->count; i++)
		svf_nvme_store_fini(&namespaces->list[i].store);
	svf_storage_close(namespaces->file);
	free(namespaces);
}

/* --- what there is --- */

uint32_t svf_nvme_namespaces_max(const struct nvme_namespaces *namespaces)
{
	return namespaces->count;
}

uint64_t svf_nvme_namespaces_bytes(const struct nvme_namespaces *namespaces)
{
	return namespaces->count ? namespaces->count * namespaces->list[0].bytes : 0;
}

struct nvme_namespace *svf_nvme_namespace_lookup(const struct nvme_controller *c, uint32_t nsid)
{
	struct nvme_namespaces *all = c->subsystem->namespaces;

	return nsid && nsid <= all->count ? &all->list[nsid - 1] : NULL;
}

struct svf_storage *svf_nvme_namespaces_file(const struct nvme_controller *c)
{
	return c->subsystem->namespaces->file;
}

/* --- Identify --- */

/* Identify Namespace: offsets in it. */
#define ID_NSZE	       0u
#define ID_NCAP	       8u
#define ID_NUSE	       16u
#define ID_NLBAF       25u
#define ID_FLBAS       26u
#define ID_NMIC	       30u
#define ID_DLFEAT      33u
#define ID_NVMCAP      48u
#define ID_NGUID       104u
#define ID_LBAF	       128u

#define NMIC_SHARED    0x1u /* by the controllers of PF and VFs */
#define DLFEAT_ZEROES  0x1u /* deallocated blocks read as zeroes */
#define DLFEAT_WZ_DEAC 0x8u /* Write Zeroes can deallocate */
#define NGUID_BYTES    16u
#define NIDT_NGUID     2u

static unsigned int format_of(const struct nvme_namespace *ns)
{
	unsigned int i = 0;

	while (format_shifts[i] != ns->block_shift)
		i++;
	return i;
}

/* As unique as the serial number: a guest may see several. */
static void put_nguid(const struct nvme_namespace *ns, uint8_t *bytes)
{
	svf_nvme_put(bytes, 8, ns->all->identity);
	memcpy(bytes + 8, "nvme", 4);
	svf_nvme_put(bytes + 12, 4, ns->nsid);
}

void svf_nvme_namespace_identify(const struct nvme_namespace *ns, uint8_t *page)
{
	uint64_t blocks = svf_nvme_namespace_blocks(ns);

	svf_nvme_put(page + ID_NSZE, 8, blocks);
	svf_nvme_put(page + ID_NCAP, 8, blocks);
	svf_nvme_put(page + ID_NUSE, 8, blocks);
	page[ID_NLBAF] = FORMATS - 1;
	page[ID_FLBAS] = (uint8_t)format_of(ns);
	page[ID_NMIC] = NMIC_SHARED;
	page[ID_DLFEAT] = DLFEAT_ZEROES | DLFEAT_WZ_DEAC;
	svf_nvme_put(page + ID_NVMCAP, 8, ns->bytes);
	put_nguid(ns, page + ID_NGUID);
	for (size_t i = 0; i < FORMATS; i++)
		page[ID_LBAF + 4 * i + 2] = (uint8_t)format_shifts[i];
}

void svf_nvme_namespace_describe(const struct nvme_namespace *ns, uint8_t *page)
{
	page[0] = NIDT_NGUID;
	page[1] = NGUID_BYTES;
	put_nguid(ns, page + 4);
}

/* --- Format NVM: what its dword 10 asks for; the rest is in io.c --- */

uint16_t svf_nvme_namespace_check_format(uint32_t dword)
{
	if ((dword & 0xf) >= FORMATS)
		return NVME_INVALID_FORMAT;
	/* Metadata in extended blocks, protection information. */
	if (dword & 0x1f0)
		return NVME_INVALID_FORMAT;
	/* Secure erase: none or of user data, which are the same; not cryptographic. */
	return (dword >> 9 & 0x7) > 1 ? NVME_INVALID_FIELD : NVME_SUCCESS;
}

void svf_nvme_namespace_set_format(struct nvme_namespace *ns, uint32_t dword)
{
	ns->block_shift = format_shifts[dword & 0xf];
}
