/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's command line and its control protocol: what the launcher and the other verbs of
 * softvfio(1) must know of softvfiod.
 *
 * Command line
 *
 *	softvfiod --fuse-fd N --root-fd K --ready-fd R --name NAME
 *	          [--control-fd M] [--preload PATH] [--uid U]
 *	          [-d SPEC]... [-c FILE] [--param MODULE.NAME=VALUE]...
 *
 *	--fuse-fd	/dev/fuse, already given to mount(2) as fd=N (type fuse, options
 *			rootmode=40000,user_id=,group_id=,default_permissions,allow_other).
 *	--root-fd	O_PATH descriptor of the root of that mount. It may be opened once the mount is
 *			there (an O_PATH open of a mount's root asks the host nothing). The mount must not be
 *			reachable for clients except through bind mounts of parts of it.
 *	--ready-fd	One byte 'R' is written and the descriptor closed once names and files are
 *			served. Closed without a byte: the host failed and has said why on stderr.
 *	--control-fd	One end of a connected AF_UNIX SOCK_STREAM pair, a control connection like any
 *			other. When its other end is closed (the launcher is gone), the host kills
 *			every process that is still in its mount namespace or in one made from it,
 *			except its own parent, and ends. After the command "stay" it merely forgets the
 *			connection.
 *	--name		Name of the namespace; the host listens on the abstract socket below.
 *	--uid		Owner of the nodes (default 0), as seen in the host's user namespace.
 *	--preload	The preload object, by which processes that carry it are known.
 *
 *	softvfiod --device-help [MODEL]: prints the models, or the options of one (a name or a
 *	file), on stdout.
 *
 *	Exit status: 0 after a stop, 1 otherwise. SIGTERM and SIGINT stop it as "stop" does. The
 *	capability CAP_SYS_PTRACE must be in its permitted (or ambient) set when clients may be of
 *	another user or not dumpable; everything else is dropped.
 *
 * Control protocol
 *
 *	Abstract AF_UNIX SOCK_STREAM socket "\0softvfio/UID/NAME", UID in decimal as seen outside the
 *	namespace (see svf_protocol_socket). Only the same user and, in the host's own user namespace,
 *	root are served; root elsewhere connects as the user. Each request and
 *	each answer is one line of JSON, UTF-8, ended by "\n"; a request has at most
 *	SVF_PROTOCOL_LINE_MAX bytes with its newline. Requests are answered in order. Every answer has
 *	"ok": true or false; with false also "error": a sentence. A line that is no JSON object is
 *	answered so and the connection closed. Times are seconds with fraction.
 *
 *	{"cmd":"ping"}	    {"ok":true}
 *	{"cmd":"listener"}  with exactly one descriptor by SCM_RIGHTS, sent with the first byte of the
 *			    line: a seccomp listener. {"ok":true} once it is being served.
 *	{"cmd":"stay"}	    from the launcher only. {"ok":true}: the host no longer ends with it.
 *	{"cmd":"why"}	    {"ok":true,"calls":[{"time":T,"pid":N,"comm":S,"call":S,"errno":"EACCES",
 *			    "reason":S},...]}: the last failed calls, oldest first; time since 1970.
 *	{"cmd":"dmesg"}	    {"ok":true,"messages":[{"time":T,"text":S},...]}: time since the host's start.
 *	{"cmd":"info"}	    {"ok":true,"name":S,"pid":N,"uptime":T,"devices":[{"bdf":S,"vendor":N,"device":N,
 *			    "class":N,"driver":S or null,"group":N or null,"vf_of":S or null},...],
 *			    "clients":[{"pid":N,"comm":S,"files":[S,...]},...]}
 *	{"cmd":"stop"}	    {"ok":true}, then the host ends as when the launcher is gone. The
 *			    connection is closed when all processes are gone.
 */
#ifndef SVF_HOST_CONTROL_PROTOCOL_H
#define SVF_HOST_CONTROL_PROTOCOL_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define SVF_PROTOCOL_LINE_MAX 4096
#define SVF_PROTOCOL_NAME_MAX 64 /* of a namespace, bytes without NUL */

/*
 * Fills addr with the address of the control socket of the namespace name of user uid.
 * Return: the length to pass to bind or connect; 0 when the name is too long.
 */
static inline socklen_t svf_protocol_socket(struct sockaddr_un *addr, uid_t uid, const char *name)
{
	int len;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(name) > SVF_PROTOCOL_NAME_MAX)
		return 0;
	len = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, "softvfio/%u/%s",
		       (unsigned int)uid, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

#endif
