/* SPDX-License-Identifier: BSD-3-Clause */
/* What an administrator does in sysfs, and hardware on its own; see fuzz.h. */
#include <stdio.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/pci/driver.h"
#include "core/pci/hotplug.h"
#include "core/vfio/device.h"
#include "tests/fuzz/fuzz.h"

static const char *const drivers[] = {"vfio-pci", "pci-stub", "igb", "nvme", "pcieport", ""};

static struct svf_driver *take_driver(struct fuzz *f, struct fuzz_input *in)
{
	return svf_driver_lookup(f->machine,
				 drivers[fuzz_take(in) % (SVF_ARRAY_SIZE(drivers) - 1)]);
}

static void name_of(const struct svf_function *fn, char text[SVF_BDF_TEXT_SIZE])
{
	snprintf(text, SVF_BDF_TEXT_SIZE, SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
}

/* Text of the input's own, and a newline more often than not. */
static void take_text(struct fuzz_input *in, char text[64])
{
	size_t length = fuzz_take(in) % 62u;

	for (size_t i = 0; i < length; i++) {
		/* What ids are made of, or anything. */
		uint8_t byte = fuzz_take(in);

		text[i] = byte < 0xc0 ? "0123456789abcdefABCDEFx \t\n:."[byte % 28] : (char)byte;
	}
	text[length] = '\0';
}

/* The writes that take any text. */
void fuzz_sysfs(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_driver *driver = take_driver(f, in);
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	struct svf_call call = test_call(f->machine);
	uint8_t what = fuzz_take(in);
	char text[64];

	take_text(in, text);
	if (what % 6 == 0)
		(void)!svf_driver_bind(driver, &call, text);
	else if (what % 6 == 1)
		(void)!svf_driver_unbind(driver, &call, text);
	else if (what % 6 == 2)
		(void)!svf_driver_new_id(driver, &call, text);
	else if (what % 6 == 3)
		(void)!svf_driver_remove_id(driver, &call, text);
	else if (what % 6 == 4)
		(void)!svf_drivers_probe(f->machine, &call, text);
	else if (fn)
		(void)!svf_function_set_driver_override(fn, &call, text);
}

/* A function given from one driver to another, as driverctl does. */
static void hand_over(struct svf_function *fn, struct svf_call *call, const char *driver,
		      const char *name)
{
	if (svf_function_set_driver_override(fn, call, driver) ||
	    (fn->driver && svf_driver_unbind(fn->driver, call, name)))
		return;
	(void)!svf_drivers_probe(fn->machine, call, name);
}

static void set_parameter(struct svf_params *params, uint8_t which)
{
	bool *const all[] = {&params->enable_sriov, &params->nointxmask, &params->disable_idle_d3,
			     &params->disable_vga, &params->enable_unsafe_noiommu_mode};
	bool *one = all[which % SVF_ARRAY_SIZE(all)];

	*one = !*one;
}

/* The same with names that there are. */
void fuzz_driver(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	struct svf_driver *driver = take_driver(f, in);
	struct svf_call call = test_call(f->machine);
	uint8_t what = fuzz_take(in);
	char name[SVF_BDF_TEXT_SIZE];

	if (!fn || fn->interconnect)
		return;
	name_of(fn, name);
	if (what % 6 == 0)
		(void)!svf_driver_bind(driver, &call, name);
	else if (what % 6 == 1 && fn->driver)
		(void)!svf_driver_unbind(fn->driver, &call, name);
	else if (what % 6 == 2)
		(void)!svf_drivers_probe(f->machine, &call, name);
	else if (what % 6 == 3)
		(void)!svf_function_set_driver_override(
			fn, &call, drivers[what / 6 % SVF_ARRAY_SIZE(drivers)]);
	else if (what % 6 == 4)
		f->machine->drivers_autoprobe = what & 0x80;
	else if (!svf_function_is_locked(fn))
		(void)!svf_function_reset(fn, &call);
}

void fuzz_numvfs(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	struct svf_call call = test_call(f->machine);
	uint8_t num = fuzz_take(in);

	if (fn && svf_function_is_pf(fn))
		(void)!svf_sriov_set_numvfs(fn, &call, num < 0xf0 ? num % 4u : num);
}

/* Functions go and are found again, and time goes by. */
void fuzz_hotplug(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	struct svf_call call = test_call(f->machine);
	uint8_t what = fuzz_take(in);

	call.again = what & 0x80;
	call.id = what >> 4 & 3;
	call.interrupted = what & 0x40;
	if (what % 4 == 0 && fn && !fn->physfn)
		(void)!svf_function_remove(fn, &call);
	else if (what % 4 == 1)
		(void)!svf_bus_rescan(f->machine, fn ? fn->bus : NULL, &call);
	else if (what % 4 == 2)
		(void)!svf_bus_rescan(f->machine, NULL, &call);
	else
		svf_machine_advance(f->machine,
				    f->machine->timers.now_ns + fuzz_take(in) * SVF_NS_PER_SEC);
}

/* Interrupts, errors, config space written behind the client's back, eventfds signalled. */
void fuzz_hardware(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	uint8_t what = fuzz_take(in);

	if (!fn)
		return;
	if (what % 5 == 0)
		svf_function_raise_msi(fn, what / 5);
	else if (what % 5 == 1)
		svf_function_set_intx(fn, what & 0x80);
	else if (what % 5 == 2 && fn->device)
		svf_device_report_error(fn);
	else if (what % 5 == 3)
		svf_config_write(fn, fuzz_take(in) % 64u * 4, 4, (uint32_t)fuzz_take64(in));
	else
		test_event_fire(f->events[what / 5 % FUZZ_EVENTS]);
}

/* A function that is attached by itself, or could be, reaches something when it is attached. */
static void check_attachment(const struct svf_function *fn)
{
	const struct svf_requester *requester = fn->requester;
	bool attached = fn->device && fn->device->iommufd_attached;

	if (!requester || requester->group->space)
		return;
	if (attached ? !requester->space : requester->functions == 1 && requester->space)
		abort();
	/* What is attached belongs to somebody, but where there is no IOMMU to own. */
	if (requester->space && !requester->group->owner && !requester->group->noiommu)
		abort();
}

void fuzz_device_dma(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	uint8_t page = fuzz_take(in), length = fuzz_take(in);
	uint64_t iova = page < 0xf0 ? page % 32u * (uint64_t)FUZZ_PAGE + (length << 4 & 0xff0)
				    : fuzz_take64(in);
	uint8_t buf[256] = {0};

	if (!fn)
		return;
	check_attachment(fn);
	(void)!svf_dma_read(fn, iova, buf, length);
	(void)!svf_dma_write(fn, iova, buf, length);
}
