/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two functions in groups of their own, and a container: where the tests of container and type1
 * begin. The VFIO groups are put together by hand, as SET_CONTAINER finds them.
 */
#ifndef SVF_TESTS_UNIT_CONTAINER_FIXTURE_H
#define SVF_TESTS_UNIT_CONTAINER_FIXTURE_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/vfio/container.h"
#include "core/vfio/group.h"
#include "core/vfio/type1.h"
#include "pci.h"
#include "port.h"
#include "uapi/vfio.h"

#define PAGE 4096u

static struct {
	struct svf_machine *machine;
	struct svf_function *fn[2];
	struct svf_group group[2];
	struct svf_file *file;
	struct svf_container *container;
} f;

static int fixture_setup(void **state)
{
	struct svf_call call;
	struct svf_bus *bus;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.machine = test_machine();
	bus = test_bus(f.machine, NULL, 0);
	for (unsigned int i = 0; i < 2; i++) {
		f.fn[i] = test_function(bus, i + 1, 0, TEST_PCI_DEVICE, 0);
		f.group[i].iommu_group = f.fn[i]->group;
		svf_list_init(&f.group[i].container_link);
	}
	call = test_call(f.machine);
	assert_int_equal(svf_container_open(f.machine, &call, &f.file), 0);
	f.container = svf_container_of(f.file, struct svf_container, file);
	assert_int_equal(f.machine->used.files, 1);
	return 0;
}

static int fixture_teardown(void **state)
{
	(void)state;
	svf_file_close(f.file);
	assert_int_equal(f.machine->used.files, 0);
	for (unsigned int i = 0; i < 2; i++)
		if (f.group[i].container)
			svf_container_detach_group(&f.group[i]);
	svf_mappings_reap(f.machine, UINT_MAX);
	assert_int_equal(f.machine->used.mappings, 0);
	test_pci_end(f.machine);
	test_machine_end(f.machine);
	return 0;
}

static inline int attach_group(unsigned int i)
{
	struct svf_call call = test_call(f.machine);

	return svf_container_attach_group(f.container, &f.group[i], &call);
}

/* One group in, IOMMU set. */
static inline void set_iommu(uint64_t type)
{
	assert_int_equal(attach_group(0), 0);
	assert_int_equal(test_ioctl_value(f.file, VFIO_SET_IOMMU, type), 0);
}

/* errno, and that the reason says what it should. */
#define assert_fails(expression, err, part)                                                        \
	do {                                                                                       \
		assert_int_equal(expression, -(err));                                              \
		if (!strstr(test_reason(), part))                                                  \
			fail_msg("reason is \"%s\"", test_reason());                               \
	} while (0)

#endif
