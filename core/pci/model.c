/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's side of include/softvfio/model.h: what a model builds its functions with.
 *
 * Everything is checked here once, so that neither a model nor the options that a user gives it can
 * make a function that the rest of the core does not expect: BARs overlap, have odd sizes, VFs
 * without a BAR that fits a page.
 */
#include "include/softvfio/model.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/fmt.h"
#include "core/machine.h"
#include "core/pci/bars.h"
#include "core/pci/bus.h"
#include "core/pci/caps.h"
#include "core/pci/function.h"
#include "core/pci/pages.h"
#include "core/pci/vpd.h"

#define IO_BAR_MIN    4u
#define IO_BAR_MAX    256u
#define MEM_BAR_MIN   16u
#define MEM32_BAR_MAX 0x40000000ull    /* what the window below 4 GiB can hold */
#define MEM64_BAR_MAX 0x10000000000ull /* 1 TiB: memory is given only where it is touched */
#define TOTAL_VFS_MAX 256u

int svf_model_fail(struct svf_model_error *error, int err, const char *option, const char *fmt, ...)
{
	va_list ap;

	if (error) {
		error->option = option;
		va_start(ap, fmt);
		svf_vfmt(error->text, sizeof(error->text), fmt, ap);
		va_end(ap);
	}
	return err;
}

void svf_model_set_ids(struct svf_function *fn, const struct svf_model_ids *ids)
{
	svf_put_le16(fn->config + PCI_VENDOR_ID, ids->vendor);
	svf_put_le16(fn->config + PCI_DEVICE_ID, ids->device);
	svf_put_le32(fn->config + PCI_CLASS_REVISION, ids->class_code << 8 | ids->revision);
	svf_put_le16(fn->config + PCI_SUBSYSTEM_VENDOR_ID, ids->subvendor);
	svf_put_le16(fn->config + PCI_SUBSYSTEM_ID, ids->subdevice);
}

void svf_model_set_pin(struct svf_function *fn, unsigned int pin)
{
	assert(pin <= 4);
	fn->config[PCI_INTERRUPT_PIN] = (uint8_t)pin;
}

/* --- BARs --- */

static bool size_in_range(const struct svf_model_bar *bar)
{
	switch (bar->type) {
	case SVF_MODEL_BAR_IO:
		return bar->size >= IO_BAR_MIN && bar->size <= IO_BAR_MAX;
	case SVF_MODEL_BAR_MEM32:
		return bar->size >= MEM_BAR_MIN && bar->size <= MEM32_BAR_MAX;
	case SVF_MODEL_BAR_MEM64:
		return bar->size >= MEM_BAR_MIN &&
		       bar->size <= (bar->prefetchable ? MEM64_BAR_MAX : MEM32_BAR_MAX);
	case SVF_MODEL_BAR_NONE:
		break;
	}
	return true;
}

/* Whether the slots of bars that a BAR needs are there and free. */
static int check_bar(const struct svf_bar *bars, unsigned int index,
		     const struct svf_model_bar *bar, struct svf_model_error *error)
{
	unsigned int slots = bar->type == SVF_MODEL_BAR_MEM64 ? 2 : 1;

	if (index + slots > SVF_PCI_BARS)
		return svf_model_fail(
			error, -EINVAL, NULL,
			"BAR %u cannot be 64-bit: there is no BAR %u to hold its upper half", index,
			index + 1);
	for (unsigned int i = index; i < index + slots; i++) {
		if (bars[i].kind != SVF_BAR_NONE)
			return svf_model_fail(
				error, -EINVAL, NULL, "BAR %u is taken already%s", i,
				bars[i].kind == SVF_BAR_MEM64_HIGH
					? ", by the upper half of the 64-bit BAR before it"
					: "");
	}
	if (!svf_is_power_of_two(bar->size) || !size_in_range(bar))
		return svf_model_fail(error, -EINVAL, NULL,
				      "BAR %u cannot have a size of %lu bytes", index,
				      (unsigned long)bar->size);
	return 0;
}

