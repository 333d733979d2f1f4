/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Removing functions and finding them again: what goes and what stays, bridges, PFs, groups, who
 * waits for whom, and that memory running out in a scan loses nothing.
 */
#include "topo_fixture.h"
#include "vfio_fixture.h"

#include "base/fmt.h"
#include "core/pci/bus.h"
#include "core/pci/hotplug.h"

#define PORT  "0000:00:02.0"
#define PF    "0000:01:00.0"
#define VF0   "0000:01:00.1"
#define FN0   "0000:02:00.0"
#define FN1   "0000:02:00.1"
#define ALONE "0000:00:05.0"

static struct svf_machine *machine;

static int setup(void **state)
{
	struct svf_topology_node *port;
	struct test_topology t;

	(void)state;
	test_topology_init(&t);
	port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "slot=02.0");
	test_node(&t, port, SVF_TOPOLOGY_DEVICE, "at=" PF " totalvfs=2 offset=1 stride=1");
	port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "slot=03.0");
	test_node(&t, port, SVF_TOPOLOGY_DEVICE, "at=" FN0 " totalvfs=0 acs=off");
	test_node(&t, port, SVF_TOPOLOGY_DEVICE, "at=" FN1 " totalvfs=0 acs=off");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" ALONE " totalvfs=0");
	machine = test_topology_machine(&t);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static int take_away(struct svf_function *fn)
{
	struct svf_call call = test_call(machine);

	return svf_function_remove(fn, &call);
}

/* As a host does that runs a call again. */
static int take_away_again(struct svf_function *fn)
{
	struct svf_call call = test_call(machine);

	call.again = true;
	return svf_function_remove(fn, &call);
}

static int find(struct svf_bus *bus)
{
	struct svf_call call = test_call(machine);

	return svf_bus_rescan(machine, bus, &call);
}

static int set_numvfs(struct svf_function *pf, unsigned int num)
{
	struct svf_call call = test_call(machine);

	return svf_sriov_set_numvfs(pf, &call, num);
}

static void bind_vfio(const char *address)
{
	struct svf_call call = test_call(machine);

	assert_int_equal(
		svf_function_set_driver_override(test_at(machine, address), &call, "vfio-pci"), 0);
	assert_int_equal(svf_driver_bind(svf_driver_lookup(machine, "vfio-pci"), &call, address),
			 0);
}

static void goes_and_comes(void **state)
{
	struct svf_function *fn = test_at(machine, ALONE);
	unsigned int group = fn->group->id, minor = fn->device->minor;
	unsigned int changes = test_tree_changes();

	(void)state;
	svf_config_write(fn, 0x3c, 1, 0x5a);
	assert_int_equal(take_away(fn), 0);
	assert_true(test_tree_changes() > changes);
	assert_false(test_exists(machine, ALONE));
	assert_null(svf_device_lookup_minor(machine, minor));
	assert_null(svf_iommu_group_lookup(machine, group));
	assert_null(machine->hotplug.fn);

	changes = test_tree_changes();
	test_log_clear();
	assert_int_equal(find(NULL), 0);
	assert_true(test_tree_changes() > changes);
	assert_ptr_equal(test_at(machine, ALONE), fn);
	assert_true(test_log_has("pci 0000:00:05.0: [1b36:"));
	assert_int_equal(fn->group->id, group);
	assert_null(fn->driver_override);
	assert_null(fn->driver);
	assert_int_equal(svf_config_read(fn, 0x3c, 1), 0x5a);
	bind_vfio(ALONE);
	assert_int_equal(fn->device->minor, minor);
	/* Nothing more to find. */
	changes = test_tree_changes();
	assert_int_equal(find(NULL), 0);
	assert_int_equal(test_tree_changes(), changes);
}

static void found_by_its_bus(void **state)
{
	struct svf_function *fn = test_at(machine, FN1), *alone = test_at(machine, ALONE);
	struct svf_bus *bus = fn->bus, *root = alone->bus;
	struct svf_iommu_group *group = fn->group;

	(void)state;
	assert_int_equal(take_away(fn), 0);
	assert_int_equal(take_away(alone), 0);
	assert_int_equal(find(test_at(machine, PF)->bus), 0);
	assert_false(test_exists(machine, FN1));
	assert_int_equal(find(bus), 0);
	assert_true(test_exists(machine, FN1));
	assert_ptr_equal(fn->group, group);
	assert_false(test_exists(machine, ALONE));
	/* A scan goes down from its bus. */
	assert_int_equal(take_away(fn), 0);
	assert_int_equal(find(root), 0);
	assert_true(test_exists(machine, FN1));
	assert_true(test_exists(machine, ALONE));
}

