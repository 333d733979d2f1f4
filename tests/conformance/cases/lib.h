/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every conformance case is written with. A case is a plain client of the uAPI: it makes
 * calls and writes one line of transcript for each,
 *
 *	ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) = -1 EBUSY
 *
 * made from the text of the call itself by IOCTL() or given with say_call(). Indented lines below
 * a call are what it returned. Nothing in a transcript may change from run to run: no address,
 * process id, time, file descriptor or object id, and device addresses are replaced by names in
 * angle brackets (<pf>, <vf0>, ...), so that the same program can run on another machine.
 *
 * Set-up that is not itself the subject is quiet; when it fails the case ends with status 2. On
 * the way out every device that was touched is given back the driver that it had.
 */
#ifndef CONFORMANCE_LIB_H
#define CONFORMANCE_LIB_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE	      ((size_t)4096)
#define IOVA(n)	      ((uint64_t)0x10000000 + (uint64_t)(n)*PAGE)

/*
 * The machine's functions. Each can be set by an environment variable CONFORMANCE_<NAME>, e.g.
 * CONFORMANCE_PF=0000:03:00.0; VFs are found through the PF's virtfn links.
 */
extern const char *pf;	   /* SR-IOV, vendor driver igb, at least four VFs */
extern const char *nvme;   /* a second SR-IOV PF */
extern const char *edu;	   /* conventional, alone in its group */
extern const char *bridge; /* PCIe-to-PCI bridge that shares a group with conv0 and conv1 */
extern const char *conv0;
extern const char *conv1;
extern const char *multi0; /* two functions without ACS, one group */
extern const char *multi1;

/* First call of every case: names the machine and arms the clean-up. */
void case_begin(void);
/* The same for a case on another machine: device addresses stay what they are. */
void case_begin_without_names(void);

/* A line of transcript, and an indented one. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void section(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Transcript of one call that returned ret with errno; gives ret back and keeps errno. */
int say_call(long ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a call that returns a new fd: its number is not shown. */
int say_fd(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define IOCTL(fd, cmd, arg)    say_call(ioctl(fd, cmd, arg), "ioctl(%s, %s, %s)", #fd, #cmd, #arg)
#define IOCTL_FD(fd, cmd, arg) say_fd(ioctl(fd, cmd, arg), "ioctl(%s, %s, %s)", #fd, #cmd, #arg)
#define CLOSE(fd)	       say_call(close(fd), "close(%s)", #fd)

const char *errno_name(int err);

/* Ends the case with status 2: the set-up did not work, nothing was learnt about the subject. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends the case with status 77: it cannot be run by this user, which is seen as a skipped test. */
void skip(const char *why) __attribute__((noreturn));

/* PCI sysfs, quiet: for set-up. */
void pci_bind(const char *bdf, const char *driver); /* driver NULL: unbound */
void pci_numvfs(const char *bdf, int n);
void pci_all_to_vfio(const char *first, ...) __attribute__((sentinel));
const char *pci_vf(const char *bdf, int n); /* static storage, good until exit */
int pci_group(const char *bdf);
bool pci_driver_is(const char *bdf, const char *driver);
void pci_restore(void);

/* PCI sysfs as the subject: writes a transcript. file is relative to /sys/bus/pci. */
int sysfs_write(const char *value, const char *file_fmt, ...) __attribute__((format(printf, 2, 3)));
void sysfs_show(const char *file_fmt, ...) __attribute__((format(printf, 1, 2)));
/* Where a link points, the last part of it, or that there is none. */
void sysfs_link(const char *file_fmt, ...) __attribute__((format(printf, 1, 2)));

/* Opening, each a line of transcript. */
int open_container(void);
int open_group(const char *bdf);
int open_iommufd(void);
int open_cdev(const char *bdf);
int group_get_device(int group, const char *match);

/* Quiet versions that end the case when they fail. */
struct vfio_user {
	int container;
	int group;
	int device;
};
void vfio_user_open(struct vfio_user *u, const char *bdf, uint32_t iommu_type);
void vfio_user_close(struct vfio_user *u);
int must_open_group(const char *bdf);
int must_open_cdev(const char *bdf);
int must_open(const char *path);
uint32_t must_ioas(int iommufd);
void must_bind(int cdev, int iommufd);

/* n bytes of private anonymous memory, page aligned, touched. */
void *pages(size_t n);

/* 1 when an eventfd has been signalled, 0 when not; the count is taken. Never waits. */
int eventfd_taken(int fd);

#endif
