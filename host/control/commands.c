/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the control protocol, a table; what each answers is in host/control/protocol.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/iommu/group.h"
#include "core/machine.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "host/control/control.h"
#include "host/files/open.h"
#include "host/host.h"

#define NS_PER_S 1e9

static double seconds(struct timespec time)
{
	return (double)time.tv_sec + (double)time.tv_nsec / NS_PER_S;
}

static json_t *refusal(const char *text)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", text);
}

/* Appends value, which may be NULL (out of memory), to an array; the reference is taken. */
static int append(json_t *array, json_t *value)
{
	return value ? json_array_append_new(array, value) : -1;
}

static json_t *do_ping(struct svf_connection *connection)
{
	(void)connection;
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_listener(struct svf_connection *connection)
{
	int fd = connection->passed_fd, err;

	if (fd < 0)
		return refusal("no descriptor came with the command");
	connection->passed_fd = -1;
	err = svf_seccomp_add(connection->host, fd);
	if (err == -EINVAL)
		return refusal("the descriptor is no seccomp listener");
	if (err)
		return refusal("too many listeners, or out of memory");
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_stay(struct svf_connection *connection)
{
	if (!connection->launcher)
		return refusal("only the launcher may say so");
	svf_host_leave(connection->host);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_stop(struct svf_connection *connection)
{
	connection->host->loop.quit = true;
	return json_pack("{s:b}", "ok", 1);
}

static json_t *why_entry(const struct svf_why_entry *entry)
{
	return json_pack("{s:f,s:i,s:s,s:s,s:s,s:s}", "time", seconds(entry->time), "pid",
			 (int)entry->pid, "comm", entry->comm, "call", entry->call, "errno",
			 strerrorname_np(entry->err), "reason", entry->reason);
}

static json_t *do_why(struct svf_connection *connection)
{
	const struct svf_why *why = &connection->host->why;
	uint64_t n = why->count > SVF_WHY_ENTRIES ? why->count - SVF_WHY_ENTRIES : 0;
	json_t *calls = json_array();

	for (; calls && n < why->count; n++) {
		if (append(calls, why_entry(&why->entries[n % SVF_WHY_ENTRIES])))
			break;
	}
	return json_pack("{s:b,s:o}", "ok", 1, "calls", calls);
}

static json_t *do_dmesg(struct svf_connection *connection)
{
	const struct svf_dmesg *dmesg = &connection->host->dmesg;
	uint64_t n = dmesg->count > SVF_DMESG_ENTRIES ? dmesg->count - SVF_DMESG_ENTRIES : 0;
	json_t *messages = json_array();

	for (; messages && n < dmesg->count; n++) {
		const struct svf_dmesg_entry *entry = &dmesg->entries[n % SVF_DMESG_ENTRIES];

		if (append(messages, json_pack("{s:f,s:s}", "time", seconds(entry->time), "text",
					       entry->text)))
			break;
	}
	return json_pack("{s:b,s:o}", "ok", 1, "messages", messages);
}

static json_t *device_entry(const struct svf_function *fn)
{
	char bdf[SVF_BDF_TEXT_SIZE], pf[SVF_BDF_TEXT_SIZE];
	json_t *group = fn->group ? json_integer(fn->group->id) : json_null();

	snprintf(bdf, sizeof(bdf), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	if (fn->physfn)
		snprintf(pf, sizeof(pf), SVF_BDF_FMT, SVF_BDF_ARG(fn->physfn->bdf));
	return json_pack("{s:s,s:i,s:i,s:i,s:s?,s:o,s:s?}", "bdf", bdf, "vendor",
			 svf_function_vendor(fn), "device", svf_function_device_id(fn), "class",
			 (int)svf_function_class(fn), "driver",
			 fn->driver ? fn->driver->name : NULL, "group", group, "vf_of",
			 fn->physfn ? pf : NULL);
}

static json_t *devices(const struct svf_machine *machine)
{
	const struct svf_function *fn;
	json_t *array = json_array();

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (!array || append(array, device_entry(fn)))
			break;
	}
	return array;
}

/* The client's entry, made when its first file comes up; borrowed. */
static json_t *client_entry(struct svf_host *host, json_t *array, pid_t pid)
{
	char comm[SVF_COMM_SIZE];
	json_t *client;
	size_t i;

	json_array_foreach(array, i, client)
	{
		if (json_integer_value(json_object_get(client, "pid")) == pid)
			return client;
	}
	svf_process_comm(&host->comms, pid, comm);
	client = json_pack("{s:i,s:s,s:[]}", "pid", (int)pid, "comm", comm, "files");
	return append(array, client) ? NULL : client;
}

static json_t *clients(struct svf_host *host)
{
	json_t *array = json_array(), *client;
	const struct svf_open *open;
	char path[160];
	pid_t pid;

	svf_list_for_each(open, &host->opens, link) {
		/* By the thread that opened it, or what became of it. */
		if (!array || !open->file || svf_process_of(open->pid, &pid))
			continue;
		client = client_entry(host, array, pid);
		svf_open_describe(open, path, sizeof(path));
		if (!client || append(json_object_get(client, "files"), json_string(path)))
			break;
	}
	return array;
}

static json_t *do_info(struct svf_connection *connection)
{
	struct svf_host *host = connection->host;

	return json_pack("{s:b,s:s,s:i,s:f,s:o,s:o}", "ok", 1, "name", host->options.name, "pid",
			 (int)getpid(), "uptime", seconds(svf_dmesg_now(&host->dmesg)), "devices",
			 devices(host->machine), "clients", clients(host));
}

static const struct {
	const char *name;
	json_t *(*answer)(struct svf_connection *connection);
} commands[] = {
	{"ping", do_ping},   {"listener", do_listener}, {"stay", do_stay}, {"why", do_why},
	{"dmesg", do_dmesg}, {"info", do_info},		{"stop", do_stop},
};

static json_t *dispatch(struct svf_connection *connection, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "cmd"));

	if (!name)
		return refusal("the line has no \"cmd\"");
	for (size_t i = 0; i < SVF_ARRAY_SIZE(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return commands[i].answer(connection);
	}
	return refusal("there is no such command");
}

/* The text of an answer with its newline. Takes the reference. */
static char *encode(json_t *answer)
{
	char *text, *line;
	size_t len;

	text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	if (!text)
		return NULL;
	len = strlen(text);
	line = realloc(text, len + 2);
	if (!line) {
		free(text);
		return NULL;
	}
	line[len] = '\n';
	line[len + 1] = '\0';
	return line;
}

char *svf_command_answer(struct svf_connection *connection, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, 0, NULL), *answer;

	if (json_is_object(object)) {
		answer = dispatch(connection, object);
	} else {
		connection->closing = true;
		answer = refusal("the line is no JSON object");
	}
	json_decref(object);
	return encode(answer);
}
