/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads against each other on one iommufd.
 *
 *	race COUNT SEED BDF BDF
 *
 * Each thread has a device of its own, bound to the iommufd that both share. Both make COUNT random
 * calls: IOASes and HWPTs come and go in a table that both use without asking, memory is mapped,
 * copied and unmapped in them, devices are attached, replaced, detached, closed and bound anew while
 * the other thread destroys what they are attached to. Each call gives one of the errnos that its
 * command has on a kernel. In the end everything can be taken down, and both devices still work.
 *
 * Prints "errno count" lines and what was wrong; the exit status is 0 when nothing was.
 */
#include "client.h"

#include <pthread.h>

#define IOAS_COPY  _IO(';', 0x83)
#define HWPT_ALLOC _IO(';', 0x89)
#define PAGE	   4096u
#define PAGES	   16u
#define SLOTS	   8u
#define ERRNOS	   200
#define SHOWN	   5u /* of what is wrong */

struct ioas_copy {
	uint32_t size, flags, dst_ioas_id, src_ioas_id;
	uint64_t length, dst_iova, src_iova;
};

struct hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, reserved2;
};

/* What both threads share. */
static int iommufd;
static uint32_t slots[SLOTS]; /* ids of IOASes and HWPTs, or of what was one; atomic */
static char *memory;

struct racer {
	pthread_t thread;
	const char *bdf;
	uint64_t state, calls;
	int fd;
	uint32_t id;
	uint64_t counts[ERRNOS], wrong;
	uint32_t *busy; /* displaced while in use; to be destroyed in the end */
	size_t busy_count;
};

static uint64_t dice(struct racer *racer, uint64_t sides)
{
	return client_random(&racer->state) % sides;
}

static uint32_t some_id(struct racer *racer)
{
	return __atomic_load_n(&slots[dice(racer, SLOTS)], __ATOMIC_RELAXED);
}

/* Puts a new object into a slot, and destroys the one that was there. */
static void keep(struct racer *racer, uint32_t id)
{
	struct {
		uint32_t size, id;
	} destroy = {sizeof(destroy), 0};

	destroy.id = __atomic_exchange_n(&slots[dice(racer, SLOTS)], id, __ATOMIC_RELAXED);
	if (destroy.id && client_ioctl(iommufd, CLIENT_IOMMU_DESTROY, &destroy) == -EBUSY)
		racer->busy[racer->busy_count++] = destroy.id;
}

static int bind_again(struct racer *racer)
{
	struct client_bind bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	int ret;

	if (racer->fd >= 0)
		close(racer->fd);
	racer->fd = client_cdev_open(racer->bdf);
	if (racer->fd < 0)
		return racer->fd;
	ret = client_ioctl(racer->fd, CLIENT_BIND_IOMMUFD, &bind);
	racer->id = bind.out_devid;
	return ret;
}

static int alloc_ioas(struct racer *racer)
{
	struct client_ioas_alloc ioas = {.size = sizeof(ioas)};
	int ret = client_ioctl(iommufd, CLIENT_IOAS_ALLOC, &ioas);

	if (!ret)
		keep(racer, ioas.out_ioas_id);
	return ret;
}

static int alloc_hwpt(struct racer *racer)
{
	struct hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .dev_id = racer->id, .pt_id = some_id(racer)};
	int ret = client_ioctl(iommufd, HWPT_ALLOC, &hwpt);

	if (!ret)
		keep(racer, hwpt.out_hwpt_id);
	return ret;
}

static int destroy(struct racer *racer)
{
	struct {
		uint32_t size, id;
	} arg = {sizeof(arg), some_id(racer)};

	return client_ioctl(iommufd, CLIENT_IOMMU_DESTROY, &arg);
}

static int map(struct racer *racer)
{
	uint64_t first = dice(racer, PAGES), count = 1 + dice(racer, PAGES - first);
	struct client_ioas_map arg = {
		.size = sizeof(arg),
		.flags = CLIENT_MAP_FIXED | CLIENT_MAP_WRITE | CLIENT_MAP_READ,
		.ioas_id = some_id(racer),
		.user_va = (uintptr_t)memory + first * PAGE,
		.length = count * PAGE,
		.iova = dice(racer, PAGES) * PAGE,
	};

	return client_ioctl(iommufd, CLIENT_IOAS_MAP, &arg);
}

static int unmap(struct racer *racer)
{
	bool all = !dice(racer, 4);
	struct client_ioas_unmap arg = {
		.size = sizeof(arg),
		.ioas_id = some_id(racer),
		.iova = all ? 0 : dice(racer, PAGES) * PAGE,
		.length = all ? UINT64_MAX : (1 + dice(racer, PAGES)) * PAGE,
	};

	return client_ioctl(iommufd, CLIENT_IOAS_UNMAP, &arg);
}

static int copy(struct racer *racer)
{
	struct ioas_copy arg = {
		.size = sizeof(arg),
		.flags = CLIENT_MAP_FIXED | CLIENT_MAP_READ,
		.dst_ioas_id = some_id(racer),
		.src_ioas_id = some_id(racer),
		.length = (1 + dice(racer, 4)) * PAGE,
		.dst_iova = dice(racer, PAGES) * PAGE,
		.src_iova = dice(racer, PAGES) * PAGE,
	};

	return client_ioctl(iommufd, IOAS_COPY, &arg);
}

