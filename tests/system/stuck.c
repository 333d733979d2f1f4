/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client whose memory does not answer: the argument of its call lies in a page that userfaultfd is
 * to fill, and nobody fills it.
 *
 *	stuck		prints whose accesses wait for the page, and the errno of the call
 *
 * "kernel": it then waits to be killed. "user": only its own accesses would wait, which is what users
 * without rights are given; it ends with status 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *page_without_answer(int flags)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | flags);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	range.range.start = (uintptr_t)page;
	range.range.len = 4096;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range))
		return NULL;
	return page;
}

int main(void)
{
	int iommufd = open("/dev/iommu", O_RDWR);
	void *page = page_without_answer(0);
	const char *who = page ? "kernel" : "user";

	if (!page)
		page = page_without_answer(UFFD_USER_MODE_ONLY);
	if (iommufd < 0 || !page)
		return 1;
	/* IOMMU_IOAS_ALLOC */
	printf("%s %s\n", who,
	       ioctl(iommufd, _IO(';', 0x81), page) ? strerrorname_np(errno) : "no error");
	fflush(stdout);
	while (!strcmp(who, "kernel"))
		pause();
	return 0;
}
