/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of a client, well formed but for what the input says; see fuzz.h. */
#include <stdio.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/vfio/device.h"
#include "tests/fuzz/fuzz.h"
#include "uapi/iommufd.h"

/* Few, so that programs hit upon the right one. */
static const char *const tokens[] = {
	"01234567-89ab-cdef-0123-456789abcdef",
	"01234567-89AB-CDEF-0123-456789ABCDEF",
	"11111111-2222-4333-8444-555555555555",
	"11111111-2222-4333-8444-55555555555",
};

static const uint8_t token_bytes[][16] = {
	{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
	 0xef},
	{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33, 0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55,
	 0x55},
};

/* A descriptor: of a slot, an event, of something else, none, or nonsense. */
static int32_t take_fd(struct fuzz_input *in)
{
	uint8_t byte = fuzz_take(in);

	if (byte == 0xff)
		return -1;
	return byte == 0xfe ? 100000 : byte % (FUZZ_OTHER_FD + 1);
}

/* --- match strings --- */

static void append(char *text, size_t size, const char *part)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s", part);
}

/* A piece of a match string; most often what belongs there. */
static void append_piece(char *text, size_t size, struct fuzz_input *in)
{
	static const char *const pieces[] = {" ", " vf_token=",	 "vf_token=", "=", "\t",
					     "x", " vf_token=x", " x=y",      "-", "\n"};
	uint8_t byte = fuzz_take(in);
	char other[2] = {(char)fuzz_take(in), '\0'};

	if (byte < 0x40)
		append(text, size, " vf_token=");
	if (byte < 0x80)
		append(text, size, tokens[byte % SVF_ARRAY_SIZE(tokens)]);
	else if (byte < 0xf0)
		append(text, size, pieces[byte % SVF_ARRAY_SIZE(pieces)]);
	else
		append(text, size, other);
}

static void match_string(char *text, size_t size, const struct svf_function *fn,
			 struct fuzz_input *in)
{
	uint8_t pieces = fuzz_take(in);

	snprintf(text, size, SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	if (pieces == 0xff)
		text[fuzz_take(in) % 12] = '\0';
	for (pieces %= 4; pieces; pieces--)
		append_piece(text, size, in);
}

void fuzz_match(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *group = fuzz_file(f, SVF_FILE_GROUP, fuzz_take(in));
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	char text[512];

	if (!group || !fn)
		return;
	match_string(text, sizeof(text), fn, in);
	(void)fuzz_call_with(f, group, VFIO_GROUP_GET_DEVICE_FD, text, strlen(text) + 1);
}

/* --- the two ways to a device --- */

/* As drivers begin: memory decoding and bus mastering on. */
static void set_command(const struct svf_function *fn, struct fuzz *f, uint8_t how)
{
	const uint8_t command[] = {how & 0x20 ? how & 7 : 7, how & 0x10 ? 4 : 0};
	struct svf_call call = test_call(f->machine);

	for (unsigned int i = 0; i < FUZZ_FILES; i++) {
		struct svf_file *file = f->slots[i].file;

		if (file && file->kind == SVF_FILE_DEVICE && fuzz_is_of(file, fn))
			(void)!svf_file_write(file, &call, command, 2, (uint64_t)7 << 40 | 4);
	}
}

void fuzz_legacy(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	struct svf_call call = test_call(f->machine);
	struct svf_file *container, *group;
	uint8_t how = fuzz_take(in);
	char text[512];
	int32_t fd;

	/* Without an IOMMU only what vfio-pci has is in a group. */
	if (!fn || !fn->group ||
	    (how & 0x80 ? svf_iommufd_open(f->machine, &call, &container)
			: svf_container_open(f->machine, &call, &container)))
		return;
	fd = fuzz_keep(f, container);
	if (fd < 0 || svf_group_open(f->machine, &call, fn->group->id, &group) ||
	    fuzz_keep(f, group) < 0)
		return;
	(void)fuzz_call_with(f, group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd));
	(void)fuzz_call(f, container, VFIO_SET_IOMMU, how & 0x40 ? how & 15 : 3);
	match_string(text, sizeof(text), fn, in);
	if (fuzz_call_with(f, group, VFIO_GROUP_GET_DEVICE_FD, text, strlen(text) + 1) >= 0)
		set_command(fn, f, how);
}

