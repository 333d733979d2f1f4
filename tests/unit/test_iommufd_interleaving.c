/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two clients of one iommufd against each other: short programs of calls, two at a time, in every order
 * in which their calls can arrive. The core is entered by one call at a time, so these orders are all
 * that threads could bring about. After each call everything must be consistent, whatever it answered:
 *
 *	users of an object are those that refer to it	each page that is pinned is charged once
 *	a requester translates by what it is attached to	mappings are aligned, and in no reserved range
 *	what is pinned is mapped			a device reaches what is mapped, and nothing else
 */
#include "base/checked.h"
#include "core/iommu/requester.h"
#include "core/iommufd/access.h"
#include "core/iommufd/hwpt.h"
#include "iommufd.h"

#define STEPS	 5
#define PROBES	 8
#define WINDOW	 0x100000ull /* where programs map */
#define MEMLOCK	 64	     /* pages */
#define NR_NAMES 6

enum what {
	IOAS,	 /* name = a new IOAS */
	DESTROY, /* name */
	MAP,	 /* IOAS name: pages b from page a on */
	UNMAP,
	UNMAP_ALL,
	COPY, /* into IOAS name at page b: one page of IOAS a from page 0 on */
	BIND, /* device a */
	UNBIND,
	ATTACH, /* device a to name; replaces */
	DETACH,
	HWPT,	/* name = a new HWPT of IOAS b for device a */
	ACCESS, /* an access to IOAS name */
	FOLLOW, /* moves it to IOAS name */
	PIN,	/* page a of what it is attached to */
	LEAVE,	/* the access ends */
	PAGES,	/* IOAS name: no large pages if a is 0 */
	ALLOW,	/* IOAS name: pages 0 to a only */
};

struct step {
	enum what what;
	uint8_t name, a, b;
};

/* Names 0 and 1 are IOASes at the start, and each client has what it makes under a name of its own. */
static const struct step programs[][STEPS] = {
	{{BIND, 0, 0, 0},
	 {ATTACH, 0, 0, 0},
	 {ATTACH, 1, 0, 0},
	 {DETACH, 0, 0, 0},
	 {UNBIND, 0, 0, 0}},
	{{BIND, 0, 1, 0}, {ATTACH, 1, 1, 0}, {MAP, 1, 0, 3}, {UNBIND, 0, 1, 0}, {DESTROY, 1, 0, 0}},
	{{MAP, 0, 0, 2}, {COPY, 1, 0, 4}, {UNMAP, 0, 0, 2}, {MAP, 0, 1, 2}, {UNMAP_ALL, 1, 0, 0}},
	{{IOAS, 2, 0, 0},
	 {COPY, 2, 0, 0},
	 {COPY, 0, 2, 1},
	 {DESTROY, 2, 0, 0},
	 {UNMAP_ALL, 0, 0, 0}},
	{{ACCESS, 0, 0, 0}, {PIN, 0, 0, 0}, {FOLLOW, 1, 0, 0}, {PIN, 0, 4, 0}, {LEAVE, 0, 0, 0}},
	{{MAP, 0, 0, 2}, {UNMAP, 0, 0, 2}, {MAP, 0, 0, 1}, {UNMAP, 0, 0, 2}, {DESTROY, 0, 0, 0}},
	{{BIND, 0, 2, 0},
	 {HWPT, 3, 2, 0},
	 {ATTACH, 3, 2, 0},
	 {DESTROY, 3, 0, 0},
	 {UNBIND, 0, 2, 0}},
	{{BIND, 0, 3, 0},
	 {ATTACH, 0, 3, 0},
	 {ATTACH, 1, 3, 0},
	 {ATTACH, 3, 3, 0},
	 {DETACH, 0, 3, 0}},
	{{PAGES, 0, 0, 0}, {MAP, 0, 5, 1}, {ALLOW, 0, 6, 0}, {PAGES, 0, 1, 0}, {ALLOW, 0, 3, 0}},
	{{BIND, 0, 0, 0}, {HWPT, 4, 0, 1}, {COPY, 1, 0, 2}, {ATTACH, 4, 0, 0}, {MAP, 1, 6, 1}},
};
#define NR_PROGRAMS SVF_ARRAY_SIZE(programs)

