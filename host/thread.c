/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting a thread; see thread.h. */
#include "host/thread.h"

#include <signal.h>

int svf_thread_start(pthread_t *ret, size_t stack_size, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_attr_setstacksize(&attr, stack_size);
	if (!err)
		err = pthread_create(ret, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}
