/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of a host's control socket.
 *
 * Namespaces are found in /proc/net/unix, where each host shows as "@softvfio/UID/NAME". The UID in
 * the name is a label that keeps users apart; whose host it is, the kernel says (SO_PEERCRED),
 * translated into our user namespace: so the same search works outside and, under another user
 * number, inside. Nothing is sent to a host of somebody else, unless we are root.
 */
#include "cli/control.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "host/control/protocol.h"

#define SVF_SOCKET_PREFIX "@softvfio/"
/* A host answers at once; one that does not in this time is stopped or hangs. */
#define SVF_ANSWER_TIMEOUT_S 30

/*
 * wait: be patient with one that has no room for us at the moment. Otherwise it is passed over: a
 * socket of somebody else that is never served must not hold us up.
 */
static int svf_control_open(const char *path, bool wait, struct ucred *ret_peer)
{
	const struct timeval timeout = {.tv_sec = SVF_ANSWER_TIMEOUT_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(*ret_peer);
	size_t len = strlen(path);
	int fd;

	if (len > sizeof(address.sun_path))
		return -ENAMETOOLONG;
	/* "@" in the list stands for the NUL of an abstract name. */
	memcpy(address.sun_path + 1, path + 1, len - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
	    connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &size) || fcntl(fd, F_SETFL, 0)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* A host serves its own user only, so root comes as that user. */
static int svf_control_open_as(const char *path, bool wait, struct ucred *peer)
{
	int fd = -EPERM;

	if (!geteuid() && !seteuid(peer->uid)) {
		fd = svf_control_open(path, wait, peer);
		if (seteuid(0))
			abort();
	}
	return fd;
}

static int svf_control_list_add(struct svf_control_list *list, const char *path, bool wait)
{
	const char *name = strrchr(path, '/') + 1;
	struct svf_control_peer *bigger;
	struct ucred peer;
	int fd = svf_control_open(path, wait, &peer);

	if (fd >= 0 && peer.uid != geteuid()) {
		close(fd);
		fd = svf_control_open_as(path, wait, &peer);
	}
	/* It ended meanwhile, or is not for us to see. */
	if (fd < 0)
		return 0;
	bigger = reallocarray(list->peer, list->count + 1, sizeof(*bigger));
	if (bigger) {
		list->peer = bigger;
		bigger[list->count] = (struct svf_control_peer){
			.name = strdup(name),
			.fd = fd,
			.pid = peer.pid,
			.uid = peer.uid,
		};
		if (bigger[list->count].name) {
			list->count++;
			return 0;
		}
	}
	close(fd);
	return -ENOMEM;
}

/*
 * A line is "address: refs protocol flags type state inode path"; 00010000 in flags is a listening
 * one.
 */
static char *svf_control_path(char *line)
{
	unsigned int flags;
	char *path = strstr(line, SVF_SOCKET_PREFIX);

	if (!path || sscanf(line, "%*s %*s %*s %x", &flags) != 1 || !(flags & 0x10000))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	return strchr(path + strlen(SVF_SOCKET_PREFIX), '/') ? path : NULL;
}

int svf_control_list(const char *name, struct svf_control_list *ret)
{
	struct svf_control_list list = {0};
	FILE *file = fopen("/proc/net/unix", "re");
	size_t size = 0;
	char *line = NULL;
	int err = 0;

	if (!file)
		return svf_complain(-errno, "cannot read /proc/net/unix: %s", strerror(errno));
	while (!err && getline(&line, &size, file) > 0) {
		char *path = svf_control_path(line);

		if (path && (!name || !strcmp(strrchr(path, '/') + 1, name)))
			err = svf_control_list_add(&list, path, name != NULL);
	}
	free(line);
	fclose(file);
	if (err)
		svf_control_list_fini(&list);
	else
		*ret = list;
	return err;
}

void svf_control_list_fini(struct svf_control_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->peer[i].name);
		if (list->peer[i].fd >= 0)
			close(list->peer[i].fd);
	}
	free(list->peer);
	*list = (struct svf_control_list){0};
}

static int svf_control_name_form(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > SVF_PROTOCOL_NAME_MAX)
		return svf_complain(-EINVAL, "the name of a namespace has 1 to %d characters",
				    SVF_PROTOCOL_NAME_MAX);
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			return svf_complain(
				-EINVAL,
				"the name of a namespace has letters, digits, '.', '_' and '-'; "
				"'%s' has a '%c'",
				name, *c);
	}
	return 0;
}