struct client {
	struct svf_access *access;
	struct svf_pin pin;
	bool pinned;
};

static struct {
	struct fixture *f;
	struct client clients[2];
	struct svf_idevice *devices[4];
	uint32_t names[NR_NAMES];
} world;

static struct svf_function *function_of(unsigned int device)
{
	struct fixture *f = world.f;

	return device == 0 ? f->a : device == 1 ? f->b : f->shared[device - 2];
}

/* --- steps: what they answer is not looked at, but for its reason --- */

static void unpin(struct svf_access *access, uint64_t first, uint64_t last)
{
	struct client *client = access->data;

	(void)first;
	(void)last;
	if (client->pinned)
		svf_access_unpin(&client->pin);
	client->pinned = false;
}

static const struct svf_access_ops access_ops = {.needs_pin_pages = true, .unmap = unpin};

static struct svf_ioas *find_ioas(uint8_t name)
{
	struct svf_iobject *object =
		svf_iobject_lookup(world.f->ictx, world.names[name], SVF_IOBJECT_IOAS);

	return object ? svf_container_of(object, struct svf_ioas, obj) : NULL;
}

static void do_ioas(uint8_t name)
{
	struct iommu_ioas_alloc cmd = {.size = sizeof(cmd)};

	if (COMMAND(world.f, IOMMU_IOAS_ALLOC, &cmd) == 0)
		world.names[name] = cmd.out_ioas_id;
}

static void do_copy(const struct step *step)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = FIXED,
		.dst_ioas_id = world.names[step->name],
		.src_ioas_id = world.names[step->a],
		.length = PAGE,
		.dst_iova = WINDOW + step->b * PAGE,
		.src_iova = WINDOW,
	};

	(void)COMMAND(world.f, IOMMU_IOAS_COPY, &cmd);
}

static void do_map(const struct step *step)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = FIXED,
		.ioas_id = world.names[step->name],
		.user_va = user(world.f->memory + step->a * PAGE),
		.length = step->b * PAGE,
		.iova = WINDOW + step->a * PAGE,
	};

	(void)COMMAND(world.f, IOMMU_IOAS_MAP, &cmd);
}

static void do_unmap(const struct step *step)
{
	bool all = step->what == UNMAP_ALL;
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = world.names[step->name],
		.iova = all ? 0 : WINDOW + step->a * PAGE,
		.length = all ? UINT64_MAX : step->b * PAGE,
	};

	(void)COMMAND(world.f, IOMMU_IOAS_UNMAP, &cmd);
}

static void do_hwpt(const struct step *step)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = world.devices[step->a] ? world.devices[step->a]->obj.id : 0,
		.pt_id = world.names[step->b],
	};

	if (COMMAND(world.f, IOMMU_HWPT_ALLOC, &cmd) == 0)
		world.names[step->name] = cmd.out_hwpt_id;
}

static void do_device(const struct step *step)
{
	struct svf_call call = test_call(world.f->machine);
	struct svf_idevice **device = &world.devices[step->a];
	uint32_t id = world.names[step->name];

	if (step->what == BIND) {
		if (!*device &&
		    svf_idevice_bind(world.f->ictx, function_of(step->a), &call, device, &id))
			*device = NULL;
	} else if (*device && step->what == UNBIND) {
		svf_idevice_unbind(*device);
		*device = NULL;
	} else if (*device && step->what == DETACH) {
		svf_idevice_detach(*device);
	} else if (*device) {
		int err = (*device)->attached ? svf_idevice_replace(*device, &call, &id)
					      : svf_idevice_attach(*device, &call, &id);

		assert_int_equal(err != 0, call.reason[0] != '\0');
	}
}

static void do_access(struct client *client, const struct step *step)
{
	struct svf_call call = test_call(world.f->machine);
	int err = 0;

	if (step->what == ACCESS && !client->access)
		err = svf_access_create(world.f->ictx, &call, &access_ops, client, &client->access);
	if (!client->access || err)
		return;
	if (step->what == ACCESS || step->what == FOLLOW)
		(void)!svf_access_change_ioas(client->access, &call, find_ioas(step->name));
	else if (step->what == PIN && !client->pinned) {
		client->pin.range.first = WINDOW + step->a * PAGE;
		client->pin.range.last = client->pin.range.first + PAGE - 1;
		client->pinned = svf_access_pin(client->access, &call, &client->pin, true) == 0;
	} else if (step->what == LEAVE) {
		unpin(client->access, 0, UINT64_MAX);
		svf_access_destroy(client->access);
		client->access = NULL;
	}
}

