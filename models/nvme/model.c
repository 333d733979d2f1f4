/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NVMe: what the function and its VFs look like on the bus, and their life.
 *
 * BAR 0 of both, 16 KiB: registers, which are loaded as memory is, then one page of doorbells, which are
 * trapped or memory, the table of MSI-X and its pending bits, which are memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/nvme/queues.h"
#include "models/nvme/virt.h"
#include "models/registry.h"

#define BAR_BYTES  0x4000u
#define MSIX_TABLE 0x2000u
#define MSIX_PBA   0x3000u

/* Known to lspci as QEMU's NVMe controller, which is as virtual as this one. */
#define VENDOR	    0x1b36u
#define DEVICE	    0x0010u
#define CLASS_NVME  0x010802u

#define VF_OFFSET   1u
#define VF_STRIDE   1u

#define MSI_VECTORS 32u

const struct svf_model_option svf_nvme_options[] = {
	[OPT_SIZE] = {"size", SVF_OPTION_SIZE, 0, "BYTES", "64M", 4096, UINT64_C(1) << 40,
		      "of each namespace, with K, M, G or T"},
	[OPT_FILE] = {"file", SVF_OPTION_TEXT, SVF_OPTION_STORAGE, "PATH", NULL, 0, 0,
		      "the namespaces are in it, one after the other; otherwise in memory"},
	[OPT_BLOCK] = {"block", SVF_OPTION_NUMBER, 0, "BYTES", "512", 512, 4096,
		       "of a logical block, 512 or 4096"},
	[OPT_NS] = {"ns", SVF_OPTION_NUMBER, 0, "N", "1", 0, 256, "namespaces"},
	[OPT_MDTS] =
		{"mdts", SVF_OPTION_NUMBER, 0, "N", "7", 0, 16,
		 "a command transfers up to 2 to the power of N pages of 4 KiB; 0: any length"},
	[OPT_QUEUES] = {"queues", SVF_OPTION_NUMBER, 0, "N", "16", 1, 255, "I/O queue pairs"},
	[OPT_VFS] = {"vfs", SVF_OPTION_NUMBER, 0, "N", "0", 0, NVME_VFS_MAX,
		     "VFs that exist from the start"},
	[OPT_TOTALVFS] = {"totalvfs", SVF_OPTION_NUMBER, 0, "N", "8", 0, NVME_VFS_MAX,
			  "VFs the function can have"},
	[OPT_VFQUEUES] = {"vfqueues", SVF_OPTION_NUMBER, 0, "N", "4", 1, 63,
			  "most I/O queue pairs of a VF"},
	[OPT_VFONLINE] = {"vfonline", SVF_OPTION_BOOL, 0, "on|off", "off", 0, 0,
			  "VFs work from the start, without Virtualization Management"},
	[OPT_SERIAL] = {"serial", SVF_OPTION_TEXT, 0, "TEXT", NULL, 0, 0,
			"serial number, up to 20 characters (one of its own for each)"},
	[OPT_DOORBELLS] = {"doorbells", SVF_OPTION_TEXT, 0, "trapped|polled", "trapped", 0, 0,
			   "act at once, each a call to the host; or memory, looked at by a timer"},
	[OPT_STRIDE] = {"stride", SVF_OPTION_NUMBER, 0, "N", "0", 0, 10,
			"doorbells are 4 << N bytes apart; all are within 4 KiB"},
	{0},
};

static int no_room(struct svf_model_error *error)
{
	return svf_model_fail(error, -EINVAL, NULL, "config space is full");
}

/* --- controllers, of PF and VFs --- */

/* Return: 0, -ENOMEM; the state is for destroy() in either case. */
static int controller_alloc(struct svf_function *fn, struct nvme_subsystem *subsystem, uint16_t id,
			    unsigned int queues)
{
	struct nvme_controller *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fn = fn;
	c->subsystem = subsystem;
	c->id = id;
	subsystem->controllers[id] = c;
	svf_model_set_state(fn, c);
	c->admin = calloc(1, sizeof(*c->admin));
	return c->admin ? svf_nvme_queues_alloc(c, queues) : -ENOMEM;
}

