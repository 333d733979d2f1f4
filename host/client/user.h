/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of the calling thread, which waits in its call: process_vm_readv and writev by its
 * number. They respect the protection of its pages, as copy_from_user does.
 */
#ifndef SVF_HOST_CLIENT_USER_H
#define SVF_HOST_CLIENT_USER_H

#include <stddef.h>
#include <stdint.h>

struct svf_call;
struct svf_request;

/* The port's user_read and user_write. Return: 0, -EFAULT. */
int svf_user_read(struct svf_call *call, void *dst, uint64_t addr, size_t len);
int svf_user_write(struct svf_call *call, uint64_t addr, const void *src, size_t len);

/* Reads what can be read, for messages. Return: how many bytes. */
size_t svf_user_peek(const struct svf_request *request, void *dst, uint64_t addr, size_t len);

#endif
