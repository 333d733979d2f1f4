/* SPDX-License-Identifier: BSD-3-Clause */
/* The operations of the filesystem that files.c and ioctl.c do; fuse.c hands them to libfuse. */
#ifndef SVF_HOST_FILES_FUSE_OPS_H
#define SVF_HOST_FILES_FUSE_OPS_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "host/files/open.h"
#include "host/host.h"

static inline struct svf_host *svf_fuse_host(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline struct svf_open *svf_fuse_open_of(const struct fuse_file_info *fi)
{
	return (struct svf_open *)(uintptr_t)fi->fh;
}

void svf_fuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void svf_fuse_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void svf_fuse_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		   struct fuse_file_info *fi);
void svf_fuse_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		    struct fuse_file_info *fi);
void svf_fuse_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		   struct fuse_pollhandle *handle);
void svf_fuse_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		    struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
		    size_t in_size, size_t out_size);

#endif