/* The BAR is there; now its pages are. */
static int controller_begin(struct nvme_controller *c, struct svf_model_error *error)
{
	uint32_t ram = c->subsystem->polled ? NVME_DOORBELLS : MSIX_TABLE;
	int err = svf_model_set_pages(c->fn, 0, 0, NVME_DOORBELLS, SVF_MODEL_PAGES_READ_RAM, error);

	if (!err)
		err = svf_model_set_pages(c->fn, 0, ram, BAR_BYTES - ram, SVF_MODEL_PAGES_RAM,
					  error);
	if (err)
		return err;
	c->shown = svf_model_read_ram(c->fn, 0);
	svf_nvme_controller_reset(c);
	return c->subsystem->polled ? svf_nvme_poll_init(c) : 0;
}

static void controller_destroy(struct nvme_controller *c)
{
	svf_nvme_shutdown_drop(c);
	svf_nvme_queues_destroy(c);
	c->subsystem->controllers[c->id] = NULL;
	free(c->admin);
	free(c);
}

/* --- the PF --- */

static int build_caps(struct svf_function *fn, unsigned int vectors, struct svf_model_error *error)
{
	if (svf_model_add_pm(fn, false) && svf_model_add_msi(fn, MSI_VECTORS) &&
	    svf_model_add_msix(fn, vectors, 0, MSIX_TABLE, MSIX_PBA) &&
	    svf_model_add_pcie(fn, true) && svf_model_add_aer(fn) && svf_model_add_ari(fn))
		return 0;
	return no_room(error);
}

static int build_vfs(struct svf_function *fn, const struct svf_option_value *values,
		     struct svf_model_error *error)
{
	struct svf_model_sriov sriov = {
		.total_vfs = (unsigned int)values[OPT_TOTALVFS].number,
		.vf_device = DEVICE,
		.offset = VF_OFFSET,
		.stride = VF_STRIDE,
		.bars[0] = {.type = SVF_MODEL_BAR_MEM64, .size = BAR_BYTES},
	};

	if (values[OPT_VFS].number > sriov.total_vfs)
		return svf_model_fail(error, -EINVAL, "vfs", "vfs=%lu is more than totalvfs=%u",
				      (unsigned long)values[OPT_VFS].number, sriov.total_vfs);
	return sriov.total_vfs ? svf_model_add_sriov(fn, &sriov, error) : 0;
}

static int build(struct svf_function *fn, const struct nvme_subsystem *subsystem,
		 const struct svf_option_value *values, struct svf_model_error *error)
{
	const struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM64, .size = BAR_BYTES};
	int err;

	if (!svf_model_is_express(fn))
		return svf_model_fail(error, -EINVAL, NULL,
				      "nvme is a PCI Express function, which a conventional PCI "
				      "bus cannot carry");
	svf_model_set_ids(fn, &(struct svf_model_ids){.vendor = VENDOR,
						      .device = DEVICE,
						      .subvendor = VENDOR,
						      .subdevice = DEVICE,
						      .class_code = CLASS_NVME});
	svf_model_set_pin(fn, 1);
	err = svf_model_add_bar(fn, 0, &bar, 0, error);
	if (!err)
		err = controller_begin(svf_model_state(fn), error);
	if (!err)
		err = build_caps(fn, svf_nvme_primary_max(subsystem, NVME_VI), error);
	return err ? err : build_vfs(fn, values, error);
}

/* Machines with several controllers tell them apart by it. */
static void choose_serial(struct nvme_subsystem *subsystem, const struct svf_option_value *value)
{
	static const char prefix[] = "softvfio";
	static unsigned int made;
	unsigned int number = ++made;

	if (value->set) {
		/* Its length was checked. */
		memcpy(subsystem->serial, value->text, strlen(value->text) + 1);
		return;
	}
	memcpy(subsystem->serial, prefix, sizeof(prefix));
	for (unsigned int i = 0; i < 8; i++, number /= 10)
		subsystem->serial[sizeof(prefix) - 1 + 7 - i] = (char)('0' + number % 10);
}

static struct nvme_subsystem *subsystem_alloc(const struct svf_option_value *values)
{
	struct nvme_subsystem *subsystem = calloc(1, sizeof(*subsystem));

	if (!subsystem)
		return NULL;
	subsystem->total_vfs = (unsigned int)values[OPT_TOTALVFS].number;
	subsystem->queues = (unsigned int)values[OPT_QUEUES].number;
	subsystem->vf_queues = (unsigned int)values[OPT_VFQUEUES].number;
	subsystem->vf_online = values[OPT_VFONLINE].number;
	subsystem->stride = (unsigned int)values[OPT_STRIDE].number;
	subsystem->polled = strcmp(values[OPT_DOORBELLS].text, "polled") == 0;
	subsystem->mdts = (unsigned int)values[OPT_MDTS].number;
	choose_serial(subsystem, &values[OPT_SERIAL]);
	return subsystem;
}