static void put_bar(struct svf_bar *bars, unsigned int index, const struct svf_model_bar *bar)
{
	static const enum svf_bar_kind kinds[] = {
		[SVF_MODEL_BAR_NONE] = SVF_BAR_NONE,
		[SVF_MODEL_BAR_MEM32] = SVF_BAR_MEM32,
		[SVF_MODEL_BAR_MEM64] = SVF_BAR_MEM64,
		[SVF_MODEL_BAR_IO] = SVF_BAR_IO,
	};

	bars[index].kind = kinds[bar->type];
	bars[index].size = bar->size;
	bars[index].prefetchable = bar->prefetchable;
	if (bar->type == SVF_MODEL_BAR_MEM64)
		bars[index + 1].kind = SVF_BAR_MEM64_HIGH;
}

int svf_model_add_bar(struct svf_function *fn, unsigned int index, const struct svf_model_bar *bar,
		      unsigned int flags, struct svf_model_error *error)
{
	int err;

	if (bar->type == SVF_MODEL_BAR_NONE)
		return 0;
	err = check_bar(fn->bars, index, bar, error);
	if (err)
		return err;
	put_bar(fn->bars, index, bar);
	svf_bar_declare(fn, index);
	return flags & SVF_MODEL_BAR_RAM ? svf_model_back_with_ram(fn, index) : 0;
}

int svf_model_set_vpd(struct svf_function *fn, const uint8_t *bytes, size_t len,
		      struct svf_model_error *error)
{
	static const uint8_t registers[PCI_CAP_VPD_SIZEOF - 2];

	if (!len || len > SVF_VPD_MAX)
		return svf_model_fail(error, -EINVAL, NULL,
				      "vital product data has 1 to %u bytes, not %lu", SVF_VPD_MAX,
				      (unsigned long)len);
	if (!svf_model_find_cap(fn, PCI_CAP_ID_VPD) &&
	    !svf_model_add_cap(fn, PCI_CAP_ID_VPD, registers, sizeof(registers)))
		return svf_model_fail(error, -ENOSPC, NULL, "config space is full");
	assert(!fn->vpd);
	fn->vpd = calloc(1, len);
	if (!fn->vpd)
		return -ENOMEM;
	memcpy(fn->vpd, bytes, len);
	fn->vpd_len = (uint32_t)len;
	return 0;
}

#define ROM_MIN_SIZE 2048u
#define ROM_MAX_SIZE (16u << 20)

int svf_model_set_rom(struct svf_function *fn, const uint8_t *bytes, size_t len, uint64_t size,
		      struct svf_model_error *error)
{
	if (!svf_is_power_of_two(size) || size < ROM_MIN_SIZE || size > ROM_MAX_SIZE)
		return svf_model_fail(error, -EINVAL, NULL,
				      "an expansion ROM cannot have a size of %lu bytes",
				      (unsigned long)size);
	if (len > size)
		return svf_model_fail(error, -EINVAL, NULL,
				      "%lu bytes do not fit into an expansion ROM of %lu",
				      (unsigned long)len, (unsigned long)size);
	assert(!fn->physfn && !fn->rom);
	fn->rom = calloc(1, len ? len : 1);
	if (!fn->rom)
		return -ENOMEM;
	if (len)
		memcpy(fn->rom, bytes, len);
	fn->rom_len = (uint32_t)len;
	fn->bars[SVF_PCI_ROM_BAR] = (struct svf_bar){.kind = SVF_BAR_ROM, .size = size};
	svf_bar_declare(fn, SVF_PCI_ROM_BAR);
	return 0;
}

int svf_model_back_with_ram(struct svf_function *fn, unsigned int index)
{
	struct svf_bar *bar = &fn->bars[index];
	uint64_t size = bar->size < SVF_PAGE_SIZE ? SVF_PAGE_SIZE : bar->size;

	assert(bar->kind == SVF_BAR_MEM32 || bar->kind == SVF_BAR_MEM64);
	assert(!bar->ram);
	return fn->machine->port->ram_alloc(fn->machine, size, &bar->ram);
}

