/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The statements of scenarios: scenario.h says what each does, and the table at the end which there
 * are. Each has its words in s->words and leaves the reason of its call in s->reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/pci/hotplug.h"
#include "core/vfio/device.h"
#include "tests/scenario/internal.h"

/* --- the machine --- */

static struct svf_topology_option *option_alloc(char *text)
{
	struct svf_topology_option *option = malloc(sizeof(*option));
	char *equals = strchr(text, '=');

	*option = (struct svf_topology_option){.key = text, .value = ""};
	if (equals) {
		*equals = '\0';
		option->value = equals + 1;
	}
	return option;
}

static struct svf_topology_node *node_alloc(struct svf_list *siblings, enum svf_topology_kind kind)
{
	struct svf_topology_node *node = malloc(sizeof(*node));

	*node = (struct svf_topology_node){.kind = kind, .acs = -1};
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	svf_list_add_tail(siblings, &node->link);
	return node;
}

/* A bridge to conventional PCI, in a slot of its own. */
static void do_bridge(struct scenario *s)
{
	struct svf_topology_node *port = node_alloc(&s->topology.roots, SVF_TOPOLOGY_ROOT_PORT);

	s->bridge = node_alloc(&port->children, SVF_TOPOLOGY_PCIE_PCI_BRIDGE);
	s->bridge->has_bdf = svf_bdf_parse(s->words[1], &s->bridge->bdf);
}

/* "DD.F"; anything else is 00.0. */
static uint8_t slot_value(const char *text)
{
	unsigned int device = 0, function = 0;

	if (sscanf(text, "%2x.%1u", &device, &function) != 2)
		device = function = 0;
	return svf_devfn(device % 32, function % 8);
}

static void set_key(struct svf_topology_node *node, const char *word)
{
	uint8_t devfn;

	if (strncmp(word, "driver=", 7) == 0) {
		free((char *)node->driver);
		node->driver = strdup(word + 7);
	} else if (strncmp(word, "slot=", 5) == 0) {
		node->has_slot = true;
		node->devfn = slot_value(word + 5);
	} else if (strncmp(word, "dma-alias=", 10) == 0) {
		devfn = slot_value(word + 10);
		node->dma_aliases[devfn / 64] |= 1ull << devfn % 64;
	} else {
		svf_list_add_tail(&node->options, &option_alloc(strdup(word))->link);
	}
}

static void do_device(struct scenario *s)
{
	bool behind = s->bridge && s->count > 2 && strncmp(s->words[2], "slot=", 5) == 0;
	struct svf_topology_node *node =
		node_alloc(behind ? &s->bridge->children : &s->topology.roots, SVF_TOPOLOGY_DEVICE);
	char *at = strchr(s->words[1], '@');

	if (at) {
		*at = '\0';
		node->has_bdf = svf_bdf_parse(at + 1, &node->bdf);
	}
	node->model = strdup(s->words[1]);
	for (unsigned int i = 2; i < s->count; i++)
		set_key(node, s->words[i]);
}

static void do_param(struct scenario *s)
{
	svf_list_add_tail(&s->topology.params, &option_alloc(strdup(s->words[1]))->link);
}

/* --- files --- */

static void keep_file(struct scenario *s, struct svf_file *file, const char *text)
{
	struct name *name = file && text ? scenario_add_name(s, text, NAME_FILE) : NULL;

	if (name) {
		name->file = file;
		test_fd_file(name->fd, file);
	} else {
		svf_file_close(file);
	}
}

static int open_kind(struct scenario *s, struct svf_call *call, struct svf_file **ret)
{
	const char *kind = s->words[2];
	struct svf_function *fn;

	if (strcmp(kind, "container") == 0)
		return svf_container_open(s->machine, call, ret);
	if (strcmp(kind, "iommufd") == 0)
		return svf_iommufd_open(s->machine, call, ret);
	fn = s->count > 3 ? scenario_function(s, s->words[3]) : NULL;
	if (!fn)
		return svf_fail(call, -ENOENT, "no such function");
	if (strcmp(kind, "group") == 0)
		return fn->group ? svf_group_open(s->machine, call, fn->group->id, ret)
				 : svf_fail(call, -ENOENT, "the function is in no group");
	if (!fn->device)
		return svf_fail(call, -ENOENT, "the function is no VFIO device");
	return svf_cdev_open(s->machine, call, fn->device->minor, ret);
}

