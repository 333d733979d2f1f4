/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings of other processes; see procmap.h.
 *
 * The ioctl is younger than the headers of the systems softvfio is built on, so its structure is
 * stated here. It is made extensible by its first member: a kernel that knows less or more of it
 * than we do still answers.
 */
#include "host/client/procmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct procmap_query_arg {
	uint64_t size; /* of this structure, bytes */
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end; /* exclusive */
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t
		vma_name_size; /* this and all below: names and build ids, which we do not ask for */
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define QUERY _IOWR('f', 17, struct procmap_query_arg)

/*
 * query_flags; the first four are also what vma_flags answers, and our SVF_VMA_* have their values.
 */
#define QUERY_EXECUTABLE       0x04u
#define QUERY_COVERING_OR_NEXT 0x10u
#define QUERY_FILE_BACKED      0x20u
#define QUERY_ANSWER_MASK      0x0fu

/*
 * A line of the text: addresses, permissions, offset, device, inode take less than 80 characters.
 */
#define LINE_MAX_USED 100

/* "/SYSV00000000 (deleted)" */
#define SYSV_NAME      "/SYSV"
#define SYSV_NAME_SIZE 32

int svf_procmap_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int query_next(int fd, uint64_t address, bool executable, struct svf_vma *ret)
{
	struct procmap_query_arg q = {
		.size = sizeof(q),
		.query_addr = address,
		.query_flags = QUERY_COVERING_OR_NEXT |
			       (executable ? QUERY_EXECUTABLE | QUERY_FILE_BACKED : 0),
	};

	if (ioctl(fd, QUERY, &q))
		return -errno;
	*ret = (struct svf_vma){
		.first = q.vma_start,
		.last = q.vma_end - 1,
		.flags = (unsigned int)(q.vma_flags & QUERY_ANSWER_MASK),
		.dev = makedev(q.dev_major, q.dev_minor),
		.inode = q.inode,
		.offset = q.vma_offset,
	};
	return 0;
}

static bool is_sysv(const char *name)
{
	return !strncmp(name, SYSV_NAME, strlen(SYSV_NAME));
}

bool svf_procmap_is_sysv(int fd, uint64_t address)
{
	char name[SYSV_NAME_SIZE] = "";
	struct procmap_query_arg q = {
		.size = sizeof(q),
		.query_addr = address,
		.vma_name_size = sizeof(name),
		.vma_name_addr = (uint64_t)(uintptr_t)name,
	};
	struct svf_vma vma;

	if (!ioctl(fd, QUERY, &q))
		return is_sysv(name);
	if (errno == ENOTTY)
		return svf_procmap_next_text(fd, address, false, &vma) || vma.flags & SVF_VMA_SYSV;
	/* Theirs are not that long. */
	return errno != ENAMETOOLONG;
}

/* "55d0c6a00000-55d0c6a21000 r-xp 00002000 fd:01 1234   /path" */
static bool parse_line(const char *line, struct svf_vma *ret)
{
	unsigned int dev_major, dev_minor;
	int name = 0;
	uint64_t end;
	char perm[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &ret->first, &end, perm, &ret->offset, &dev_major, &dev_minor, &ret->inode,
		   &name) != 7)
		return false;
	ret->last = end - 1;
	ret->dev = makedev(dev_major, dev_minor);
	ret->flags = (perm[0] == 'r' ? SVF_VMA_READ : 0) | (perm[1] == 'w' ? SVF_VMA_WRITE : 0) |
		     (perm[2] == 'x' ? SVF_VMA_EXEC : 0) | (perm[3] == 's' ? SVF_VMA_SHARED : 0) |
		     (is_sysv(line + name) ? SVF_VMA_SYSV : 0);
	return true;
}

/* The text has a page of the kernel's in it ([vsyscall]), which is no mapping of the process. */
static bool line_wanted(const struct svf_vma *vma, uint64_t address, bool executable)
{
	if (vma->last < address || vma->first > INT64_MAX)
		return false;
	return !executable || ((vma->flags & SVF_VMA_EXEC) && vma->inode);
}

/* Reads the text piece by piece; of each line only the beginning matters, names may be long. */
int svf_procmap_next_text(int fd, uint64_t address, bool executable, struct svf_vma *ret)
{
	char buf[4096], line[LINE_MAX_USED];
	struct svf_vma vma;
	size_t used = 0;
	off_t offset = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), offset)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				if (used < sizeof(line) - 1)
					line[used++] = buf[i];
				continue;
			}
			line[used] = '\0';
			used = 0;
			if (!parse_line(line, &vma) || !line_wanted(&vma, address, executable))
				continue;
			*ret = vma;
			return 0;
		}
		offset += n;
	}
	if (n < 0)
		return -errno;
	/* An address space that is gone reads as an empty file. */
	return offset ? -ENOENT : -ESRCH;
}

int svf_procmap_next(int fd, uint64_t address, bool executable, struct svf_vma *ret)
{
	struct svf_vma vma;
	int err = query_next(fd, address, executable, &vma);

	if (err == -ENOTTY)
		err = svf_procmap_next_text(fd, address, executable, &vma);
	if (!err)
		*ret = vma;
	return err;
}
