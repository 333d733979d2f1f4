/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other side of the kernel's selftests of iommufd, which the kernel has when it is built with
 * CONFIG_IOMMUFD_TEST: the test command (selftest.c, selftest_access.c) and the mock IOMMU
 * (selftest_iommu.c). There only while the parameter softvfio.iommufd_test is on.
 */
#ifndef SVF_CORE_IOMMUFD_SELFTEST_H
#define SVF_CORE_IOMMUFD_SELFTEST_H

#include "core/iommufd/hwpt.h"
#include "core/iommufd/viommu.h"
#include "uapi/iommufd_test.h"

/* A device that is nowhere but behind the mock IOMMU. */
struct svf_mock_device {
	struct svf_iobject obj; /* of type SELFTEST, which DESTROY ends it by */
	struct svf_ictx *ictx;
	struct svf_idevice *idevice; /* held */
	uint32_t flags;		     /* MOCK_FLAGS_DEVICE_* */
	uint32_t cache[MOCK_DEV_CACHE_NUM];
	struct svf_viommu *viommu; /* while attached to a nested HWPT of one; NULL */
	uint64_t virt_id;	   /* its name in it */
	bool fail_reserved_pasid;  /* the next attachment to IOMMU_TEST_PASID_RESERVED fails */
};

void svf_selftest_fini(struct svf_iobject *object);

/* selftest.c: whether map has at IOVA the memory that mm has at addr, for length bytes. */
bool svf_test_same_memory(const struct svf_mapping *map, uint64_t iova, struct svf_mm *mm,
			  uint64_t addr, uint64_t length, struct svf_machine *machine);

/* selftest_access.c: what the command does with descriptors of accesses. */
int svf_test_create_access(struct svf_ucmd *ucmd);
int svf_test_access_replace(struct svf_ucmd *ucmd);
int svf_test_access_pages(struct svf_ucmd *ucmd);
int svf_test_destroy_access_pages(struct svf_ucmd *ucmd);
int svf_test_access_rw(struct svf_ucmd *ucmd);

#endif