static void do_open(struct scenario *s)
{
	struct svf_call call = test_call(s->machine);
	struct svf_file *file = NULL;
	unsigned int result = 3;
	int err = open_kind(s, &call, &file);

	if (s->count > 3 && strcmp(s->words[3], "=") != 0)
		result = 4;
	if (!err)
		keep_file(s, file, s->words[1]);
	scenario_check_call(s, result, &call, err);
}

static uint32_t command_number(struct scenario *s, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 0);

	for (size_t i = 0; i < svf_commands_count; i++) {
		if (strcmp(svf_commands[i].name, text) == 0)
			return svf_commands[i].number;
	}
	if (*end || end == text)
		scenario_fail(s, "there is no command %s", text);
	return (uint32_t)number;
}

void (*scenario_before)(const struct svf_command *command);
void (*scenario_after)(const struct svf_command *command);

/* As test_ioctl(), but keeps the file that the command returns. */
static long call_ioctl(struct scenario *s, struct svf_file *file, uint32_t command, uint64_t arg,
		       struct svf_file **ret_file)
{
	const struct svf_command *row = svf_command_lookup(file->kind, command);
	struct svf_call call = test_call(s->machine);
	long ret;

	if (row && scenario_before)
		scenario_before(row);
	do {
		call.reason[0] = '\0';
		ret = svf_file_ioctl(file, &call, command, arg);
	} while (ret == SVF_RESTART);
	if (row && scenario_after)
		scenario_after(row);
	memcpy(s->reason, call.reason, sizeof(s->reason));
	if (ret < 0 && ret != SVF_BLOCKED && !s->tolerant)
		test_check_errno(file, command, (int)-ret);
	*ret_file = ret >= 0 ? call.ret_file : NULL;
	if (*ret_file)
		svf_file_installed(*ret_file);
	return ret;
}

/* The argument of an ioctl, in the scratch memory when it is one. Return: what is passed. */
static uint64_t argument(struct scenario *s, char *word, size_t *ret_size)
{
	char *text = scenario_unquote(word);

	*ret_size = 0;
	if (text)
		strcpy(s->scratch, text);
	else if (*word == '{')
		*ret_size = scenario_struct(s, word, s->scratch);
	else
		return strcmp(word, "none") == 0 ? 0 : scenario_value(s, word, 0);
	return (uintptr_t)s->scratch;
}

static void do_ioctl(struct scenario *s)
{
	struct svf_file *file = scenario_file(s, s->words[1]), *new_file = NULL;
	uint32_t command = command_number(s, s->words[2]);
	const char *new_name = NULL;
	unsigned int i = 4;
	uint64_t arg;
	size_t size;
	long ret;

	if (!file || s->failed)
		return;
	memset(s->scratch, 0, SCRATCH);
	arg = argument(s, s->words[3], &size);
	if (i + 1 < s->count && strcmp(s->words[i], "->") == 0) {
		new_name = s->words[i + 1];
		i += 2;
	}
	test_user_add((uintptr_t)s->scratch, SCRATCH, true);
	ret = call_ioctl(s, file, command, arg, &new_file);
	test_user_remove((uintptr_t)s->scratch, SCRATCH);
	keep_file(s, new_file, new_name);
	scenario_check(s, scenario_check_out(s, i, s->scratch, size), ret);
}

/* ": HEX..." from word i on, if it is there, against what n bytes are. Return: the next word. */
static unsigned int check_bytes(struct scenario *s, unsigned int i, const uint8_t *data, ssize_t n)
{
	uint8_t wanted[MAX_STRUCT];
	size_t at = 0;

	if (i >= s->count || strcmp(s->words[i], ":") != 0)
		return i;
	for (i++; i < s->count && strcmp(s->words[i], "=") != 0; i++)
		at += scenario_hex(s, s->words[i], wanted + at, sizeof(wanted) - at);
	EXPECT(s, n == (ssize_t)at && memcmp(data, wanted, at) == 0,
	       "%zd bytes, %02x %02x %02x %02x ..., not as stated", n, data[0], data[1], data[2],
	       data[3]);
	return i;
}

