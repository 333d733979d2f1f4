/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The session with the kernel, and names: lookup, attributes, links, directories. See fuse.h.
 *
 * Permissions are checked by the kernel (the mount has default_permissions) against the modes and
 * owners that we give out. Names cannot be made or removed by clients: as in sysfs, EPERM (and
 * EACCES for an open that would create).
 */
#include "host/files/fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "host/calls/inject.h"
#include "host/files/fuse_ops.h"
#include "host/files/node.h"

#define MAX_BACKGROUND UINT16_MAX
#define NOFLUSH_MINOR  35   /* of the FUSE protocol, version 7: FOPEN_NOFLUSH */
#define ATTR_SIZE      4096 /* what sysfs says of every text attribute, bytes */

static struct svf_tree *tree_of(fuse_req_t req)
{
	return svf_fuse_host(req)->tree;
}

static off_t node_size(const struct svf_tree_node *node)
{
	const struct svf_attr *attr = node->attr.ops;

	if (node->kind != SVF_NODE_ATTR)
		return 0;
	if (attr->size_of && svf_tree_node_usable(node))
		return (off_t)attr->size_of(node->attr.object, node->attr.arg);
	return attr->size ? (off_t)attr->size : ATTR_SIZE;
}

static mode_t node_type(const struct svf_tree_node *node)
{
	if (node->kind == SVF_NODE_DIR)
		return S_IFDIR;
	return node->kind == SVF_NODE_LINK ? S_IFLNK : S_IFREG;
}

static void node_stat(const struct svf_host *host, const struct svf_tree_node *node,
		      struct stat *st)
{
	*st = (struct stat){
		.st_ino = node->ino,
		.st_mode = node_type(node) | node->mode,
		.st_nlink = node->kind == SVF_NODE_DIR ? 2 + node->subdirs : 1,
		.st_uid = node->uid,
		.st_gid = node->gid,
		.st_size = node_size(node),
		.st_blksize = 4096,
		.st_atim = host->fuse.started,
		.st_mtim = host->fuse.started,
		.st_ctim = host->fuse.started,
	};
}

/* The hidden directory itself and, above it, the files that wait in it or once did. */
static void hidden_stat(const struct svf_host *host, fuse_ino_t ino, struct stat *st)
{
	*st = (struct stat){
		.st_ino = ino,
		.st_mode = ino == SVF_INO_HIDDEN ? S_IFDIR | 0700 : S_IFREG | 0600,
		.st_nlink = 1,
		.st_uid = host->fuse.own_uid,
		.st_gid = host->fuse.own_gid,
		.st_blksize = 4096,
		.st_atim = host->fuse.started,
		.st_mtim = host->fuse.started,
		.st_ctim = host->fuse.started,
	};
}