static int attach(struct racer *racer)
{
	struct client_attach arg = {.argsz = sizeof(arg), .pt_id = some_id(racer)};

	return client_ioctl(racer->fd, CLIENT_ATTACH_PT, &arg);
}

static int detach(struct racer *racer)
{
	uint32_t arg[2] = {sizeof(arg), 0};

	return client_ioctl(racer->fd, CLIENT_DETACH_PT, arg);
}

static const struct {
	const char *name;
	int (*go)(struct racer *racer);
	unsigned int weight;
	int errnos[6]; /* besides 0 */
} calls[] = {
	{"bind", bind_again, 1, {0}},
	{"IOAS_ALLOC", alloc_ioas, 6, {0}},
	{"HWPT_ALLOC", alloc_hwpt, 6, {ENOENT, EINVAL, EOPNOTSUPP}},
	{"DESTROY", destroy, 6, {ENOENT, EBUSY}},
	{"IOAS_MAP", map, 20, {ENOENT, EEXIST}},
	{"IOAS_UNMAP", unmap, 12, {ENOENT}},
	{"IOAS_COPY", copy, 8, {ENOENT, EEXIST, EINVAL}},
	{"ATTACH", attach, 12, {ENOENT, EINVAL}},
	{"DETACH", detach, 4, {0}},
};

static void one_call(struct racer *racer)
{
	uint64_t left = dice(racer, 75);
	size_t i = 0;
	int ret;

	for (; left >= calls[i].weight; i++)
		left -= calls[i].weight;
	ret = calls[i].go(racer);
	racer->counts[ret < 0 && ret > -ERRNOS ? -ret : 0]++;
	if (ret >= 0)
		return;
	for (const int *errnos = calls[i].errnos; *errnos; errnos++)
		if (*errnos == -ret)
			return;
	if (racer->wrong++ < SHOWN)
		printf("# %s: %s\n", calls[i].name, strerrorname_np(-ret));
}

static void *run(void *argument)
{
	struct racer *racer = argument;

	for (uint64_t i = 0; i < racer->calls; i++)
		one_call(racer);
	return NULL;
}

static int destroy_id(uint32_t id)
{
	uint32_t arg[2] = {sizeof(arg), id};

	return client_ioctl(iommufd, CLIENT_IOMMU_DESTROY, arg);
}

/*
 * Everything goes: the devices, whose ids the table may hold as well, since ids are given again; then
 * HWPTs before the IOASes below them, so IOASes may have to be asked twice.
 */
static uint64_t take_down(struct racer racers[2])
{
	uint64_t wrong = 0;

	for (int i = 0; i < 2; i++) {
		wrong += detach(&racers[i]) != 0;
		close(racers[i].fd);
	}
	for (int pass = 0; pass < 3; pass++) {
		for (uint32_t i = 0; i < SLOTS; i++)
			if (destroy_id(slots[i]) != -ENOENT && pass == 2)
				wrong++;
		for (int i = 0; i < 2; i++)
			for (size_t k = 0; k < racers[i].busy_count; k++)
				if (destroy_id(racers[i].busy[k]) != -ENOENT && pass == 2)
					wrong++;
	}
	return wrong;
}

static uint64_t works(struct racer *racer)
{
	struct client_device device = CLIENT_DEVICE_NONE;
	int ret = client_open_by_cdev(&device, racer->bdf, NULL);

	if (!ret)
		ret = client_map(&device, memory, PAGES * PAGE, 0);
	if (!ret)
		ret = client_config_word(device.fd, 0) < 0;
	client_close(&device);
	if (ret)
		printf("# %s does not work any more: %d\n", racer->bdf, ret);
	return ret != 0;
}

int main(int argc, char **argv)
{
	struct racer racers[2] = {{.fd = -1}, {.fd = -1}};
	uint64_t wrong;

	if (argc != 5)
		return fprintf(stderr, "usage: %s COUNT SEED BDF BDF\n", argv[0]), 2;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	iommufd = client_open("/dev/iommu");
	for (uint64_t i = 0; i < 2; i++) {
		racers[i].bdf = argv[3 + i];
		racers[i].calls = strtoull(argv[1], NULL, 0);
		racers[i].busy = calloc(racers[i].calls + 1, sizeof(uint32_t));
		racers[i].state = (strtoull(argv[2], NULL, 0) * 2 + i) * 2 + 1;
		if (!racers[i].busy || bind_again(&racers[i]))
			return fprintf(stderr, "cannot bind %s\n", argv[3 + i]), 2;
	}
	for (int i = 0; i < 2; i++)
		if (pthread_create(&racers[i].thread, NULL, run, &racers[i]))
			return 2;
	for (int i = 0; i < 2; i++)
		pthread_join(racers[i].thread, NULL);
	wrong = racers[0].wrong + racers[1].wrong + take_down(racers);
	for (int i = 0; i < ERRNOS; i++)
		if (racers[0].counts[i] || racers[1].counts[i])
			printf("%s %llu\n", i ? strerrorname_np(i) : "success",
			       (unsigned long long)(racers[0].counts[i] + racers[1].counts[i]));
	close(iommufd);
	free(racers[0].busy);
	free(racers[1].busy);
	wrong += works(&racers[0]) + works(&racers[1]);
	return wrong != 0;
}
