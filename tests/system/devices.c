/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fstat(2) and statx(2) say of open files: "PATH c MAJOR:MINOR c MAJOR:MINOR" for each argument, in
 * place of c the letter of another type.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char letter(unsigned int mode)
{
	return S_ISCHR(mode) ? 'c' : S_ISREG(mode) ? '-' : '?';
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDWR);
		struct statx stx;
		struct stat st;

		if (fd < 0 || fstat(fd, &st) ||
		    statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx)) {
			perror(argv[i]);
			return 1;
		}
		printf("%s %c %u:%u %c %u:%u\n", argv[i], letter(st.st_mode), major(st.st_rdev),
		       minor(st.st_rdev), letter(stx.stx_mode), stx.stx_rdev_major,
		       stx.stx_rdev_minor);
		close(fd);
	}
	return 0;
}
