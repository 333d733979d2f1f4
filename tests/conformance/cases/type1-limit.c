/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A container takes 65,535 mappings (module parameter dma_entry_limit); the next is ENOSPC, until
 * one is taken away. The check comes after those of the arguments and of overlap.
 */
#include "lib.h"

#define LIMIT 65535

static int map(int container, void *memory, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = iova,
					     .size = PAGE};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

static int unmap(int container, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = PAGE};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u);
}

int main(void)
{
	struct vfio_user u;
	uint64_t beyond = IOVA(2 * LIMIT);
	void *memory;
	unsigned int n;

	case_begin();
	pci_bind(edu, "vfio-pci");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	memory = pages(PAGE);
	for (n = 0; n < LIMIT + 10; n++)
		if (map(u.container, memory, IOVA(n)) < 0)
			break;
	say("%u mappings, then %s", n, errno_name(errno));
	say_call(map(u.container, memory, beyond), "MAP elsewhere");
	say_call(map(u.container, memory, IOVA(1)), "MAP over another");
	say_call(map(u.container, memory, beyond + 1), "MAP not aligned");
	say_call(map(u.container, NULL, beyond), "MAP of bad memory");
	say_call(map(u.container, memory, 0xfee00000), "MAP in the reserved window");
	say_call(unmap(u.container, IOVA(7)), "UNMAP one");
	say_call(map(u.container, memory, beyond), "MAP elsewhere");
	say_call(map(u.container, memory, IOVA(7)), "MAP the one that was taken away");
	vfio_user_close(&u);
	return 0;
}
