/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine of null devices built as softvfio run builds it, and the way of a client to an open
 * device: what the tests of core/vfio begin with. Descriptor numbers: the container is 3, an
 * iommufd 4.
 */
#ifndef SVF_TESTS_UNIT_VFIO_FIXTURE_H
#define SVF_TESTS_UNIT_VFIO_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "core/vfio/group.h"
#include "port.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define CONTAINER_FD 3
#define IOMMUFD_FD   4

#define TOKEN_A	     "6a1cf1b4-4e1b-4c7e-9d20-2c9b7b3a1f01"
#define TOKEN_B	     "0e5d2f9c-31a7-4d0b-8a55-f0a1c2d3e4b5"

/*
 * spec: devices separated by "; ", each a full address and the null model's options separated by
 * blanks: "0000:01:00.0 vfs=2 intx=none; 0000:02:00.0". All are bound to vfio-pci.
 */
struct svf_machine *test_vfio_machine(const char *spec);

/* The same, of a machine without an IOMMU, whose unsafe mode is enabled. */
struct svf_machine *test_vfio_machine_without_iommu(const char *spec);

/* By address; the test fails when there is none. */
struct svf_function *test_fn(struct svf_machine *machine, const char *address);

/*
 * A client on the group's way: container with type1v2 and the group in it. close ends all that is
 * open.
 */
struct test_client {
	struct svf_machine *machine;
	struct svf_file *container, *group, *iommufd;
};
void test_client_open(struct test_client *client, struct svf_function *fn);
void test_client_close(struct test_client *client);

/* GROUP_GET_DEVICE_FD. Return: 0 with *ret, or its errno. */
long test_get_device(struct svf_file *group, const char *match, struct svf_file **ret);
/* Both at once, for tests of the device itself. */
struct svf_file *test_open_device(struct test_client *client, struct svf_machine *machine,
				  const char *address);

/* open of the group's or the device's own node. */
int test_group_open(struct svf_machine *machine, unsigned int id, struct svf_file **ret);
int test_cdev_open(struct svf_function *fn, struct svf_file **ret);

/* pread and pwrite of a region, little-endian; fails the test when it does. */
uint32_t test_get(struct svf_file *file, unsigned int region, uint64_t offset, unsigned int size);
void test_put(struct svf_file *file, unsigned int region, uint64_t offset, unsigned int size,
	      uint32_t value);
ssize_t test_read(struct svf_file *file, uint64_t offset, void *buf, size_t len);
ssize_t test_write(struct svf_file *file, uint64_t offset, const void *buf, size_t len);

/* errno, and that the reason says what it should. */
#define assert_fails(expression, err, part)                                                        \
	do {                                                                                       \
		assert_int_equal(expression, -(err));                                              \
		if (!strstr(test_reason(), part))                                                  \
			fail_msg("reason is \"%s\"", test_reason());                               \
	} while (0)

#endif
