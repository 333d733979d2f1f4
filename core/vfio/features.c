/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DEVICE_FEATURE: one command for many small things, each named by a number, which may be probed,
 * got or set. A feature that the device does not have is ENOTTY, whatever is asked of it; then the
 * kinds of request that it does not take, a request of no kind, and too little data are EINVAL.
 * PROBE answers for GET and SET as asked for beside it, and does nothing.
 *
 * vfio-pci has the VF token (PFs only; it can be set, never got: it may be a previous user's
 * secret) and low power. It has DMA-BUF too, which exports pieces of a BAR for peer-to-peer DMA:
 * here no BAR can be exported, which is EINVAL as for a BAR that the kernel's peer-to-peer code has
 * nothing for. Migration, dirty tracking and bus mastering by command are other drivers' and not
 * there; the exception is MIG_PRECOPY_INFOv2, which without migration is EINVAL.
 */
#include <errno.h>

#include "core/command.h"
#include "core/vfio/vfio_pci.h"

#define GET VFIO_DEVICE_FEATURE_GET
#define SET VFIO_DEVICE_FEATURE_SET

struct feature_call {
	struct svf_device *device;
	struct svf_call *call;
	uint32_t flags;
	uint64_t data; /* the caller's, behind the header */
};

static int set_vf_token(const struct feature_call *fc)
{
	struct svf_uuid token;
	int err = svf_copy_from_user(fc->call, token.b, fc->data, sizeof(token.b));

	if (!err)
		fc->device->vf_token->uuid = token;
	return err;
}

static int enter_low_power(const struct feature_call *fc)
{
	return svf_device_low_power_entry(fc->device, fc->call, NULL);
}

static int enter_low_power_with_wakeup(const struct feature_call *fc)
{
	struct {
		int32_t wakeup_eventfd;
		uint32_t reserved;
	} entry;
	struct svf_fd fd;
	int err = svf_copy_from_user(fc->call, &entry, fc->data, sizeof(entry));

	if (err)
		return err;
	if (entry.wakeup_eventfd < 0)
		return svf_fail(
			fc->call, -EINVAL,
			"descriptor %d is no wake-up eventfd; use LOW_POWER_ENTRY to do without",
			entry.wakeup_eventfd);
	err = svf_call_fd(fc->call, entry.wakeup_eventfd, &fd);
	if (err == -EBADF)
		return svf_fail(fc->call, err,
				"descriptor %d, given as wake-up eventfd, is not open",
				entry.wakeup_eventfd);
	if (err)
		return err;
	if (fd.kind != SVF_FD_EVENT)
		return svf_fail(fc->call, -EINVAL,
				"descriptor %d, given as wake-up eventfd, is no eventfd",
				entry.wakeup_eventfd);
	return svf_device_low_power_entry(fc->device, fc->call, fd.event);
}

static int exit_low_power(const struct feature_call *fc)
{
	svf_device_low_power_exit(fc->device);
	return 0;
}

/*
 * TODO: exporting needs a file of ours that can be mapped and given to IOAS_MAP_FILE, which iommufd
 * does not take yet.
 */
static int get_dma_buf(const struct feature_call *fc)
{
	struct {
		uint32_t region, open_flags, flags, ranges;
	} get;
	int err = svf_copy_from_user(fc->call, &get, fc->data, sizeof(get));

	if (err)
		return err;
	if (!get.ranges || get.flags)
		return svf_fail(
			fc->call, -EINVAL,
			"a DMA-BUF needs one range or more (%u given) and flags 0 (0x%x given)",
			get.ranges, get.flags);
	if (get.region >= VFIO_PCI_ROM_REGION_INDEX || !fc->device->fn->bars[get.region].address)
		return svf_fail(fc->call, -ENODEV, "region %u is no BAR that could be exported",
				get.region);
	return svf_fail(fc->call, -EINVAL,
			"softvfio exports no BAR as DMA-BUF yet; map the BAR and use its address");
}

static bool has_vf_token(const struct svf_device *device)
{
	return device->vf_token;
}

static const struct feature {
	uint32_t number;
	uint32_t ops;					  /* VFIO_DEVICE_FEATURE_GET or SET */
	uint32_t min_size;				  /* of the data, bytes */
	bool (*present)(const struct svf_device *device); /* NULL: always */
	int (*run)(const struct feature_call *fc);
} features[] = {
	{VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, SET, sizeof(struct svf_uuid), has_vf_token,
	 set_vf_token},
	{VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, SET, 0, NULL, enter_low_power},
	{VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, SET, 8, NULL,
	 enter_low_power_with_wakeup},
	{VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, SET, 0, NULL, exit_low_power},
	{VFIO_DEVICE_FEATURE_DMA_BUF, GET, 16, NULL, get_dma_buf},
};

static const struct feature *find(const struct svf_device *device, uint32_t number)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(features); i++) {
		if (features[i].number == number)
			return !features[i].present || features[i].present(device) ? &features[i]
										   : NULL;
	}
	return NULL;
}

static int fail_absent(struct svf_call *call, uint32_t number)
{
	if (number == VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2)
		return svf_fail(call, -EINVAL,
				"the device cannot migrate, so it has no pre-copy phase");
	if (number == VFIO_DEVICE_FEATURE_PCI_VF_TOKEN)
		return svf_fail(call, -ENOTTY, "only a PF has a VF token, and this device is none");
	return svf_fail(call, -ENOTTY, "the device has no feature %u", number);
}

static int run(const struct feature_call *fc, uint32_t data_size)
{
	const uint32_t number = fc->flags & VFIO_DEVICE_FEATURE_MASK;
	const struct feature *feature = find(fc->device, number);

	if (!feature)
		return fail_absent(fc->call, number);
	if (fc->flags & (GET | SET) & ~feature->ops)
		return svf_fail(fc->call, -EINVAL, "feature %u can only be %s", number,
				feature->ops == GET ? "got" : "set");
	if (fc->flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!(fc->flags & (GET | SET)))
		return svf_fail(fc->call, -EINVAL,
				"nothing is asked of feature %u; give PROBE, GET or SET", number);
	if (data_size < feature->min_size)
		return svf_fail(fc->call, -EINVAL,
				"argsz leaves %u bytes for the data of feature %u, which has %u",
				data_size, number, feature->min_size);
	return feature->run(fc);
}

long svf_device_feature(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct vfio_device_feature head;
	struct feature_call fc = {.call = call, .data = arg + sizeof(head)};
	int err;

	fc.device = svf_device_of_file(file);
	err = svf_copy_from_user(call, &head, arg, sizeof(head));
	if (err)
		return err;
	if (head.argsz < sizeof(head))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_device_feature",
				head.argsz, sizeof(head));
	if (head.flags & ~(VFIO_DEVICE_FEATURE_MASK | GET | SET | VFIO_DEVICE_FEATURE_PROBE))
		return svf_fail(call, -EINVAL, "unknown flags 0x%x",
				head.flags & ~VFIO_DEVICE_FEATURE_MASK);
	if (!(head.flags & VFIO_DEVICE_FEATURE_PROBE) && (head.flags & (GET | SET)) == (GET | SET))
		return svf_fail(call, -EINVAL,
				"GET and SET cannot be asked at once, except with PROBE");
	fc.flags = head.flags;
	return run(&fc, head.argsz - (uint32_t)sizeof(head));
}
