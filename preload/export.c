/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exported symbols. libc declares some of them with attributes that cannot be repeated, so each is
 * defined under a name of its own and exported by its assembler name. The 64 forms are the same on LP64.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "preload/preload.h"
#include "preload/signals.h"

#define SVF_EXPORT __attribute__((visibility("default")))
#define EXPORT_AS(type, name, symbol, params)                                                      \
	SVF_EXPORT type name params __asm__(symbol);                                               \
	type name params

EXPORT_AS(void *, export_mmap, "mmap",
	  (void *addr, size_t length, int prot, int flags, int fd, off_t offset))
{
	return svf_preload_mmap(addr, length, prot, flags, fd, offset);
}

EXPORT_AS(void *, export_mmap64, "mmap64",
	  (void *addr, size_t length, int prot, int flags, int fd, off_t offset))
{
	return svf_preload_mmap(addr, length, prot, flags, fd, offset);
}

EXPORT_AS(int, export_munmap, "munmap", (void *addr, size_t length))
{
	return svf_preload_munmap(addr, length);
}

EXPORT_AS(int, export_mprotect, "mprotect", (void *addr, size_t length, int prot))
{
	return svf_preload_mprotect(addr, length, prot);
}

EXPORT_AS(void *, export_mremap, "mremap",
	  (void *addr, size_t old_length, size_t length, int flags, ...))
{
	void *new_addr = NULL;
	va_list ap;

	if (flags & MREMAP_FIXED) {
		va_start(ap, flags);
		new_addr = va_arg(ap, void *);
		va_end(ap);
	}
	return svf_preload_mremap(addr, old_length, length, flags, new_addr);
}

EXPORT_AS(int, export_sigaction, "sigaction",
	  (int number, const struct sigaction *action, struct sigaction *old))
{
	return svf_preload_sigaction(number, action, old);
}

/* libc's signal(), under the name by which it also goes. */
extern sighandler_t bsd_signal(int number, sighandler_t handler);

EXPORT_AS(sighandler_t, export_signal, "signal", (int number, sighandler_t handler))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	if (number != SIGSEGV && number != SIGILL)
		return bsd_signal(number, handler);
	sigemptyset(&action.sa_mask);
	return svf_preload_sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

/* What signal() is to programs that ask for no more than standard C or POSIX. */
static sighandler_t signal_once(int number, sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER},
			 old;

	sigemptyset(&action.sa_mask);
	return svf_preload_sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

EXPORT_AS(sighandler_t, export_sysv_signal, "sysv_signal", (int number, sighandler_t handler))
{
	return signal_once(number, handler);
}

EXPORT_AS(sighandler_t, export_sysv_signal2, "__sysv_signal", (int number, sighandler_t handler))
{
	return signal_once(number, handler);
}

/* glibc's own, under names by which they also go. */
extern int __sigsuspend(const sigset_t *mask);
extern int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		       const sigset_t *mask, size_t size);

EXPORT_AS(int, export_sigsuspend, "sigsuspend", (const sigset_t *mask))
{
	sigset_t real = svf_signals_real_mask(mask);

	return __sigsuspend(&real);
}

EXPORT_AS(int, export_ppoll, "ppoll",
	  (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask))
{
	sigset_t real;

	if (mask)
		real = svf_signals_real_mask(mask);
	return __ppoll_chk(fds, count, timeout, mask ? &real : NULL, (size_t)-1);
}

EXPORT_AS(int, export_sigprocmask, "sigprocmask", (int how, const sigset_t *set, sigset_t *old))
{
	int err = svf_preload_sigmask(how, set, old);

	if (err)
		errno = err;
	return err ? -1 : 0;
}

EXPORT_AS(int, export_pthread_sigmask, "pthread_sigmask",
	  (int how, const sigset_t *set, sigset_t *old))
{
	int saved = errno, err = svf_preload_sigmask(how, set, old);

	errno = saved;
	return err;
}

EXPORT_AS(int, export_fstat, "fstat", (int fd, struct stat *st))
{
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fstat64, "fstat64", (int fd, struct stat *st))
{
	return svf_preload_fstat(fd, st);
}

/* What programs built before glibc 2.33 call. */
EXPORT_AS(int, export_fxstat, "__fxstat", (int version, int fd, struct stat *st))
{
	(void)version;
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fxstat64, "__fxstat64", (int version, int fd, struct stat *st))
{
	(void)version;
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fstatat, "fstatat", (int fd, const char *path, struct stat *st, int flags))
{
	return svf_preload_fstatat(fd, path, st, flags);
}

EXPORT_AS(int, export_fstatat64, "fstatat64",
	  (int fd, const char *path, struct stat *st, int flags))
{
	return svf_preload_fstatat(fd, path, st, flags);
}

EXPORT_AS(int, export_statx, "statx",
	  (int fd, const char *path, int flags, unsigned int mask, struct statx *stx))
{
	return svf_preload_statx(fd, path, flags, mask, stx);
}
