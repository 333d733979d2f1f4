/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a namespace: nothing of it stays behind. */
#ifndef SVF_HOST_END_H
#define SVF_HOST_END_H

#include <sys/types.h>

/*
 * Kills every process in our mount namespace, or in one made from it, but ourselves and our parent
 * (the launcher, if it still lives, ends by itself) and waits until they are gone. fuse: the device
 * number of our filesystem, which must have been given up before: a process may be waiting for an
 * answer of ours, in a sleep that even SIGKILL does not end.
 *
 * Does nothing when the namespace may be the system's own, which is so when nobody has made one for
 * us.
 */
void svf_end_processes(dev_t fuse);

#endif