static void lowest_group_that_is_free(void **state)
{
	struct svf_function *fn0 = test_at(machine, FN0), *alone = test_at(machine, ALONE);
	unsigned int low = alone->group->id, high = fn0->group->id;
	struct svf_bus *bus = fn0->bus;

	(void)state;
	assert_true(low < high);
	assert_int_equal(take_away(alone), 0);
	assert_int_equal(take_away(fn0), 0);
	assert_int_equal(take_away(test_at(machine, FN1)), 0);
	assert_int_equal(find(bus), 0);
	assert_int_equal(fn0->group->id, low);
	assert_ptr_equal(test_at(machine, FN1)->group, fn0->group);
	assert_int_equal(find(NULL), 0);
	assert_int_equal(alone->group->id, high);
}

/* With everything behind it, drivers and VFs. */
static void port(void **state)
{
	struct svf_function *up = test_at(machine, PORT), *pf = test_at(machine, PF);

	(void)state;
	assert_int_equal(set_numvfs(pf, 2), 0);
	assert_int_equal(take_away(up), 0);
	assert_false(test_exists(machine, PORT));
	assert_false(test_exists(machine, PF));
	assert_false(test_exists(machine, VF0));
	assert_int_equal(pf->sriov.num_vfs, 0);
	assert_int_equal(find(NULL), 0);
	assert_true(test_exists(machine, PORT));
	assert_true(test_exists(machine, PF));
	assert_false(test_exists(machine, VF0));
	assert_string_equal(up->driver->name, "pcieport");
	bind_vfio(PF);
	assert_int_equal(set_numvfs(pf, 1), 0);
	assert_true(test_exists(machine, VF0));
	/* The machine may end with something removed. */
	assert_int_equal(take_away(up), 0);
}

/* A driver that new_id was written to takes it again; without probing, nobody does. */
static void a_driver_takes_it_again(void **state)
{
	struct svf_function *fn = test_at(machine, ALONE);
	struct svf_call call = test_call(machine);
	struct svf_driver *stub = svf_driver_lookup(machine, "pci-stub");
	char id[32];

	(void)state;
	svf_fmt(id, sizeof(id), "%04x %04x", svf_function_vendor(fn), svf_function_device_id(fn));
	assert_int_equal(svf_driver_new_id(stub, &call, id), 0);
	assert_int_equal(take_away(fn), 0);
	assert_int_equal(find(NULL), 0);
	assert_ptr_equal(fn->driver, stub);
	machine->drivers_autoprobe = false;
	assert_int_equal(take_away(fn), 0);
	assert_int_equal(find(NULL), 0);
	assert_null(fn->driver);
	/* Not found by this scan, so not probed. */
	machine->drivers_autoprobe = true;
	assert_int_equal(find(NULL), 0);
	assert_null(fn->driver);
}

/* In an owned group a driver that does DMA may not have what is found. */
static void into_an_owned_group(void **state)
{
	struct svf_function *fn0 = test_at(machine, FN0);
	struct svf_driver *driver = svf_driver_lookup(machine, "uio_pci_generic");
	struct svf_call call = test_call(machine);
	struct test_client client;
	struct svf_file *file;

	(void)state;
	file = test_open_device(&client, machine, FN1);
	assert_int_equal(take_away(fn0), 0);
	assert_int_equal(find(NULL), 0);
	assert_ptr_equal(fn0->group, test_at(machine, FN1)->group);
	assert_int_equal(svf_function_set_driver_override(fn0, &call, driver->name), 0);
	assert_int_equal(svf_driver_bind(driver, &call, FN0), -EBUSY);
	assert_non_null(strstr(call.reason, "is owned by a VFIO user"));
	svf_file_close(file);
	test_client_close(&client);
	assert_int_equal(svf_driver_bind(driver, &call, FN0), 0);
}