void fuzz_bound(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_function *fn = fuzz_function(f, fuzz_take(in) % 16);
	uint8_t how = fuzz_take(in);
	struct vfio_device_bind_iommufd bind = {
		.argsz = how & 0x80 ? sizeof(bind) : 16,
		.flags = how & 0x80 ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.token_uuid_ptr = FUZZ_MEMORY + FUZZ_PAGE,
	};
	struct vfio_device_attach_iommufd_pt attach = {.argsz = 12, .pt_id = fuzz_take(in) % 8u};
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct svf_call call = test_call(f->machine);
	struct svf_file *iommufd = fuzz_file(f, SVF_FILE_IOMMUFD, how), *cdev;

	if (!fn || !fn->device)
		return;
	if ((how & 1 || !iommufd) &&
	    (svf_iommufd_open(f->machine, &call, &iommufd) || fuzz_keep(f, iommufd) < 0))
		return;
	for (bind.iommufd = 0; f->slots[bind.iommufd].file != iommufd;)
		bind.iommufd++;
	if (svf_cdev_open(f->machine, &call, fn->device->minor, &cdev) || fuzz_keep(f, cdev) < 0)
		return;
	memcpy((void *)(uintptr_t)bind.token_uuid_ptr, token_bytes[how >> 6 & 1], 16);
	(void)fuzz_call_with(f, cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind));
	(void)fuzz_call_with(f, iommufd, IOMMU_IOAS_ALLOC, &alloc, sizeof(alloc));
	(void)fuzz_call_with(f, cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach));
	set_command(fn, f, how);
}

void fuzz_attach(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *cdev = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	struct vfio_device_attach_iommufd_pt attach = {.argsz = 12, .pt_id = fuzz_take(in) % 16u};
	struct vfio_device_detach_iommufd_pt detach = {.argsz = 8};

	if (!cdev)
		return;
	if (fuzz_take(in) & 1)
		(void)fuzz_call_with(f, cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach,
				     sizeof(detach));
	else
		(void)fuzz_call_with(f, cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach,
				     sizeof(attach));
}

/* --- mappings --- */

static struct svf_file *take_mapper(struct fuzz *f, struct fuzz_input *in)
{
	uint8_t n = fuzz_take(in);
	struct svf_file *file = fuzz_file(f, n & 1 ? SVF_FILE_IOMMUFD : SVF_FILE_CONTAINER, n >> 1);

	return file ? file : fuzz_file(f, SVF_FILE_CONTAINER, n);
}

/* A few neighbouring pages, at the reserved window, at the end of all, or anywhere. */
static uint64_t take_iova(struct fuzz_input *in)
{
	uint8_t page = fuzz_take(in);

	if (page < 0xc0)
		return (uint64_t)(page % 32u) * FUZZ_PAGE;
	if (page < 0xe0)
		return 0xfee00000 - 4 * FUZZ_PAGE + (uint64_t)(page % 8u) * FUZZ_PAGE;
	return page < 0xf0 ? (uint64_t) - (page % 4u) * FUZZ_PAGE : fuzz_take64(in);
}

static uint64_t take_length(struct fuzz_input *in)
{
	uint8_t pages = fuzz_take(in);

	return pages < 0xf0 ? (pages % 8u) * (uint64_t)FUZZ_PAGE : fuzz_take64(in);
}

/* A page of the client's memory, which may be one of a BAR. */
static uint64_t take_vaddr(struct fuzz *f, struct fuzz_input *in)
{
	uint8_t byte = fuzz_take(in);

	for (unsigned int i = byte; byte & 0x80 && i < byte + FUZZ_FILES; i++) {
		const struct fuzz_slot *slot = &f->slots[i % FUZZ_FILES];

		if (slot->length)
			return slot->mapped;
	}
	return FUZZ_MEMORY + byte % 17u * FUZZ_PAGE;
}