static void do_pages(const struct step *step)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = world.names[step->name],
		.val64 = step->a,
	};

	(void)COMMAND(world.f, IOMMU_OPTION, &cmd);
}

static void do_allow(const struct step *step)
{
	struct iommu_iova_range *range = (void *)(world.f->memory + 15 * PAGE);
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = world.names[step->name],
		.num_iovas = 1,
		.allowed_iovas = user(range),
	};

	*range = (struct iommu_iova_range){WINDOW, WINDOW + step->a * PAGE - 1};
	(void)COMMAND(world.f, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static void make(struct client *client, const struct step *step)
{
	struct iommu_destroy destroy = {.size = sizeof(destroy), .id = world.names[step->name]};

	switch (step->what) {
	case IOAS:
		do_ioas(step->name);
		break;
	case DESTROY:
		(void)COMMAND(world.f, IOMMU_DESTROY, &destroy);
		break;
	case MAP:
		do_map(step);
		break;
	case UNMAP:
	case UNMAP_ALL:
		do_unmap(step);
		break;
	case COPY:
		do_copy(step);
		break;
	case HWPT:
		do_hwpt(step);
		break;
	case BIND:
	case UNBIND:
	case ATTACH:
	case DETACH:
		do_device(step);
		break;
	case PAGES:
		do_pages(step);
		break;
	case ALLOW:
		do_allow(step);
		break;
	default:
		do_access(client, step);
		break;
	}
}

/* --- what holds after each --- */

static struct svf_iobject *object_at(uint32_t id)
{
	return svf_iobject_lookup(world.f->ictx, id, SVF_IOBJECT_ANY);
}

/* Who holds the object, by what the others refer to. */
static unsigned int holders(const struct svf_iobject *held)
{
	unsigned int count = held->type == SVF_IOBJECT_DEVICE || held->type == SVF_IOBJECT_ACCESS;

	for (uint32_t id = 1; id <= world.f->ictx->objects.size; id++) {
		struct svf_iobject *object = object_at(id);

		if (object && object->type == SVF_IOBJECT_HWPT_PAGING)
			count += &svf_container_of(object, struct svf_hwpt, obj)->ioas->obj == held;
		if (object && object->type == SVF_IOBJECT_ACCESS) {
			struct svf_access *access =
				svf_container_of(object, struct svf_access, obj);

			count += access->ioas && &access->ioas->obj == held;
		}
		if (object && object->type == SVF_IOBJECT_DEVICE) {
			struct svf_idevice *device =
				svf_container_of(object, struct svf_idevice, obj);

			count += device->attached && &device->igroup->hwpt->obj == held;
		}
	}
	return count;
}

/* The pages that are charged: of a mapping alone, or of those that copies share, once. */
static struct charged {
	const void *owner;
	uint64_t page;
} charged[256];
static unsigned int nr_charged;

static void count_charged(const struct svf_mapping *map)
{
	const void *owner = map->pages ? (const void *)map->pages : map;
	unsigned int seen;

	for (uint64_t at = map->node.first; at < map->node.last; at += PAGE) {
		uint64_t page = (map->vaddr + (at - map->node.first)) / PAGE;

		for (seen = 0; seen < nr_charged; seen++)
			if (charged[seen].owner == owner && charged[seen].page == page)
				break;
		assert_true(seen < SVF_ARRAY_SIZE(charged));
		charged[seen] = (struct charged){owner, page};
		nr_charged += seen == nr_charged;
	}
}

static void check_mappings(const struct svf_ioas *ioas, unsigned int *count)
{
	const struct svf_itree_node *node = svf_itree_first(&ioas->space.tree, 0, UINT64_MAX);
	struct svf_iova_range reserved;

	for (; node; node = svf_itree_next(node), ++*count) {
		const struct svf_mapping *map = svf_container_of(node, struct svf_mapping, node);

		assert_true(svf_is_aligned(node->first, ioas->alignment));
		assert_true(svf_is_aligned(node->last + 1, ioas->alignment));
		assert_false(svf_ioas_first_reserved(ioas, node->first, node->last, &reserved));
		assert_int_equal(map->accounted, ioas->domains > 0);
		if (map->accounted)
			count_charged(map);
	}
}

static void check_device(const struct svf_idevice *device)
{
	const struct svf_igroup *igroup = device->igroup;
	const struct svf_ioas *ioas = igroup->hwpt ? igroup->hwpt->ioas : NULL;
	struct svf_call call = test_call(world.f->machine);

	(void)call;
	assert_int_equal(igroup->attached > 0, igroup->hwpt != NULL);
	assert_ptr_equal(device->fn->requester->space, ioas ? &ioas->space : NULL);
	for (uint64_t at = WINDOW; at < WINDOW + PROBES * PAGE; at += PAGE) {
		bool mapped = ioas && svf_iova_space_first(&ioas->space, at, at);
		uint8_t byte;

		assert_int_equal(svf_dma_read(device->fn, at, &byte, 1), mapped ? 0 : -EFAULT);
	}
}

static void check_pins(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct client *client = &world.clients[i];

		if (client->pinned)
			assert_non_null(svf_iova_space_first(&client->access->ioas->space,
							     client->pin.range.first,
							     client->pin.range.first));
	}
}

