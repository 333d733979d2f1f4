/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions: what is said of them, and reading, writing and mapping them. */
#include <stdio.h>

#include "vfio_fixture.h"

#define DEVICE "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;

/*
 * BAR 0 64 KiB memory with the MSI-X table (16 vectors) at its end, BAR 2 I/O ports, BAR 3 a small
 * one, BAR 4 (64 bit).
 */
static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(
		DEVICE
		" totalvfs=0 bar0=64K msixbar=0 msix=16 bar2=32:io bar3=256 bar4=1M:64:pref");
	file = test_open_device(&client, machine, DEVICE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

static void info_of_each(void **state)
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	const uint32_t map = VFIO_REGION_INFO_FLAG_MMAP, caps = VFIO_REGION_INFO_FLAG_CAPS;
	const struct {
		uint32_t flags, argsz;
		uint64_t size;
	} want[] = {
		{rw | map | caps, 40, 65536}, {0, 32, 0}, {rw, 32, 32}, {rw | map, 32, 256},
		{rw | map, 32, 1 << 20},      {0, 32, 0}, {0, 32, 0},	{rw, 32, 4096},
	};

	(void)state;
	for (uint32_t i = 0; i < SVF_ARRAY_SIZE(want); i++) {
		struct vfio_region_info info = {
			.argsz = sizeof(info), .index = i, .cap_offset = 77};

		assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info)),
				 0);
		assert_int_equal(info.flags, want[i].flags);
		assert_int_equal(info.argsz, want[i].argsz);
		assert_int_equal(info.size, want[i].size);
		assert_int_equal(info.offset, (uint64_t)i << 40);
	}
}

static void info_with_room_for_capabilities(void **state)
{
	struct {
		struct vfio_region_info info;
		struct vfio_info_cap_header cap;
		uint64_t rest;
	} arg = {.info = {.argsz = sizeof(arg)}, .rest = 5};

	(void)state;
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &arg, sizeof(arg)), 0);
	assert_int_equal(arg.info.argsz, sizeof(arg));
	assert_int_equal(arg.info.cap_offset, 32);
	assert_int_equal(arg.cap.id, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
	assert_int_equal(arg.cap.version, 1);
	assert_int_equal(arg.cap.next, 0);
	assert_int_equal(arg.rest, 5);
	/* Claimed, but not there. */
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &arg.info, sizeof(arg.info)),
		     EFAULT, "cannot write 8");
}

static void info_errors(void **state)
{
	struct vfio_region_info info = {.argsz = 31};

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_GET_REGION_INFO, 0), EFAULT,
		     "cannot read 32");
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info)), EINVAL,
		     "argsz 31");
	info = (struct vfio_region_info){.argsz = sizeof(info), .index = VFIO_PCI_VGA_REGION_INDEX};
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info)), EINVAL,
		     "VGA");
	info.index = VFIO_PCI_NUM_REGIONS;
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info)), EINVAL,
		     "index 9");
}

/*
 * A process whose mmap would not work is not told that it could, nor of the capability that goes
 * with it.
 */
