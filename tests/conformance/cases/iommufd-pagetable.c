/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page tables (HWPTs) made by the user, what the IOMMU says of itself, and the commands for what
 * this one does not have: dirty tracking, nesting, virtual IOMMUs, devices without an IOMMU. It is
 * a VT-d in legacy mode.
 */
#include "lib.h"

static int iommufd;

static uint32_t hwpt_alloc(struct iommu_hwpt_alloc a, const char *what)
{
	a.size = sizeof(a);
	say_call(ioctl(iommufd, IOMMU_HWPT_ALLOC, &a), "HWPT_ALLOC %s", what);
	return a.out_hwpt_id;
}

static void refused(uint32_t dev, uint32_t ioas)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} flags[] = {{"NEST_PARENT", 1},       {"DIRTY_TRACKING", 2},
		     {"FAULT_ID_VALID", 4},    {"bit 4", 16},
		     {"FAULT_ID and NEST", 5}, {"DIRTY and bit 31", 0x80000002}};
	char data[64] = {0};
	uint64_t ptr = (uintptr_t)data;
	unsigned int i;

	section("HWPT_ALLOC refused");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev,
						     .pt_id = ioas,
						     .flags = flags[i].flags},
			   flags[i].name);
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = ioas, .reserved = 1},
		   "reserved");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = ioas, .data_len = 8},
		   "NONE with data");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = ioas, .data_type = 1},
		   "type 1, no data");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev,
					     .pt_id = ioas,
					     .data_type = 1,
					     .data_len = 24,
					     .data_uptr = ptr},
		   "type 1 with data");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = 12345, .pt_id = ioas}, "no such device");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = ioas, .pt_id = ioas}, "device is an IOAS");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = 12345}, "no such page table");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = dev},
		   "page table is a device");
}

static void below(uint32_t dev, uint32_t hwpt)
{
	char data[64] = {0};
	struct iommu_hwpt_alloc a = {.dev_id = dev, .pt_id = hwpt};

	hwpt_alloc(a, "below another, no data");
	a.data_type = 1;
	a.data_len = 24;
	a.data_uptr = (uintptr_t)data;
	hwpt_alloc(a, "below another, data");
	a.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	hwpt_alloc(a, "below another, data, DIRTY_TRACKING");
}

static void show_ranges(uint32_t ioas, const char *what)
{
	struct iommu_iova_range r[4];
	struct iommu_ioas_iova_ranges g = {
		.size = sizeof(g), .ioas_id = ioas, .num_iovas = 4, .allowed_iovas = (uintptr_t)r};
	uint32_t i;

	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &g), "IOVA_RANGES %s", what);
	note("alignment %llu", (unsigned long long)g.out_iova_alignment);
	for (i = 0; i < g.num_iovas && i < 4; i++)
		note("0x%llx-0x%llx", (unsigned long long)r[i].start,
		     (unsigned long long)r[i].last);
}

static void destroy(uint32_t id, const char *what)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &d), "DESTROY %s", what);
}

static uint32_t attach(int cdev, uint32_t pt, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = pt};

	if (!say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH %s", what))
		note("gives %s", a.pt_id == pt ? "the same id" : "another id");
	return a.pt_id;
}

static long map(uint32_t ioas, uint64_t va, uint64_t iova, const char *what)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = 7,
				   .ioas_id = ioas,
				   .user_va = va,
				   .length = PAGE,
				   .iova = iova};

	return say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP %s", what);
}

static void unmap_all(uint32_t ioas)
{
	struct iommu_ioas_unmap u = {.size = sizeof(u), .ioas_id = ioas, .length = ~0ull};

	say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "UNMAP all");
}

