/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device behind two tables: those of a nested HWPT, which are in the client's own memory as a guest's
 * would be, and the IOAS that says where the guest's memory is. VT-d in scalable mode; an I/OAT engine.
 *
 *	nested BDF
 *
 * The guest has PAGES pages. Its first ones are the table: four levels, which map IOVAs to pages of
 * the guest. Prints "ok NAME" or "not ok NAME: WHAT" for each check.
 */
#include "ioat.h"

#define HWPT_ALLOC	_IO(';', 0x89)
#define HWPT_INVALIDATE _IO(';', 0x8d)
#define NEST_PARENT	1u
#define DATA_VTD_S1	1u
#define PAGES		32u
#define DATA_IOVA	0x10000000ull
#define PRESENT		1ull
#define WRITE		2ull
#define USER		4ull
#define ACCESSED	0x20ull
#define DIRTY		0x40ull
#define ENTRIES		512u

enum { ROOT, SECOND, THIRD, LEAVES, CHAIN = 8, SOURCE = 10, DESTINATION = 20, OTHER = 30 };

struct hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, reserved2;
};

struct vtd_s1 {
	uint64_t flags, pgtbl_addr;
	uint32_t addr_width, reserved;
};

struct vtd_s1_invalidate {
	uint64_t addr, npages;
	uint32_t flags, reserved;
};

struct hwpt_invalidate {
	uint32_t size, hwpt_id;
	uint64_t data_uptr;
	uint32_t data_type, entry_len, entry_num, reserved;
};

static uint64_t (*guest)[ENTRIES]; /* its pages */
static uint32_t dev_id, nested;

/* All IOVAs used here have the same page of leaves: they differ in the last index. */
static uint64_t *leaf(uint64_t iova)
{
	return &guest[LEAVES][iova / PAGE % ENTRIES];
}

static void map_page(uint64_t iova, uint64_t page, uint64_t flags)
{
	guest[ROOT][0] = SECOND * PAGE | PRESENT | WRITE | USER;
	guest[SECOND][0] = THIRD * PAGE | PRESENT | WRITE | USER;
	guest[THIRD][iova / PAGE / ENTRIES % ENTRIES] = LEAVES * PAGE | PRESENT | WRITE | USER;
	*leaf(iova) = page * PAGE | flags;
}

static void open_device(const char *bdf)
{
	struct client_bind bind = {.argsz = sizeof(bind)};
	struct client_ioas_alloc ioas = {.size = sizeof(ioas)};

	device.container = client_open("/dev/iommu");
	must(device.container, "/dev/iommu");
	device.fd = client_cdev_open(bdf);
	must(device.fd, "the cdev");
	bind.iommufd = device.container;
	must(client_ioctl(device.fd, CLIENT_BIND_IOMMUFD, &bind), "BIND");
	dev_id = bind.out_devid;
	must(client_ioctl(device.container, CLIENT_IOAS_ALLOC, &ioas), "IOAS_ALLOC");
	device.ioas = ioas.out_ioas_id;
}

static uint32_t alloc(uint32_t flags, uint32_t parent, const struct vtd_s1 *table)
{
	struct hwpt_alloc hwpt = {
		.size = sizeof(hwpt),
		.flags = flags,
		.dev_id = dev_id,
		.pt_id = parent,
		.data_type = table ? DATA_VTD_S1 : 0,
		.data_len = table ? sizeof(*table) : 0,
		.data_uptr = (uintptr_t)table,
	};

	must(client_ioctl(device.container, HWPT_ALLOC, &hwpt),
	     table ? "HWPT_ALLOC, nested" : "HWPT_ALLOC, parent");
	return hwpt.out_hwpt_id;
}

static void invalidate(void)
{
	struct vtd_s1_invalidate all = {.npages = UINT64_MAX};
	struct hwpt_invalidate arg = {
		.size = sizeof(arg),
		.hwpt_id = nested,
		.data_uptr = (uintptr_t)&all,
		.entry_len = sizeof(all),
		.entry_num = 1,
	};

	must(client_ioctl(device.container, HWPT_INVALIDATE, &arg), "HWPT_INVALIDATE");
	report("HWPT_INVALIDATE says that it is done", arg.entry_num == 1, "entries",
	       arg.entry_num);
}

static void start(const char *bdf)
{
	const struct vtd_s1 table = {.pgtbl_addr = ROOT * PAGE, .addr_width = 48};
	struct client_attach attach = {.argsz = sizeof(attach)};

	open_device(bdf);
	ioat_start();
	guest = (void *)memory(PAGES * PAGE, -1);
	chain = (struct descriptor *)(void *)guest[CHAIN];
	nested = alloc(0, alloc(NEST_PARENT, device.ioas, NULL), &table);
	must(client_map(&device, guest, PAGES * PAGE, 0), "mapping the guest's memory");
	attach.pt_id = nested;
	must(client_ioctl(device.fd, CLIENT_ATTACH_PT, &attach), "ATTACH");
	map_page(CHAIN_IOVA, CHAIN, PRESENT | WRITE | USER);
	map_page(DATA_IOVA, SOURCE, PRESENT | USER);
	map_page(DATA_IOVA + PAGE, DESTINATION, PRESENT | WRITE | USER);
}

static void copies(void)
{
	memset(guest[SOURCE], 0x5a, PAGE);
	works("the guest's page is copied", DATA_IOVA, DATA_IOVA + PAGE);
	report("to the page that its table names",
	       !memcmp(guest[SOURCE], guest[DESTINATION], 1024) && !guest[OTHER][0], "byte",
	       guest[DESTINATION][0]);
	report("its table says that the source was read",
	       (*leaf(DATA_IOVA) & (ACCESSED | DIRTY)) == ACCESSED, "entry", *leaf(DATA_IOVA));
	report("and the destination written",
	       (*leaf(DATA_IOVA + PAGE) & (ACCESSED | DIRTY)) == (ACCESSED | DIRTY), "entry",
	       *leaf(DATA_IOVA + PAGE));
}

static void changes(void)
{
	fails("a page may be for reading only", DATA_IOVA + PAGE, DATA_IOVA, NO_DESTINATION);
	fails("an IOVA may be in no table", DATA_IOVA + 2 * PAGE, DATA_IOVA + PAGE, NO_SOURCE);
	map_page(DATA_IOVA, PAGES, PRESENT | USER);
	invalidate();
	fails("a table may name a page that the guest has not", DATA_IOVA, DATA_IOVA + PAGE,
	      NO_SOURCE);
	map_page(DATA_IOVA, SOURCE, PRESENT | USER);
	map_page(DATA_IOVA + PAGE, OTHER, PRESENT | WRITE | USER);
	invalidate();
	works("the guest changes its table", DATA_IOVA, DATA_IOVA + PAGE);
	report("and the other page is written", !memcmp(guest[SOURCE], guest[OTHER], 1024), "byte",
	       guest[OTHER][0]);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: nested BDF\n");
		return 2;
	}
	start(argv[1]);
	copies();
	changes();
	client_close(&device);
	return failures ? 1 : 0;
}
