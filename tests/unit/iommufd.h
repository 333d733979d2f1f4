/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of iommufd share: a machine with three groups (one of them of two devices), an
 * open /dev/iommu, and each command as a call that fills in its structure.
 */
#ifndef SVF_TESTS_UNIT_IOMMUFD_H
#define SVF_TESTS_UNIT_IOMMUFD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommufd/iommufd.h"
#include "pci.h"
#include "port.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define PAGE  0x1000ul
#define RW    (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED (IOMMU_IOAS_MAP_FIXED_IOVA | RW)

struct fixture {
	struct svf_machine *machine;
	struct svf_file *file;
	struct svf_ictx *ictx;
	struct svf_function *a, *b;	/* each alone in its group */
	struct svf_function *shared[2]; /* two in one group */
	uint8_t *memory;		/* 16 pages of the client */
};

static inline struct svf_file *test_iommufd_open(struct svf_machine *machine)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	return file;
}

static inline struct svf_function *test_endpoint(struct svf_bus *root, unsigned int slot)
{
	struct svf_function *port = test_function(root, slot, 0, TEST_ROOT_PORT, TEST_ACS);

	return test_function(test_bus(root->machine, port, (uint8_t)slot), 0, 0, TEST_ENDPOINT, 0);
}

static inline int fixture_setup(void **state)
{
	static struct fixture f;
	struct svf_function *port, *bridge;
	struct svf_bus *root, *bus;

	f.machine = test_machine();
	root = test_bus(f.machine, NULL, 0);
	f.a = test_endpoint(root, 1);
	f.b = test_endpoint(root, 2);
	port = test_function(root, 3, 0, TEST_ROOT_PORT, TEST_ACS);
	bridge = test_function(test_bus(f.machine, port, 3), 0, 0, TEST_PCIE_TO_PCI, 0);
	bus = test_bus(f.machine, bridge, 4);
	f.shared[0] = test_function(bus, 0, 0, TEST_PCI_DEVICE, 0);
	f.shared[1] = test_function(bus, 1, 0, TEST_PCI_DEVICE, 0);
	f.file = test_iommufd_open(f.machine);
	f.ictx = svf_container_of(f.file, struct svf_ictx, file);
	f.memory = test_user_alloc(16 * PAGE);
	*state = &f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	svf_file_close(f->file);
	assert_int_equal(f->machine->used.objects, 0);
	assert_int_equal(f->machine->used.mappings, 0);
	assert_int_equal(f->machine->used.files, 0);
	test_pci_end(f->machine);
	test_machine_end(f->machine);
	return 0;
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static inline uint64_t user(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* A failed command has a reason, a successful one none. */
static inline long command(struct fixture *f, uint32_t number, void *arg, size_t size)
{
	long ret = test_ioctl(f->file, number, arg, size);

	assert_int_equal(ret < 0, test_reason()[0] != '\0');
	return ret;
}

#define COMMAND(f, number, arg) command(f, number, arg, sizeof(*(arg)))

static inline uint32_t ioas_alloc(struct fixture *f)
{
	struct iommu_ioas_alloc cmd = {.size = sizeof(cmd)};

	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &cmd), 0);
	return cmd.out_ioas_id;
}

static inline long object_destroy(struct fixture *f, uint32_t id)
{
	struct iommu_destroy cmd = {.size = sizeof(cmd), .id = id};

	return COMMAND(f, IOMMU_DESTROY, &cmd);
}

/* iova is written back on success. */
static inline long ioas_map(struct fixture *f, uint32_t ioas, uint32_t flags, uint64_t user_va,
			    uint64_t length, uint64_t *iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = user_va,
		.length = length,
		.iova = *iova,
	};
	long ret = COMMAND(f, IOMMU_IOAS_MAP, &cmd);

	*iova = cmd.iova;
	return ret;
}

static inline long map_fixed(struct fixture *f, uint32_t ioas, const void *p, uint64_t length,
			     uint64_t iova)
{
	return ioas_map(f, ioas, FIXED, user(p), length, &iova);
}

/* Bytes unmapped, or the error. */
static inline long ioas_unmap(struct fixture *f, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova, .length = length};
	long ret = COMMAND(f, IOMMU_IOAS_UNMAP, &cmd);

	return ret ? ret : (long)cmd.length;
}

static inline long iova_ranges(struct fixture *f, uint32_t ioas, struct iommu_iova_range *ranges,
			       uint32_t room, struct iommu_ioas_iova_ranges *cmd)
{
	long ret;

	*cmd = (struct iommu_ioas_iova_ranges){
		.size = sizeof(*cmd),
		.ioas_id = ioas,
		.num_iovas = room,
		.allowed_iovas = user(ranges),
	};
	if (room)
		test_user_add(user(ranges), room * sizeof(*ranges), true);
	ret = COMMAND(f, IOMMU_IOAS_IOVA_RANGES, cmd);
	if (room)
		test_user_remove(user(ranges), room * sizeof(*ranges));
	return ret;
}

static inline long allow_iovas(struct fixture *f, uint32_t ioas, struct iommu_iova_range *ranges,
			       uint32_t count)
{
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = count,
		.allowed_iovas = user(ranges),
	};
	long ret;

	if (count)
		test_user_add(user(ranges), count * sizeof(*ranges), true);
	ret = COMMAND(f, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	if (count)
		test_user_remove(user(ranges), count * sizeof(*ranges));
	return ret;
}

static inline struct svf_idevice *device_bind(struct fixture *f, struct svf_function *fn)
{
	struct svf_call call = test_call(f->machine);
	struct svf_idevice *idevice;
	uint32_t id;

	assert_int_equal(svf_idevice_bind(f->ictx, fn, &call, &idevice, &id), 0);
	return idevice;
}

static inline int device_attach(struct fixture *f, struct svf_idevice *idevice, uint32_t *pt_id)
{
	struct svf_call call = test_call(f->machine);
	int ret = svf_idevice_attach(idevice, &call, pt_id);

	assert_int_equal(ret < 0, call.reason[0] != '\0');
	return ret;
}

static inline int device_replace(struct fixture *f, struct svf_idevice *idevice, uint32_t *pt_id)
{
	struct svf_call call = test_call(f->machine);
	int ret = svf_idevice_replace(idevice, &call, pt_id);

	assert_int_equal(ret < 0, call.reason[0] != '\0');
	return ret;
}

#endif
