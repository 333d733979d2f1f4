/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfio_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/pci/topology.h"
#include "core/vfio/container.h"

#define DEVICES 8
#define OPTIONS 32

struct text_topology {
	struct svf_topology topology;
	struct svf_topology_node nodes[DEVICES];
	struct svf_topology_option options[OPTIONS];
	unsigned int node_count, option_count;
};

static void add_option(struct text_topology *t, char *word)
{
	struct svf_topology_option *option = &t->options[t->option_count++];
	char *value = strchr(word, '=');

	assert(t->option_count <= OPTIONS && value);
	*value = '\0';
	option->key = word;
	option->value = value + 1;
	svf_list_add_tail(&t->nodes[t->node_count - 1].options, &option->link);
}

static void add_device(struct text_topology *t, char *text)
{
	struct svf_topology_node *node = &t->nodes[t->node_count++];
	char *save, *word = strtok_r(text, " ", &save);

	assert(t->node_count <= DEVICES && word);
	node->kind = SVF_TOPOLOGY_DEVICE;
	node->model = "null";
	node->has_bdf = true;
	node->acs = -1;
	if (!svf_bdf_parse(word, &node->bdf))
		fail_msg("\"%s\" is no address", word);
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	svf_list_add_tail(&t->topology.roots, &node->link);
	while ((word = strtok_r(NULL, " ", &save)))
		add_option(t, word);
}

static struct svf_machine *build(struct svf_machine *machine, const char *spec)
{
	struct svf_topology_error error = {0};
	struct text_topology *t = calloc(1, sizeof(*t));
	char *text = strdup(spec), *save, *device;

	assert(t && text);
	svf_list_init(&t->topology.roots);
	svf_list_init(&t->topology.params);
	for (device = strtok_r(text, ";", &save); device; device = strtok_r(NULL, ";", &save))
		add_device(t, device);
	if (svf_machine_build(machine, &t->topology, &error))
		fail_msg("%s: %s", spec, error.text);
	free(t);
	free(text);
	test_log_clear();
	return machine;
}

struct svf_machine *test_vfio_machine(const char *spec)
{
	return build(test_machine(), spec);
}

struct svf_machine *test_vfio_machine_without_iommu(const char *spec)
{
	struct svf_machine *machine = test_machine();

	machine->params.iommu = false;
	machine->params.enable_unsafe_noiommu_mode = true;
	return build(machine, spec);
}

struct svf_function *test_fn(struct svf_machine *machine, const char *address)
{
	struct svf_function *fn = NULL;
	struct svf_bdf bdf;

	if (svf_bdf_parse(address, &bdf))
		fn = svf_function_lookup(machine, bdf);
	assert_non_null(fn);
	return fn;
}

int test_group_open(struct svf_machine *machine, unsigned int id, struct svf_file **ret)
{
	struct svf_call call = test_call(machine);

	return svf_group_open(machine, &call, id, ret);
}

int test_cdev_open(struct svf_function *fn, struct svf_file **ret)
{
	struct svf_call call = test_call(fn->machine);

	return svf_cdev_open(fn->machine, &call, fn->device->minor, ret);
}

void test_client_open(struct test_client *client, struct svf_function *fn)
{
	struct svf_call call = test_call(fn->machine);
	int32_t fd = CONTAINER_FD;

	*client = (struct test_client){.machine = fn->machine};
	assert_int_equal(test_group_open(fn->machine, fn->group->id, &client->group), 0);
	assert_int_equal(svf_container_open(fn->machine, &call, &client->container), 0);
	test_fd_file(CONTAINER_FD, client->container);
	assert_int_equal(test_ioctl(client->group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd)), 0);
	assert_int_equal(test_ioctl_value(client->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
			 0);
}

void test_client_close(struct test_client *client)
{
	svf_file_close(client->group);
	svf_file_close(client->container);
	svf_file_close(client->iommufd);
	*client = (struct test_client){0};
}

long test_get_device(struct svf_file *group, const char *match, struct svf_file **ret)
{
	struct svf_call call = test_call(group->machine);
	/* In pages of its own, as a client's string is: the core reads up to the end of one. */
	static char user[2 * 4096] __attribute__((aligned(4096)));
	long err;

	assert(strlen(match) < sizeof(user));
	strcpy(user, match);
	test_user_add((uint64_t)(uintptr_t)user, sizeof(user), false);
	err = svf_file_ioctl(group, &call, VFIO_GROUP_GET_DEVICE_FD, (uint64_t)(uintptr_t)user);
	test_user_remove((uint64_t)(uintptr_t)user, sizeof(user));
	if (err && !call.reason[0])
		fail_msg("errno %ld without a reason", -err);
	if (!err)
		*ret = call.ret_file;
	return err;
}

struct svf_file *test_open_device(struct test_client *client, struct svf_machine *machine,
				  const char *address)
{
	struct svf_file *file = NULL;

	test_client_open(client, test_fn(machine, address));
	assert_int_equal(test_get_device(client->group, address, &file), 0);
	return file;
}

ssize_t test_read(struct svf_file *file, uint64_t offset, void *buf, size_t len)
{
	struct svf_call call = test_call(file->machine);

	return svf_file_read(file, &call, buf, len, offset);
}

ssize_t test_write(struct svf_file *file, uint64_t offset, const void *buf, size_t len)
{
	struct svf_call call = test_call(file->machine);

	return svf_file_write(file, &call, buf, len, offset);
}

uint32_t test_get(struct svf_file *file, unsigned int region, uint64_t offset, unsigned int size)
{
	uint32_t value = 0;

	assert_int_equal(test_read(file, ((uint64_t)region << 40) + offset, &value, size), size);
	return value;
}

void test_put(struct svf_file *file, unsigned int region, uint64_t offset, unsigned int size,
	      uint32_t value)
{
	assert_int_equal(test_write(file, ((uint64_t)region << 40) + offset, &value, size), size);
}
