/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Binding by sysfs: driver_override, bind, unbind, drivers_probe, drivers_autoprobe, new_id,
 * remove_id, and the nodes that come and go with vfio-pci.
 */
#include "lib.h"

/* For a value too long to be shown. */
static void write_long(const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", edu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, errno_name(errno));
	say_call(write(fd, value, strlen(value)), "write %zu characters", strlen(value));
	close(fd);
}

static void override(void)
{
	char text[5000];

	section("driver_override");
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("pci-stub", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("vfio-pci\n", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("no-such-driver", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("two words", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_write("\n", "devices/%s/driver_override", edu);
	sysfs_show("devices/%s/driver_override", edu);
	memset(text, 'x', sizeof(text));
	text[4095] = '\0';
	write_long(text + 1);
	write_long(text);
	text[4095] = 'x';
	text[4999] = '\0';
	write_long(text);
	sysfs_write("\n", "devices/%s/driver_override", edu);
}

static void binding(void)
{
	section("bind and unbind");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/pci-stub/bind");
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_write(edu, "drivers/pci-stub/bind");
	sysfs_write(edu, "drivers/pci-stub/unbind");
	sysfs_write(multi0, "drivers/vfio-pci/unbind");
	sysfs_write(multi0, "devices/%s/driver/unbind", edu);
	note("the override does not unbind, and does not keep from unbinding");
	sysfs_write("\n", "devices/%s/driver_override", edu);
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "devices/%s/driver/unbind", edu);
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/unbind");
	sysfs_write(edu, "devices/%s/driver/unbind", edu);

	section("what is no device");
	sysfs_write("0000:ff:1f.7", "drivers/vfio-pci/bind");
	sysfs_write("0000:ff:1f.7", "drivers/vfio-pci/unbind");
	sysfs_write("nonsense", "drivers/vfio-pci/bind");
	sysfs_write("", "drivers/vfio-pci/bind");
	sysfs_write(edu + 5, "drivers/vfio-pci/bind");
	sysfs_write(edu, "drivers/no-such-driver/bind");
}

static void newline(void)
{
	char text[32];

	section("a newline at the end, a blank");
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	snprintf(text, sizeof(text), "%s\n", edu);
	sysfs_write(text, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(text, "drivers/vfio-pci/unbind");
	snprintf(text, sizeof(text), "%s ", edu);
	sysfs_write(text, "drivers/vfio-pci/bind");
	snprintf(text, sizeof(text), " %s", edu);
	sysfs_write(text, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("\n", "devices/%s/driver_override", edu);
}

static void probing(void)
{
	section("drivers_probe");
	sysfs_write(edu, "drivers_probe");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	sysfs_write(edu, "drivers_probe");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers_probe");
	sysfs_write("no-such-driver", "devices/%s/driver_override", edu);
	sysfs_write(edu, "drivers_probe");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/unbind");
	sysfs_write(edu, "drivers_probe");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("0000:ff:1f.7", "drivers_probe");
	sysfs_write("", "drivers_probe");
	sysfs_show("drivers_probe");
	sysfs_write("\n", "devices/%s/driver_override", edu);

	section("drivers_autoprobe");
	sysfs_show("drivers_autoprobe");
	sysfs_write("0", "drivers_autoprobe");
	sysfs_show("drivers_autoprobe");
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	note("off, but a probe that is asked for is made");
	sysfs_write(edu, "drivers_probe");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/unbind");
	sysfs_write("\n", "devices/%s/driver_override", edu);
	sysfs_write("7", "drivers_autoprobe");
	sysfs_show("drivers_autoprobe");
	sysfs_write("x", "drivers_autoprobe");
	sysfs_show("drivers_autoprobe");
	sysfs_write("1", "drivers_autoprobe");
}

static void ids(void)
{
	section("new_id takes every function of that kind without driver");
	sysfs_write("1234 11e8", "drivers/pci-stub/new_id");
	sysfs_link("devices/%s/driver", edu);
	sysfs_link("devices/%s/driver", conv1);
	sysfs_write("1234 11e8", "drivers/pci-stub/new_id");
	sysfs_write("1234 11e8", "drivers/vfio-pci/new_id");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/pci-stub/unbind");
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write("1234 11e8", "drivers/vfio-pci/remove_id");
	sysfs_link("devices/%s/driver", edu);
	sysfs_write(edu, "drivers/vfio-pci/unbind");
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_write("1234 11e8", "drivers/vfio-pci/remove_id");
	sysfs_write("1234 11e8", "drivers/pci-stub/remove_id");
	sysfs_write(conv1, "drivers/pci-stub/unbind");

	section("form of new_id and remove_id");
	sysfs_write("1234", "drivers/pci-stub/new_id");
	sysfs_write("", "drivers/pci-stub/new_id");
	sysfs_write("xyz 11e8", "drivers/pci-stub/new_id");
	sysfs_write("0xabcd 0x0001", "drivers/pci-stub/new_id");
	sysfs_write("abcd 0001", "drivers/pci-stub/new_id");
	sysfs_write("abcd 0001 1111 2222", "drivers/pci-stub/new_id");
	sysfs_write("abcd:0002", "drivers/pci-stub/new_id");
	sysfs_write("abcd 0003\n", "drivers/pci-stub/new_id");
	sysfs_write("abcd 0004 ffffffff ffffffff 020000 ff0000 5", "drivers/pci-stub/new_id");
	sysfs_write("abcd 0001", "drivers/pci-stub/remove_id");
	sysfs_write("abcd 0001", "drivers/pci-stub/remove_id");
	sysfs_write("abcd 0003", "drivers/pci-stub/remove_id");
	sysfs_write("abcd 0004", "drivers/pci-stub/remove_id");
	sysfs_write("abcd", "drivers/pci-stub/remove_id");
	sysfs_write("nonsense", "drivers/pci-stub/remove_id");
	sysfs_show("drivers/pci-stub/new_id");
}

static void nodes(void)
{
	char group_path[64], group_file[96];
	int group = pci_group(edu);

	section("what comes and goes with vfio-pci");
	snprintf(group_path, sizeof(group_path), "/dev/vfio/%d", group);
	snprintf(group_file, sizeof(group_file), "/sys/class/vfio/%d", group);
	say("group file: %s", access(group_path, F_OK) == 0 ? "there" : "not there");
	pci_bind(edu, "vfio-pci");
	say("group file: %s", access(group_path, F_OK) == 0 ? "there" : "not there");
	say("group's class folder: %s", access(group_file, F_OK) == 0 ? "there" : "not there");
	close(must_open_cdev(edu));
	pci_bind(edu, NULL);
	say("group file: %s", access(group_path, F_OK) == 0 ? "there" : "not there");
	say("group's class folder: %s", access(group_file, F_OK) == 0 ? "there" : "not there");
	sysfs_show("devices/%s/vfio-dev", edu);

	section("reset");
	sysfs_show("devices/%s/reset_method", pf);
	sysfs_write("1", "devices/%s/reset", pf);
	sysfs_write("0", "devices/%s/reset", pf);
	sysfs_write("x", "devices/%s/reset", pf);
	sysfs_show("devices/%s/reset_method", edu);
	sysfs_write("1", "devices/%s/reset", edu);
}

int main(void)
{
	case_begin();
	pci_bind(edu, NULL);
	pci_bind(conv1, NULL);
	override();
	binding();
	newline();
	probing();
	ids();
	nodes();
	return 0;
}