static void not_offered(void **state)
{
	struct vfio_region_info info = {.argsz = sizeof(info)};
	struct svf_call call = test_call(machine);

	(void)state;
	call.offer_mmap = false;
	test_user_add((uint64_t)(uintptr_t)&info, sizeof(info), true);
	assert_int_equal(svf_file_ioctl(file, &call, VFIO_DEVICE_GET_REGION_INFO,
					(uint64_t)(uintptr_t)&info),
			 0);
	test_user_remove((uint64_t)(uintptr_t)&info, sizeof(info));
	assert_int_equal(info.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
	assert_int_equal(info.argsz, sizeof(info));
}

static void memory(void **state)
{
	uint8_t buf[16];

	(void)state;
	test_put(file, 0, 0x10, 4, 0x11223344);
	assert_int_equal(test_get(file, 0, 0x10, 4), 0x11223344);
	assert_int_equal(test_get(file, 0, 0x11, 2), 0x2233);
	/* Short at the end, nothing behind it. */
	assert_int_equal(test_read(file, (4ull << 40) + (1 << 20) - 8, buf, 16), 8);
	assert_int_equal(test_read(file, (4ull << 40) + (1 << 20), buf, 16), -EINVAL);
	assert_int_equal(test_write(file, (4ull << 40) + (1 << 20), buf, 16), -EINVAL);
	assert_int_equal(test_read(file, (4ull << 40) + (1 << 20), buf, 0), 0);
	assert_int_equal(test_read(file, 1ull << 40, buf, 4), -EINVAL);
	assert_int_equal(test_read(file, 6ull << 40, buf, 4), -EINVAL);
	assert_int_equal(test_write(file, 6ull << 40, buf, 4), -EINVAL);
	assert_int_equal(test_read(file, 8ull << 40, buf, 4), -EINVAL);
	assert_int_equal(test_read(file, 9ull << 40, buf, 4), -EINVAL);
	assert_int_equal(test_read(file, ~0ull >> 1, buf, 4), -EINVAL);
}

static void ports(void **state)
{
	(void)state;
	test_put(file, 2, 4, 2, 0xbeef);
	assert_int_equal(test_get(file, 2, 4, 1), 0xef);
	/* Nobody asks whether ports are decoded, but nobody answers either. */
	test_put(file, CONFIG, 4, 2, 0);
	assert_int_equal(test_get(file, 2, 4, 2), 0xffff);
	test_put(file, 2, 4, 2, 0x1234);
	test_put(file, CONFIG, 4, 2, 1);
	assert_int_equal(test_get(file, 2, 4, 2), 0xbeef);
}

static void decoding(void **state)
{
	uint32_t command = test_get(file, CONFIG, 4, 2), value = 0;

	(void)state;
	assert_int_equal(command & 7, 3);
	test_put(file, CONFIG, 4, 2, command & ~2u);
	assert_int_equal(test_read(file, 0, &value, 4), -EIO);
	assert_int_equal(test_write(file, 0, &value, 4), -EIO);
	test_put(file, CONFIG, 4, 2, command);
	assert_int_equal(test_read(file, 0, &value, 4), 4);
}

static void power(void **state)
{
	struct svf_function *fn = test_fn(machine, DEVICE);
	unsigned int ctrl = fn->cap_pm + 4u;
	uint32_t value = 0;

	(void)state;
	assert_int_not_equal(fn->cap_pm, 0);
	test_put(file, CONFIG, ctrl, 2, 3);
	assert_int_equal(test_get(file, CONFIG, ctrl, 2) & 3, 3);
	assert_int_equal(test_read(file, 0, &value, 4), -EIO);
	test_put(file, CONFIG, ctrl, 2, 0);
	assert_int_equal(test_read(file, 0, &value, 4), 4);
	/* D1 and D2 are not there. */
	test_put(file, CONFIG, ctrl, 2, 1);
	assert_int_equal(test_get(file, CONFIG, ctrl, 2) & 3, 0);
}

/* The table of 16 entries: at 60 KiB, where the model puts it. */
static void msix_table(void **state)
{
	struct svf_msix_layout msix;
	uint8_t buf[32];

	(void)state;
	assert_true(svf_function_msix(test_fn(machine, DEVICE), &msix));
	assert_int_equal(msix.table_bar, 0);
	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(test_write(file, msix.table_offset - 8u, buf, 16), 16);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(test_read(file, msix.table_offset - 8u, buf, 16), 16);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(buf[i], i < 8 ? 0x5a : 0xff);
	assert_int_equal(test_read(file, msix.table_offset + 16u * 16 - 4, buf, 8), 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(buf[i], i < 4 ? 0xff : 0);
	/* Nothing was written there. */
	svf_bar_read(test_fn(machine, DEVICE), 0, msix.table_offset, buf, 8);
	assert_int_equal(buf[0] | buf[7], 0);
	/* The table answers with decoding off, too: nobody asks the function. */
	test_put(file, CONFIG, 4, 2, 0);
	assert_int_equal(test_read(file, msix.table_offset, buf, 8), 8);
	assert_int_equal(test_read(file, msix.table_offset - 8u, buf, 16), -EIO);
}

static int map(uint64_t offset, uint64_t length, bool shared, const struct svf_ram **ret,
	       uint64_t *ret_offset)
{
	struct svf_call call = test_call(machine);

	struct svf_device_map map;
	int err = svf_device_mmap(file, &call, offset, length, shared, &map);

	if (!err) {
		*ret = map.ram;
		*ret_offset = map.offset;
	}
	return err;
}

static void mapping(void **state)
{
	const struct svf_ram *ram = NULL;
	uint64_t at = 0;

	(void)state;
	assert_int_equal(map((4ull << 40) + 8192, 4096, true, &ram, &at), 0);
	assert_ptr_equal(ram, test_fn(machine, DEVICE)->bars[4].ram);
	assert_int_equal(at, 8192);
	assert_int_equal(map(4ull << 40, 1 << 20, true, &ram, &at), 0);
	assert_int_equal(map((4ull << 40) + 4096, 1 << 20, true, &ram, &at), -EINVAL);
	assert_int_equal(map(4ull << 40, ~0ull, true, &ram, &at), -EINVAL);
	assert_int_equal(map(4ull << 40, 4096, false, &ram, &at), -EINVAL);
	assert_int_equal(map(1ull << 40, 4096, true, &ram, &at), -EINVAL);
	assert_int_equal(map(2ull << 40, 4096, true, &ram, &at), -EINVAL);
	assert_int_equal(map(3ull << 40, 4096, true, &ram, &at), 0);
	assert_int_equal(map(3ull << 40, 4097, true, &ram, &at), -EINVAL);
	assert_int_equal(map(7ull << 40, 4096, true, &ram, &at), -EINVAL);
	assert_int_equal(map(9ull << 40, 4096, true, &ram, &at), -EINVAL);
}

/* Two images of a sector each, as hexadecimal digits, the way a model gets a file. */
static void make_rom(char *text)
{
	uint8_t rom[1024] = {0};

	for (unsigned int i = 0; i < 2; i++) {
		uint8_t *image = rom + 512 * i;

		memcpy(image, (const uint8_t[]){0x55, 0xaa}, 2);
		image[0x18] = 0x1c;
		memcpy(image + 0x1c, "PCIR", 4);
		image[0x1c + 0x0a] = 0x18;
		image[0x1c + 0x10] = 1;
		image[0x1c + 0x15] = i ? 0x80 : 0;
	}
	for (unsigned int i = 0; i < sizeof(rom); i++)
		snprintf(text + 2 * i, 3, "%02x", rom[i]);
}

/* A device of another machine than setup's. */
static void open_other(const char *options)
{
	char spec[4096];

	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	snprintf(spec, sizeof(spec), DEVICE " totalvfs=0 %s", options);
	machine = test_vfio_machine(spec);
	file = test_open_device(&client, machine, DEVICE);
}

static uint64_t region_size(uint32_t index)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info)), 0);
	return info.size;
}