static void lookup_hidden(fuse_req_t req, fuse_ino_t ino)
{
	struct fuse_entry_param entry = {.ino = ino};

	hidden_stat(svf_fuse_host(req), ino, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static bool is_helper(fuse_req_t req)
{
	return fuse_req_ctx(req)->pid == svf_fuse_host(req)->helper.tid;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct svf_host *host = svf_fuse_host(req);
	struct svf_tree_node *dir = svf_tree_by_ino(host->tree, parent), *node;
	struct fuse_entry_param entry = {0};

	if (parent == SVF_NODE_ROOT && is_helper(req) && !strcmp(name, SVF_INJECT_DIR)) {
		lookup_hidden(req, SVF_INO_HIDDEN);
		return;
	}
	if (parent == SVF_INO_HIDDEN && is_helper(req)) {
		lookup_hidden(req, SVF_INO_HIDDEN + strtoull(name, NULL, 10));
		return;
	}
	node = dir && dir->kind == SVF_NODE_DIR ? svf_tree_lookup(host->tree, dir, name) : NULL;
	if (!node) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	entry.ino = node->ino;
	node_stat(host, node, &entry.attr);
	node->lookups++;
	if (fuse_reply_entry(req, &entry))
		svf_tree_forget(host->tree, node, 1);
}

static void forget_one(struct svf_tree *tree, fuse_ino_t ino, uint64_t lookups)
{
	struct svf_tree_node *node = svf_tree_by_ino(tree, ino);

	if (node)
		svf_tree_forget(tree, node, lookups);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget_one(tree_of(req), ino, lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(tree_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct svf_tree_node *node = svf_tree_by_ino(tree_of(req), ino);
	struct stat st;

	(void)fi;
	if (ino >= SVF_INO_HIDDEN) {
		hidden_stat(svf_fuse_host(req), ino, &st);
	} else if (node) {
		node_stat(svf_fuse_host(req), node, &st);
	} else {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fuse_reply_attr(req, &st, 0);
}

/*
 * Owner and mode can be changed, as tools that hand devices to users do; size and times cannot,
 * silently.
 */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct svf_tree_node *node = svf_tree_by_ino(tree_of(req), ino);

	if (node && to_set & FUSE_SET_ATTR_MODE)
		node->mode = attr->st_mode & 07777;
	if (node && to_set & FUSE_SET_ATTR_UID)
		node->uid = attr->st_uid;
	if (node && to_set & FUSE_SET_ATTR_GID)
		node->gid = attr->st_gid;
	op_getattr(req, ino, fi);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct svf_tree_node *node = svf_tree_by_ino(tree_of(req), ino);

	if (node && node->kind == SVF_NODE_LINK)
		fuse_reply_readlink(req, node->target);
	else
		fuse_reply_err(req, EINVAL);
}

/*
 * Directories are read by position: 1 and 2 follow "." and "..", and n + 2 follows the child with
 * number n. Children are in order of their numbers, so reading goes on in the right place whatever
 * has come and gone.
 */
struct listing {
	fuse_req_t req;
	char *buf;
	size_t size, used;
};

static bool list_name(struct listing *listing, const char *name, uint64_t ino, mode_t type,
		      off_t position)
{
	struct stat st = {.st_ino = ino, .st_mode = type};
	size_t need = fuse_add_direntry(listing->req, listing->buf + listing->used,
					listing->size - listing->used, name, &st, position);

	if (need > listing->size - listing->used)
		return false;
	listing->used += need;
	return true;
}

static void list_dir(struct listing *listing, struct svf_tree_node *dir, off_t after)
{
	uint64_t parent = dir->parent ? dir->parent->ino : dir->ino;
	struct svf_tree_node *node;

	if (after < 1 && !list_name(listing, ".", dir->ino, S_IFDIR, 1))
		return;
	if (after < 2 && !list_name(listing, "..", parent, S_IFDIR, 2))
		return;
	svf_list_for_each(node, &dir->children, sibling) {
		off_t position = (off_t)node->ino + 2;

		if (position > after &&
		    !list_name(listing, node->name, node->ino, node_type(node), position))
			return;
	}
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t after,
		       struct fuse_file_info *fi)
{
	struct svf_tree_node *dir = svf_tree_by_ino(tree_of(req), ino);
	struct listing listing = {.req = req,
				  .size = size < SVF_FUSE_WRITE_MAX ? size : SVF_FUSE_WRITE_MAX};

	(void)fi;
	if (!dir || dir->kind != SVF_NODE_DIR) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	listing.buf = malloc(listing.size);
	if (!listing.buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	list_dir(&listing, dir, after);
	fuse_reply_buf(req, listing.buf, listing.used);
	free(listing.buf);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)fi;
	fuse_reply_err(req, EACCES);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)rdev;
	fuse_reply_err(req, EPERM);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	op_mknod(req, parent, name, mode, 0);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	op_mknod(req, parent, name, 0, 0);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	op_mknod(req, parent, name, 0, 0);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	op_mknod(req, parent, name, 0, 0);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	op_mknod(req, parent, name, 0, 0);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct svf_host *host = userdata;

	conn->want &= ~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				      FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS);
	conn->max_write = SVF_FUSE_WRITE_MAX;
	/*
	 * Releases count as background work. Of more than this many the kernel would keep some
	 * back, and an open that comes later would overtake the release that makes it possible.
	 */
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND;
	host->fuse.close_waits = conn->proto_major == 7 && conn->proto_minor < NOFLUSH_MINOR;
	svf_host_ready(host);
}

static const struct fuse_lowlevel_ops operations = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.readdir = op_readdir,
	.create = op_create,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_unlink,
	.symlink = op_symlink,
	.link = op_link,
	.rename = op_rename,
	.open = svf_fuse_open,
	.release = svf_fuse_release,
	.read = svf_fuse_read,
	.write = svf_fuse_write,
	.ioctl = svf_fuse_ioctl,
	.poll = svf_fuse_poll,
};

static void process(struct svf_host *host, const struct fuse_buf *buf)
{
	struct fuse_in_header header;

	if (buf->size < sizeof(header))
		return;
	memcpy(&header, buf->mem, sizeof(header));
	host->fuse.unique = header.unique;
	fuse_session_process_buf(host->fuse.session, buf);
	host->fuse.unique = 0;
}

static void session_ready(struct svf_source *source, uint32_t events)
{
	struct svf_host *host = svf_container_of(source, struct svf_host, fuse.source);
	struct fuse_buf buf = {.mem = host->fuse.buffer};
	int n;

	(void)events;
	n = fuse_session_receive_buf(host->fuse.session, &buf);
	host->fuse.buffer = buf.mem;
	/* Whoever asks has signalled before what there is to act upon. */
	svf_event_watches_run(host);
	if (n > 0)
		process(host, &buf);
	else if (n != -EINTR && n != -EAGAIN && n != -ENOENT)
		host->loop.quit = true;
	if (fuse_session_exited(host->fuse.session))
		host->loop.quit = true;
}

void svf_fuse_close(struct svf_host *host, int fd)
{
	if (fd < 0)
		return;
	if (host->fuse.close_waits)
		svf_helper_close(&host->helper, fd);
	else
		close(fd);
}

void svf_fuse_process(struct svf_host *host, char *bytes, size_t len)
{
	const struct fuse_buf buf = {.mem = bytes, .size = len};

	process(host, &buf);
}

static void on_interrupt(fuse_req_t req, void *data)
{
	(void)req;
	svf_request_interrupt(data);
}

void svf_fuse_watch_interrupt(struct svf_request *request)
{
	if (request->fuse)
		fuse_req_interrupt_func(request->fuse, on_interrupt, request);
}

/* Asked without synchronisation, which the kernel answers itself. */
static int learn_dev(struct svf_host *host)
{
	struct statx stx;

	if (statx(host->options.root_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stx))
		return -errno;
	host->fuse.dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	return 0;
}

int svf_fuse_init(struct svf_host *host)
{
	char program[] = "softvfiod", path[32];
	char *argv[] = {program, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	int err;

	host->fuse.own_uid = geteuid();
	host->fuse.own_gid = getegid();
	clock_gettime(CLOCK_REALTIME, &host->fuse.started);
	err = learn_dev(host);
	if (err)
		return err;
	host->fuse.session = fuse_session_new(&args, &operations, sizeof(operations), host);
	fuse_opt_free_args(&args);
	if (!host->fuse.session)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/fd/%d", host->options.fuse_fd);
	if (fuse_session_mount(host->fuse.session, path))
		return -EINVAL;
	if (fcntl(host->options.fuse_fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return svf_loop_add(&host->loop, &host->fuse.source, host->options.fuse_fd, EPOLLIN,
			    session_ready);
}

void svf_fuse_fini(struct svf_host *host)
{
	if (!host->fuse.session)
		return;
	svf_loop_remove(&host->loop, &host->fuse.source);
	fuse_session_destroy(host->fuse.session);
	host->fuse.session = NULL;
	free(host->fuse.buffer);
	host->fuse.buffer = NULL;
}
