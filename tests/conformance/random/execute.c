/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes the calls of a sequence and says in a word what each gave: an errno or the value, and
 * behind a colon a digest of the bytes that were written to the argument (of a read: the bytes
 * read). No addresses, numbers of files or ids of objects come into a digest.
 *
 * Arguments lie in a page of their own that is followed by nothing, so that "at the end of memory"
 * and "no memory" mean the same everywhere. What is behind an argument has a pattern: a call that
 * writes too much shows.
 *
 * A result of "-" is a call that was not made: there is no such file, or it would wait for one
 * that is open.
 */
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include "uapi/vfio.h"

#define MEMORY	    ((uint8_t *)0x100000000000)
#define ARGUMENT    ((uint8_t *)0x110000000000)
#define KERNEL	    ((void *)0xffff888000000000)
#define WINDOW	    (MAX_BYTES + 64u) /* what is looked at for changes */
#define PATTERN	    0xa5
#define CONFIG	    7u /* region */
#define FILE_PAGES  16
#define BITMAP_SIZE 512u /* of what is looked at for changes */
#define NO_SUCH_FD  9999

static uint32_t ids[NR_IDS];
static uint64_t iovas[NR_IOVAS];
static int fds[NR_SLOTS];
static int fd_site[NR_SLOTS]; /* of devices: the function that is in use */

static const struct {
	int err;
	const char *name;
} errno_names[] = {
#define E(x)                                                                                       \
	{                                                                                          \
		x, #x                                                                              \
	}
	E(EPERM),  E(ENOENT), E(EINTR),	 E(EIO),     E(ENXIO),	   E(E2BIG),	 E(EBADF),
	E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT),  E(EBUSY),	   E(EEXIST),	 E(ENODEV),
	E(EINVAL), E(EMFILE), E(ENOTTY), E(EFBIG),   E(ENOSPC),	   E(ESPIPE),	 E(EROFS),
	E(EPIPE),  E(EDOM),   E(ERANGE), E(ENOSYS),  E(EBADFD),	   E(EMSGSIZE),	 E(EOPNOTSUPP),
	E(EXDEV),  E(EISDIR), E(EPROTO), E(ENOTDIR), E(EOVERFLOW), E(ETIMEDOUT), E(EADDRINUSE),
#undef E
};

static void name_errno(int err, char *text, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errno_names); i++)
		if (errno_names[i].err == err)
			break;
	if (i < ARRAY_SIZE(errno_names))
		snprintf(text, len, "%s", errno_names[i].name);
	else
		snprintf(text, len, "errno%d", err);
}

static void say(long ret, char *result, size_t len)
{
	if (ret < 0)
		name_errno((int)-ret, result, len);
	else
		snprintf(result, len, "%ld", ret);
}

static uint16_t digest(const uint8_t *bytes, size_t len, uint32_t hash)
{
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return (uint16_t)(hash ^ hash >> 16);
}

#define DIGEST_START 2166136261u

static void show_bytes(const uint8_t *bytes, size_t len, char *detail, size_t detail_len)
{
	size_t i, used = strlen(detail);

	for (i = 0; i < len && used + 4 < detail_len; i++)
		used += (size_t)snprintf(detail + used, detail_len - used, "%s%02x",
					 i > 0 && i % 4 == 0 ? " " : "", bytes[i]);
}

static bool is_written(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len && bytes[i] == PATTERN; i++)
		;
	return i < len;
}