static void do_read(struct scenario *s)
{
	struct svf_file *file = scenario_file(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	size_t len = strtoul(s->words[3], NULL, 0);
	uint8_t data[MAX_STRUCT] = {0};
	unsigned int i;
	ssize_t n;

	if (!file || len > sizeof(data))
		return;
	n = svf_file_read(file, &call, data, len, strtoull(s->words[2], NULL, 0));
	i = check_bytes(s, 4, data, n);
	if (i < s->count)
		scenario_check_call(s, i, &call, n);
	else
		EXPECT(s, n == (ssize_t)len, "read %zd bytes (%s)", n, call.reason);
}

static void do_write(struct scenario *s)
{
	struct svf_file *file = scenario_file(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	uint8_t data[MAX_STRUCT];
	unsigned int i = 3;
	size_t len = 0;
	ssize_t n;

	if (!file)
		return;
	for (; i < s->count && strcmp(s->words[i], "=") != 0; i++)
		len += scenario_hex(s, s->words[i], data + len, sizeof(data) - len);
	n = svf_file_write(file, &call, data, len, strtoull(s->words[2], NULL, 0));
	if (i < s->count)
		scenario_check_call(s, i, &call, n);
	else
		EXPECT(s, n == (ssize_t)len, "wrote %zd bytes (%s)", n, call.reason);
}

static void do_close(struct scenario *s)
{
	struct name *name = scenario_name(s, s->words[1]);

	EXPECT(s, name && name->file, "no open file is named %s", s->words[1]);
	if (name)
		scenario_close(s, name);
}

/* --- memory --- */

static void do_memory(struct scenario *s)
{
	struct name *name = scenario_add_name(s, s->words[1], NAME_MEMORY);

	if (!name)
		return;
	name->size = (strtoul(s->words[2], NULL, 0) + 4095) & ~(size_t)4095;
	if (!name->size || name->size > MAX_MEMORY) {
		scenario_fail(s, "memory is of 1 to %u bytes", MAX_MEMORY);
		return;
	}
	name->memory = test_user_alloc(name->size);
	if (s->count > 3 && strcmp(s->words[3], "readonly") == 0) {
		test_user_remove((uintptr_t)name->memory, name->size);
		test_user_add((uintptr_t)name->memory, name->size, false);
	}
}

static struct name *memory_name(struct scenario *s)
{
	struct name *name = scenario_name(s, s->words[1]);

	if (name && name->kind == NAME_MEMORY && name->memory)
		return name;
	EXPECT(s, false, "no memory is named %s", s->words[1]);
	return NULL;
}

static void do_holds(struct scenario *s)
{
	struct name *name = memory_name(s);
	uint64_t offset = strtoull(s->words[2], NULL, 0);
	uint8_t wanted[MAX_STRUCT];
	size_t len = 0;

	for (unsigned int i = 3; i < s->count; i++)
		len += scenario_hex(s, s->words[i], wanted + len, sizeof(wanted) - len);
	if (!name || offset > name->size || len > name->size - offset)
		return;
	EXPECT(s, memcmp((char *)name->memory + offset, wanted, len) == 0,
	       "%s holds other bytes, the first is %02x", s->words[1],
	       ((uint8_t *)name->memory)[offset]);
}

static void do_memfile(struct scenario *s)
{
	struct name *name = scenario_add_name(s, s->words[1], NAME_MEMORY);

	if (!name)
		return;
	name->size = strtoul(s->words[2], NULL, 0);
	if (!name->size || name->size > MAX_MEMORY) {
		scenario_fail(s, "a file is of 1 to %u bytes", MAX_MEMORY);
		return;
	}
	name->memory = test_user_alloc(name->size);
	test_fd_memory(name->fd, name->memory, name->size);
}

static void do_fill(struct scenario *s)
{
	struct name *name = memory_name(s);
	uint64_t offset = strtoull(s->words[2], NULL, 0);
	uint8_t bytes[MAX_STRUCT];
	size_t len = 0;

	for (unsigned int i = 3; i < s->count; i++)
		len += scenario_hex(s, s->words[i], bytes + len, sizeof(bytes) - len);
	if (!name || offset > name->size || len > name->size - offset)
		return;
	memcpy((char *)name->memory + offset, bytes, len);
}

/* A part of a BAR becomes memory of the client's. */
static void do_mmap(struct scenario *s)
{
	struct svf_file *file = scenario_file(s, s->words[2]);
	struct svf_call call = test_call(s->machine);
	uint64_t offset = strtoull(s->words[3], NULL, 0), size = strtoull(s->words[4], NULL, 0);
	struct svf_device_map map;
	struct name *name;
	int err;

	if (!file || file->kind != SVF_FILE_DEVICE || !size)
		return;
	err = svf_device_mmap(file, &call, offset, size, true, &map);
	name = err || !map.ram ? NULL : scenario_add_name(s, s->words[1], NAME_MEMORY);
	if (name) {
		name->memory = map.ram->base + map.offset;
		name->size = map.length;
		name->bar = true;
		name->user = scenario_name(s, s->words[2]);
		test_user_add_ram(map.ram, map.offset, map.length);
	}
	scenario_check_call(s, 5, &call, err);
}

/* "dma BDF read|write IOVA LENGTH": by the device. */
static void do_dma(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	uint64_t iova = strtoull(s->words[3], NULL, 0);
	size_t len = strtoul(s->words[4], NULL, 0);
	uint8_t data[MAX_STRUCT];
	int err;

	if (!fn || len > sizeof(data))
		return;
	memset(data, 0xdd, sizeof(data));
	err = *s->words[2] == 'w' ? svf_dma_write(fn, iova, data, len)
				  : svf_dma_read(fn, iova, data, len);
	/* A fault has no caller to tell; it is in the log. */
	strcpy(s->reason, "a fault");
	scenario_check(s, 5, err);
}

/* --- events and interrupts --- */

static void do_event(struct scenario *s)
{
	struct name *name = scenario_add_name(s, s->words[1], NAME_EVENT);

	if (!name)
		return;
	name->event = test_event();
	test_fd_event(name->fd, name->event);
}

static struct name *event_name(struct scenario *s)
{
	struct name *name = scenario_name(s, s->words[1]);

	if (name && name->kind == NAME_EVENT)
		return name;
	EXPECT(s, false, "no event is named %s", s->words[1]);
	return NULL;
}

static void do_signals(struct scenario *s)
{
	unsigned int wanted = (unsigned int)strtoul(s->words[2], NULL, 0), signals;
	struct name *name = event_name(s);

	if (!name)
		return;
	signals = test_event_signals(name->event) - name->seen;
	name->seen += signals;
	EXPECT(s, signals == wanted, "%u signals, not %u", signals, wanted);
}

static void do_fire(struct scenario *s)
{
	struct name *name = event_name(s);

	if (name)
		test_event_fire(name->event);
}

/* "raise BDF msi N | intx 0|1 | error" */
static void do_raise(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	unsigned long n = s->count > 3 ? strtoul(s->words[3], NULL, 0) : 0;

	if (!fn)
		return;
	if (strcmp(s->words[2], "msi") == 0)
		svf_function_raise_msi(fn, (unsigned int)n);
	else if (strcmp(s->words[2], "intx") == 0)
		svf_function_set_intx(fn, n);
	else if (fn->device)
		svf_device_report_error(fn);
}

/* --- sysfs --- */

static void do_numvfs(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);

	if (fn)
		scenario_check_call(
			s, 3, &call,
			svf_sriov_set_numvfs(fn, &call,
					     (unsigned int)strtoul(s->words[2], NULL, 0)));
}

/* A part of the machine is missing, which only an injected failure may have done. */
static void missing(struct scenario *s)
{
	EXPECT(s, false, "there is no such driver, or the function has none");
}

static void do_bind(struct scenario *s)
{
	struct svf_driver *driver = svf_driver_lookup(s->machine, s->words[2]);
	struct svf_call call = test_call(s->machine);

	if (driver)
		scenario_check_call(s, 3, &call, svf_driver_bind(driver, &call, s->words[1]));
	else
		missing(s);
}

static void do_unbind(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);

	if (fn && fn->driver)
		scenario_check_call(s, 2, &call, svf_driver_unbind(fn->driver, &call, s->words[1]));
	else
		missing(s);
}

