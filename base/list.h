/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intrusive doubly linked lists. A head and a node are the same type; an initialised node points
 * to itself, so removing a node that is on no list does nothing, and destroying half-built
 * objects needs no special case.
 */
#ifndef SVF_BASE_LIST_H
#define SVF_BASE_LIST_H

#include <stdbool.h>

#include "base/compiler.h"

struct svf_list {
	struct svf_list *next, *prev;
};

static inline void svf_list_init(struct svf_list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool svf_list_empty(const struct svf_list *head)
{
	return head->next == head;
}

/* Appends node, which must be on no list. */
static inline void svf_list_add_tail(struct svf_list *head, struct svf_list *node)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

/* Removes node from whatever list it is on and leaves it initialised. */
static inline void svf_list_del(struct svf_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	svf_list_init(node);
}

#define svf_list_entry(ptr, type, member)  svf_container_of(ptr, type, member)
#define svf_list_first(head, type, member) svf_list_entry((head)->next, type, member)

#define svf_list_for_each(it, head, member)                                                        \
	for (it = svf_list_entry((head)->next, __typeof__(*it), member); &it->member != (head);    \
	     it = svf_list_entry(it->member.next, __typeof__(*it), member))

/* As above, and the body may remove and free it. */
#define svf_list_for_each_safe(it, tmp, head, member)                                              \
	for (it = svf_list_entry((head)->next, __typeof__(*it), member),                           \
	    tmp = svf_list_entry(it->member.next, __typeof__(*it), member);                        \
	     &it->member != (head);                                                                \
	     it = tmp, tmp = svf_list_entry(tmp->member.next, __typeof__(*it), member))

#endif