int svf_control_name_check(const char *name)
{
	struct svf_control_list list;
	int ret = svf_control_name_form(name);

	if (!ret)
		ret = svf_control_list(name, &list);
	if (ret)
		return ret;
	for (size_t i = 0; i < list.count && !ret; i++) {
		if (list.peer[i].uid == geteuid())
			ret = svf_complain(
				-EEXIST, "a namespace '%s' runs already; softvfio stop %s ends it",
				name, name);
	}
	svf_control_list_fini(&list);
	return ret;
}

/* Which one is meant; name NULL: the only one. Return: its index or a negative errno, said. */
static int svf_control_choose(const struct svf_control_list *list, const char *name)
{
	/* Root finds one's own before another user's of the same name. */
	for (size_t i = 0; name && i < list->count; i++) {
		if (list->peer[i].uid == geteuid())
			return (int)i;
	}
	if (name && list->count)
		return 0;
	if (name)
		return svf_complain(-ENOENT,
				    "there is no namespace '%s'; softvfio ls lists those that run",
				    name);
	if (list->count == 1)
		return 0;
	if (!list->count)
		return svf_complain(-ENOENT, "no namespace runs; start one: softvfio start NAME");
	return svf_complain(-EINVAL, "%zu namespaces run; say which one (softvfio ls lists them)",
			    list->count);
}

int svf_control_connect(const char *name, pid_t *ret_pid)
{
	struct svf_control_list list;
	int fd, ret;

	if (!name)
		name = getenv(SVF_ENV_NAMESPACE);
	if (name && !*name)
		name = NULL;
	ret = svf_control_list(name, &list);
	if (ret)
		return ret;
	ret = svf_control_choose(&list, name);
	if (ret >= 0) {
		fd = list.peer[ret].fd;
		*ret_pid = list.peer[ret].pid;
		list.peer[ret].fd = -1;
		ret = fd;
	}
	svf_control_list_fini(&list);
	return ret;
}

static int svf_control_send(int fd, const char *line, int pass_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
				.cmsg_len = CMSG_LEN(sizeof(int))}};
	struct iovec iov = {.iov_base = (char *)line, .iov_len = strlen(line)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (pass_fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &pass_fd, sizeof(pass_fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	/* A line is far shorter than a socket's buffer: it goes whole or not at all. */
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* One line, without its newline, to be freed. Return: 0, -ECONNRESET at the end, negative errno. */
static int svf_control_receive(int fd, char **ret_line)
{
	size_t len = 0, size = 0;
	char *line = NULL, *bigger;
	ssize_t got;

	do {
		if (size - len < 2) {
			size = size ? 2 * size : 4096;
			bigger = realloc(line, size);
			if (!bigger) {
				free(line);
				return -ENOMEM;
			}
			line = bigger;
		}
		got = recv(fd, line + len, size - len - 1, 0);
		if (got <= 0) {
			free(line);
			return got ? -errno : -ECONNRESET;
		}
		len += (size_t)got;
	} while (line[len - 1] != '\n');
	line[len - 1] = '\0';
	*ret_line = line;
	return 0;
}

static int svf_control_judge(json_t *answer, const char *command)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return 0;
	return svf_complain(-EPROTO, "the host refused '%s': %s", command,
			    error ? error : "it answered no JSON");
}

int svf_control_call(int fd, const char *command, int pass_fd, json_t **ret_answer)
{
	char line[64], *text = NULL;
	json_t *answer;
	int ret;

	snprintf(line, sizeof(line), "{\"cmd\":\"%s\"}\n", command);
	ret = svf_control_send(fd, line, pass_fd);
	if (!ret)
		ret = svf_control_receive(fd, &text);
	if (ret == -EPIPE || ret == -ECONNRESET)
		return svf_complain(ret,
				    "the host hung up at '%s': it has ended, or serves another "
				    "user only",
				    command);
	if (ret)
		return svf_complain(ret, "the host does not answer '%s': %s", command,
				    strerror(-ret));
	answer = json_loads(text, 0, NULL);
	free(text);
	ret = svf_control_judge(answer, command);
	if (!ret && ret_answer)
		*ret_answer = answer;
	else
		json_decref(answer);
	return ret;
}

int svf_control_ask(const char *name, const char *command, json_t **ret_answer)
{
	pid_t pid;
	int fd = svf_control_connect(name, &pid);
	int ret;

	if (fd < 0)
		return fd;
	ret = svf_control_call(fd, command, -1, ret_answer);
	close(fd);
	return ret;
}

int svf_json_print(const json_t *value)
{
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)))
		return svf_complain(SVF_EXIT_FAILURE, "cannot print JSON");
	putchar('\n');
	return SVF_EXIT_OK;
}
