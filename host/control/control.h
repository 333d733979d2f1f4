/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket (host/control/protocol.h): connections, lines in, lines out. commands.c answers them.
 *
 * A connection has at most one answer under way: while it is being sent, nothing more is read, so a
 * peer that does not read its answers costs one answer. The number of connections is bounded;
 * beyond it new ones wait in the socket's backlog.
 */
#ifndef SVF_HOST_CONTROL_CONTROL_H
#define SVF_HOST_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/list.h"
#include "host/control/protocol.h"
#include "host/loop.h"

struct svf_host;

struct svf_connection {
	struct svf_list link;
	struct svf_source source;
	struct svf_host *host;
	int fd;
	bool launcher; /* the descriptor given at start: its end is ours, until "stay" */
	bool closing;  /* to be closed when the answer is sent */
	int passed_fd; /* by SCM_RIGHTS, for the next command; -1: none */
	char *answer;  /* being sent, or NULL */
	size_t answer_len, answer_sent;
	size_t used; /* of line */
	char line[SVF_PROTOCOL_LINE_MAX];
};

struct svf_control {
	struct svf_source source; /* the listening socket */
	struct svf_list connections;
	unsigned int count;
	int fd;
	bool stay; /* the launcher's end is no longer ours */
};

/* Return: 0; -EADDRINUSE: there is a namespace of that name; ... */
int svf_control_init(struct svf_host *host) SVF_MUST_CHECK;
void svf_control_fini(struct svf_host *host);

/*
 * commands.c: the answer to one line (without its newline), ended by a newline, malloc'ed; NULL:
 * out of memory.
 */
char *svf_command_answer(struct svf_connection *connection, const char *line, size_t len);

#endif