static void map_at(void *at, size_t len, int protection)
{
	if (mmap(at, len, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    at) {
		perror("mmap");
		exit(2);
	}
}

/* A file of memory, and the same opened for reading only. */
static void open_memory_files(void)
{
	const struct class_info *info = &classes[CLASS_MEMORY];
	char path[64];
	int fd;

	if (info->count == 0)
		return;
	fd = memfd_create("random", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, FILE_PAGES * PAGE) < 0) {
		perror("memfd");
		exit(2);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fds[info->first] = fd;
	fds[info->first + 1] = open(path, O_RDONLY | O_CLOEXEC);
}

static void open_constant_files(void)
{
	unsigned i;

	for (i = 0; i < NR_SLOTS; i++) {
		fds[i] = -1;
		fd_site[i] = NO_SITE;
	}
	for (i = 0; i < classes[CLASS_EVENTFD].count; i++)
		fds[classes[CLASS_EVENTFD].first + i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fds[classes[CLASS_NULL].first] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[classes[CLASS_CLOSED].first + 1] = NO_SUCH_FD;
	open_memory_files();
	memset(ids, 0, sizeof(ids));
	memset(iovas, 0, sizeof(iovas));
}

void execute_begin(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	map_at(MEMORY, MEMORY_PAGES * PAGE, PROT_READ | PROT_WRITE);
	map_at(MEMORY + MEMORY_PAGES * PAGE, MEMORY_READONLY * PAGE, PROT_READ);
	map_at(MEMORY + MEMORY_BITMAP, PAGE, PROT_READ | PROT_WRITE);
	map_at(ARGUMENT, PAGE, PROT_READ | PROT_WRITE);
}

void execute_sequence(void)
{
	/* Accesses write to it. */
	memset(MEMORY, 0x11, MEMORY_PAGES * PAGE);
	open_constant_files();
}

/* A new file takes the place of what was in its slot. */
static void put_file(unsigned slot, int fd, int site)
{
	if (fds[slot] >= 0)
		close(fds[slot]);
	fds[slot] = fd;
	fd_site[slot] = site;
}

/* Whether the removal of a function would wait: it or one of its VFs is open as a device. */
static bool in_use(int site)
{
	unsigned i;

	for (i = 0; i < NR_SLOTS; i++)
		if (fds[i] >= 0 && fd_site[i] != NO_SITE &&
		    (fd_site[i] == site || sites[fd_site[i]].pf == site))
			return true;
	return false;
}

static long execute_open(const struct op *op)
{
	char path[128];
	int fd, ret = 0;

	switch (slot_class(op->slot)) {
	case CLASS_CONTAINER:
		snprintf(path, sizeof(path), "/dev/vfio/vfio");
		break;
	case CLASS_IOMMUFD:
		snprintf(path, sizeof(path), "/dev/iommu");
		break;
	case CLASS_GROUP:
		ret = sysfs_group_path((enum site)op->site, path, sizeof(path));
		break;
	default:
		ret = sysfs_cdev_path((enum site)op->site, path, sizeof(path));
		break;
	}
	if (ret < 0)
		return ret;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put_file(op->slot, fd, slot_class(op->slot) == CLASS_CDEV ? op->site : NO_SITE);
	return 0;
}

static long execute_close(const struct op *op)
{
	int ret = close(fds[op->slot]) < 0 ? -errno : 0;

	fds[op->slot] = -1;
	fd_site[op->slot] = NO_SITE;
	return ret;
}

static long execute_dup(const struct op *op)
{
	int fd = fcntl(fds[op->slot], F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	put_file(op->slot2, fd, fd_site[op->slot]);
	return 0;
}

static uint64_t fix_number(const struct fixup *fix)
{
	switch (fix->fix) {
	case FIX_FD:
		return (uint64_t)fds[fix->value];
	case FIX_ID:
		return ids[fix->value];
	case FIX_IOVA:
		return iovas[fix->value] + fix->add;
	default:
		return (uint64_t)(uintptr_t)MEMORY + fix->value;
	}
}

/* The argument of op as it is in memory. */
static void fill_argument(const struct op *op, uint8_t *bytes)
{
	const struct fixup *fix;
	uint64_t number;
	unsigned i;

	if (op->command->fields[0] == '\0')
		memcpy(bytes, op->text, strlen(op->text) + 1);
	else
		memcpy(bytes, op->bytes, op->len);
	for (i = 0; i < op->nr_fixups; i++) {
		fix = &op->fixups[i];
		number = fix_number(fix);
		memcpy(bytes + fix->offset, &number, fixup_width(fix->fix));
	}
}

/* What the answer of a call that succeeded is kept of. */
static void keep_answer(const struct op *op, const uint8_t *argument)
{
	const struct keep *keep = &op->keep;
	size_t i;

	if (op->fd_offset != 0) {
		int fd;

		memcpy(&fd, argument + op->fd_offset, 4);
		put_file(op->slot2, fd, NO_SITE);
	}
	if (keep->offset == 0)
		return;
	if (keep->is_iova)
		memcpy(&iovas[keep->variable], argument + keep->offset, 8);
	else
		memcpy(&ids[keep->variable], argument + keep->offset, 4);
	for (i = 0; i < ARRAY_SIZE(op->also); i++)
		if (op->also[i].offset != 0)
			memcpy(&ids[op->also[i].variable], argument + op->also[i].offset, 4);
}

static uint8_t *place_argument(const struct op *op, unsigned len)
{
	memset(ARGUMENT, PATTERN, PAGE);
	switch (op->place) {
	case PLACE_END:
		return ARGUMENT + PAGE - len;
	case PLACE_NULL:
		return NULL;
	case PLACE_HOLE:
		return ARGUMENT + PAGE;
	case PLACE_KERNEL:
		return KERNEL;
	default:
		return ARGUMENT;
	}
}

/*
 * Ids of groups are not compared, nor numbers of files; of objects are those that the sequence itself
 * keeps.
 */
static void mask_ids(const struct op *op, uint8_t *bytes)
{
	uint32_t i, count;

	if (op->fd_offset != 0)
		memset(bytes + op->fd_offset, 0, 4);
	if (op->command->flags & COMMAND_ID && op->keep.offset == 0)
		memset(bytes + 12, 0, 4);
	if (op->command->flags & COMMAND_HOT_INFO) {
		memcpy(&count, bytes + 8, 4);
		for (i = 0; i < count && 12 + 8 * i + 4 <= WINDOW; i++)
			memset(bytes + 12 + 8 * i, 0, 4);
	}
}

static long call_with_number(const struct op *op)
{
	long ret = ioctl(fds[op->slot], op->command->nr, op->value);

	return ret < 0 ? -errno : ret;
}

/* The call with its structure; digest of what it has written, 0 when nothing. */
static long call_with_memory(const struct op *op, uint16_t *written, char *detail, size_t len)
{
	unsigned size = op->command->fields[0] != '\0' ? op->len : (unsigned)strlen(op->text) + 1;
	uint8_t before[WINDOW], after[WINDOW], *argument = place_argument(op, size);
	bool mapped = argument >= ARGUMENT && argument < ARGUMENT + PAGE;
	size_t window = op->place == PLACE_END ? size : WINDOW;
	long ret;

	if (mapped) {
		fill_argument(op, argument);
		memcpy(before, argument, window);
	}
	if (op->place == PLACE_READONLY)
		mprotect(ARGUMENT, PAGE, PROT_READ);
	ret = ioctl(fds[op->slot], op->command->nr, argument);
	ret = ret < 0 ? -errno : ret;
	mprotect(ARGUMENT, PAGE, PROT_READ | PROT_WRITE);
	*written = 0;
	if (mapped && ret == 0)
		keep_answer(op, argument);
	if (!mapped || memcmp(before, argument, window) == 0)
		return ret;
	memcpy(after, argument, window);
	mask_ids(op, after);
	show_bytes(after, window < 64 ? window : 64, detail, len);
	/* Numbers of files and addresses must not count. */
	for (size_t i = 0; i < op->nr_fixups; i++)
		if (op->fixups[i].fix <= FIX_FD &&
		    memcmp(before + op->fixups[i].offset, after + op->fixups[i].offset, 4) == 0)
			memset(after + op->fixups[i].offset, 0, fixup_width(op->fixups[i].fix));
	*written = digest(after, window, DIGEST_START);
	return ret;
}

/*
 * After the pages of a mapping were reported, Linux keeps bits of the report that lie behind its last
 * page for the next one, also when the bitmap could not be written. Tracking is begun anew, so that
 * they are gone.
 */
static bool has_reported(const struct op *op, long ret)
{
	uint32_t flags;

	memcpy(&flags, op->bytes + 4, 4);
	if (op->command->nr != VFIO_IOMMU_DIRTY_PAGES || op->len < 8 ||
	    !(flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP))
		return false;
	return ret == 0 || (ret == -EFAULT && op->place < PLACE_NULL && op->nr_fixups > 0 &&
			    op->fixups[0].value != MEMORY_BITMAP);
}

static void forget_report(const struct op *op)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty)};

	dirty.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP;
	if (ioctl(fds[op->slot], VFIO_IOMMU_DIRTY_PAGES, &dirty) < 0)
		return;
	dirty.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
	ioctl(fds[op->slot], VFIO_IOMMU_DIRTY_PAGES, &dirty);
}