/* "remove BDF [again]": again, as a host does that runs a call again which was BLOCKED. */
static void do_remove(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	unsigned int words = s->count > 2 && strcmp(s->words[2], "again") == 0 ? 3 : 2;

	call.again = words == 3;
	/* A VF has no such attribute. */
	if (fn && !fn->physfn)
		scenario_check_call(s, words, &call, svf_function_remove(fn, &call));
}

/* "rescan all|BDF": the bus of that function. */
static void do_rescan(struct scenario *s)
{
	bool all = strcmp(s->words[1], "all") == 0;
	struct svf_function *fn = all ? NULL : scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);

	if (all || fn)
		scenario_check_call(s, 2, &call,
				    svf_bus_rescan(s->machine, fn ? fn->bus : NULL, &call));
}

/* "time SECONDS": so long after the machine began. */
static void do_time(struct scenario *s)
{
	svf_machine_advance(s->machine, strtoul(s->words[1], NULL, 0) * SVF_NS_PER_SEC);
}

static void do_override(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);

	if (fn)
		scenario_check_call(s, 3, &call,
				    svf_function_set_driver_override(fn, &call, s->words[2]));
}

static void do_probe(struct scenario *s)
{
	struct svf_call call = test_call(s->machine);

	scenario_check_call(s, 2, &call, svf_drivers_probe(s->machine, &call, s->words[1]));
}