static void get_bar(const struct svf_bar *bar, struct svf_model_bar *ret)
{
	static const enum svf_model_bar_type types[] = {
		[SVF_BAR_MEM32] = SVF_MODEL_BAR_MEM32,
		[SVF_BAR_MEM64] = SVF_MODEL_BAR_MEM64,
		[SVF_BAR_IO] = SVF_MODEL_BAR_IO,
		[SVF_BAR_ROM] = SVF_MODEL_BAR_NONE,
	};

	*ret = (struct svf_model_bar){
		.type = types[bar->kind], .size = bar->size, .prefetchable = bar->prefetchable};
}

void svf_model_get_bar(const struct svf_function *fn, unsigned int index, struct svf_model_bar *ret)
{
	get_bar(&fn->bars[index], ret);
}

static bool pages_fit(const struct svf_bar *bar, uint64_t offset, uint64_t len)
{
	return (bar->kind == SVF_BAR_MEM32 || bar->kind == SVF_BAR_MEM64) && len &&
	       (offset | len | bar->size) % SVF_PAGE_SIZE == 0 && len <= bar->size &&
	       offset <= bar->size - len;
}

int svf_model_set_pages(struct svf_function *fn, unsigned int index, uint64_t offset, uint64_t len,
			enum svf_model_pages pages, struct svf_model_error *error)
{
	static const enum svf_page_kind kinds[] = {
		[SVF_MODEL_PAGES_TRAP] = SVF_PAGES_TRAP,
		[SVF_MODEL_PAGES_READ_RAM] = SVF_PAGES_READ_RAM,
		[SVF_MODEL_PAGES_RAM] = SVF_PAGES_RAM,
	};
	int err;

	if (index >= SVF_PCI_BARS || !pages_fit(&fn->bars[index], offset, len))
		return svf_model_fail(
			error, -EINVAL, NULL,
			"BAR %u has no whole pages of memory at 0x%lx, 0x%lx bytes long", index,
			(unsigned long)offset, (unsigned long)len);
	err = svf_pages_set(fn, index, offset, len, kinds[pages]);
	if (err == -E2BIG)
		return svf_model_fail(error, -EINVAL, NULL,
				      "BAR %u would have more than %u runs of pages", index,
				      SVF_BAR_RUNS_MAX);
	return err;
}

uint8_t *svf_model_ram(struct svf_function *fn, unsigned int index)
{
	return fn->bars[index].ram ? fn->bars[index].ram->base : NULL;
}

uint8_t *svf_model_read_ram(struct svf_function *fn, unsigned int index)
{
	return fn->bars[index].read_ram ? fn->bars[index].read_ram->base : NULL;
}

/* --- capabilities --- */

bool svf_model_is_express(const struct svf_function *fn)
{
	return fn->bus->express;
}

unsigned int svf_model_add_cap(struct svf_function *fn, uint8_t id, const void *body, size_t len)
{
	unsigned int pos =
		len <= SVF_PCI_CONFIG_SIZE ? svf_caps_add(fn, id, 2 + (unsigned int)len) : 0;

	if (pos)
		memcpy(fn->config + pos + 2, body, len);
	return pos;
}

unsigned int svf_model_add_ext_cap(struct svf_function *fn, uint16_t id, unsigned int version,
				   const void *body, size_t len)
{
	unsigned int pos = 0;

	if (len <= SVF_PCIE_CONFIG_SIZE)
		pos = svf_caps_add_ext(fn, id, version, 4 + (unsigned int)len);
	if (pos)
		memcpy(fn->config + pos + 4, body, len);
	return pos;
}

void svf_model_set_writable(struct svf_function *fn, unsigned int offset, uint8_t mask)
{
	assert(offset < fn->config_size);
	fn->wmask[offset] |= mask;
}

unsigned int svf_model_add_pm(struct svf_function *fn, bool soft_reset)
{
	uint8_t body[PCI_PM_SIZEOF - 2] = {0};

	svf_put_le16(body, 3); /* version of the specification: 1.2 */
	svf_put_le16(body + 2, soft_reset ? 0 : PCI_PM_CTRL_NO_SOFT_RESET);
	return svf_model_add_cap(fn, PCI_CAP_ID_PM, body, sizeof(body));
}

