/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ioat devices of one group, each attached to an IOAS of its own in one iommufd, each driven by a process
 * of its own that copies in its own memory:
 *
 *	neighbours own A B	both copy at the same time, at the same IOVAs
 *	neighbours foreign A B	A is given IOVAs that only B has, for all that it reads and writes
 *	neighbours churn A B	A is detached, attached and replaced all the time while B copies
 *	neighbours killed A B	B's process is killed while it copies; A copies on
 *	neighbours shared A B	A and B cannot be attached apart: prints the errno
 *
 * Every copy is compared byte by byte, and memory that no copy was for must not change. Prints "fine" at the end,
 * or what was wrong.
 */
#include "client.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define COMMAND	       4 /* of config space */
#define COMMAND_ON     6 /* memory, bus master */

#define CHANCMD	       0x84
#define DMACOUNT       0x86
#define CHANSTS	       0x88
#define CHAINADDR      0x90
#define CHANCMP	       0x98
#define CHANERR	       0xa8
#define RESET	       0x20
#define STATE	       7
#define FINISHED       1
#define HALTED	       3
#define WRITE_STATUS   8u /* of a descriptor: completion is to be written */

#define ERR_SOURCE     0x0001u
#define ERR_TARGET     0x0002u
#define ERR_CHAIN      0x0004u
#define ERR_COMPLETION 0x1000u

/* The memory of each device; where the IOAS has it is its own. */
#define HALF	   (64u << 10)
#define PIECE	   (16u << 10)
#define PIECES	   (HALF / PIECE)
#define TARGET	   HALF
#define CHAIN	   (2 * HALF)
#define COMPLETION (CHAIN + 4096u)
#define SIZE	   (COMPLETION + 4096u)
#define IOVA	   0x10000000ull /* of both */
#define APART	   0x80000000ull /* of B alone */

#define ROUNDS	   50
#define TRIES	   1000

struct descriptor {
	uint32_t size, control;
	uint64_t source, target, next, rest[4];
};

struct engine {
	struct client_device device;
	uint64_t bar;
	uint8_t *memory;
	uint64_t random;
};

static struct engine a = {.device = CLIENT_DEVICE_NONE}, b = {.device = CLIENT_DEVICE_NONE};

static void die(const char *what, int error)
{
	printf("%s: %s\n", what, strerror(error));
	exit(1);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		die(what, -ret);
	return ret;
}

/* --- devices --- */

static void bind_device(struct engine *engine, const char *bdf, int iommufd)
{
	struct client_device *device = &engine->device;
	struct client_bind bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	struct client_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct vfio_region_info info;
	uint16_t on = COMMAND_ON;

	device->container = iommufd;
	device->fd = must(client_cdev_open(bdf), bdf);
	must(client_ioctl(device->fd, CLIENT_BIND_IOMMUFD, &bind), "BIND");
	must(client_ioctl(iommufd, CLIENT_IOAS_ALLOC, &ioas), "IOAS_ALLOC");
	device->ioas = ioas.out_ioas_id;
	must(client_region(device->fd, VFIO_PCI_CONFIG_REGION_INDEX, &info), "config space");
	if (pwrite(device->fd, &on, sizeof(on), (off_t)info.offset + COMMAND) != sizeof(on))
		die("config space", errno);
	must(client_region(device->fd, VFIO_PCI_BAR0_REGION_INDEX, &info), "BAR 0");
	engine->bar = info.offset;
}

static int attach(const struct engine *engine, uint32_t ioas)
{
	struct client_attach attach = {.argsz = sizeof(attach), .pt_id = ioas};

	return client_ioctl(engine->device.fd, CLIENT_ATTACH_PT, &attach);
}

static void detach(const struct engine *engine)
{
	struct client_attach detach = {.argsz = 8};

	must(client_ioctl(engine->device.fd, CLIENT_DETACH_PT, &detach), "DETACH");
}

/* By the process whose memory it is to be. */
static void get_memory(struct engine *engine, uint64_t random, uint64_t iova)
{
	engine->random = random;
	engine->memory =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (engine->memory == MAP_FAILED)
		die("memory", errno);
	must(client_map(&engine->device, engine->memory, SIZE, iova), "MAP");
}

static void put(const struct engine *engine, uint64_t at, const void *value, size_t size)
{
	if (pwrite(engine->device.fd, value, size, (off_t)(engine->bar + at)) != (ssize_t)size)
		die("a register", errno);
}