static void check(void)
{
	unsigned int objects = 0, mappings = 0;

	nr_charged = 0;
	for (uint32_t id = 1; id <= world.f->ictx->objects.size; id++) {
		struct svf_iobject *object = object_at(id);

		if (!object)
			continue;
		objects++;
		assert_int_equal(object->users, holders(object));
		if (object->type == SVF_IOBJECT_IOAS)
			check_mappings(svf_container_of(object, struct svf_ioas, obj), &mappings);
		if (object->type == SVF_IOBJECT_DEVICE)
			check_device(svf_container_of(object, struct svf_idevice, obj));
	}
	check_pins();
	assert_int_equal(objects, world.f->machine->used.objects);
	assert_int_equal(mappings, world.f->machine->used.mappings);
	assert_int_equal(nr_charged, test_locked_pages(0));
}

/* --- all orders of two programs --- */

static void begin(void **state)
{
	assert_int_equal(fixture_setup(state), 0);
	memset(&world, 0, sizeof(world));
	world.f = *state;
	world.f->machine->params.enforce_memlock = true;
	test_lock_limit(0, MEMLOCK);
	do_ioas(0);
	do_ioas(1);
	make(NULL, &(struct step){MAP, 0, 0, 2});
	check();
}

static void end(void **state)
{
	for (unsigned int i = 0; i < 2; i++)
		make(&world.clients[i], &(struct step){LEAVE, 0, 0, 0});
	for (uint8_t i = 0; i < SVF_ARRAY_SIZE(world.devices); i++)
		make(NULL, &(struct step){UNBIND, 0, i, 0});
	check();
	assert_int_equal(fixture_teardown(state), 0);
}

/* The first client makes its next step where order has a bit. */
static void run(const struct step *first, const struct step *second, unsigned int order)
{
	unsigned int next[2] = {0, 0};
	void *state;

	begin(&state);
	for (unsigned int i = 0; i < 2 * STEPS; i++) {
		unsigned int who = !(order >> i & 1);

		make(&world.clients[who], &(who ? second : first)[next[who]++]);
		check();
	}
	end(&state);
}

static void all_orders(void **state)
{
	unsigned int runs = 0;

	(void)state;
	for (size_t i = 0; i < NR_PROGRAMS; i++)
		for (size_t j = i; j < NR_PROGRAMS; j++)
			for (unsigned int order = 0; order < 1u << 2 * STEPS; order++)
				if (__builtin_popcount(order) == STEPS) {
					run(programs[i], programs[j], order);
					runs++;
				}
	/* Pairs of programs, times 10 over 5. */
	assert_int_equal(runs, NR_PROGRAMS * (NR_PROGRAMS + 1) / 2 * 252);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_orders)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
