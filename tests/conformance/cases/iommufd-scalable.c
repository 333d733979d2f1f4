/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VT-d in scalable mode: what it tells of itself, its page tables, which are first-stage ones unless
 * asked otherwise and reach half as far as those of legacy mode, and what comes before nesting:
 * which flags, data and parents HWPT_ALLOC refuses, in which order.
 *
 * The kernel of the recording has an IOMMU without nesting and dirty tracking, so nothing here may
 * depend on whether there are any.
 *
 * machine: scalable
 */
#include "lib.h"

#define DEVICE "0000:00:05.0"
#define OTHER  "0000:00:06.0"

#define REACH  (1ull << 47)

static int iommufd;

static uint32_t hwpt_alloc(struct iommu_hwpt_alloc a, const char *what)
{
	a.size = sizeof(a);
	say_call(ioctl(iommufd, IOMMU_HWPT_ALLOC, &a), "HWPT_ALLOC %s", what);
	return a.out_hwpt_id;
}

static uint32_t must_hwpt(uint32_t dev, uint32_t ioas, uint32_t flags)
{
	struct iommu_hwpt_alloc a = {
		.size = sizeof(a), .dev_id = dev, .pt_id = ioas, .flags = flags};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &a))
		die("HWPT_ALLOC: %m");
	return a.out_hwpt_id;
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

static void detach(int cdev)
{
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH");
}

static long map(uint32_t ioas, uint64_t iova, uint32_t flags, const char *what)
{
	static void *memory;
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
				   .ioas_id = ioas,
				   .length = PAGE,
				   .iova = iova};

	if (!memory)
		memory = pages(1);
	m.user_va = (uintptr_t)memory;
	return say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP %s", what);
}

static void unmap_all(uint32_t ioas)
{
	struct iommu_ioas_unmap u = {.size = sizeof(u), .ioas_id = ioas, .length = ~0ull};

	say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "UNMAP all");
}

static void show_ranges(uint32_t ioas, const char *what)
{
	struct iommu_iova_range r[4];
	struct iommu_ioas_iova_ranges g = {
		.size = sizeof(g), .ioas_id = ioas, .num_iovas = 4, .allowed_iovas = (uintptr_t)r};

	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &g), "IOVA_RANGES %s", what);
	note("alignment %llu", (unsigned long long)g.out_iova_alignment);
	for (uint32_t i = 0; i < g.num_iovas && i < 4; i++)
		note("0x%llx-0x%llx", (unsigned long long)r[i].start,
		     (unsigned long long)r[i].last);
}

static void hw_info(uint32_t dev)
{
	struct iommu_hw_info_vtd vtd = {0};
	struct iommu_hw_info i = {.size = sizeof(i),
				  .dev_id = dev,
				  .data_len = sizeof(vtd),
				  .data_uptr = (uintptr_t)&vtd};

	section("GET_HW_INFO");
	IOCTL(iommufd, IOMMU_GET_HW_INFO, &i);
	note("type %u length %u pasid %u", i.out_data_type, i.data_len, i.out_max_pasid_log2);
	note("capabilities but dirty tracking 0x%llx",
	     (unsigned long long)i.out_capabilities & ~(uint64_t)IOMMU_HW_CAP_DIRTY_TRACKING);
	note("flags 0x%x reserved 0x%x", vtd.flags, vtd.reserved);
	note("scalable mode %u", (unsigned int)(vtd.ecap_reg >> 43 & 1));
	note("first stage %u, of 1 GiB %u", (unsigned int)(vtd.ecap_reg >> 47 & 1),
	     (unsigned int)(vtd.cap_reg >> 56 & 1));
	note("guest addresses of %u bits", (unsigned int)(vtd.cap_reg >> 16 & 0x3f) + 1);
	i.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE;
	i.in_data_type = 2;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &i), "GET_HW_INFO of type 2");
}

