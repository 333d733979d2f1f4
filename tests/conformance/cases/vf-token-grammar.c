/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of the match string of GROUP_GET_DEVICE_FD: the device's name, then options, each
 * after at least one blank. Only a blank ends the name: with anything else it is the name of
 * another device (ENODEV). An option that is unknown, repeated, empty or malformed is EINVAL, and
 * so is a string of a page or more.
 */
#include "lib.h"

#define TOKEN "01234567-89ab-cdef-0123-456789abcdef"

static const char *const after_name[] = {
	"",
	" ",
	"   ",
	" vf_token=" TOKEN,
	"    vf_token=" TOKEN,
	" vf_token=" TOKEN " ",
	" vf_token=" TOKEN "   ",
	" vf_token=" TOKEN " vf_token=" TOKEN,
	" vf_token=" TOKEN " vf_token=11111111-2222-4333-8444-555555555555",
	" vf_token=11111111-2222-4333-8444-555555555555 vf_token=" TOKEN,
	" vf_token=" TOKEN " x",
	" x vf_token=" TOKEN,
	" x",
	" x=y",
	" =",
	" vf_token",
	" vf_token=",
	" vf_token= " TOKEN,
	" vf_token =" TOKEN,
	" VF_TOKEN=" TOKEN,
	" vf_tokens=" TOKEN,
	" xvf_token=" TOKEN,
	" token=" TOKEN,
	" " TOKEN,
	/* the UUID itself */
	" vf_token=01234567-89AB-CDEF-0123-456789ABCDEF",
	" vf_token=01234567-89aB-CdEf-0123-456789AbCdEf",
	" vf_token=0123456789abcdef0123456789abcdef",
	" vf_token={" TOKEN "}",
	" vf_token=01234567-89ab-cdef-0123-456789abcde",
	" vf_token=01234567-89ab-cdef-0123-456789abcdeg",
	" vf_token=01234567-89ab-cdef-0123-456789abcdef0",
	" vf_token=" TOKEN "-",
	" vf_token=01234567_89ab_cdef_0123_456789abcdef",
	" vf_token=0123456-789ab-cdef-0123-456789abcdef",
	" vf_token=00000000-0000-0000-0000-000000000000",
	" vf_token=\"" TOKEN "\"",
	" vf_token=" TOKEN ",",
	" vf_token=" TOKEN "\n",
	" vf_token=" TOKEN "\t",
	" vf_token=" TOKEN ",vf_token=" TOKEN,
	/* what follows the name */
	"\tvf_token=" TOKEN,
	"\nvf_token=" TOKEN,
	",vf_token=" TOKEN,
	";vf_token=" TOKEN,
	"\n",
	" \n",
	" \t",
	",",
	"0",
	"vf_token=" TOKEN,
	/* the same option again, in every form */
	" vf_token=" TOKEN " vf_token=",
	" vf_token=" TOKEN " vf_token=malformed",
	" vf_token=" TOKEN "vf_token=" TOKEN,
	" vf_token=malformed vf_token=" TOKEN,
	" vf_token= vf_token=" TOKEN,
	/* empty and overlong */
	" vf_token= ",
	"  =  ",
	" vf_token=" TOKEN TOKEN,
	" vf_token=0" TOKEN,
	" vf_token=0x" TOKEN,
	" vf_token= 01234567-89ab-cdef-0123-456789abcde",
	" vf_token=01234567-89ab-cdef-0123-456789abcd f",
	" vf_token=urn:uuid:" TOKEN,
	" an-option-without-a-value-and-of-more-characters-than-any-buffer-is-likely-to-have-for-"
	"one",
	" an-option=with-a-value-of-more-characters-than-any-buffer-is-likely-to-have-for-one-of-"
	"them",
	/* other blanks are none */
	" vf_token=" TOKEN "\r",
	"\rvf_token=" TOKEN,
	"\vvf_token=" TOKEN,
	"\xc2\xa0vf_token=" TOKEN,
	" \tvf_token=" TOKEN,
	" vf_token=" TOKEN " \n",
	" vf_token\t=" TOKEN,
	" vf_token=\t" TOKEN,
};

static void try_match(int group, const char *match)
{
	int fd = group_get_device(group, match);

	if (fd >= 0)
		close(fd);
}

static void names(int group, const char *vf)
{
	char name[32];

	section("the name");
	try_match(group, vf + 5);
	snprintf(name, sizeof(name), " %s", vf);
	try_match(group, name);
	snprintf(name, sizeof(name), "%s", vf);
	name[strlen(name) - 1] = '\0';
	say("the name without its last character:");
	note("%s", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name) < 0 ? errno_name(errno) : "fd");
	try_match(group, "vfio0");
}