/* "id DRIVER new|remove TEXT" */
static void do_id(struct scenario *s)
{
	struct svf_driver *driver = svf_driver_lookup(s->machine, s->words[1]);
	struct svf_call call = test_call(s->machine);
	char *text = scenario_unquote(s->words[3]);
	int err;

	if (!driver || !text) {
		missing(s);
		return;
	}
	err = *s->words[2] == 'n' ? svf_driver_new_id(driver, &call, text)
				  : svf_driver_remove_id(driver, &call, text);
	scenario_check_call(s, 4, &call, err);
}

static void do_reset(struct scenario *s)
{
	struct svf_function *fn = scenario_function(s, s->words[1]);
	struct svf_call call = test_call(s->machine);

	/* Who writes to sysfs waits for whoever takes the function away. */
	if (fn && !svf_function_is_locked(fn))
		scenario_check_call(s, 2, &call, svf_function_reset(fn, &call));
}

/* --- the rest --- */

static void do_rawio(struct scenario *s)
{
	bool on = strcmp(s->words[1], "on") == 0;

	EXPECT(s, on || strcmp(s->words[1], "off") == 0, "rawio is on or off");
	test_rawio(on);
}

static void do_process(struct scenario *s)
{
	s->process = (unsigned int)strtoul(s->words[1], NULL, 0) % TEST_PROCESSES;
	test_process(s->process);
}

static void do_memlock(struct scenario *s)
{
	test_lock_limit(s->process, strtol(s->words[1], NULL, 0));
}

static void do_log(struct scenario *s)
{
	char *part = scenario_unquote(s->words[1]);
	bool found = false;

	for (; s->log_seen < test_log_count(); s->log_seen++)
		found |= part && strstr(test_log_line(s->log_seen), part);
	EXPECT(s, found, "no kernel message has \"%s\"", part);
}

const struct statement scenario_statements[] = {
	{"bridge", do_bridge, 2, true},	   {"device", do_device, 2, true},
	{"param", do_param, 2, true},	   {"open", do_open, 3, false},
	{"ioctl", do_ioctl, 4, false},	   {"read", do_read, 4, false},
	{"write", do_write, 4, false},	   {"close", do_close, 2, false},
	{"memory", do_memory, 3, false},   {"memfile", do_memfile, 3, false},
	{"holds", do_holds, 4, false},	   {"mmap", do_mmap, 5, false},
	{"dma", do_dma, 5, false},	   {"event", do_event, 2, false},
	{"signals", do_signals, 3, false}, {"fire", do_fire, 2, false},
	{"raise", do_raise, 3, false},	   {"numvfs", do_numvfs, 3, false},
	{"bind", do_bind, 3, false},	   {"unbind", do_unbind, 2, false},
	{"remove", do_remove, 2, false},   {"rescan", do_rescan, 2, false},
	{"time", do_time, 2, false},	   {"override", do_override, 3, false},
	{"probe", do_probe, 2, false},	   {"id", do_id, 4, false},
	{"reset", do_reset, 2, false},	   {"process", do_process, 2, false},
	{"rawio", do_rawio, 2, false},	   {"memlock", do_memlock, 2, false},
	{"log", do_log, 2, false},	   {"fill", do_fill, 4, false},
};
const size_t scenario_statements_count = SVF_ARRAY_SIZE(scenario_statements);