void fuzz_dma(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *file = take_mapper(f, in);
	uint8_t how = fuzz_take(in);
	uint64_t iova = take_iova(in), length = take_length(in);
	struct {
		struct vfio_iommu_type1_dma_unmap head;
		struct vfio_bitmap bitmap;
	} unmap = {
		.head = {.argsz = sizeof(unmap), .flags = how >> 5, .iova = iova, .size = length},
		.bitmap = {.pgsize = FUZZ_PAGE, .size = 8, .data = FUZZ_MEMORY + FUZZ_PAGE}};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = how >> 5 & 7, .iova = iova, .size = length};

	if (!file)
		return;
	if (how & 1) {
		map.vaddr = take_vaddr(f, in);
		(void)fuzz_call_with(f, file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map));
		return;
	}
	if (!(how & 2))
		unmap.head.argsz = sizeof(unmap.head);
	(void)fuzz_call_with(f, file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));
}

void fuzz_dirty(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *container = fuzz_file(f, SVF_FILE_CONTAINER, fuzz_take(in));
	uint8_t how = fuzz_take(in);
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		uint64_t iova, size;
		struct vfio_bitmap bitmap;
	} dirty = {
		.head = {.argsz = sizeof(dirty), .flags = how & 0x80 ? how & 15 : 1u << how % 3}};

	if (!container)
		return;
	dirty.iova = take_iova(in);
	dirty.size = take_length(in);
	dirty.bitmap = (struct vfio_bitmap){
		.pgsize = how & 0x40 ? fuzz_take64(in) : FUZZ_PAGE,
		.size = how & 0x20 ? fuzz_take64(in) : 8,
		.data = FUZZ_MEMORY + (how & 0x10 ? FUZZ_MEMORY_SIZE - 8 : FUZZ_PAGE),
	};
	(void)fuzz_call_with(f, container, VFIO_IOMMU_DIRTY_PAGES, &dirty, sizeof(dirty));
}

void fuzz_ioas(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *iommufd = fuzz_file(f, SVF_FILE_IOMMUFD, fuzz_take(in));
	uint8_t how = fuzz_take(in);
	uint32_t ids = fuzz_take(in);
	struct iommu_ioas_map map = {.size = sizeof(map), .flags = how >> 5, .ioas_id = ids & 15};
	struct iommu_ioas_copy copy = {.size = sizeof(copy),
				       .flags = how >> 5,
				       .dst_ioas_id = ids & 15,
				       .src_ioas_id = ids >> 4};
	struct iommu_ioas_unmap unmap = {.size = sizeof(unmap), .ioas_id = ids & 15};

	if (!iommufd)
		return;
	map.iova = copy.dst_iova = unmap.iova = take_iova(in);
	map.length = copy.length = unmap.length = take_length(in);
	if (how % 3 == 0) {
		map.user_va = take_vaddr(f, in);
		(void)fuzz_call_with(f, iommufd, IOMMU_IOAS_MAP, &map, sizeof(map));
	} else if (how % 3 == 1) {
		copy.src_iova = take_iova(in);
		(void)fuzz_call_with(f, iommufd, IOMMU_IOAS_COPY, &copy, sizeof(copy));
	} else {
		(void)fuzz_call_with(f, iommufd, IOMMU_IOAS_UNMAP, &unmap, sizeof(unmap));
	}
}

/* --- of a device --- */

void fuzz_irqs(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *device = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	uint8_t what = fuzz_take(in), range = fuzz_take(in);
	struct {
		struct vfio_irq_set head;
		int32_t data[16];
	} set = {.head = {.argsz = sizeof(set), .index = what % 6u, .count = 1}};

	if (!device)
		return;
	/* One kind of data and one action, or any flags. */
	set.head.flags = what >= 0xe0 ? fuzz_take(in) : 1u << what / 6 % 3 | 8u << what / 18 % 3;
	/* The first, some from the first, or any. */
	if (range & 0x40)
		set.head.count = range & 15;
	if (range & 0x80)
		set.head.start = range >> 3 & 7;
	for (unsigned int i = 0; i < set.head.count; i++)
		set.data[i] = take_fd(in);
	(void)fuzz_call_with(f, device, VFIO_DEVICE_SET_IRQS, &set, sizeof(set));
}

