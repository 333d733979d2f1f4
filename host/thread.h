/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's other threads (helper.h, watch.h). They take no signals, which are the loop's: it gets them
 * through a descriptor. What they do needs little stack, and the default would be 8 MiB of address
 * space each.
 */
#ifndef SVF_HOST_THREAD_H
#define SVF_HOST_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "base/compiler.h"

/* stack_size: bytes. Return: 0, -EAGAIN, -ENOMEM. */
int svf_thread_start(pthread_t *ret, size_t stack_size, void *(*run)(void *arg),
		     void *arg) SVF_MUST_CHECK;

#endif
