/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of names: what a round keeps, what it removes, and that a round which runs out of
 * memory changes nothing. Allocations are made to fail by the linker's --wrap=calloc.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/files/node.h"
#include "host/host.h"

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static unsigned int calls_until_failure; /* 0: never */

void *__wrap_calloc(size_t n, size_t size)
{
	if (calls_until_failure && !--calls_until_failure)
		return NULL;
	return __real_calloc(n, size);
}

static const struct svf_attr attr_a = {.name = "a", .mode = 0644};
static int object_1, object_2;

static int setup(void **state)
{
	struct svf_host *host = test_calloc(1, sizeof(*host));

	host->options.uid = 7;
	host->tree = svf_tree_alloc(host);
	assert_non_null(host->tree);
	*state = host;
	return 0;
}

static int teardown(void **state)
{
	struct svf_host *host = *state;

	svf_tree_destroy(host->tree);
	test_free(host);
	return 0;
}

/* /dir/a for object, and /dir/link. Return: what end says. */
static int state_small(struct svf_tree *tree, void *object, const char *target)
{
	struct svf_tree_node *dir;

	svf_tree_begin(tree);
	dir = svf_tree_dir(tree, svf_tree_root(tree), "dir");
	svf_tree_attr(tree, dir, "a", &attr_a, object, 0);
	svf_tree_link(tree, dir, "link", target);
	return svf_tree_end(tree);
}

static struct svf_tree_node *find(struct svf_tree *tree, const char *dir, const char *name)
{
	struct svf_tree_node *node = svf_tree_lookup(tree, svf_tree_root(tree), dir);

	return node && name ? svf_tree_lookup(tree, node, name) : node;
}

static void test_same_statement_keeps_numbers(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	uint64_t dir, a, link;

	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	dir = find(tree, "dir", NULL)->ino;
	a = find(tree, "dir", "a")->ino;
	link = find(tree, "dir", "link")->ino;
	assert_int_equal(find(tree, "dir", "a")->uid, 7);
	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	assert_int_equal(find(tree, "dir", NULL)->ino, dir);
	assert_int_equal(find(tree, "dir", "a")->ino, a);
	assert_int_equal(find(tree, "dir", "link")->ino, link);
}

static void test_other_object_is_another_node(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	struct svf_tree_node *old;
	uint64_t ino;

	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	old = find(tree, "dir", "a");
	ino = old->ino;
	svf_tree_node_get(old);
	assert_int_equal(state_small(tree, &object_2, "elsewhere"), 0);
	assert_int_not_equal(find(tree, "dir", "a")->ino, ino);
	assert_ptr_equal(find(tree, "dir", "a")->attr.object, &object_2);
	assert_string_equal(find(tree, "dir", "link")->target, "elsewhere");
	/* Held, it is still there, but no name leads to it. */
	assert_false(old->alive);
	assert_ptr_equal(svf_tree_by_ino(tree, ino), old);
	svf_tree_node_put(tree, old);
	assert_null(svf_tree_by_ino(tree, ino));
}

static void test_removed_directory_and_its_lookups(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	struct svf_tree_node *dir;
	uint64_t ino;

	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	dir = find(tree, "dir", NULL);
	ino = dir->ino;
	dir->lookups = 3;
	assert_int_equal(svf_tree_root(tree)->subdirs, 1);
	svf_tree_begin(tree);
	assert_int_equal(svf_tree_end(tree), 0);
	assert_null(find(tree, "dir", NULL));
	assert_int_equal(svf_tree_root(tree)->subdirs, 0);
	assert_true(svf_list_empty(&dir->children));
	svf_tree_forget(tree, dir, 2);
	assert_ptr_equal(svf_tree_by_ino(tree, ino), dir);
	/* More than there are: the kernel's count is not trusted. */
	svf_tree_forget(tree, dir, 9);
	assert_null(svf_tree_by_ino(tree, ino));
}

static void test_no_memory_changes_nothing(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	unsigned int n;
	int err;

	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	for (n = 1; n < 10; n++) {
		uint64_t ino = find(tree, "dir", "a")->ino;

		calls_until_failure = n;
		err = state_small(tree, &object_2, "elsewhere");
		calls_until_failure = 0;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(find(tree, "dir", "a")->ino, ino);
		assert_ptr_equal(find(tree, "dir", "a")->attr.object, &object_1);
		assert_string_equal(find(tree, "dir", "link")->target, "a");
	}
	/* Two nodes are new, so two allocations could fail. */
	assert_int_equal(n, 3);
	assert_ptr_equal(find(tree, "dir", "a")->attr.object, &object_2);
}

static void state_many(struct svf_tree *tree, unsigned int first, unsigned int count)
{
	struct svf_tree_node *dir;
	char name[16];

	svf_tree_begin(tree);
	dir = svf_tree_dir(tree, svf_tree_root(tree), "many");
	for (unsigned int i = first; i < first + count; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_non_null(svf_tree_dir(tree, dir, name));
	}
	assert_int_equal(svf_tree_end(tree), 0);
}

static void test_many_names(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	struct svf_tree_node *node;
	uint64_t last = 0;

	state_many(tree, 0, 5000);
	assert_int_equal(find(tree, "many", NULL)->subdirs, 5000);
	assert_non_null(find(tree, "many", "n4999"));
	state_many(tree, 2500, 5000);
	assert_null(find(tree, "many", "n2499"));
	assert_non_null(find(tree, "many", "n2500"));
	assert_non_null(find(tree, "many", "n7499"));
	/* The order on which reading a directory in pieces relies. */
	svf_list_for_each(node, &find(tree, "many", NULL)->children, sibling) {
		assert_true(node->ino > last);
		last = node->ino;
	}
}

static void test_path(void **state)
{
	struct svf_tree *tree = ((struct svf_host *)*state)->tree;
	struct svf_tree_node *node;
	char path[32], small[5];

	assert_int_equal(state_small(tree, &object_1, "a"), 0);
	node = find(tree, "dir", "link");
	svf_tree_node_path(node, path, sizeof(path));
	assert_string_equal(path, "/dir/link");
	/* What does not fit is the beginning. */
	svf_tree_node_path(node, small, sizeof(small));
	assert_string_equal(small, "");
	svf_tree_node_path(find(tree, "dir", "a"), small, sizeof(small));
	assert_string_equal(small, "/a");
	svf_tree_node_get(node);
	svf_tree_begin(tree);
	assert_int_equal(svf_tree_end(tree), 0);
	svf_tree_node_path(node, path, sizeof(path));
	assert_string_equal(path, "link (gone)");
	svf_tree_node_put(tree, node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_statement_keeps_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_object_is_another_node, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_directory_and_its_lookups, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_memory_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
