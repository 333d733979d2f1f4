/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IOVA that MAP and COPY choose when they are not given one: it depends on length and user
 * address, on what is mapped, allowed and reserved. Without a device nobody looks at the memory,
 * so the user addresses are made up.
 */
#include "lib.h"

#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

static int iommufd;

static void map(uint32_t ioas, uint64_t user_va, uint64_t length)
{
	struct iommu_ioas_map m = {
		.size = sizeof(m),
		.flags = RW,
		.ioas_id = ioas,
		.user_va = user_va,
		.length = length,
	};

	if (!say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP 0x%llx bytes of 0x%llx",
		      (unsigned long long)length, (unsigned long long)user_va))
		note("at 0x%llx", (unsigned long long)m.iova);
}

static void map_fixed(uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_map m = {
		.size = sizeof(m),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas,
		.user_va = 0x40000000,
		.length = length,
		.iova = iova,
	};

	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP fixed 0x%llx at 0x%llx",
		 (unsigned long long)length, (unsigned long long)iova);
}

static void copy(uint32_t ioas, uint64_t src, uint64_t length)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = RW,
		.dst_ioas_id = ioas,
		.src_ioas_id = ioas,
		.length = length,
		.src_iova = src,
	};

	if (!say_call(ioctl(iommufd, IOMMU_IOAS_COPY, &c), "COPY 0x%llx bytes at 0x%llx",
		      (unsigned long long)length, (unsigned long long)src))
		note("at 0x%llx", (unsigned long long)c.dst_iova);
}

static void unmap_all(uint32_t ioas)
{
	struct iommu_ioas_unmap u = {.size = sizeof(u), .ioas_id = ioas, .length = ~0ull};

	say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "UNMAP all");
	note("length 0x%llx", (unsigned long long)u.length);
}

static void allow(uint32_t ioas, struct iommu_iova_range *ranges, uint32_t count, const char *what)
{
	struct iommu_ioas_allow_iovas a = {
		.size = sizeof(a),
		.ioas_id = ioas,
		.num_iovas = count,
		.allowed_iovas = (uint64_t)(uintptr_t)ranges,
	};

	say_call(ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, &a), "ALLOW_IOVAS %s", what);
}

static void lengths_and_addresses(uint32_t ioas)
{
	section("lengths and addresses");
	map(ioas, 0x200000, 0x1000);
	map(ioas, 0x200000, 0x3000);
	map(ioas, 0x203000, 0x3000);
	map(ioas, 0x200000, 0x100000);
	map(ioas, 0x100000, 0x200000);
	map(ioas, 0x40000000, 0x40000000);
	map(ioas, 0x40200000, 0x40000000);
	map(ioas, 0, 0x2000);
	map(ioas, 0, 0x1000);
	map(ioas, 0x200080, 0x100);
	map(ioas, 0x200081, 0x1);
	map(ioas, 0x200fff, 0x2);
	map(ioas, 0x200001, 0x10000);
	map(ioas, 0x200000, 1);
	unmap_all(ioas);
}

static void holes(uint32_t ioas)
{
	section("holes");
	map_fixed(ioas, 0x2000, 0x1000);
	map_fixed(ioas, 0x5000, 0x1000);
	map_fixed(ioas, 0x8000, 0x8000);
	map(ioas, 0x201000, 0x3000);
	map(ioas, 0x201000, 0x2000);
	map(ioas, 0x202000, 0x2000);
	map(ioas, 0x201000, 0x1000);
	copy(ioas, 0x8000, 0x8000);
	copy(ioas, 0x9000, 0x1000);
	copy(ioas, 0xa000, 0x2000);
	unmap_all(ioas);
}

static void ends(uint32_t ioas)
{
	section("no room");
	map(ioas, 0x200000, ~0ull / 2 - 1);
	map(ioas, 0x200000, ~0ull / 2);
	map(ioas, 0x200000, ~0ull / 2 - 1);
	map(ioas, 0x200000, 0x1000);
	unmap_all(ioas);
	map_fixed(ioas, 0x2000, ~0ull - 0x4000);
	map(ioas, 0x200000, 0x1000);
	map(ioas, 0x200000, 0x1000);
	unmap_all(ioas);
}

static void allowed(uint32_t ioas)
{
	struct iommu_iova_range ranges[] = {{0x103000, 0x104fff},
					    {0x100000, 0x100fff},
					    {0x101000, 0x102fff},
					    {0x200800, 0x200fff}};
	struct iommu_iova_range low = {0, 0x1fff};
	struct iommu_iova_range high = {~0ull - 0x1fff, ~0ull};

	section("allowed ranges");
	allow(ioas, ranges, 4, "four, three of them adjacent");
	map(ioas, 0x200000, 0x3000);
	map(ioas, 0x201000, 0x2000);
	map(ioas, 0x201000, 0x1000);
	map(ioas, 0x201800, 0x800);
	map(ioas, 0x201000, 0x800);
	unmap_all(ioas);
	allow(ioas, &low, 1, "pages 0 and 1");
	map(ioas, 0x200000, 0x1000);
	map(ioas, 0x200000, 0x1000);
	unmap_all(ioas);
	allow(ioas, &high, 1, "the last two pages");
	map(ioas, 0x201000, 0x1000);
	map(ioas, 0x200000, 0x1000);
	unmap_all(ioas);
	allow(ioas, NULL, 0, "all");
}

/* With a device: in the memory's own pages, around the reserved window and below the aperture's
 * end. */
static void attached(void)
{
	char *memory = pages(4);
	int cdev = must_open_cdev(edu);
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a)};
	struct iommu_iova_range ranges[] = {{0xfed00000, 0xfedfffff}, {0xfef00000, 0xfef01fff}};
	struct iommu_ioas_map m = {.size = sizeof(m), .flags = RW, .user_va = (uintptr_t)memory};

	section("with a device");
	must_bind(cdev, iommufd);
	a.pt_id = m.ioas_id = must_ioas(iommufd);
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);
	allow(m.ioas_id, ranges, 2, "before and behind the window");
	m.length = PAGE;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	note("at 0x%llx", (unsigned long long)m.iova);
	m.user_va += 16;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	m.user_va -= 16;
	m.length = 100;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	allow(m.ioas_id, ranges + 1, 1, "behind the window");
	m.length = PAGE;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	note("at 0x%llx", (unsigned long long)m.iova);
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	note("at 0x%llx", (unsigned long long)m.iova);
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	CLOSE(cdev);
}

int main(void)
{
	uint32_t ioas;

	case_begin();
	pci_all_to_vfio(edu, NULL);
	iommufd = open_iommufd();
	ioas = must_ioas(iommufd);
	lengths_and_addresses(ioas);
	holes(ioas);
	ends(ioas);
	allowed(ioas);
	attached();
	return 0;
}