/* The primary controller has the most queues. */
static int check_stride(const struct nvme_subsystem *subsystem, struct svf_model_error *error)
{
	unsigned int pairs = svf_nvme_primary_max(subsystem, NVME_VQ);

	if (8ull * pairs << subsystem->stride <= NVME_DOORBELL_BYTES)
		return 0;
	return svf_model_fail(error, -EINVAL, "stride",
			      "stride=%u: doorbells of %u queue pairs, flexible ones included, do "
			      "not fit into 4 KiB; say fewer queues=, vfqueues= or totalvfs=",
			      subsystem->stride, pairs);
}

static int nvme_create(struct svf_function *fn, const struct svf_option_value *values,
		       struct svf_model_error *error)
{
	const char *serial = values[OPT_SERIAL].text, *doorbells = values[OPT_DOORBELLS].text;
	struct nvme_subsystem *subsystem;
	int err;

	if (strcmp(doorbells, "trapped") != 0 && strcmp(doorbells, "polled") != 0)
		return svf_model_fail(error, -EINVAL, "doorbells",
				      "doorbells=%s: they are trapped or polled", doorbells);

	if (serial && (!*serial || strlen(serial) > NVME_SERIAL_MAX))
		return svf_model_fail(error, -EINVAL, "serial",
				      "a serial number has 1 to %u characters", NVME_SERIAL_MAX);
	subsystem = subsystem_alloc(values);
	if (!subsystem)
		return -ENOMEM;
	err = check_stride(subsystem, error);
	if (!err)
		err = controller_alloc(fn, subsystem, 0, svf_nvme_primary_max(subsystem, NVME_VQ));
	if (err && !svf_model_state(fn))
		free(subsystem);
	if (!err)
		err = build(fn, subsystem, values, error);
	return err ? err
		   : svf_nvme_namespaces_alloc(fn, subsystem->serial, values,
					       &subsystem->namespaces, error);
}

/* --- VFs --- */

static int nvme_create_vf(struct svf_function *vf, struct svf_function *pf, unsigned int index,
			  struct svf_model_error *error)
{
	const struct nvme_controller *primary = svf_model_state(pf);
	struct nvme_subsystem *subsystem = primary->subsystem;
	unsigned int queues = subsystem->vf_queues + 1;
	int err = controller_alloc(vf, subsystem, (uint16_t)(index + 1), queues);

	if (!err)
		err = controller_begin(svf_model_state(vf), error);
	if (err)
		return err;
	svf_nvme_secondary_begin(subsystem, index);
	if (svf_model_add_msix(vf, queues, 0, MSIX_TABLE, MSIX_PBA) &&
	    svf_model_add_pcie(vf, true) && svf_model_add_ari(vf))
		return 0;
	return no_room(error);
}

/* --- both --- */

static void nvme_destroy(struct svf_function *fn)
{
	struct nvme_controller *c = svf_model_state(fn);
	struct nvme_subsystem *subsystem;
	bool primary;

	if (!c)
		return;
	subsystem = c->subsystem;
	primary = c->id == 0;
	if (!primary)
		svf_nvme_secondary_end(subsystem, c->id - 1u);
	controller_destroy(c);
	if (!primary)
		return;
	svf_nvme_namespaces_destroy(subsystem->namespaces);
	free(subsystem);
}

static void nvme_reset(struct svf_function *fn)
{
	struct nvme_controller *c = svf_model_state(fn);

	if (c->id == 0)
		svf_nvme_secondaries_reset(c->subsystem);
	svf_nvme_controller_reset(c);
}

const struct svf_model_ops svf_model_nvme = {
	.size = sizeof(struct svf_model_ops),
	.version = SVF_MODEL_VERSION,
	.name = "nvme",
	.help = "an NVMe 1.4 controller: namespaces, MSI-X, VFs",
	.options = svf_nvme_options,
	.vfs_option = "vfs",
	.create = nvme_create,
	.create_vf = nvme_create_vf,
	.destroy = nvme_destroy,
	.reset = nvme_reset,
	.bar_read = svf_nvme_bar_read,
	.bar_write = svf_nvme_bar_write,
	.config_write = svf_nvme_config_write,
	.work = svf_nvme_work,
};