/* Of functions in other groups, of what is no function; a token given there is not looked at. */
static void names_of_others(int group, const char *vf)
{
	char match[128];

	section("names of others");
	try_match(group, "");
	try_match(group, " ");
	try_match(group, "   vf_token=" TOKEN);
	try_match(group, "vf_token=" TOKEN);
	try_match(group, pf);
	snprintf(match, sizeof(match), "%s vf_token=11111111-2222-4333-8444-555555555555", pf);
	try_match(group, match);
	snprintf(match, sizeof(match), "%s x", pf);
	try_match(group, match);
	snprintf(match, sizeof(match), "%s vf_token=" TOKEN, vf);
	note("the PF's token is what it was");
	try_match(group, match);
	say_call(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NULL),
		 "ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NULL)");
}

/* Two functions in a group: each by its name, and one that is not with vfio-pci by none. */
static void two_in_a_group(void)
{
	struct vfio_user u;
	char match[128];

	section("two functions in a group");
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	try_match(u.group, multi1);
	snprintf(match, sizeof(match), "%s ", multi1);
	try_match(u.group, match);
	snprintf(match, sizeof(match), "%s x", multi1);
	try_match(u.group, match);
	snprintf(match, sizeof(match), "%s vf_token=" TOKEN, multi1);
	try_match(u.group, match);
	snprintf(match, sizeof(match), "%s %s", multi0, multi1);
	try_match(u.group, match);
	note("the second has no driver");
	pci_bind(multi1, NULL);
	try_match(u.group, multi1);
	snprintf(match, sizeof(match), "%s vf_token=malformed", multi1);
	try_match(u.group, match);
	vfio_user_close(&u);
}

/* len characters in all: the name, the option, blanks. */
static void overlong(int group, const char *vf, size_t len)
{
	char *match = pages(2 * PAGE);
	size_t used;
	int fd;

	used = (size_t)snprintf(match, PAGE, "%s vf_token=" TOKEN, vf);
	memset(match + used, ' ', len - used);
	match[len] = '\0';
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, match);
	say_fd(fd, "ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name, token and blanks, %zu characters)",
	       len);
	if (fd >= 0)
		close(fd);
	munmap(match, 2 * PAGE);
}

/* The string ends where the mapping does, with and without its terminator. */
static void at_the_edge(int group, const char *vf)
{
	char *memory = pages(2 * PAGE);
	char match[128];
	size_t len;
	int fd;

	munmap(memory + PAGE, PAGE);
	len = (size_t)snprintf(match, sizeof(match), "%s vf_token=" TOKEN, vf);
	memcpy(memory + PAGE - len - 1, match, len + 1);
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, memory + PAGE - len - 1);
	say_fd(fd, "ioctl(group, VFIO_GROUP_GET_DEVICE_FD, string ends with its page)");
	if (fd >= 0)
		close(fd);
	memcpy(memory + PAGE - len, match, len);
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, memory + PAGE - len);
	say_fd(fd, "ioctl(group, VFIO_GROUP_GET_DEVICE_FD, terminator on an unmapped page)");
	munmap(memory, PAGE);
}

int main(void)
{
	struct vfio_user pf_user, vf_user;
	char match[256];
	const char *vf;
	size_t i;

	case_begin();
	pci_bind(pf, "vfio-pci");
	pci_all_to_vfio(multi0, multi1, NULL);
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	vfio_user_open(&pf_user, pf, VFIO_TYPE1v2_IOMMU);
	close(pf_user.device);
	snprintf(match, sizeof(match), "%s vf_token=" TOKEN, pf);
	pf_user.device = group_get_device(pf_user.group, match);

	vf_user.container = must_open("/dev/vfio/vfio");
	vf_user.group = must_open_group(vf);
	if (ioctl(vf_user.group, VFIO_GROUP_SET_CONTAINER, &vf_user.container) < 0 ||
	    ioctl(vf_user.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container: %s", errno_name(errno));

	section("what follows the name");
	for (i = 0; i < ARRAY_SIZE(after_name); i++) {
		snprintf(match, sizeof(match), "%s%s", vf, after_name[i]);
		try_match(vf_user.group, match);
	}
	names(vf_user.group, vf);
	names_of_others(vf_user.group, vf);

	section("length");
	overlong(vf_user.group, vf, PAGE - 2);
	overlong(vf_user.group, vf, PAGE - 1);
	overlong(vf_user.group, vf, PAGE);
	at_the_edge(vf_user.group, vf);

	section("a token that is not wanted is checked for its form first");
	close(pf_user.device);
	snprintf(match, sizeof(match), "%s vf_token=malformed", pf);
	try_match(pf_user.group, match);
	two_in_a_group();
	return 0;
}