unsigned int svf_model_add_msi(struct svf_function *fn, unsigned int vectors)
{
	uint8_t body[24 - 2] = {0}; /* with 64-bit address, masks and pending bits */
	unsigned int log2 = 0;

	assert(vectors && vectors <= 32 && svf_is_power_of_two(vectors));
	while (1u << log2 < vectors)
		log2++;
	svf_put_le16(body, (uint16_t)(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | log2 << 1));
	return svf_model_add_cap(fn, PCI_CAP_ID_MSI, body, sizeof(body));
}

unsigned int svf_model_add_msix(struct svf_function *fn, unsigned int vectors, unsigned int bar,
				uint32_t table, uint32_t pba)
{
	uint8_t body[PCI_CAP_MSIX_SIZEOF - 2] = {0};

	assert(vectors && vectors <= 2048 && bar < SVF_PCI_BARS && (table | pba) % 8 == 0);
	svf_put_le16(body, (uint16_t)(vectors - 1));
	svf_put_le32(body + 2, table | bar);
	svf_put_le32(body + 6, pba | bar);
	return svf_model_add_cap(fn, PCI_CAP_ID_MSIX, body, sizeof(body));
}

#define EXP_V2_SIZE 60u
#define AER_SIZE    0x48u

unsigned int svf_model_add_pcie(struct svf_function *fn, bool flr)
{
	bool integrated = !fn->bus->bridge;
	unsigned int type = integrated && !fn->physfn ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT;
	uint8_t cap[EXP_V2_SIZE] = {0};

	assert(fn->bus->express);
	svf_put_le16(cap + PCI_EXP_FLAGS, (uint16_t)(2 | type << 4));
	svf_put_le32(cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | (flr ? PCI_EXP_DEVCAP_FLR : 0u));
	svf_put_le16(cap + PCI_EXP_DEVCTL,
		     fn->physfn ? 0 : PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN);
	if (!integrated) {
		svf_put_le32(cap + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1u << 4);
		svf_put_le16(cap + PCI_EXP_LNKSTA,
			     PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
	}
	fn->config_size = SVF_PCIE_CONFIG_SIZE;
	return svf_model_add_cap(fn, PCI_CAP_ID_EXP, cap + 2, sizeof(cap) - 2);
}

unsigned int svf_model_add_af(struct svf_function *fn)
{
	const uint8_t body[PCI_CAP_AF_SIZEOF - 2] = {PCI_CAP_AF_SIZEOF,
						     PCI_AF_CAP_TP | PCI_AF_CAP_FLR, 0, 0};

	return svf_model_add_cap(fn, PCI_CAP_ID_AF, body, sizeof(body));
}

unsigned int svf_model_add_aer(struct svf_function *fn)
{
	uint8_t cap[AER_SIZE] = {0};

	/* Initial values of the specification: which errors are fatal, advisory ones masked. */
	svf_put_le32(cap + PCI_ERR_UNCOR_SEVER, 0x00462030);
	svf_put_le32(cap + PCI_ERR_COR_MASK, PCI_ERR_COR_ADV_NFAT);
	return svf_model_add_ext_cap(fn, PCI_EXT_CAP_ID_ERR, 2, cap + 4, sizeof(cap) - 4);
}

unsigned int svf_model_add_ari(struct svf_function *fn)
{
	const uint8_t body[PCI_EXT_CAP_ARI_SIZEOF - 4] = {0};

	return svf_model_add_ext_cap(fn, PCI_EXT_CAP_ID_ARI, 1, body, sizeof(body));
}

/* --- SR-IOV --- */

static int check_vf_bars(struct svf_function *fn, const struct svf_model_bar bars[6],
			 struct svf_model_error *error)
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		int err;

		if (bars[i].type == SVF_MODEL_BAR_NONE)
			continue;
		if (bars[i].type == SVF_MODEL_BAR_IO || bars[i].size < SVF_PAGE_SIZE)
			return svf_model_fail(error, -EINVAL, NULL,
					      "VF BAR %u must be memory of at least %u bytes", i,
					      SVF_PAGE_SIZE);
		err = check_bar(fn->sriov.vf_bars, i, &bars[i], error);
		if (err)
			return err;
		put_bar(fn->sriov.vf_bars, i, &bars[i]);
	}
	return 0;
}

