/* SPDX-License-Identifier: BSD-3-Clause */
/* base/itree.c against an array of bytes that says who covers what, on random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/itree.h"

#define SPACE  512u
#define STEPS  20000u
#define FILLED 65535u

/* The smallest generator that will do; the seed is fixed, so a failure repeats. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int check_subtree(const struct svf_itree_node *node, const struct svf_itree_node *parent)
{
	int left, right, higher;

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	left = check_subtree(node->left, node);
	right = check_subtree(node->right, node);
	higher = left > right ? left : right;
	assert_in_range(left - right + 1, 0, 2);
	assert_int_equal(node->height, higher + 1);
	return higher + 1;
}

/* owner[byte] is the node that covers it. */
struct model {
	struct svf_itree tree;
	struct svf_itree_node *owner[SPACE];
	unsigned int count;
};

static struct svf_itree_node *model_first(struct model *m, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		if (m->owner[i])
			return m->owner[i];
	return NULL;
}

static void model_check(struct model *m)
{
	struct svf_itree_node *node = svf_itree_first(&m->tree, 0, UINT64_MAX);
	unsigned int seen = 0;

	check_subtree(m->tree.root, NULL);
	for (unsigned int i = 0; i < SPACE; i++) {
		if (!m->owner[i])
			continue;
		assert_ptr_equal(node, m->owner[i]);
		assert_int_equal(node->first, i);
		i = (unsigned int)node->last;
		node = svf_itree_next(node);
		seen++;
	}
	assert_null(node);
	assert_int_equal(seen, m->count);
}

static void model_insert(struct model *m, unsigned int first, unsigned int last)
{
	struct svf_itree_node *node = calloc(1, sizeof(*node));

	assert_non_null(node);
	node->first = first;
	node->last = last;
	if (model_first(m, first, last)) {
		assert_false(svf_itree_insert(&m->tree, node));
		free(node);
		return;
	}
	assert_true(svf_itree_insert(&m->tree, node));
	for (unsigned int i = first; i <= last; i++)
		m->owner[i] = node;
	m->count++;
}

static void model_remove(struct model *m, struct svf_itree_node *node)
{
	for (uint64_t i = node->first; i <= node->last; i++)
		m->owner[i] = NULL;
	m->count--;
	svf_itree_remove(&m->tree, node);
	free(node);
}

static void test_random(void **state)
{
	struct model m = {0};
	uint32_t seed = 1;

	(void)state;
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int first = next_random(&seed) % SPACE;
		unsigned int last = first + next_random(&seed) % 8;
		struct svf_itree_node *hit;

		if (last >= SPACE)
			last = SPACE - 1;
		hit = svf_itree_first(&m.tree, first, last);
		assert_ptr_equal(hit, model_first(&m, first, last));
		if (hit && next_random(&seed) % 2)
			model_remove(&m, hit);
		else
			model_insert(&m, first, last);
		if (step % 16 == 0)
			model_check(&m);
	}
	while (m.tree.root)
		model_remove(&m, m.tree.root);
	model_check(&m);
}

static void test_whole_space(void **state)
{
	struct svf_itree tree = {0};
	struct svf_itree_node all = {.first = 0, .last = UINT64_MAX},
			      one = {.first = UINT64_MAX, .last = UINT64_MAX};

	(void)state;
	assert_null(svf_itree_first(&tree, 0, UINT64_MAX));
	assert_true(svf_itree_insert(&tree, &all));
	assert_false(svf_itree_insert(&tree, &one));
	assert_ptr_equal(svf_itree_first(&tree, UINT64_MAX, UINT64_MAX), &all);
	assert_null(svf_itree_next(&all));
	svf_itree_remove(&tree, &all);
	assert_true(svf_itree_insert(&tree, &one));
	assert_null(svf_itree_first(&tree, 0, UINT64_MAX - 1));
	svf_itree_remove(&tree, &one);
	assert_null(tree.root);
}

/* In ascending order, which makes a list of a tree that is not balanced. */
static void test_ascending_stays_shallow(void **state)
{
	struct svf_itree_node *nodes = calloc(FILLED, sizeof(*nodes));
	struct svf_itree tree = {0};

	(void)state;
	assert_non_null(nodes);
	for (uint64_t i = 0; i < FILLED; i++) {
		nodes[i].first = i * 4096;
		nodes[i].last = i * 4096 + 4095;
		assert_true(svf_itree_insert(&tree, &nodes[i]));
	}
	assert_int_equal(check_subtree(tree.root, NULL), 16);
	for (uint64_t i = 0; i < FILLED; i++)
		svf_itree_remove(&tree, &nodes[i]);
	assert_null(tree.root);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_whole_space),
		cmocka_unit_test(test_ascending_stays_shallow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