void fuzz_feature(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *device = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	uint32_t feature = fuzz_take(in) % 15u, flags = fuzz_take(in);
	struct {
		struct vfio_device_feature head;
		uint8_t data[24];
	} request = {.head = {.argsz = sizeof(request), .flags = feature}};
	int32_t fd;

	if (!device)
		return;
	request.head.flags |= (flags & 0x80 ? flags & 7 : 1 + flags % 2) << 16;
	if (flags & 0x40)
		request.head.argsz = fuzz_take(in);
	memcpy(request.data, token_bytes[flags >> 5 & 1], sizeof(token_bytes[0]));
	if (feature == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP) {
		fd = take_fd(in);
		memcpy(request.data, &fd, sizeof(fd));
		memset(request.data + sizeof(fd), flags & 0x10, sizeof(fd));
	}
	if (feature == VFIO_DEVICE_FEATURE_BUS_MASTER)
		memset(request.data, 0, sizeof(request.data)), request.data[0] = fuzz_take(in) & 3;
	(void)fuzz_call_with(f, device, VFIO_DEVICE_FEATURE, &request, sizeof(request));
}

/* With the descriptors of groups and devices, which is to say of all there are, or with any. */
void fuzz_hot_reset(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *device = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	uint8_t how = fuzz_take(in);
	struct {
		struct vfio_pci_hot_reset head;
		int32_t fds[8];
	} reset = {.head = {.argsz = sizeof(reset), .count = how % 8u}};

	if (!device)
		return;
	for (unsigned int i = 0, n = 0; i < reset.head.count; i++) {
		if (how & 0x80) {
			reset.fds[i] = take_fd(in);
			continue;
		}
		while (n < FUZZ_FILES &&
		       (!f->slots[n].file || f->slots[n].file->kind != SVF_FILE_GROUP))
			n++;
		reset.fds[i] = (int32_t)n++;
	}
	(void)fuzz_call_with(f, device, VFIO_DEVICE_PCI_HOT_RESET, &reset, sizeof(reset));
}

void fuzz_ioeventfd(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *device = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	uint8_t how = fuzz_take(in);
	struct vfio_device_ioeventfd request = {
		.argsz = sizeof(request),
		.flags = how & 0x80 ? how : 1u << how % 4,
		.offset = (uint64_t)(fuzz_take(in) % 10u) << 40 | fuzz_take(in) << 4,
		.data = fuzz_take(in),
	};

	if (!device)
		return;
	request.fd = take_fd(in);
	(void)fuzz_call_with(f, device, VFIO_DEVICE_IOEVENTFD, &request, sizeof(request));
}

/* An access as drivers make it: aligned, of 1 to 8 bytes; more often than not to config space. */
void fuzz_region(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *file = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	struct svf_call call = test_call(f->machine);
	uint8_t what = fuzz_take(in);
	size_t length = (size_t)1 << (what >> 4 & 3);
	unsigned int region = what & 0x80 ? what % 10u : 7;
	uint64_t offset =
		(uint64_t)region << 40 | ((fuzz_take(in) << 4 | fuzz_take(in) >> 4) & 0xfff);
	uint8_t buf[8];

	if (!file)
		return;
	offset &= ~(uint64_t)(length - 1);
	for (size_t i = 0; i < length; i++)
		buf[i] = fuzz_take(in);
	if (what & 0x40)
		(void)!svf_file_read(file, &call, buf, length, offset);
	else
		(void)!svf_file_write(file, &call, buf, length, offset);
}

/* The memory of a BAR becomes the client's, at the address where it is. */
void fuzz_mmap(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *file = fuzz_file(f, SVF_FILE_DEVICE, fuzz_take(in));
	struct svf_call call = test_call(f->machine);
	uint8_t what = fuzz_take(in);
	uint64_t offset = (uint64_t)(what % 10u) << 40 | (what >> 6) * FUZZ_PAGE;
	size_t length = (1 + what / 10 % 3) * FUZZ_PAGE;
	struct svf_device_map map;
	struct fuzz_slot *slot;

	for (slot = f->slots; file && slot->file != file;)
		slot++;
	if (!file || slot->length ||
	    svf_device_mmap(file, &call, offset, length, what != 0xff, &map) || !map.ram)
		return;
	test_user_add_ram(map.ram, map.offset, map.length);
	slot->mapped = (uintptr_t)(map.ram->base + map.offset);
	slot->length = map.length;
	slot->process = f->process;
}