static long execute_ioctl(const struct op *op, char *result, size_t len, char *detail,
			  size_t detail_len)
{
	uint8_t *bitmap = MEMORY + MEMORY_BITMAP;
	uint16_t written = 0;
	char number[32];
	long ret;

	memset(bitmap, PATTERN, BITMAP_SIZE);
	memcpy(bitmap, op->aux, op->nr_aux);
	if (op->command->fields == NULL)
		ret = call_with_number(op);
	else
		ret = call_with_memory(op, &written, detail, detail_len);
	if (ret >= 0 && op->command->flags & COMMAND_FD) {
		put_file(op->slot2, (int)ret, op->site);
		ret = 0;
	}
	say(ret, number, sizeof(number));
	snprintf(result, len, "%s", number);
	if (written != 0)
		snprintf(result, len, "%s:%04x", number, written);
	if (op->command->flags & COMMAND_AUX && is_written(bitmap, BITMAP_SIZE))
		snprintf(result + strlen(result), len - strlen(result), ".%04x",
			 digest(bitmap, BITMAP_SIZE, DIGEST_START));
	else if (op->command->flags & COMMAND_BITMAP && is_written(bitmap, 64))
		snprintf(result + strlen(result), len - strlen(result), ".%04x",
			 digest(bitmap, 64, DIGEST_START));
	if (op->command->flags & (COMMAND_BITMAP | COMMAND_AUX) && is_written(bitmap, 64)) {
		snprintf(detail + strlen(detail), detail_len - strlen(detail), " bitmap ");
		show_bytes(bitmap, 32, detail, detail_len);
	}
	if (has_reported(op, ret))
		forget_report(op);
	return ret;
}