static void refused(uint32_t dev, uint32_t ioas)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} flags[] = {{"FAULT_ID_VALID", 4},	 {"bit 4", 16},
		     {"PASID and bit 4", 24},	 {"FAULT_ID and NEST_PARENT", 5},
		     {"FAULT_ID and PASID", 12}, {"DIRTY_TRACKING and bit 31", 0x80000002}};
	struct iommu_hwpt_vtd_s1 s1 = {.addr_width = 48};
	struct iommu_hwpt_alloc a = {.dev_id = dev,
				     .pt_id = ioas,
				     .data_type = IOMMU_HWPT_DATA_VTD_S1,
				     .data_len = sizeof(s1),
				     .data_uptr = (uintptr_t)&s1};

	section("HWPT_ALLOC refused");
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
		hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev,
						     .pt_id = ioas,
						     .flags = flags[i].flags},
			   flags[i].name);
	hwpt_alloc(a, "of an IOAS, with data");
	a.flags = IOMMU_HWPT_ALLOC_PASID;
	hwpt_alloc(a, "of an IOAS, with data, PASID");
	a.flags = IOMMU_HWPT_ALLOC_NEST_PARENT;
	hwpt_alloc(a, "of an IOAS, with data, NEST_PARENT");
	a.data_uptr = 0;
	hwpt_alloc(a, "of an IOAS, with data at NULL, NEST_PARENT");
}

static void below(uint32_t dev, uint32_t hwpt, const char *parent)
{
	struct iommu_hwpt_vtd_s1 s1 = {.addr_width = 48};
	struct iommu_hwpt_alloc a = {.dev_id = dev, .pt_id = hwpt}, b;

	section("HWPT_ALLOC below %s", parent);
	hwpt_alloc(a, "no data");
	a.data_len = 8;
	hwpt_alloc(a, "no type");
	a.data_type = IOMMU_HWPT_DATA_VTD_S1;
	a.data_len = 0;
	hwpt_alloc(a, "no length");
	a.data_len = sizeof(s1);
	hwpt_alloc(a, "data at NULL");
	a.data_uptr = (uintptr_t)&s1;
	hwpt_alloc(a, "data");
	for (uint32_t flag = 1; flag <= 16; flag <<= 1) {
		char what[16];

		b = a;
		b.flags = flag;
		snprintf(what, sizeof(what), "flag 0x%x", flag);
		hwpt_alloc(b, what);
	}
	b = a;
	b.data_type = 77;
	hwpt_alloc(b, "data of type 77");
	b = a;
	b.reserved = 1;
	hwpt_alloc(b, "reserved");
	b = a;
	b.dev_id = 12345;
	hwpt_alloc(b, "no such device");
}

static void invalidate(uint32_t hwpt, uint32_t ioas)
{
	struct iommu_hwpt_vtd_s1_invalidate entry = {.npages = ~0ull};
	struct iommu_hwpt_invalidate good = {.size = sizeof(good),
					     .hwpt_id = hwpt,
					     .data_uptr = (uintptr_t)&entry,
					     .data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
					     .entry_len = sizeof(entry),
					     .entry_num = 1},
				     v;
	static const struct {
		const char *what;
		uint32_t len, num;
		bool null, reserved;
	} rows[] = {
		{"good", 24, 1, false, false},
		{"no entries", 24, 0, false, false},
		{"length 0", 0, 1, false, false},
		{"length 4096", 4096, 1, false, false},
		{"length 4097", 4097, 1, false, false},
		{"at NULL", 24, 1, true, false},
		{"none at NULL", 0, 0, true, false},
		{"2^19 entries", 24, 1u << 19, false, false},
		{"more", 24, (1u << 19) + 1, false, false},
		{"reserved", 24, 1, false, true},
	};

	section("HWPT_INVALIDATE of what is not nested");
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		v = good;
		v.entry_len = rows[i].len;
		v.entry_num = rows[i].num;
		v.reserved = rows[i].reserved;
		if (rows[i].null)
			v.data_uptr = 0;
		say_call(ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &v), "HWPT_INVALIDATE %s",
			 rows[i].what);
		note("done %u", v.entry_num);
	}
	v = good;
	v.hwpt_id = ioas;
	say_call(ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &v), "HWPT_INVALIDATE of an IOAS");
	v.hwpt_id = 12345;
	say_call(ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &v), "HWPT_INVALIDATE of nothing");
}