static void made_by_user(int cdev, uint32_t dev, uint32_t ioas)
{
	struct iommu_hwpt_alloc plain = {.dev_id = dev, .pt_id = ioas}, pasid = plain;
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};
	uint32_t hwpt, second, automatic;

	section("made by the user");
	map(ioas, 0, 0, "NULL, nothing attached");
	hwpt_alloc(plain, "bad memory is mapped");
	unmap_all(ioas);
	map(ioas, (uintptr_t)pages(1), 0xfee00000, "in the window, nothing attached");
	hwpt = hwpt_alloc(plain, "the window is mapped");
	show_ranges(ioas, "a page table, nothing attached");
	map(ioas, 0, 0, "NULL");
	attach(cdev, hwpt, "it");
	unmap_all(ioas);
	attach(cdev, hwpt, "it, window unmapped");
	show_ranges(ioas, "attached");
	pasid.flags = IOMMU_HWPT_ALLOC_PASID;
	second = hwpt_alloc(pasid, "ALLOC_PASID");
	below(dev, hwpt);
	destroy(ioas, "the IOAS");
	destroy(hwpt, "the attached one");
	attach(cdev, second, "the second, replacing");
	destroy(hwpt, "the first");
	automatic = attach(cdev, ioas, "the IOAS, replacing");
	note("it is %s", automatic == second ? "the user's" : "a new one");
	destroy(second, "the second");
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
	destroy(automatic, "the automatic one");
	show_ranges(ioas, "nothing left");
}

static void hw_info(uint32_t dev)
{
	uint64_t data[6];
	struct iommu_hw_info i = {.size = sizeof(i), .dev_id = dev, .data_uptr = (uintptr_t)data};
	uint32_t len;

	section("GET_HW_INFO");
	for (len = 0; len <= sizeof(data); len += 8) {
		memset(data, 0xff, sizeof(data));
		i.data_len = len;
		i.flags = 0;
		i.in_data_type = 77;
		say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO, room for %u", len);
		note("type %u length %u capabilities 0x%llx pasid %u", i.out_data_type, i.data_len,
		     (unsigned long long)i.out_capabilities, i.out_max_pasid_log2);
		note("%llx %llx %llx %llx %llx %llx", (unsigned long long)data[0],
		     (unsigned long long)data[1], (unsigned long long)data[2],
		     (unsigned long long)data[3], (unsigned long long)data[4],
		     (unsigned long long)data[5]);
	}
	i.data_len = 24;
	i.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE;
	for (len = 0; len < 4; len++) {
		i.in_data_type = len;
		say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO of type %u", len);
	}
	i.in_data_type = 0;
	i.flags = 2;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO flag 1");
	i.flags = 0;
	i.reserved[1] = 1;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO reserved");
	i.reserved[1] = 0;
	i.data_uptr = 0;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO data at NULL");
	i.data_len = 0;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO no data at NULL");
	i.dev_id = 12345;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO no such device");
}

static void dirty(uint32_t dev, uint32_t ioas)
{
	uint32_t hwpt = hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = ioas},
				   "for dirty tracking");
	struct iommu_hwpt_set_dirty_tracking s = {.size = sizeof(s), .hwpt_id = hwpt, .flags = 1};
	struct iommu_hwpt_get_dirty_bitmap g = {.size = sizeof(g), .hwpt_id = hwpt};
	struct iommu_hwpt_invalidate v = {.size = sizeof(v), .hwpt_id = hwpt};

	section("dirty tracking, invalidation");
	IOCTL(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &s);
	s.flags = 2;
	say_call(ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), "unknown flag");
	s.flags = 0;
	s.hwpt_id = ioas;
	say_call(ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), "of an IOAS");
	say_call(ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), "GET_DIRTY length 0");
	g.length = PAGE;
	say_call(ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), "GET_DIRTY page size 0");
	g.page_size = 2 * PAGE;
	say_call(ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), "GET_DIRTY page size too large");
	g.page_size = PAGE;
	say_call(ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), "GET_DIRTY");
	g.iova = ~0ull;
	say_call(ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), "GET_DIRTY across 2^64");
	IOCTL(iommufd, IOMMU_HWPT_INVALIDATE, &v);
	v.entry_num = 1;
	say_call(ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &v), "one entry, nowhere");
	note("done %u", v.entry_num);
	v.entry_num = 0;
	v.hwpt_id = 12345;
	say_call(ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &v), "of no such object");
	destroy(hwpt, "the page table");
}

