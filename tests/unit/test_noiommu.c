/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine without an IOMMU: what a device reaches, what the log says, and that the fake groups are
 * taken down. The rules of opening are in the conformance cases noiommu-* and scenario noiommu.txt.
 */
#include "vfio_fixture.h"

#include "core/iommu/iova_space.h"
#include "core/iommufd/iommufd.h"

#define FUNCTION "0000:01:00.0"
#define OTHER	 "0000:02:00.0"
#define IOVA	 0x10000000ull
#define PAGE	 4096u

static struct svf_machine *machine;
static struct svf_function *fn;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine_without_iommu(FUNCTION "; " OTHER);
	fn = test_fn(machine, FUNCTION);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static void put_master(struct svf_file *device)
{
	test_put(device, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
}

static struct svf_file *open_iommufd(void)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	test_fd_file(IOMMUFD_FD, file);
	return file;
}

static uint32_t ioas(struct svf_file *iommufd)
{
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

	assert_int_equal(test_ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc, sizeof(alloc)), 0);
	return alloc.out_ioas_id;
}

static uint8_t *map(struct svf_file *iommufd, uint32_t id, uint64_t iova, uint64_t length)
{
	uint8_t *memory = test_user_alloc(length);
	struct iommu_ioas_map cmd = {.size = sizeof(cmd),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					      IOMMU_IOAS_MAP_WRITEABLE,
				     .ioas_id = id,
				     .user_va = (uintptr_t)memory,
				     .length = length,
				     .iova = iova};

	assert_int_equal(test_ioctl(iommufd, IOMMU_IOAS_MAP, &cmd, sizeof(cmd)), 0);
	return memory;
}

static long get_pa(struct svf_file *iommufd, uint32_t id, uint64_t iova, uint64_t *length,
		   uint64_t *pa)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .ioas_id = id, .iova = iova, .length = *length};
	long ret = test_ioctl(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd, sizeof(cmd));

	*length = cmd.length;
	*pa = cmd.out_phys;
	return ret;
}

static struct svf_file *bound_cdev(struct svf_file *iommufd)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = IOMMUFD_FD};
	struct svf_file *file;

	(void)iommufd;
	assert_int_equal(test_cdev_open(fn, &file), 0);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind)), 0);
	return file;
}

/* Through the IOAS's table, and nowhere else; above 48 bits and where MSIs would go, too. */
static void test_cdev_dma(void **state)
{
	struct svf_file *iommufd = open_iommufd(), *cdev = bound_cdev(iommufd);
	uint32_t id = ioas(iommufd);
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = id};
	uint8_t *memory = map(iommufd, id, IOVA, 2 * PAGE), byte = 7;
	uint8_t *high = map(iommufd, id, 1ull << 60, PAGE),
		*msi = map(iommufd, id, 0xfee00000, PAGE);
	uint64_t length = 8 * PAGE, pa = 0;

	(void)state;
	put_master(cdev);
	assert_int_equal(svf_dma_write(fn, IOVA, &byte, 1), -EFAULT);
	assert_true(test_log_has("softvfio: DMA Write of " FUNCTION
				 " to 0x10000000: there is no IOMMU"));
	assert_fails(get_pa(iommufd, id, IOVA, &length, &pa), EOPNOTSUPP, "no device is attached");
	assert_int_equal(test_ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach)),
			 0);
	assert_int_equal(get_pa(iommufd, id, IOVA + 0x123, &length, &pa), 0);
	assert_int_equal(length, 2 * PAGE - 0x123);
	assert_int_equal(svf_dma_write(fn, pa, &byte, 1), 0);
	assert_int_equal(memory[0x123], 7);
	assert_int_equal(svf_dma_write(fn, 1ull << 60, &byte, 1), 0);
	assert_int_equal(svf_dma_write(fn, 0xfee00000, &byte, 1), 0);
	assert_int_equal(high[0] + msi[0], 14);
	assert_int_equal(svf_dma_write(fn, IOVA + 2 * PAGE, &byte, 1), -EFAULT);
	svf_file_close(cdev);
	assert_int_equal(svf_dma_write(fn, pa, &byte, 1), -EFAULT);
	svf_file_close(iommufd);
}

/* A container gives a device the right to run, and no memory. */
static void test_container_dma(void **state)
{
	struct svf_call call = test_call(machine);
	struct svf_file *container, *group, *device;
	int32_t fd = CONTAINER_FD;
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(svf_container_open(machine, &call, &container), 0);
	test_fd_file(CONTAINER_FD, container);
	assert_int_equal(test_group_open(machine, fn->group->id, &group), 0);
	assert_int_equal(test_ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd)), 0);
	assert_int_equal(test_ioctl_value(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), 0);
	assert_fails(test_ioctl_value(container, VFIO_IOMMU_MAP_DMA, 0), ENOTTY,
		     "without an IOMMU");
	assert_int_equal(test_get_device(group, FUNCTION, &device), 0);
	assert_true(test_log_has("vfio-noiommu device opened by user ("));
	put_master(device);
	assert_int_equal(svf_dma_read(fn, 0, &byte, 1), -EFAULT);
	assert_true(test_log_has("softvfio: DMA Read of " FUNCTION " to 0x0: there is no IOMMU"));
	svf_file_close(group);
	svf_file_close(container);
	svf_file_close(device);
}

/* The driver makes the group and takes it away. */
static void test_group_comes_and_goes(void **state)
{
	struct svf_driver *vfio = svf_driver_lookup(machine, "vfio-pci");
	struct svf_call call = test_call(machine);
	bool fatal;

	(void)state;
	assert_int_equal(fn->group->id, 0);
	assert_int_equal(test_fn(machine, OTHER)->group->id, 1);
	assert_int_equal(svf_function_release_driver(fn, &call), 0);
	assert_null(fn->group);
	assert_true(test_log_has("vfio-pci " FUNCTION ": Removing from iommu group 0"));
	assert_null(svf_iommu_group_lookup(machine, 0));
	machine->params.enable_unsafe_noiommu_mode = false;
	assert_int_equal(svf_driver_attach(vfio, fn, &call, &fatal), -EINVAL);
	assert_null(fn->group);
	machine->params.enable_unsafe_noiommu_mode = true;
	assert_int_equal(svf_driver_attach(vfio, fn, &call, &fatal), 0);
	assert_int_equal(fn->group->id, 0);
	assert_true(
		test_log_has("vfio-pci " FUNCTION ": Adding kernel taint for vfio-noiommu group"));
}

/* The iommufd may be closed before the device it let be opened. */
static void test_group_with_iommufd(void **state)
{
	struct svf_file *iommufd = open_iommufd(), *group, *device, *second;
	int32_t fd = IOMMUFD_FD;

	(void)state;
	assert_int_equal(test_group_open(machine, fn->group->id, &group), 0);
	assert_int_equal(test_ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd)), 0);
	assert_int_equal(test_get_device(group, FUNCTION, &device), 0);
	assert_int_equal(test_get_device(group, FUNCTION, &second), 0);
	assert_int_equal(test_ioctl_value(group, VFIO_GROUP_UNSET_CONTAINER, 0), 0);
	svf_file_close(iommufd);
	svf_file_close(device);
	svf_file_close(group);
	assert_int_equal(test_get(second, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	svf_file_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cdev_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_container_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_with_iommufd, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
