/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the NVMe model share.
 *
 * A subsystem is the PF and everything that its VFs have in common with it: namespaces and the
 * resources of secondary controllers. It lives as long as the PF. Each function is a controller, with
 * registers and queues of its own; controller 0 is the PF's, controller i + 1 that of VF i.
 *
 *	registers.c	BAR 0: properties, enabling, shutdown; doorbells go to queues.c
 *	queues.c	fetches commands, posts completions, raises interrupts, in slices
 *	admin.c		the table of admin commands; those that make and end queues
 *	identify.c features.c log.c events.c virt.c	other admin commands
 *	namespace.c	what a namespace is, and which there are
 *	store.c		its blocks, when they are in memory
 *	transfer.c	a command's data, by PRPs and SGLs
 *	io.c		commands of the NVM command set: what they ask for
 *	data.c		and how it is done
 */
#ifndef SVF_MODELS_NVME_NVME_H
#define SVF_MODELS_NVME_NVME_H

#include "include/softvfio/model.h"
#include "models/nvme/spec.h"

enum {
	OPT_SIZE,
	OPT_FILE,
	OPT_BLOCK,
	OPT_NS,
	OPT_MDTS,
	OPT_QUEUES,
	OPT_VFS,
	OPT_TOTALVFS,
	OPT_VFQUEUES,
	OPT_VFONLINE,
	OPT_SERIAL,
	OPT_DOORBELLS,
	OPT_STRIDE,
};

extern const struct svf_model_option svf_nvme_options[];

struct nvme_controller;
struct nvme_data;	/* data.c */
struct nvme_namespace;	/* namespace.c */
struct nvme_namespaces; /* namespace.c */
struct nvme_admin;
struct nvme_queues;   /* queues.c */
struct nvme_shutdown; /* shutdown.c */
struct nvme_sq;	      /* queues.c */

#define NVME_VFS_MAX	     64u
#define NVME_CONTROLLERS_MAX (NVME_VFS_MAX + 1)

#define NVME_SERIAL_MAX	     20u

/* What Virtualization Management gives to controllers: queue pairs, with the admin queues, and vectors. */
enum nvme_resource { NVME_VQ, NVME_VI, NVME_RESOURCES };

struct nvme_secondary {
	uint16_t resources[NVME_RESOURCES];
	bool online;
};

struct nvme_subsystem {
	struct nvme_namespaces *namespaces;
	/* By controller id; NULL: a VF that does not exist. */
	struct nvme_controller *controllers[NVME_CONTROLLERS_MAX];
	unsigned int total_vfs;
	unsigned int queues;	/* I/O queue pairs of the PF without flexible resources */
	unsigned int vf_queues; /* most I/O queue pairs of a VF */
	/* virt.c: of secondary controller i + 1, and flexible ones that the primary is to have. */
	struct nvme_secondary secondaries[NVME_VFS_MAX];
	uint16_t primary[NVME_RESOURCES];
	char serial[NVME_SERIAL_MAX + 1];
	unsigned int mdts;   /* a command transfers up to 2^mdts times 4 KiB; 0: any */
	bool polled;	     /* doorbells are */
	unsigned int stride; /* CAP.DSTRD: from doorbell to doorbell, 4 << stride bytes */
	bool vf_online;	     /* VFs begin online, with everything they can have */
};

/* What log pages tell of a controller's traffic; io.c counts. */
struct nvme_traffic {
	uint64_t blocks_read, blocks_written; /* of 512 bytes */
	uint64_t reads, writes;		      /* commands */
};

struct nvme_controller {
	struct svf_function *fn;
	struct nvme_subsystem *subsystem;
	struct nvme_queues *queues;
	uint16_t id;
	unsigned int page_shift; /* memory page size by CC.MPS, of PRPs */
	bool write_cache; /* volatile write cache enabled: writes are durable after a flush */
	struct nvme_traffic traffic;
	struct nvme_shutdown *shutdown; /* shutdown.c; NULL: none under way */
	struct nvme_admin *admin;	/* admin.h */
	uint8_t registers[NVME_REGISTERS];
	uint8_t *shown; /* what software loads: a copy of them, which software could have changed */
};

/*
 * A command being carried out. One that waits is overtaken by further commands of its queue.
 */
struct nvme_request {
	struct nvme_controller *controller;
	struct nvme_sq *sq;
	/* Of queues.c. */
	struct nvme_request *next;
	enum nvme_request_state {
		NVME_REQUEST_FREE,
		NVME_REQUEST_READY,   /* to go on in a later slice */
		NVME_REQUEST_RUNNING, /* its handler is being called */
		NVME_REQUEST_RESUMED, /* the same, and what it is going to wait for has happened */
		NVME_REQUEST_STOPPED, /* the same, and its queue is gone */
		NVME_REQUEST_WAITING,
	} state;
	/* The submission entry, in the processor's byte order, and the parts that all commands have. */
	uint32_t dw[16];
	uint8_t opcode;
	uint16_t cid;
	uint32_t nsid;
	uint64_t prp1, prp2; /* dw 6 to 9; of an SGL: the first descriptor */
	bool sgl;