/*
 * What the machine's maker has decided is not compared: the addresses that its firmware gave to BARs,
 * to the ROM and to VF BARs (the capabilities of the two PFs), I/O space and SERR# in the command
 * register, whether it says of itself that it is one of several, the interrupt line; and what
 * capabilities a VF has.
 */
static const struct {
	uint16_t first, last;
	uint8_t mask; /* what is compared */
	bool lowest;  /* but all of the lowest byte of each dword */
	bool of_vf;
} firmware[] = {
	{0x04, 0x04, 0xfe, false, false}, {0x05, 0x05, 0xfe, false, false},
	{0x0e, 0x0e, 0x7f, false, false}, {0x10, 0x27, 0, true, false},
	{0x30, 0x33, 0, true, false},	  {0x34, 0x34, 0, false, true},
	{0x3c, 0x3c, 0, false, false},	  {0x40, 0xfff, 0, false, true},
	{0x144, 0x15b, 0, false, false},  {0x180, 0x197, 0, false, false},
};

static void mask_firmware(uint8_t *bytes, long len, uint64_t at, bool is_vf)
{
	uint64_t end = at + (uint64_t)len, i;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(firmware); n++)
		for (i = firmware[n].first; i <= firmware[n].last; i++)
			if (i >= at && i < end && !(firmware[n].lowest && i % 4 == 0) &&
			    (is_vf || !firmware[n].of_vf))
				bytes[i - at] &= firmware[n].mask;
}

/* Reads of regions other than config space have no digest: registers are the device's. */
static long execute_transfer(const struct op *op, char *result, size_t len, char *detail,
			     size_t detail_len)
{
	uint8_t bytes[MAX_BYTES];
	long ret;

	memset(bytes, PATTERN, sizeof(bytes));
	if (slot_class(op->slot) == CLASS_QUEUE && op->value == 0)
		ret = op->kind == OP_READ ? read(fds[op->slot], bytes, op->len)
					  : write(fds[op->slot], op->bytes, op->len);
	else if (op->kind == OP_READ)
		ret = pread(fds[op->slot], bytes, op->len, (off_t)op->value);
	else
		ret = pwrite(fds[op->slot], op->bytes, op->len, (off_t)op->value);
	ret = ret < 0 ? -errno : ret;
	say(ret, result, len);
	if (op->kind == OP_READ && ret > 0 && slot_class(op->slot) == CLASS_QUEUE) {
		snprintf(result + strlen(result), len - strlen(result), ":%04x",
			 digest(bytes, (size_t)ret, DIGEST_START));
		show_bytes(bytes, (size_t)ret, detail, detail_len);
		return ret;
	}
	if (op->kind == OP_READ && ret > 0 && op->value >> 40 == CONFIG) {
		mask_firmware(bytes, ret, op->value & 0xffff,
			      fd_site[op->slot] != NO_SITE &&
				      sites[fd_site[op->slot]].pf != NO_SITE);
		snprintf(result + strlen(result), len - strlen(result), ":%04x",
			 digest(bytes, (size_t)ret, DIGEST_START));
		show_bytes(bytes, (size_t)ret, detail, detail_len);
	}
	return ret;
}

