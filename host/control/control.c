/* SPDX-License-Identifier: BSD-3-Clause */
/* Control connections; see control.h. */
#include "host/control/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/host.h"

#define BACKLOG 64
/* DEFAULT_OVERFLOWUID of Linux. */
#define OVERFLOW_UID 65534u

static void connection_ready(struct svf_source *source, uint32_t events);
static void accept_ready(struct svf_source *source, uint32_t events);

static void set_passed_fd(struct svf_connection *connection, int fd)
{
	/* Whatever it is, it may be a file of ours: not to be closed here. */
	svf_helper_close(&connection->host->helper, connection->passed_fd);
	connection->passed_fd = fd;
}

static void connection_close(struct svf_connection *connection)
{
	struct svf_host *host = connection->host;

	svf_loop_remove(&host->loop, &connection->source);
	svf_list_del(&connection->link);
	set_passed_fd(connection, -1);
	/* Room again for one that waits. */
	if (host->control.count-- == SVF_MAX_CONTROLS && host->control.source.fd >= 0)
		svf_loop_modify(&host->loop, &host->control.source, EPOLLIN);
	if (connection->launcher && !host->control.stay)
		host->loop.quit = true;
	close(connection->fd);
	free(connection->answer);
	free(connection);
}

/* Takes fd over, also on failure. */
static int connection_open(struct svf_host *host, int fd, bool launcher)
{
	struct svf_connection *connection = calloc(1, sizeof(*connection));
	int err;

	if (!connection) {
		close(fd);
		return -ENOMEM;
	}
	connection->host = host;
	connection->fd = fd;
	connection->launcher = launcher;
	connection->passed_fd = -1;
	err = svf_loop_add(&host->loop, &connection->source, fd, EPOLLIN, connection_ready);
	if (err) {
		close(fd);
		free(connection);
		return err;
	}
	svf_list_add_tail(&host->control.connections, &connection->link);
	host->control.count++;
	return 0;
}

/* Sends what can be sent. Return: false when the connection is gone. */
static bool send_answer(struct svf_connection *connection)
{
	struct svf_host *host = connection->host;
	ssize_t n;

	n = send(connection->fd, connection->answer + connection->answer_sent,
		 connection->answer_len - connection->answer_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		connection_close(connection);
		return false;
	}
	connection->answer_sent += n > 0 ? (size_t)n : 0;
	if (connection->answer_sent < connection->answer_len) {
		svf_loop_modify(&host->loop, &connection->source, EPOLLOUT);
		return true;
	}
	free(connection->answer);
	connection->answer = NULL;
	if (connection->closing) {
		connection_close(connection);
		return false;
	}
	svf_loop_modify(&host->loop, &connection->source, EPOLLIN);
	return true;
}

/* Answers the whole lines there are, one at a time. Return: false when the connection is gone. */
static bool answer_lines(struct svf_connection *connection)
{
	while (!connection->answer) {
		char *end = memchr(connection->line, '\n', connection->used);
		size_t len;

		if (!end)
			break;
		len = (size_t)(end - connection->line);
		connection->answer = svf_command_answer(connection, connection->line, len);
		set_passed_fd(connection, -1);
		if (!connection->answer) {
			connection_close(connection);
			return false;
		}
		connection->answer_len = strlen(connection->answer);
		connection->answer_sent = 0;
		connection->used -= len + 1;
		memmove(connection->line, end + 1, connection->used);
		if (!send_answer(connection))
			return false;
	}
	return true;
}

/* Descriptors that came along: one is kept, more are a mistake and closed. */
static void take_fds(struct svf_connection *connection, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			set_passed_fd(connection, fd);
		}
	}
}

static void receive(struct svf_connection *connection)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {
		.iov_base = connection->line + connection->used,
		.iov_len = sizeof(connection->line) - connection->used,
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(connection->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_close(connection);
		return;
	}
	take_fds(connection, &msg);
	connection->used += (size_t)n;
	if (!answer_lines(connection) || connection->answer)
		return;
	/* A line that fills the buffer without an end is longer than any command. */
	if (connection->used == sizeof(connection->line))
		connection_close(connection);
}

static void connection_ready(struct svf_source *source, uint32_t events)
{
	struct svf_connection *connection = svf_container_of(source, struct svf_connection, source);

	if (connection->answer) {
		if (events & (EPOLLERR | EPOLLHUP))
			connection_close(connection);
		else if (send_answer(connection))
			answer_lines(connection);
		return;
	}
	receive(connection);
}

/*
 * In a user namespace every user who has no number there shows as this one, which may be our own as
 * well. Whom we may send a signal does not depend on how numbers show.
 */
static bool same_user(const struct ucred *peer)
{
	if (peer->uid != geteuid())
		return false;
	return peer->uid != OVERFLOW_UID || (peer->pid > 0 && !kill(peer->pid, 0));
}

static bool allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == 0 || same_user(&peer);
}

static void accept_ready(struct svf_source *source, uint32_t events)
{
	struct svf_host *host = svf_container_of(source, struct svf_host, control.source);
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (!allowed(fd)) {
		close(fd);
		return;
	}
	if (!connection_open(host, fd, false) && host->control.count == SVF_MAX_CONTROLS)
		svf_loop_modify(&host->loop, &host->control.source, 0);
}

/*
 * The user's number outside the user namespace we are in, as the socket's name has it: the lines of
 * uid_map are "inside outside count".
 */
static uid_t outside_uid(void)
{
	unsigned int inside, outside, count;
	uid_t uid = geteuid(), ret = uid;
	FILE *map = fopen("/proc/self/uid_map", "re");

	if (!map)
		return uid;
	while (fscanf(map, "%u %u %u", &inside, &outside, &count) == 3) {
		if (uid >= inside && uid - inside < count)
			ret = outside + (uid - inside);
	}
	fclose(map);
	return ret;
}

int svf_control_init(struct svf_host *host)
{
	struct sockaddr_un addr;
	socklen_t len = svf_protocol_socket(&addr, outside_uid(), host->options.name);
	int fd, err;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, BACKLOG)) {
		err = -errno;
		if (err == -EADDRINUSE)
			fprintf(stderr, "softvfio: the name '%s' is taken; choose another one\n",
				host->options.name);
		close(fd);
		return err;
	}
	host->control.fd = fd;
	err = svf_loop_add(&host->loop, &host->control.source, fd, EPOLLIN, accept_ready);
	if (!err && host->options.control_fd >= 0)
		err = connection_open(host, host->options.control_fd, true);
	return err;
}

void svf_control_fini(struct svf_host *host)
{
	struct svf_connection *connection, *tmp;

	svf_list_for_each_safe(connection, tmp, &host->control.connections, link)
		connection_close(connection);
	if (host->control.fd < 0)
		return;
	svf_loop_remove(&host->loop, &host->control.source);
	close(host->control.fd);
	host->control.fd = -1;
}