static void viommu(uint32_t dev, uint32_t ioas)
{
	struct iommu_viommu_alloc v = {.size = sizeof(v), .dev_id = dev, .hwpt_id = ioas};
	struct iommu_vdevice_alloc d = {.size = sizeof(d), .dev_id = dev, .viommu_id = ioas};
	struct iommu_veventq_alloc e = {.size = sizeof(e), .viommu_id = ioas};
	struct iommu_hw_queue_alloc q = {.size = sizeof(q), .viommu_id = ioas};

	section("virtual IOMMUs");
	IOCTL(iommufd, IOMMU_VIOMMU_ALLOC, &v);
	v.type = 1;
	IOCTL(iommufd, IOMMU_VIOMMU_ALLOC, &v);
	v.dev_id = 12345;
	IOCTL(iommufd, IOMMU_VIOMMU_ALLOC, &v);
	IOCTL(iommufd, IOMMU_VDEVICE_ALLOC, &d);
	IOCTL(iommufd, IOMMU_VEVENTQ_ALLOC, &e);
	e.type = 1;
	IOCTL(iommufd, IOMMU_VEVENTQ_ALLOC, &e);
	e.veventq_depth = 1;
	IOCTL(iommufd, IOMMU_VEVENTQ_ALLOC, &e);
	IOCTL(iommufd, IOMMU_HW_QUEUE_ALLOC, &q);
	q.type = 1;
	IOCTL(iommufd, IOMMU_HW_QUEUE_ALLOC, &q);
	q.length = 2;
	q.nesting_parent_iova = ~0ull;
	IOCTL(iommufd, IOMMU_HW_QUEUE_ALLOC, &q);
	q.length = 1;
	IOCTL(iommufd, IOMMU_HW_QUEUE_ALLOC, &q);
}

static void others(uint32_t ioas)
{
	struct iommu_ioas_noiommu_get_pa p = {.size = sizeof(p), .ioas_id = ioas, .flags = 1};
	struct iommu_ioas_change_process c = {.size = sizeof(c), .reserved = 1};
	struct iommu_ioas_map_file f = {.size = sizeof(f), .ioas_id = ioas, .flags = 7, .fd = -1};

	section("others");
	IOCTL(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &p);
	p.flags = 0;
	IOCTL(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &p);
	p.length = PAGE;
	p.iova = ~0ull;
	IOCTL(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &p);
	p.iova = 0;
	IOCTL(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &p);
	IOCTL(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &c);
	c.reserved = 0;
	IOCTL(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &c);
	map(ioas, (uintptr_t)pages(1), 0, "a page");
	IOCTL(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &c);
	IOCTL(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &p);
	IOCTL(iommufd, IOMMU_IOAS_MAP_FILE, &f);
	f.length = PAGE;
	IOCTL(iommufd, IOMMU_IOAS_MAP_FILE, &f);
	f.start = ~0ull;
	f.length = 2;
	IOCTL(iommufd, IOMMU_IOAS_MAP_FILE, &f);
	f.flags = 1;
	IOCTL(iommufd, IOMMU_IOAS_MAP_FILE, &f);
}

/* The container commands on an IOAS that a device is attached to. */
static void compat(int cdev, uint32_t ioas)
{
	struct iommu_vfio_ioas v = {.size = sizeof(v), .ioas_id = ioas, .op = IOMMU_VFIO_IOAS_SET};
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m), .vaddr = (uintptr_t)pages(1), .size = PAGE};
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

	section("container commands");
	unmap_all(ioas);
	IOCTL(iommufd, IOMMU_VFIO_IOAS, &v);
	say_call(ioctl(iommufd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), "CHECK_EXTENSION DMA_CC");
	attach(cdev, ioas, "it");
	say_call(ioctl(iommufd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), "CHECK_EXTENSION DMA_CC");
	m.flags = 3;
	say_call(ioctl(iommufd, VFIO_IOMMU_MAP_DMA, &m), "MAP_DMA");
	say_call(ioctl(iommufd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU),
		 "SET_IOMMU type1, something mapped");
	say_call(ioctl(iommufd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "SET_IOMMU type1v2");
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
	say_call(ioctl(iommufd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), "SET_IOMMU type1, detached");
}

int main(void)
{
	struct vfio_device_bind_iommufd b = {.argsz = sizeof(b)};
	uint32_t ioas;
	int cdev;

	case_begin();
	pci_all_to_vfio(edu, NULL);
	iommufd = open_iommufd();
	cdev = must_open_cdev(edu);
	b.iommufd = iommufd;
	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &b))
		die("BIND: %m");
	ioas = must_ioas(iommufd);
	refused(b.out_devid, ioas);
	made_by_user(cdev, b.out_devid, ioas);
	hw_info(b.out_devid);
	dirty(b.out_devid, ioas);
	viommu(b.out_devid, ioas);
	others(ioas);
	compat(cdev, ioas);
	CLOSE(cdev);
	return 0;
}