static uint32_t get(const struct engine *engine, uint64_t at)
{
	uint32_t value;

	if (pread(engine->device.fd, &value, sizeof(value), (off_t)(engine->bar + at)) !=
	    sizeof(value))
		die("a register", errno);
	return value;
}

/* The chain at an IOVA, of count descriptors. Return: what CHANERR has then. */
static uint32_t run(const struct engine *engine, uint64_t chain, uint64_t completion,
		    uint16_t count)
{
	uint32_t error = get(engine, CHANERR), state;
	uint8_t reset = RESET;

	put(engine, CHANERR, &error, sizeof(error));
	put(engine, CHANCMD, &reset, sizeof(reset));
	put(engine, CHANCMP, &completion, 4);
	put(engine, CHANCMP + 4, (char *)&completion + 4, 4);
	put(engine, CHAINADDR, &chain, 4);
	put(engine, CHAINADDR + 4, (char *)&chain + 4, 4);
	put(engine, DMACOUNT, &count, sizeof(count));
	do {
		state = get(engine, CHANSTS) & STATE;
	} while (state != FINISHED && state != HALTED);
	return state == HALTED ? get(engine, CHANERR) : 0;
}

static struct descriptor *chain_of(const struct engine *engine)
{
	return (struct descriptor *)(void *)(engine->memory + CHAIN);
}

/* Copies one half of the memory at the IOVA to the other. Return: as run(). */
static uint32_t copy(struct engine *engine, uint64_t iova)
{
	struct descriptor *chain = chain_of(engine);

	for (unsigned int i = 0; i < PIECES; i++)
		chain[i] = (struct descriptor){.size = PIECE,
					       .control = WRITE_STATUS,
					       .source = iova + i * PIECE,
					       .target = iova + TARGET + i * PIECE,
					       .next = iova + CHAIN + (i + 1) * 64};
	return run(engine, iova + CHAIN, iova + COMPLETION, PIECES);
}

static void fill(struct engine *engine)
{
	for (unsigned int i = 0; i < HALF; i += 8) {
		uint64_t word = client_random(&engine->random);

		memcpy(engine->memory + i, &word, sizeof(word));
	}
}

/* Return: whether it was right. */
static bool round_of(struct engine *engine, uint64_t iova, const char *name)
{
	uint32_t error;

	fill(engine);
	error = copy(engine, iova);
	if (error) {
		printf("%s halted with 0x%x\n", name, error);
		return false;
	}
	if (!memcmp(engine->memory, engine->memory + TARGET, HALF))
		return true;
	printf("%s copied something else\n", name);
	return false;
}

/* --- B's process --- */

static int to_b[2], from_b[2];

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		die("a pipe", errno);
}

static void hear(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		die("a pipe", EPIPE);
}

/* Copies until told to stop, and at least ROUNDS times; its exit status says whether all was right. */
static void be_b(uint64_t iova)
{
	bool fine = true;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	get_memory(&b, 2, iova);
	must(attach(&b, b.device.ioas), "ATTACH of B");
	fcntl(to_b[0], F_SETFL, O_NONBLOCK);
	for (unsigned int i = 0; fine; i++) {
		char byte;

		fine = round_of(&b, iova, "B");
		if (i == 0)
			tell(from_b[1]);
		if (i >= ROUNDS && read(to_b[0], &byte, 1) == 1)
			break;
	}
	fflush(stdout);
	_exit(!fine);
}

static pid_t start_b(uint64_t iova)
{
	pid_t pid;

	if (pipe(to_b) || pipe(from_b))
		die("pipes", errno);
	pid = fork();
	if (pid == 0)
		be_b(iova);
	hear(from_b[0]);
	return pid;
}