static void rom(void **state)
{
	const uint64_t at = 6ull << 40;
	char options[3000] = "romsize=8192 rom=";
	uint8_t buf[8];

	(void)state;
	make_rom(options + strlen(options));
	open_other(options);
	assert_int_equal(region_size(6), 8192);
	assert_int_equal(test_get(file, 6, 0, 2), 0xaa55);
	assert_int_equal(test_get(file, 6, 1022, 4), 0xffff0000);
	assert_int_equal(test_read(file, at + 8190, buf, 8), 2);
	assert_int_equal(test_write(file, at, buf, 4), -EINVAL);
	assert_int_equal(test_read(file, at + 8192, buf, 1), -EINVAL);
	/* Said all the same, as memory is decoded for looking. */
	test_put(file, CONFIG, 0x04, 2, 0);
	assert_int_equal(region_size(6), 8192);
	assert_int_equal(test_get(file, CONFIG, 0x04, 2), 0);
	assert_int_equal(test_read(file, at, buf, 4), -ENOMEM);
	/* Sized like any other, and the enable bit is the user's. */
	test_put(file, CONFIG, 0x30, 4, 0xffffffff);
	assert_int_equal(test_get(file, CONFIG, 0x30, 4), 0xffffe001);
}

static void rom_without_image(void **state)
{
	uint8_t buf[8];

	(void)state;
	open_other("romsize=8192");
	assert_int_equal(region_size(6), 0);
	assert_int_equal(test_read(file, 6ull << 40, buf, 4), -ENOMEM);
	test_put(file, CONFIG, 0x30, 4, 0xffffffff);
	assert_int_equal(test_get(file, CONFIG, 0x30, 4), 0xffffe001);
}

static void vga(void **state)
{
	const uint64_t at = 8ull << 40;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(test_read(file, at + 0xa0000, buf, 1), -EINVAL);
	open_other("class=030000");
	assert_int_equal(region_size(8), 0xc0000);
	test_put(file, 8, 0xa0000, 4, 0x11223344);
	test_put(file, 8, 0xbfffe, 2, 0x5566);
	test_put(file, 8, 0x3c0, 1, 0x77);
	test_put(file, CONFIG, 0x04, 2, 0);
	assert_int_equal(test_get(file, 8, 0xa0000, 4), 0x11223344);
	assert_int_equal(test_read(file, at + 0xbfffe, buf, 8), 2);
	assert_int_equal(buf[0], 0x66);
	assert_int_equal(test_get(file, 8, 0x3c0, 1), 0x77);
	assert_int_equal(test_read(file, at + 0x3b9, buf, 8), 3);
	assert_int_equal(test_read(file, at + 0x3bc, buf, 1), -EINVAL);
	assert_int_equal(test_write(file, at + 0xc0000, buf, 1), -EINVAL);
	assert_int_equal(test_write(file, at, buf, 1), -EINVAL);
	/* The next user finds nothing of it. */
	svf_file_close(file);
	assert_int_equal(test_get_device(client.group, DEVICE, &file), 0);
	assert_int_equal(test_get(file, 8, 0xa0000, 4), 0);
}

