/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Identify: a page for each value of CNS. All namespaces there are, are active on all controllers, so
 * the lists of allocated and of active namespaces are alike.
 */
#include <string.h>

#include "models/nvme/admin.h"
#include "models/nvme/queues.h"

enum {
	CNS_NAMESPACE = 0x00,
	CNS_CONTROLLER = 0x01,
	CNS_ACTIVE_NAMESPACES = 0x02,
	CNS_DESCRIPTORS = 0x03,
	CNS_ALLOCATED_NAMESPACES = 0x10,
	CNS_ALLOCATED_NAMESPACE = 0x11,
	CNS_CONTROLLERS_OF_NAMESPACE = 0x12,
	CNS_CONTROLLERS = 0x13,
	CNS_PRIMARY = 0x14,
	CNS_SECONDARIES = 0x15,
};

/* Identify Controller: offsets in it. */
#define ID_VID		    0u
#define ID_SSVID	    2u
#define ID_SN		    4u
#define ID_MN		    24u
#define ID_FR		    64u
#define ID_RAB		    72u
#define ID_CMIC		    76u
#define ID_MDTS		    77u
#define ID_CNTLID	    78u
#define ID_VER		    80u
#define ID_RTD3R	    84u
#define ID_RTD3E	    88u
#define ID_OAES		    92u
#define ID_CNTRLTYPE	    111u
#define ID_OACS		    256u
#define ID_ACL		    258u
#define ID_AERL		    259u
#define ID_FRMW		    260u
#define ID_LPA		    261u
#define ID_ELPE		    262u
#define ID_WCTEMP	    266u
#define ID_CCTEMP	    268u
#define ID_TNVMCAP	    280u
#define ID_SQES		    512u
#define ID_CQES		    513u
#define ID_NN		    516u
#define ID_SUBNQN	    768u
#define ID_PSD0		    2048u

#define SN_BYTES	    20u
#define MN_BYTES	    40u
#define FR_BYTES	    8u

#define CMIC_CONTROLLERS    0x2u /* the subsystem can have several */
#define CMIC_VF		    0x4u
#define CNTRLTYPE_IO	    1u
#define OAES_NAMESPACE	    0x100u
#define OACS_FORMAT	    0x02u
#define OACS_VIRTUALIZATION 0x80u
#define FRMW_ONE_READ_ONLY  0x3u /* slots for firmware: one, read-only */
#define LPA_EFFECTS	    0x2u
#define LPA_EXTENDED	    0x4u /* log pages can be read in parts */

/* Blanks to the end, as the specification wants its texts. */
static void put_text(uint8_t *bytes, size_t size, const char *text)
{
	size_t len = strlen(text);

	memset(bytes, ' ', size);
	memcpy(bytes, text, len < size ? len : size);
}

static void describe_subsystem(const struct nvme_controller *c, uint8_t *page)
{
	static const char prefix[] = "nqn.2026-01.org.softvfio:";
	const char *serial = c->subsystem->serial;
	uint8_t *nqn = page + ID_SUBNQN;

	put_text(page + ID_SN, SN_BYTES, serial);
	put_text(page + ID_MN, MN_BYTES, "softvfio NVMe");
	put_text(page + ID_FR, FR_BYTES, "1.4");
	memcpy(nqn, prefix, sizeof(prefix) - 1);
	memcpy(nqn + sizeof(prefix) - 1, serial, strlen(serial));
}

static void describe_commands(const struct nvme_controller *c, uint8_t *page)
{
	bool primary = c->id == 0 && c->subsystem->total_vfs;

	svf_nvme_put(page + ID_OAES, 4, OAES_NAMESPACE);
	svf_nvme_put(page + ID_OACS, 2, OACS_FORMAT | (primary ? OACS_VIRTUALIZATION : 0));
	page[ID_ACL] = 3;
	page[ID_AERL] = NVME_AERS_MAX - 1;
	page[ID_FRMW] = FRMW_ONE_READ_ONLY;
	page[ID_LPA] = LPA_EFFECTS | LPA_EXTENDED;
	page[ID_ELPE] = NVME_ERRORS_MAX - 1;
	page[ID_SQES] = 0x66;
	page[ID_CQES] = 0x44;
	svf_nvme_io_identify(c, page);
}

static uint16_t identify_controller(const struct nvme_request *rq, uint8_t *page)
{
	const struct nvme_controller *c = rq->controller;
	const struct nvme_subsystem *subsystem = c->subsystem;
	const uint8_t *config = svf_model_config(subsystem->controllers[0]->fn);

	memcpy(page + ID_VID, config, 2);
	memcpy(page + ID_SSVID, config + 0x2c, 2);
	describe_subsystem(c, page);
	page[ID_RAB] = 6;
	page[ID_CMIC] =
		(uint8_t)((subsystem->total_vfs ? CMIC_CONTROLLERS : 0) | (c->id ? CMIC_VF : 0));
	page[ID_MDTS] = (uint8_t)subsystem->mdts;
	svf_nvme_put(page + ID_CNTLID, 2, c->id);
	svf_nvme_put(page + ID_VER, 4, NVME_VERSION);
	page[ID_CNTRLTYPE] = CNTRLTYPE_IO;
	describe_commands(c, page);
	svf_nvme_put(page + ID_WCTEMP, 2, NVME_KELVIN_WARNING);
	svf_nvme_put(page + ID_CCTEMP, 2, NVME_KELVIN_CRITICAL);
	svf_nvme_put(page + ID_TNVMCAP, 8, svf_nvme_namespaces_bytes(subsystem->namespaces));
	svf_nvme_put(page + ID_NN, 4, svf_nvme_namespaces_max(subsystem->namespaces));
	/* One power state: 25 W at most, in hundredths. */
	svf_nvme_put(page + ID_PSD0, 2, 2500);
	return NVME_SUCCESS;
}