/* Return: whether all was right in it. */
static bool stop_b(pid_t pid)
{
	int status;

	tell(to_b[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- what is tried --- */

static bool own(void)
{
	pid_t pid = start_b(IOVA);
	bool fine = true;

	get_memory(&a, 1, IOVA);
	must(attach(&a, a.device.ioas), "ATTACH of A");
	for (unsigned int i = 0; fine && i < ROUNDS; i++)
		fine = round_of(&a, IOVA, "A");
	return stop_b(pid) && fine;
}

static bool halts(uint32_t found, uint32_t expected, const char *what, uint64_t iova)
{
	if (found == expected)
		return true;
	printf("%s at 0x%lx: halted with 0x%x, not 0x%x\n", what, (unsigned long)iova, found,
	       expected);
	return false;
}

/* Each of the four addresses that a device is told is one of B's. */
static bool foreign_at(uint64_t iova)
{
	struct descriptor *chain = chain_of(&a);
	const struct descriptor good = {.size = 8,
					.control = WRITE_STATUS,
					.source = IOVA,
					.target = IOVA + TARGET,
					.next = IOVA + CHAIN};
	bool fine;

	*chain = good;
	fine = halts(run(&a, IOVA + CHAIN, IOVA + COMPLETION, 1), 0, "nothing", IOVA);
	chain->source = iova;
	fine &= halts(run(&a, IOVA + CHAIN, IOVA + COMPLETION, 1), ERR_SOURCE, "source", iova);
	*chain = good;
	chain->target = iova;
	fine &= halts(run(&a, IOVA + CHAIN, IOVA + COMPLETION, 1), ERR_TARGET, "target", iova);
	*chain = good;
	fine &= halts(run(&a, IOVA + CHAIN, iova, 1), ERR_COMPLETION, "completion", iova);
	fine &= halts(run(&a, iova & ~63ull, IOVA + COMPLETION, 1), ERR_CHAIN, "chain", iova);
	return fine;
}

static bool foreign(void)
{
	uint8_t *before = malloc(SIZE);
	bool fine = true;

	get_memory(&a, 1, IOVA);
	get_memory(&b, 2, APART);
	must(attach(&a, a.device.ioas), "ATTACH of A");
	must(attach(&b, b.device.ioas), "ATTACH of B");
	fine = round_of(&b, APART, "B");
	memcpy(before, b.memory, SIZE);
	for (unsigned int i = 0; fine && i < TRIES; i++)
		fine = foreign_at(APART + (client_random(&a.random) % (SIZE - 64) & ~7ull));
	if (memcmp(before, b.memory, SIZE)) {
		printf("B's memory has changed\n");
		fine = false;
	}
	free(before);
	return fine;
}

/* A has its own memory at times, an empty IOAS at times, or nothing. */
static bool churn(void)
{
	pid_t pid = start_b(IOVA);
	struct client_ioas_alloc other = {.size = sizeof(other)};
	bool fine = true;

	get_memory(&a, 1, IOVA);
	must(client_ioctl(a.device.container, CLIENT_IOAS_ALLOC, &other), "IOAS_ALLOC");
	for (unsigned int i = 0; fine && i < ROUNDS; i++) {
		must(attach(&a, a.device.ioas), "ATTACH of A");
		fine = round_of(&a, IOVA, "A");
		must(attach(&a, other.out_ioas_id), "replacing A's IOAS");
		fine &= halts(copy(&a, IOVA), ERR_CHAIN, "an empty IOAS", IOVA);
		must(attach(&a, a.device.ioas), "replacing it back");
		fine &= round_of(&a, IOVA, "A");
		detach(&a);
		fine &= halts(copy(&a, IOVA), ERR_CHAIN, "detached", IOVA);
	}
	return stop_b(pid) && fine;
}

static bool killed(void)
{
	pid_t pid = start_b(IOVA);
	bool fine = true;

	get_memory(&a, 1, IOVA);
	must(attach(&a, a.device.ioas), "ATTACH of A");
	fine = round_of(&a, IOVA, "A");
	kill(pid, SIGKILL);
	for (unsigned int i = 0; fine && i < ROUNDS; i++)
		fine = round_of(&a, IOVA, "A");
	waitpid(pid, NULL, 0);
	/* B is open here, attached, and its memory has gone with the process. */
	b.memory = calloc(1, SIZE);
	fine &= halts(copy(&b, IOVA), ERR_CHAIN, "a process that is gone", IOVA);
	return fine && round_of(&a, IOVA, "A");
}

static bool shared(void)
{
	int ret;

	must(attach(&a, a.device.ioas), "ATTACH of A");
	ret = attach(&b, b.device.ioas);
	printf("%s\n", ret < 0 ? strerrorname_np(-ret) : "success");
	must(attach(&b, a.device.ioas), "ATTACH of B to what A has");
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*function)(void);
	} tries[] = {
		{"own", own},	    {"foreign", foreign}, {"churn", churn},
		{"killed", killed}, {"shared", shared},
	};
	int iommufd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4)
		return 2;
	iommufd = must(client_open("/dev/iommu"), "/dev/iommu");
	bind_device(&a, argv[2], iommufd);
	bind_device(&b, argv[3], iommufd);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (strcmp(tries[i].name, argv[1]))
			continue;
		if (!tries[i].function())
			return 1;
		puts("fine");
		return 0;
	}
	return 2;
}
