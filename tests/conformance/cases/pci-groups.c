/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine: switch conventional alias
 *
 * IOMMU groups as they are computed from topology, ACS and DMA aliases: of every function the place
 * in the machine, of every group its members and its type. Then each PF with VFs gets two: a VF joins
 * a group when it is made, and a group of its own has the lowest number that is free.
 *
 * The machines are described at the top of machines/NAME.qemu.
 */
#include "lib.h"

#include <dirent.h>
#include <limits.h>

#define DEVICES "/sys/bus/pci/devices"
#define GROUPS	"/sys/kernel/iommu_groups"

static int not_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static struct dirent **list(const char *path,
			    int (*compare)(const struct dirent **, const struct dirent **),
			    int *ret_count)
{
	struct dirent **entries;

	*ret_count = scandir(path, &entries, not_dot, compare);
	if (*ret_count < 0)
		die("list %s: %s", path, errno_name(errno));
	return entries;
}

static void show_functions(void)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct dirent **entries;
	const char *place;
	int count;

	section("functions");
	entries = list(DEVICES, alphasort, &count);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), DEVICES "/%s", entries[i]->d_name);
		if (realpath(path, target) == NULL)
			die("%s: %s", path, errno_name(errno));
		place = strstr(target, "/pci0000:00/");
		say("%s", place != NULL ? place + 1 : target);
		free(entries[i]);
	}
	free(entries);
}

static void show_group(const char *id)
{
	char path[PATH_MAX], type[32] = "", members[2048] = "";
	struct dirent **entries;
	size_t used = 0;
	ssize_t n;
	int count, fd;

	snprintf(path, sizeof(path), GROUPS "/%s/type", id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, type, sizeof(type) - 1);
	close(fd);
	type[n > 0 ? n - 1 : 0] = '\0';
	snprintf(path, sizeof(path), GROUPS "/%s/devices", id);
	entries = list(path, alphasort, &count);
	for (int i = 0; i < count; i++) {
		used += (size_t)snprintf(members + used, sizeof(members) - used, " %s",
					 entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	say("%s %s:%s", id, type, members);
}

static void show_groups(void)
{
	struct dirent **entries;
	int count;

	entries = list(GROUPS, by_number, &count);
	for (int i = 0; i < count; i++) {
		show_group(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void with_vfs(const char *bdf)
{
	section("two VFs of %s", bdf);
	pci_bind(bdf, "vfio-pci");
	pci_numvfs(bdf, 2);
	show_groups();
	pci_numvfs(bdf, 0);
}

int main(void)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int count;

	case_begin_without_names();
	show_functions();
	section("groups");
	show_groups();
	entries = list(DEVICES, alphasort, &count);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), DEVICES "/%s/sriov_totalvfs", entries[i]->d_name);
		if (access(path, F_OK) == 0)
			with_vfs(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	section("after all of them");
	show_groups();
	return 0;
}
