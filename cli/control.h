/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Talking to a host (host/control/protocol.h): lines of JSON over a stream socket.
 */
#ifndef SVF_CLI_CONTROL_H
#define SVF_CLI_CONTROL_H

#include <jansson.h>
#include <sys/types.h>

#include "base/compiler.h"

/* Environment variable that tells the processes of a namespace its name. */
#define SVF_ENV_NAMESPACE "SOFTVFIO_NAMESPACE"

struct svf_control_peer {
	char *name;
	int fd;	   /* connected */
	pid_t pid; /* of the host */
	uid_t uid;
};

/*
 * Every running namespace of this user, or of all users for root; name: only those of that name.
 * Return: 0 or a negative errno, said.
 */
struct svf_control_list {
	struct svf_control_peer *peer;
	size_t count;
};
int svf_control_list(const char *name, struct svf_control_list *ret) SVF_MUST_CHECK;
void svf_control_list_fini(struct svf_control_list *list);

/*
 * Connects to the namespace of that name; NULL: the one that this process is in, else the only one
 * that runs. Return: a descriptor, with the host's process in *ret_pid; or a negative errno, said.
 */
int svf_control_connect(const char *name, pid_t *ret_pid) SVF_MUST_CHECK;

/*
 * One command and its answer. pass_fd: a descriptor to send along, or -1. ret_answer may be NULL.
 * Return: 0 with *ret_answer the caller's; -EPROTO when the host refused, said; other errnos, said.
 */
int svf_control_call(int fd, const char *command, int pass_fd, json_t **ret_answer) SVF_MUST_CHECK;

/* Connects, calls and gives the answer: the whole of why, dmesg and the like. */
int svf_control_ask(const char *name, const char *command, json_t **ret_answer) SVF_MUST_CHECK;

/* Whether a new namespace may have that name; says why not: its form, or one runs that has it. */
int svf_control_name_check(const char *name) SVF_MUST_CHECK;

/* Prints one value as JSON on stdout, with a newline. Return: exit status. */
int svf_json_print(const json_t *value);

/* Prints failed calls as "why" does, one to a line. */
void svf_why_print(const json_t *calls, FILE *out);

#endif
