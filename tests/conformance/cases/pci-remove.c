/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions that are removed by sysfs and found again: what may be written, what goes with a
 * function, what is gone for good (driver_override) and what stays (a driver's new_id, the values
 * in config space), bridges with everything behind them, IOMMU groups left and joined.
 */
#include "lib.h"

#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

static void bus_file(const char *file, const char *value)
{
	sysfs_write(value, "%s", file);
}

static void is_there(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void is_there(const char *fmt, ...)
{
	char file[256], path[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(file, sizeof(file), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "/sys/%s", file);
	say("%s: %s", file, access(path, F_OK) == 0 ? "there" : errno_name(errno));
}

static void modes(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		say("stat %s = -1 %s", path, errno_name(errno));
	else
		say("%s: mode %o", path, st.st_mode & 07777u);
}

static void function_mode(const char *bdf, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	modes(path);
}

/* The folder of what bdf is behind. */
static void parent_folder(const char *bdf, char *path, size_t len)
{
	char link[128], *slash;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", bdf);
	path[0] = '\0';
	if (len < PATH_MAX || !realpath(link, path))
		die("%s: %s", link, errno_name(errno));
	slash = strrchr(path, '/');
	*slash = '\0';
}

/* What may be written. */
static void values(void)
{
	static const char *const refused[] = {"",    "x",  "-1",
					      "1 2", "0x", "99999999999999999999999"};
	static const char *const nothing[] = {"0", "0\n", "00", "0x0"};
	size_t i;

	section("what may be written");
	function_mode(edu, "remove");
	function_mode(edu, "rescan");
	function_mode(bridge, "remove");
	function_mode(bridge, "rescan");
	modes("/sys/bus/pci/rescan");
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		sysfs_write(refused[i], "devices/%s/remove", edu);
		sysfs_write(refused[i], "devices/%s/rescan", edu);
		bus_file("rescan", refused[i]);
	}
	for (i = 0; i < ARRAY_SIZE(nothing); i++) {
		sysfs_write(nothing[i], "devices/%s/remove", edu);
		sysfs_write(nothing[i], "devices/%s/rescan", edu);
		bus_file("rescan", nothing[i]);
	}
	sysfs_show("devices/%s/remove", edu);
	sysfs_show("devices/%s/rescan", edu);
	sysfs_show("rescan");
	note("nothing to find:");
	bus_file("rescan", "1");
	is_there("bus/pci/devices/%s", edu);
}

static void one_way(const char *remove_value, const char *rescan_file, const char *rescan_value)
{
	sysfs_write(remove_value, "devices/%s/remove", conv1);
	is_there("bus/pci/devices/%s", conv1);
	sysfs_write(rescan_value, "%s", rescan_file);
	is_there("bus/pci/devices/%s", conv1);
}

/* The files by which a function is found again: those of the bus, and of functions on its bus. */
static void ways_to_find(void)
{
	char file[128], folder[PATH_MAX], path[PATH_MAX + 64];
	int fd;

	section("ways to find it again");
	pci_bind(conv0, NULL);
	one_way("1", "rescan", "1");
	one_way("2\n", "rescan", "0x10");
	one_way("0x1", "rescan", "99");
	snprintf(file, sizeof(file), "devices/%s/rescan", conv0);
	one_way("1\n", file, "1\n");
	note("by the bridge above:");
	snprintf(file, sizeof(file), "devices/%s/rescan", bridge);
	one_way("1", file, "1");
	note("another bus has it not:");
	snprintf(file, sizeof(file), "devices/%s/rescan", multi0);
	one_way("1", file, "1");
	bus_file("rescan", "1");
	note("by its bus:");
	parent_folder(conv1, folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/pci_bus/%.7s/rescan", folder, conv1);
	sysfs_write("1", "devices/%s/remove", conv1);
	fd = open(path, O_WRONLY);
	say_fd(fd, "open pci_bus/rescan");
	say_call(write(fd, "1", 1), "write pci_bus/rescan");
	close(fd);
	is_there("bus/pci/devices/%s", conv1);
}

/* What is gone meanwhile, on which open files. */
static void old_files(void)
{
	char path[128], buf[64];
	int vendor, config, config_after, remove_fd;

	section("open files of a function that is removed");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", edu);
	vendor = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", edu);
	config = must_open(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", edu);
	remove_fd = open(path, O_WRONLY);
	say_call(pread(config, buf, 4, 0), "pread config");
	say_call(write(remove_fd, "1", 1), "write remove");
	say_call(write(remove_fd, "1", 1), "write remove");
	say_call(pread(vendor, buf, sizeof(buf), 0), "pread vendor");
	say_call(pread(config, buf, 4, 0), "pread config");
	sysfs_show("devices/%s/vendor", edu);
	sysfs_write(edu, "drivers_probe");
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_write(edu, "drivers/vfio-pci/unbind");
	bus_file("rescan", "1");
	note("found again, they stay without it:");
	say_call(write(remove_fd, "1", 1), "write remove");
	say_call(pread(vendor, buf, sizeof(buf), 0), "pread vendor");
	say_call(pread(config, buf, 4, 0), "pread config");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", edu);
	config_after = must_open(path);
	say_call(pread(config_after, buf, 4, 0), "pread config, new file");
	close(vendor);
	close(config);
	close(config_after);
	close(remove_fd);
}

static uint32_t config_read(const char *bdf, off_t offset, size_t len)
{
	char path[128];
	uint32_t value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = must_open(path);
	if (pread(fd, &value, len, offset) != (ssize_t)len)
		die("config of %s", bdf);
	close(fd);
	return value;
}

static void config_write(const char *bdf, off_t offset, size_t len, uint32_t value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = must_open(path);
	if (pwrite(fd, &value, len, offset) != (ssize_t)len)
		die("config of %s", bdf);
	close(fd);
}

/* What a function has of its own, and what the kernel knew of it. */
static void what_stays(void)
{
	section("what stays and what does not");
	pci_bind(edu, "vfio-pci");
	sysfs_link("devices/%s/driver", edu);
	sysfs_show("devices/%s/driver_override", edu);
	config_write(edu, 0x3c, 1, 0x5a);
	config_write(edu, 4, 2, 0x0402);
	say("command 0x%04x", config_read(edu, 4, 2));
	sysfs_write("1", "devices/%s/remove", edu);
	is_there("bus/pci/drivers/vfio-pci/%s", edu);
	bus_file("rescan", "1");
	sysfs_link("devices/%s/driver", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_show("devices/%s/enable", edu);
	sysfs_show("devices/%s/power_state", edu);
	say("interrupt line 0x%02x", config_read(edu, 0x3c, 1));
	say("command 0x%04x", config_read(edu, 4, 2));
	say("BAR0 %s", config_read(edu, 0x10, 4) & ~0xfu ? "has an address" : "is 0");

	note("a driver's new_id:");
	sysfs_write("1234 11e8", "drivers/pci-stub/new_id");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("1", "devices/%s/remove", edu);
	bus_file("rescan", "1");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("0", "drivers_autoprobe");
	sysfs_write("1", "devices/%s/remove", edu);
	bus_file("rescan", "1");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("1", "drivers_autoprobe");
	note("what is there already is not probed:");
	bus_file("rescan", "1");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("1234 11e8", "drivers/pci-stub/remove_id");
	sysfs_write(edu, "drivers/pci-stub/unbind");
	sysfs_link("devices/%s/driver", conv1);
}

static int try_group(const char *bdf)
{
	char path[128], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = '\0';
	return atoi(strrchr(target, '/') + 1);
}

static void same_group(const char *a, const char *b)
{
	say("%s and %s: %s", a, b, try_group(a) == try_group(b) ? "one group" : "two groups");
}

static void groups(void)
{
	int before = pci_group(edu), other = pci_group(bridge);
	int cdev;

	section("groups and cdevs");
	pci_bind(edu, "vfio-pci");
	cdev = must_open_cdev(edu);
	close(cdev);
	sysfs_write("1", "devices/%s/remove", edu);
	{
		char file[64];

		snprintf(file, sizeof(file), "/sys/kernel/iommu_groups/%d", before);
		say("group in sysfs: %s", access(file, F_OK) == 0 ? "there" : errno_name(errno));
		snprintf(file, sizeof(file), "/dev/vfio/%d", before);
		say("group in /dev: %s", access(file, F_OK) == 0 ? "there" : errno_name(errno));
	}
	bus_file("rescan", "1");
	say("the same number: %s", pci_group(edu) == before ? "yes" : "no");

	note("the lowest number that is free:");
	sysfs_write("1", "devices/%s/remove", edu);
	sysfs_write("1", "devices/%s/remove", bridge);
	is_there("bus/pci/devices/%s", bridge);
	is_there("bus/pci/devices/%s", conv0);
	bus_file("rescan", "1");
	is_there("bus/pci/devices/%s", conv0);
	is_there("bus/pci/devices/%s", conv1);
	say("the same numbers: %s",
	    pci_group(edu) == before && pci_group(bridge) == other ? "yes" : "no");
	same_group(bridge, conv0);
	same_group(bridge, conv1);

	note("by and by, the other way about:");
	sysfs_write("1", "devices/%s/remove", edu);
	sysfs_write("1", "devices/%s/remove", bridge);
	sysfs_write("1", "devices/%s/rescan", multi0);
	is_there("bus/pci/devices/%s", bridge);
	bus_file("rescan", "1");

	note("a function joins those that it cannot be kept apart from:");
	sysfs_write("1", "devices/%s/remove", multi0);
	is_there("bus/pci/devices/%s", multi1);
	before = pci_group(multi1);
	sysfs_write("1", "devices/%s/rescan", multi1);
	same_group(multi0, multi1);
	say("the same number: %s", pci_group(multi0) == before ? "yes" : "no");
	sysfs_write("1", "devices/%s/remove", conv1);
	bus_file("rescan", "1");
	same_group(conv1, conv0);
}

/* A bridge is removed with all that is behind it, which comes back with it. */
static void ports(void)
{
	char folder[PATH_MAX], port[16];

	section("a port");
	parent_folder(multi0, folder, sizeof(folder));
	snprintf(port, sizeof(port), "%.12s", strrchr(folder, '/') + 1);
	pci_bind(multi0, "vfio-pci");
	say_call(access(folder, F_OK), "access port");
	{
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", port);
		fd = open(path, O_WRONLY);
		say_call(write(fd, "1", 1), "write remove");
		close(fd);
	}
	say_call(access(folder, F_OK), "access port");
	is_there("bus/pci/devices/%s", multi0);
	is_there("bus/pci/devices/%s", multi1);
	bus_file("rescan", "1");
	say_call(access(folder, F_OK), "access port");
	is_there("bus/pci/devices/%s", multi0);
	is_there("bus/pci/devices/%s", multi1);
	strcat(folder, "/driver");
	say_call(access(folder, F_OK), "access driver of port");
	say("BAR0 %s", config_read(multi0, 0x10, 4) & ~0xfu ? "has an address" : "is 0");
	pci_bind(multi0, NULL);
	pci_bind(multi0, "vfio-pci");
	note("usable as before:");
	{
		struct vfio_user u;
		uint32_t id = 0;

		pci_bind(multi1, "vfio-pci");
		vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
		say_call(pread(u.device, &id, 4, (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40),
			 "pread config");
		say("id 0x%08x", id);
		vfio_user_close(&u);
	}
}

int main(void)
{
	case_begin();
	values();
	ways_to_find();
	old_files();
	what_stays();
	groups();
	ports();
	return 0;
}