/* The VFs that config space at pos describes become possible. */
static int adopt_sriov(struct svf_function *fn, unsigned int pos,
		       const struct svf_model_bar bars[6], struct svf_model_error *error)
{
	const uint8_t *cap = fn->config + pos;
	struct svf_sriov *sriov = &fn->sriov;
	int err;

	sriov->total_vfs = svf_get_le16(cap + PCI_SRIOV_TOTAL_VF);
	sriov->offset = svf_get_le16(cap + PCI_SRIOV_VF_OFFSET);
	sriov->stride = svf_get_le16(cap + PCI_SRIOV_VF_STRIDE);
	sriov->vf_device = svf_get_le16(cap + PCI_SRIOV_VF_DID);
	sriov->drivers_autoprobe = true;
	if (sriov->total_vfs == 0)
		return 0;
	if (sriov->total_vfs > TOTAL_VFS_MAX || !sriov->offset || !sriov->stride)
		return svf_model_fail(
			error, -EINVAL, NULL,
			"%u VFs at offset %u and stride %u: at most %u, and both at least 1",
			sriov->total_vfs, sriov->offset, sriov->stride, TOTAL_VFS_MAX);
	err = check_vf_bars(fn, bars, error);
	if (err)
		return err;
	sriov->cap = (uint16_t)pos;
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++)
		svf_vf_bar_declare(fn, i);
	return 0;
}

int svf_model_add_sriov(struct svf_function *fn, const struct svf_model_sriov *sriov,
			struct svf_model_error *error)
{
	unsigned int pos;
	uint8_t *cap;

	if (sriov->total_vfs == 0 || sriov->total_vfs > TOTAL_VFS_MAX)
		return svf_model_fail(error, -EINVAL, NULL, "a PF can have 1 to %u VFs, not %u",
				      TOTAL_VFS_MAX, sriov->total_vfs);
	pos = svf_caps_add_ext(fn, PCI_EXT_CAP_ID_SRIOV, 1, PCI_EXT_CAP_SRIOV_SIZEOF);
	if (!pos)
		return svf_model_fail(error, -ENOSPC, NULL, "no room for an SR-IOV capability");
	cap = fn->config + pos;
	svf_put_le16(cap + PCI_SRIOV_INITIAL_VF, (uint16_t)sriov->total_vfs);
	svf_put_le16(cap + PCI_SRIOV_TOTAL_VF, (uint16_t)sriov->total_vfs);
	svf_put_le16(cap + PCI_SRIOV_VF_OFFSET, sriov->offset);
	svf_put_le16(cap + PCI_SRIOV_VF_STRIDE, sriov->stride);
	svf_put_le16(cap + PCI_SRIOV_VF_DID, sriov->vf_device);
	svf_put_le32(cap + PCI_SRIOV_SUP_PGSIZE, 0x553); /* all that the specification asks for */
	svf_put_le32(cap + PCI_SRIOV_SYS_PGSIZE, 1);
	cap[PCI_SRIOV_FUNC_LINK] = fn->bdf.devfn;
	return adopt_sriov(fn, pos, sriov->bars, error);
}

int svf_model_adopt_sriov(struct svf_function *fn, const struct svf_model_bar bars[6],
			  struct svf_model_error *error)
{
	unsigned int pos = svf_config_find_ext_cap(fn, PCI_EXT_CAP_ID_SRIOV);

	if (!pos || pos + PCI_EXT_CAP_SRIOV_SIZEOF > fn->config_size)
		return 0;
	svf_put_le16(fn->config + pos + PCI_SRIOV_CTRL, 0);
	svf_put_le16(fn->config + pos + PCI_SRIOV_NUM_VF, 0);
	memset(fn->config + pos + PCI_SRIOV_BAR, 0, 4 * SVF_PCI_BARS);
	fn->config[pos + PCI_SRIOV_FUNC_LINK] = fn->bdf.devfn;
	return adopt_sriov(fn, pos, bars, error);
}

/* --- whole config spaces --- */