static bool is_valid_nsid(const struct nvme_request *rq)
{
	return rq->nsid &&
	       rq->nsid <= svf_nvme_namespaces_max(rq->controller->subsystem->namespaces);
}

/* Of a number without a namespace: zeroes. */
static uint16_t identify_namespace(const struct nvme_request *rq, uint8_t *page)
{
	const struct nvme_namespace *ns = svf_nvme_namespace_lookup(rq->controller, rq->nsid);

	if (!is_valid_nsid(rq))
		return NVME_INVALID_NAMESPACE;
	if (ns)
		svf_nvme_namespace_identify(ns, page);
	return NVME_SUCCESS;
}

static uint16_t identify_descriptors(const struct nvme_request *rq, uint8_t *page)
{
	const struct nvme_namespace *ns = svf_nvme_namespace_lookup(rq->controller, rq->nsid);

	if (!ns)
		return NVME_INVALID_NAMESPACE;
	svf_nvme_namespace_describe(ns, page);
	return NVME_SUCCESS;
}

/* Those above the number given. */
static uint16_t list_namespaces(const struct nvme_request *rq, uint8_t *page)
{
	const struct nvme_controller *c = rq->controller;
	uint32_t max = svf_nvme_namespaces_max(c->subsystem->namespaces);
	unsigned int at = 0;

	if (rq->nsid >= NVME_ALL_NAMESPACES - 1)
		return NVME_INVALID_NAMESPACE;
	for (uint32_t nsid = rq->nsid + 1; nsid <= max && at < NVME_IDENTIFY_BYTES; nsid++) {
		if (!svf_nvme_namespace_lookup(c, nsid))
			continue;
		svf_nvme_put(page + at, 4, nsid);
		at += 4;
	}
	return NVME_SUCCESS;
}

/*
 * From the number in dword 10 on. Secondary controllers are part of the subsystem also while their VF does not
 * exist.
 */
static uint16_t list_controllers(const struct nvme_request *rq, uint8_t *page)
{
	unsigned int count = 0;

	for (unsigned int id = rq->dw[10] >> 16; id <= rq->controller->subsystem->total_vfs; id++)
		svf_nvme_put(page + 2 + 2 * count++, 2, id);
	svf_nvme_put(page, 2, count);
	return NVME_SUCCESS;
}

static uint16_t list_controllers_of_namespace(const struct nvme_request *rq, uint8_t *page)
{
	if (!svf_nvme_namespace_lookup(rq->controller, rq->nsid))
		return NVME_INVALID_NAMESPACE;
	return list_controllers(rq, page);
}

static uint16_t identify_primary(const struct nvme_request *rq, uint8_t *page)
{
	if (rq->controller->id)
		return NVME_INVALID_FIELD;
	svf_nvme_identify_primary(rq->controller, page);
	return NVME_SUCCESS;
}

static uint16_t identify_secondaries(const struct nvme_request *rq, uint8_t *page)
{
	if (rq->controller->id)
		return NVME_INVALID_FIELD;
	svf_nvme_identify_secondaries(rq->controller, rq->dw[10] >> 16, page);
	return NVME_SUCCESS;
}

static const struct {
	uint8_t cns;
	uint16_t (*fill)(const struct nvme_request *rq, uint8_t *page);
} pages[] = {
	{CNS_NAMESPACE, identify_namespace},
	{CNS_CONTROLLER, identify_controller},
	{CNS_ACTIVE_NAMESPACES, list_namespaces},
	{CNS_DESCRIPTORS, identify_descriptors},
	{CNS_ALLOCATED_NAMESPACES, list_namespaces},
	{CNS_ALLOCATED_NAMESPACE, identify_namespace},
	{CNS_CONTROLLERS_OF_NAMESPACE, list_controllers_of_namespace},
	{CNS_CONTROLLERS, list_controllers},
	{CNS_PRIMARY, identify_primary},
	{CNS_SECONDARIES, identify_secondaries},
};

enum nvme_step svf_nvme_identify(struct nvme_request *rq)
{
	uint8_t page[NVME_IDENTIFY_BYTES];
	uint8_t cns = (uint8_t)rq->dw[10];
	unsigned int i = 0;

	while (i < sizeof(pages) / sizeof(pages[0]) && pages[i].cns != cns)
		i++;
	if (i == sizeof(pages) / sizeof(pages[0]))
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 40);
	memset(page, 0, sizeof(page));
	rq->status = pages[i].fill(rq, page);
	if (rq->status == NVME_INVALID_NAMESPACE)
		rq->location = 4;
	if (!rq->status)
		rq->status = svf_nvme_send(rq, page, sizeof(page));
	return NVME_DONE;
}