static long execute_sysfs(const struct op *op, char *result, size_t len, char *detail,
			  size_t detail_len)
{
	enum site site = (enum site)op->site;
	char value[256] = "";
	long ret;

	if (op->kind == OP_SYSFS_WRITE) {
		ret = sysfs_write_value(site, op->attribute, op->text);
		say(ret, result, len);
		return ret;
	}
	ret = sysfs_read_value(site, op->attribute, value, sizeof(value));
	say(ret, result, len);
	if (ret == 0) {
		snprintf(result, len, ":%04x",
			 digest((uint8_t *)value, strlen(value), DIGEST_START));
		snprintf(detail, detail_len, "%.*s", (int)strcspn(value, "\n"), value);
	}
	return ret;
}

static void execute_signalled(char *result, size_t len)
{
	uint64_t count;
	size_t used = 0;
	unsigned i;

	for (i = 0; i < classes[CLASS_EVENTFD].count; i++) {
		if (read(fds[classes[CLASS_EVENTFD].first + i], &count, 8) != 8)
			count = 0;
		used += (size_t)snprintf(result + used, len - used, "%s%" PRIu64, i > 0 ? "," : "",
					 count);
	}
}

static void execute_poll(const struct op *op, char *result, size_t len)
{
	struct pollfd poll_fd = {.fd = fds[op->slot], .events = POLLIN | POLLOUT};
	int ret = poll(&poll_fd, 1, 0);

	if (ret < 0)
		say(-errno, result, len);
	else
		snprintf(result, len, "%#x", (unsigned)poll_fd.revents);
}

static bool left_out(const struct op *op)
{
	if (op->kind == OP_POLL)
		return fds[op->slot] < 0;
	if (op->kind == OP_CLOSE)
		return fds[op->slot] < 0;
	if (op->kind != OP_SYSFS_WRITE)
		return false;
	if (strcmp(op->attribute, "sriov_numvfs") == 0)
		return strtol(op->text, NULL, 0) == 0 && in_use(op->site);
	return strstr(op->attribute, "unbind") != NULL && in_use(op->site);
}

void op_execute(const struct op *op, char *result, size_t len, char *detail, size_t detail_len)
{
	detail[0] = '\0';
	result[0] = '\0';
	if (left_out(op)) {
		snprintf(result, len, "-");
		return;
	}
	switch (op->kind) {
	case OP_OPEN:
		say(execute_open(op), result, len);
		break;
	case OP_CLOSE:
		say(execute_close(op), result, len);
		break;
	case OP_DUP:
		say(execute_dup(op), result, len);
		break;
	case OP_IOCTL:
		execute_ioctl(op, result, len, detail, detail_len);
		break;
	case OP_READ:
	case OP_WRITE:
		execute_transfer(op, result, len, detail, detail_len);
		break;
	case OP_BIND:
		sysfs_bind((enum site)op->site, op->text, result, len);
		break;
	case OP_SYSFS_WRITE:
	case OP_SYSFS_READ:
		execute_sysfs(op, result, len, detail, detail_len);
		break;
	case OP_SIGNALLED:
		execute_signalled(result, len);
		break;
	case OP_POLL:
		execute_poll(op, result, len);
		break;
	}
}

bool execute_clean(const struct sequence *seq)
{
	bool clean = true;
	unsigned i;

	for (i = 0; i < NR_SLOTS; i++)
		if (fds[i] >= 0 && fds[i] != NO_SUCH_FD)
			close(fds[i]);
	/* PFs come before their VFs. */
	for (i = 0; i < NR_SITES; i++)
		if (seq->touched[i])
			clean = sysfs_clean((enum site)i) && clean;
	return clean;
}