/* The tables reach 2^47, sign-extended as a processor's do; iommufd uses the lower half. */
static void reach(int cdev, uint32_t dev, uint32_t ioas)
{
	uint32_t hwpt;

	section("how far the tables reach");
	map(ioas, REACH, 6, "at 2^47, nothing there");
	hwpt_alloc((struct iommu_hwpt_alloc){.dev_id = dev, .pt_id = ioas}, "beyond its reach");
	attach(cdev, ioas, "the IOAS, beyond its reach");
	unmap_all(ioas);
	map(ioas, REACH - PAGE, 6, "below 2^47");
	hwpt = must_hwpt(dev, ioas, 0);
	show_ranges(ioas, "a page table");
	map(ioas, REACH, 6, "at 2^47");
	map(ioas, 0xffff800000000000, 6, "in the upper half");
	map(ioas, 0, 2, "only to be written");
	map(ioas, PAGE, 4, "only to be read");
	unmap_all(ioas);
	attach(cdev, hwpt, "it");
	show_ranges(ioas, "attached");
	detach(cdev);
	destroy(hwpt, "it");
	show_ranges(ioas, "nothing");
}

static void attach_pasid(int cdev, uint32_t pt, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {
		.argsz = sizeof(a), .flags = VFIO_DEVICE_ATTACH_PASID, .pt_id = pt, .pasid = 1};

	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH PASID 1 %s", what);
}

static void pasids(int cdev, uint32_t dev, uint32_t ioas)
{
	uint32_t plain = must_hwpt(dev, ioas, 0);
	uint32_t pasid = must_hwpt(dev, ioas, IOMMU_HWPT_ALLOC_PASID);

	section("PASIDs of a device that has none");
	attach_pasid(cdev, plain, "to a HWPT");
	attach_pasid(cdev, pasid, "to a HWPT for PASIDs");
	attach_pasid(cdev, ioas, "to an IOAS");
	attach_pasid(cdev, 12345, "to nothing");
	attach(cdev, plain, "to a HWPT");
	attach_pasid(cdev, pasid, "to a HWPT for PASIDs, attached to another");
	attach(cdev, pasid, "to a HWPT for PASIDs");
	attach_pasid(cdev, pasid, "to the same");
	detach(cdev);
	destroy(plain, "the HWPT");
	destroy(pasid, "the HWPT for PASIDs");
}

static void faults(int cdev, uint32_t dev, uint32_t ioas)
{
	struct iommu_fault_alloc f = {.size = sizeof(f)};
	struct iommu_hwpt_alloc a = {.size = sizeof(a),
				     .dev_id = dev,
				     .pt_id = ioas,
				     .flags = IOMMU_HWPT_FAULT_ID_VALID};

	section("a fault queue");
	if (!IOCTL(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &f))
		a.fault_id = f.out_fault_id;
	IOCTL(iommufd, IOMMU_HWPT_ALLOC, &a);
	attach(cdev, a.out_hwpt_id, "it");
	destroy(a.out_hwpt_id, "it");
	a.flags |= IOMMU_HWPT_ALLOC_PASID;
	IOCTL(iommufd, IOMMU_HWPT_ALLOC, &a);
	attach(cdev, a.out_hwpt_id, "it");
	destroy(a.out_hwpt_id, "it");
	close((int)f.out_fault_fd);
}

int main(void)
{
	struct vfio_device_bind_iommufd b = {.argsz = sizeof(b)};
	uint32_t ioas, hwpt, automatic;
	int cdev;

	case_begin_without_names();
	pci_all_to_vfio(DEVICE, OTHER, NULL);
	iommufd = open_iommufd();
	cdev = must_open_cdev(DEVICE);
	b.iommufd = iommufd;
	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &b))
		die("BIND: %m");
	ioas = must_ioas(iommufd);
	hw_info(b.out_devid);
	refused(b.out_devid, ioas);
	hwpt = must_hwpt(b.out_devid, ioas, 0);
	below(b.out_devid, hwpt, "a HWPT that is no parent");
	automatic = attach(cdev, ioas, "to the IOAS");
	below(b.out_devid, automatic, "one that ATTACH made");
	detach(cdev);
	below(b.out_devid, b.out_devid, "a device");
	invalidate(hwpt, ioas);
	destroy(hwpt, "the HWPT");
	reach(cdev, b.out_devid, ioas);
	pasids(cdev, b.out_devid, ioas);
	faults(cdev, b.out_devid, ioas);
	CLOSE(cdev);
	return 0;
}
