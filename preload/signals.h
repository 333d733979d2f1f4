/* SPDX-License-Identifier: BSD-3-Clause */
/* A client's signal calls, around the signals that the trap needs. */
#ifndef SVF_PRELOAD_SIGNALS_H
#define SVF_PRELOAD_SIGNALS_H

#include <signal.h>

int svf_preload_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int svf_preload_sigmask(int how, const sigset_t *set, sigset_t *old);

/* A mask that the client wants to wait with, as it can be put on. */
sigset_t svf_signals_real_mask(const sigset_t *wanted);

#endif