/* What a driver or firmware had put into registers it could write goes back to 0. */
static void clear_enables(struct svf_function *fn)
{
	unsigned int msi = svf_config_find_cap(fn, PCI_CAP_ID_MSI);
	unsigned int msix = svf_config_find_cap(fn, PCI_CAP_ID_MSIX);
	unsigned int pm = svf_config_find_cap(fn, PCI_CAP_ID_PM);

	svf_put_le16(fn->config + PCI_COMMAND, 0);
	fn->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	fn->config[PCI_STATUS + 1] &= 0x06; /* DEVSEL timing is the device's, the rest are errors */
	fn->config[PCI_CACHE_LINE_SIZE] = 0;
	fn->config[PCI_INTERRUPT_LINE] = 0;
	memset(fn->config + PCI_BASE_ADDRESS_0, 0, 4 * SVF_PCI_BARS);
	memset(fn->config + PCI_ROM_ADDRESS, 0, 4);
	if (msi)
		fn->config[msi + PCI_MSI_FLAGS] &=
			(uint8_t) ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	if (msix && msix + PCI_MSIX_FLAGS + 1 < SVF_PCI_CONFIG_SIZE)
		fn->config[msix + PCI_MSIX_FLAGS + 1] &= 0x3f;
	if (pm && pm + PCI_PM_CTRL < SVF_PCI_CONFIG_SIZE)
		fn->config[pm + PCI_PM_CTRL] &= (uint8_t)~PCI_PM_CTRL_STATE_MASK;
}

/* An endpoint on the root bus is one integrated into the root complex, wherever it was dumped. */
static void adjust_port_type(struct svf_function *fn)
{
	unsigned int pos = svf_config_find_cap(fn, PCI_CAP_ID_EXP);
	unsigned int type = fn->bus->bridge ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END;
	uint8_t *flags = fn->config + pos + PCI_EXP_FLAGS;

	if (!pos || pos + PCI_EXP_FLAGS >= SVF_PCI_CONFIG_SIZE)
		return;
	if (*flags >> 4 == PCI_EXP_TYPE_ENDPOINT || *flags >> 4 == PCI_EXP_TYPE_RC_END)
		*flags = (uint8_t)((*flags & PCI_EXP_FLAGS_VERS) | type << 4);
}

void svf_model_load_config(struct svf_function *fn, const uint8_t *bytes, size_t len)
{
	assert(len == PCI_STD_HEADER_SIZEOF || len == SVF_PCI_CONFIG_SIZE ||
	       len == SVF_PCIE_CONFIG_SIZE);
	memset(fn->config, 0, sizeof(fn->config));
	memcpy(fn->config, bytes, len);
	fn->config_size = len > SVF_PCI_CONFIG_SIZE ? SVF_PCIE_CONFIG_SIZE : SVF_PCI_CONFIG_SIZE;
	fn->config[PCI_HEADER_TYPE] = 0;
	if (len == PCI_STD_HEADER_SIZEOF)
		fn->config[PCI_CAPABILITY_LIST] = 0;
	adjust_port_type(fn);
	/* Full: nothing can be appended to lists whose ends are unknown. */
	fn->cap_free = SVF_PCI_CONFIG_SIZE;
	fn->ext_free = SVF_PCIE_CONFIG_SIZE;
	clear_enables(fn);
}

const uint8_t *svf_model_config(const struct svf_function *fn)
{
	return fn->config;
}

unsigned int svf_model_find_cap(const struct svf_function *fn, uint8_t id)
{
	return svf_config_find_cap(fn, id);
}

unsigned int svf_model_find_ext_cap(const struct svf_function *fn, uint16_t id)
{
	return svf_config_find_ext_cap(fn, id);
}

/* --- at any time --- */

void svf_model_set_state(struct svf_function *fn, void *state)
{
	fn->model_state = state;
}

void *svf_model_state(const struct svf_function *fn)
{
	return fn->model_state;
}

void svf_model_raise_msi(struct svf_function *fn, unsigned int vector)
{
	svf_function_raise_msi(fn, vector);
}

void svf_model_set_intx(struct svf_function *fn, bool level)
{
	svf_function_set_intx(fn, level);
}

void svf_model_defer(struct svf_function *fn)
{
	assert(fn->model->work);
	if (!svf_timer_is_armed(&fn->work))
		svf_timer_arm_after(&fn->machine->timers, &fn->work, 0);
}