static void waits_for_the_user(void **state)
{
	struct svf_function *fn = test_at(machine, ALONE);
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, ALONE);
	unsigned int wakes;

	(void)state;
	assert_int_equal(take_away(fn), SVF_BLOCKED);
	assert_true(fn->leaving);
	assert_true(test_exists(machine, ALONE));
	/* Others who would add or remove wait for it. */
	assert_int_equal(find(NULL), SVF_BLOCKED);
	assert_int_equal(take_away(test_at(machine, FN0)), SVF_BLOCKED);
	assert_int_equal(set_numvfs(test_at(machine, PF), 1), SVF_BLOCKED);
	assert_int_equal(set_numvfs(test_at(machine, PF), 0), 0);
	wakes = test_wakes();
	svf_file_close(file);
	assert_true(test_wakes() > wakes);
	wakes = test_wakes();
	assert_int_equal(take_away_again(fn), 0);
	assert_true(test_wakes() > wakes);
	assert_false(test_exists(machine, ALONE));
	assert_int_equal(take_away_again(test_at(machine, FN0)), 0);
	assert_int_equal(set_numvfs(test_at(machine, PF), 1), 0);
	assert_int_equal(find(NULL), 0);
	test_client_close(&client);
}

/* Who waits to remove what another removes with its port has nothing left to do. */
static void removed_by_another(void **state)
{
	struct svf_function *fn0 = test_at(machine, FN0), *up = fn0->bus->bridge;
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, FN1);

	(void)state;
	assert_int_equal(take_away(up), SVF_BLOCKED);
	assert_int_equal(take_away(fn0), SVF_BLOCKED);
	svf_file_close(file);
	assert_int_equal(take_away_again(up), 0);
	assert_int_equal(take_away_again(fn0), 0);
	assert_int_equal(find(NULL), 0);
	assert_true(test_exists(machine, FN0));
	assert_int_equal(take_away_again(fn0), 0);
	assert_true(test_exists(machine, FN0));
	test_client_close(&client);
}

/* A driver that is bound while a removal waits elsewhere leaves again. */
static void bound_meanwhile(void **state)
{
	struct svf_function *fn0 = test_at(machine, FN0), *up = fn0->bus->bridge;
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, FN0);

	(void)state;
	/* The one found last goes first, so this one's driver has left by now. */
	assert_int_equal(take_away(up), SVF_BLOCKED);
	assert_null(test_at(machine, FN1)->driver);
	bind_vfio(FN1);
	svf_file_close(file);
	assert_int_equal(take_away_again(up), 0);
	assert_false(test_exists(machine, FN1));
	test_client_close(&client);
}

/* The PF after its VF. */
static void pf_and_vf_in_use(void **state)
{
	struct svf_function *pf = test_at(machine, PF);
	struct test_client pf_client, client;
	struct svf_file *pf_file = NULL, *file = NULL;

	(void)state;
	assert_int_equal(set_numvfs(pf, 2), 0);
	test_client_open(&pf_client, pf);
	assert_int_equal(test_get_device(pf_client.group, PF " vf_token=" TOKEN_A, &pf_file), 0);
	test_client_open(&client, test_at(machine, VF0));
	assert_int_equal(test_get_device(client.group, VF0 " vf_token=" TOKEN_A, &file), 0);
	assert_int_equal(take_away(pf), SVF_BLOCKED);
	assert_true(test_at(machine, VF0)->unlinked);
	assert_false(pf->device->unregistering);
	svf_file_close(file);
	assert_int_equal(take_away_again(pf), SVF_BLOCKED);
	assert_false(test_exists(machine, VF0));
	assert_true(pf->device->unregistering);
	svf_file_close(pf_file);
	assert_int_equal(take_away_again(pf), 0);
	assert_false(test_exists(machine, PF));
	test_client_close(&client);
	test_client_close(&pf_client);
}

/* VFs that their PF's driver left go with the PF all the same. */
static void left_vfs(void **state)
{
	struct svf_function *pf = test_at(machine, PF);
	struct svf_call call = test_call(machine);

	(void)state;
	assert_int_equal(svf_function_release_driver(pf, &call), 0);
	assert_int_equal(svf_function_set_driver_override(pf, &call, "nvme"), 0);
	assert_int_equal(svf_driver_bind(svf_driver_lookup(machine, "nvme"), &call, PF), 0);
	assert_int_equal(set_numvfs(pf, 2), 0);
	assert_int_equal(svf_function_release_driver(pf, &call), 0);
	assert_int_equal(pf->sriov.num_vfs, 2);
	assert_int_equal(take_away(pf), 0);
	assert_false(test_exists(machine, VF0));
	assert_int_equal(find(NULL), 0);
	assert_int_equal(pf->sriov.num_vfs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_and_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(found_by_its_bus, setup, teardown),
		cmocka_unit_test_setup_teardown(lowest_group_that_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(port, setup, teardown),
		cmocka_unit_test_setup_teardown(a_driver_takes_it_again, setup, teardown),
		cmocka_unit_test_setup_teardown(into_an_owned_group, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_the_user, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(bound_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(pf_and_vf_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(left_vfs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