	/* The answer: enum nvme_status, dword 0 of the completion. */
	uint16_t status;
	uint32_t result;
	/* For the error log: byte of the submission entry at fault, bit << 8; or NVME_NO_LOCATION. */
	uint16_t location;
	uint64_t lba;

	/* How much of a slice it has used, in bytes moved or the like; added to by whoever works. */
	uint64_t spent;
	/* Of whoever carries it out; zeroes when it begins. */
	struct nvme_namespace *ns;
	struct nvme_data *data; /* data.c; NULL: none under way */
	uint64_t progress[4];
};

#define NVME_NO_LOCATION 0xffffu

/*
 * What a handler of a command returns. A handler does a slice's worth (NVME_SLICE) at most, adds that
 * to spent, and is called again, in a later slice, after NVME_AGAIN. After NVME_WAITING it is called again when
 * svf_nvme_request_resume() says that what it waits for has happened. A request that is under way and
 * to be dropped, by a reset or the deletion of its queue, is told by svf_nvme_io_cancel().
 */
enum nvme_step {
	NVME_DONE,
	NVME_AGAIN,
	NVME_WAITING,
	NVME_HELD, /* without a completion; the handler has noted the command id (admin commands only) */
};

#define NVME_SLICE (1u << 20)

/* DONE, with the status; also what a handler returns at the first error: return svf_nvme_end(rq, STATUS). */
static inline enum nvme_step svf_nvme_end(struct nvme_request *rq, uint16_t status)
{
	rq->status = status;
	return NVME_DONE;
}

/* The same, and where in the submission entry the error is. */
static inline enum nvme_step svf_nvme_end_at(struct nvme_request *rq, uint16_t status,
					     uint16_t location)
{
	rq->location = location;
	return svf_nvme_end(rq, status);
}

/* --- bytes, little-endian --- */

static inline uint64_t svf_nvme_get(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static inline void svf_nvme_put(uint8_t *bytes, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++, value >>= 8)
		bytes[i] = (uint8_t)value;
}

/* --- registers.c --- */

void svf_nvme_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
		       size_t len);
void svf_nvme_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset, const void *buf,
			size_t len);
/* The function was reset, or begins. */
void svf_nvme_controller_reset(struct nvme_controller *c);
/* Of a VF: it goes offline, or comes online, as subsystem->secondaries says. */
void svf_nvme_controller_state_changed(struct nvme_controller *c);

/* --- queues.c --- */

/* What a request that returned NVME_WAITING waits for has happened. Context: any callback. */
void svf_nvme_request_resume(struct nvme_request *rq);

/* --- events.c --- */

/* Format and the like have changed, by a command of the controller: all others are told. */
void svf_nvme_namespace_changed(struct nvme_controller *by, uint32_t nsid);

/* --- namespace.c --- */

/* Context: create() of the PF. Return: 0, -EINVAL with the reason, -ENOMEM. */
int svf_nvme_namespaces_alloc(struct svf_function *fn, const char *serial,
			      const struct svf_option_value *values, struct nvme_namespaces **ret,
			      struct svf_model_error *error) SVF_MODEL_MUST_CHECK;
void svf_nvme_namespaces_destroy(struct nvme_namespaces *namespaces);
/* The highest NSID there can be (Identify, NN). */
uint32_t svf_nvme_namespaces_max(const struct nvme_namespaces *namespaces);
/* Bytes of all namespaces together. */
uint64_t svf_nvme_namespaces_bytes(const struct nvme_namespaces *namespaces);
/* NULL: no namespace of that number is attached to the controller. */
struct nvme_namespace *svf_nvme_namespace_lookup(const struct nvme_controller *c, uint32_t nsid);
/* Identify, CNS 0 and 3; page is zeroed, 4096 bytes. */
void svf_nvme_namespace_identify(const struct nvme_namespace *ns, uint8_t *page);
void svf_nvme_namespace_describe(const struct nvme_namespace *ns, uint8_t *page);
/* Format NVM, all of it. */
enum nvme_step svf_nvme_namespace_format(struct nvme_request *rq);

/* --- transfer.c --- */

/*
 * All of a command's data, for commands with little: to the host, or from it. Return: enum nvme_status.
 */
uint16_t svf_nvme_send(struct nvme_request *rq, const void *src, size_t len) SVF_MODEL_MUST_CHECK;
uint16_t svf_nvme_receive(struct nvme_request *rq, void *dst, size_t len) SVF_MODEL_MUST_CHECK;

/* --- io.c --- */

/* Identify Controller: ONCS, FUSES, FNA, VWC, AWUN, AWUPF, ACWU, SGLS; page is 4096 bytes. */
void svf_nvme_io_identify(const struct nvme_controller *c, uint8_t *page);
/* Commands Supported and Effects of I/O commands: 256 entries of four bytes. */
void svf_nvme_io_effects(uint8_t *entries);
/* A command of an I/O queue: opcode, namespace and everything else are for the handler to check. */
enum nvme_step svf_nvme_io_execute(struct nvme_request *rq);
/* The request, which was not done, is dropped; nothing of it is to be touched any more. */
void svf_nvme_io_cancel(struct nvme_request *rq);

#endif