static long ioeventfd(uint32_t argsz, uint32_t flags, uint64_t offset, int32_t fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = argsz, .flags = flags, .offset = offset, .fd = fd};

	return test_ioctl(file, VFIO_DEVICE_IOEVENTFD, &arg, sizeof(arg));
}

static void ioeventfds(void **state)
{
	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_IOEVENTFD, 0), EFAULT, "cannot read");
	assert_fails(ioeventfd(27, 4, 0, 5), EINVAL, "argsz 27");
	assert_fails(ioeventfd(28, 0, 0, 5), EINVAL, "exactly one size");
	assert_fails(ioeventfd(28, 5, 0, 5), EINVAL, "exactly one size");
	assert_fails(ioeventfd(28, 16, 0, 5), EINVAL, "exactly one size");
	assert_fails(ioeventfd(28, 4, 0, -2), EINVAL, "descriptor -2");
	assert_fails(ioeventfd(28, 4, 7ull << 40, 5), EINVAL, "not to region 7");
	assert_fails(ioeventfd(28, 4, 65534, 5), EINVAL, "pass the end");
	assert_fails(ioeventfd(28, 4, 1ull << 40, 5), EINVAL, "pass the end");
	assert_fails(ioeventfd(28, 4, 61440, 5), EINVAL, "MSI-X table");
	assert_fails(ioeventfd(28, 4, 0, -1), ENODEV, "to remove");
	assert_fails(ioeventfd(28, 4, 0, 9), EBADF, "is not open");
	test_fd_other(8);
	assert_fails(ioeventfd(28, 4, 0, 8), EINVAL, "no eventfd");
}

/* Each descriptor of one eventfd is a watch of its own to the port, and gone when it is removed. */
static void ioeventfd_life(void **state)
{
	struct svf_event *event = test_event();

	(void)state;
	test_fd_event(5, event);
	assert_int_equal(ioeventfd(28, 4, 0, 5), 0);
	assert_fails(ioeventfd(28, 4, 0, 5), EEXIST, "already");
	assert_int_equal(ioeventfd(28, 2, 0, 5), 0);
	assert_int_equal(test_event_refs(event), 2);
	assert_int_equal(ioeventfd(28, 4, 0, -1), 0);
	assert_fails(ioeventfd(28, 4, 0, -1), ENODEV, "to remove");
	assert_int_equal(test_event_refs(event), 1);
	for (uint64_t i = 1; i < 1000; i++)
		assert_int_equal(ioeventfd(28, 1, i, 5), 0);
	assert_fails(ioeventfd(28, 1, 1000, 5), ENOSPC, "1000 ioeventfds");
	svf_file_close(file);
	assert_int_equal(test_event_refs(event), 0);
	assert_int_equal(test_get_device(client.group, DEVICE, &file), 0);
	assert_fails(ioeventfd(28, 1, 1, -1), ENODEV, "to remove");
}

static void ioeventfd_fires(void **state)
{
	struct svf_event *event = test_event();
	struct vfio_device_ioeventfd arg = {
		.argsz = 28, .flags = 8, .offset = 13, .data = 0x1122334455667788, .fd = 5};
	uint64_t value = 0;

	(void)state;
	test_fd_event(5, event);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_IOEVENTFD, &arg, sizeof(arg)), 0);
	test_event_fire(event);
	assert_int_equal(test_read(file, 13, &value, 8), 8);
	assert_true(value == arg.data);
	value = 0;
	assert_int_equal(test_write(file, 13, &value, 8), 8);
	test_put(file, CONFIG, 0x04, 2, 0);
	test_event_fire(event);
	test_put(file, CONFIG, 0x04, 2, 2);
	assert_int_equal(test_read(file, 13, &value, 8), 8);
	assert_true(value == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(info_of_each, setup, teardown),
		cmocka_unit_test_setup_teardown(info_with_room_for_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(info_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(not_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(memory, setup, teardown),
		cmocka_unit_test_setup_teardown(ports, setup, teardown),
		cmocka_unit_test_setup_teardown(decoding, setup, teardown),
		cmocka_unit_test_setup_teardown(power, setup, teardown),
		cmocka_unit_test_setup_teardown(msix_table, setup, teardown),
		cmocka_unit_test_setup_teardown(mapping, setup, teardown),
		cmocka_unit_test_setup_teardown(rom, setup, teardown),
		cmocka_unit_test_setup_teardown(rom_without_image, setup, teardown),
		cmocka_unit_test_setup_teardown(vga, setup, teardown),
		cmocka_unit_test_setup_teardown(ioeventfds, setup, teardown),
		cmocka_unit_test_setup_teardown(ioeventfd_life, setup, teardown),
		cmocka_unit_test_setup_teardown(ioeventfd_fires, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
