/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A controller's queues, in the host's memory, and the commands of them that are under way.
 *
 * What a host can make the controller keep is bounded: QUEUES_MAX pairs of queues and REQUESTS_MAX commands
 * under way; all other commands stay in their queues.
 */
#ifndef SVF_MODELS_NVME_QUEUES_H
#define SVF_MODELS_NVME_QUEUES_H

#include "models/nvme/nvme.h"

#define NVME_QUEUES_MAX	  512u /* pairs, with the admin queues: one page of doorbells */
#define NVME_REQUESTS_MAX 128u
#define NVME_ENTRIES_MAX  1024u /* of a queue: CAP.MQES and 1 */

#define NVME_BATCH	  16u /* entries that are read, or written, by one access */

/* A set of queue ids. */
struct nvme_idset {
	uint64_t words[NVME_QUEUES_MAX / 64];
};

struct nvme_cq {
	uint64_t base;
	uint32_t entries; /* 0: there is no such queue */
	uint32_t head, tail;
	uint16_t vector;
	bool interrupts, phase;
	unsigned int sqs;      /* submission queues that complete here */
	unsigned int reserved; /* entries that commands under way will take */
	/* Completions before tail that the host's memory does not have yet; they are written at once. */
	unsigned int unwritten;
	uint8_t batch[NVME_BATCH][NVME_CQE_BYTES];
	bool full;     /* somebody waits for an entry */
	uint32_t seen; /* its doorbell, when that is polled */
};

struct nvme_sq {
	uint64_t base;
	uint32_t entries; /* 0: there is no such queue */
	uint32_t head, tail;
	uint16_t id, cq;
	/* Entries from head on that were read already; the last one is the last of batch. */
	unsigned int ahead;
	uint8_t batch[NVME_BATCH][NVME_SQE_BYTES];
	uint32_t seen;
	/* Commands under way that are to go on in a later slice. */
	struct nvme_request *first, **last;
};

struct nvme_queues {
	unsigned int limit;   /* pairs that the host may have now, with the admin queues */
	unsigned int vectors; /* likewise, interrupt vectors */
	unsigned int turn;    /* the submission queue after the one served last */
	bool running, deferred;
	bool level;		   /* of INTx */
	struct nvme_idset active;  /* submission queues that may have something to do */
	struct nvme_idset signals; /* completion queues with news since their last interrupt */
	struct nvme_request *free;
	unsigned int ready; /* requests in the lists of submission queues */
	struct nvme_request requests[NVME_REQUESTS_MAX];
	/* poll.c; NULL: doorbells are trapped. */
	uint8_t *doorbells;
	struct svf_model_timer *timer;
	uint64_t interval_ns;
	unsigned int count; /* pairs in the arrays below */
	struct nvme_sq *sqs;
	struct nvme_cq *cqs;
};

/* Return: 0, -ENOMEM. */
int svf_nvme_queues_alloc(struct nvme_controller *c, unsigned int count) SVF_MODEL_MUST_CHECK;
void svf_nvme_queues_destroy(struct nvme_controller *c);

/* With the admin queues only. */
void svf_nvme_queues_start(struct nvme_controller *c, uint64_t asq, unsigned int sq_entries,
			   uint64_t acq, unsigned int cq_entries);
/* No queue is left and no command under way. */
void svf_nvme_queues_stop(struct nvme_controller *c);

/* NULL: there is no such queue. */
struct nvme_sq *svf_nvme_sq_lookup(struct nvme_controller *c, unsigned int id);
struct nvme_cq *svf_nvme_cq_lookup(struct nvme_controller *c, unsigned int id);
/* Of an id that is free. */
void svf_nvme_sq_open(struct nvme_controller *c, uint16_t id, uint16_t cq, uint64_t base,
		      unsigned int entries);
void svf_nvme_cq_open(struct nvme_controller *c, uint16_t id, uint64_t base, unsigned int entries,
		      bool interrupts, uint16_t vector);
/* Commands of it under way are aborted. */
void svf_nvme_sq_close(struct nvme_controller *c, struct nvme_sq *sq);
void svf_nvme_cq_close(struct nvme_controller *c, struct nvme_cq *cq);
/* A command of an I/O queue that is under way ends with Command Abort Requested. Return: whether there is one. */
bool svf_nvme_sq_abort(struct nvme_controller *c, struct nvme_sq *sq, uint16_t cid);

/* The host has written a doorbell: twice the queue, and 1 for a completion queue. */
void svf_nvme_doorbell(struct nvme_controller *c, unsigned int index, uint32_t value);
/* One slice; what is left is deferred. */
void svf_nvme_work(struct svf_function *fn);

/*
 * A completion of the admin queue that no command under way stands for. Return: false when there is no
 * room for it.
 */
bool svf_nvme_complete_admin(struct nvme_controller *c, uint16_t cid, uint16_t status,
			     uint32_t result);

/*
 * poll.c, for a controller whose doorbells are RAM, which begins it by init: its doorbells are looked at from
 * start to stop. For others start, stop and clear do nothing. index: of a doorbell. Return: 0, -ENOMEM.
 */
int svf_nvme_poll_init(struct nvme_controller *c) SVF_MODEL_MUST_CHECK;
void svf_nvme_poll_start(struct nvme_controller *c);
void svf_nvme_poll_stop(struct nvme_controller *c);
/* The doorbell of a queue that begins: zero, whatever one before it has left there. */
void svf_nvme_poll_clear(struct nvme_controller *c, unsigned int index);

/* interrupts.c: raises what is due and puts INTx where it belongs. */
void svf_nvme_interrupts_update(struct nvme_controller *c);
/* The same, after vectors were taken out of the mask. */
void svf_nvme_interrupts_unmasked(struct nvme_controller *c, uint32_t vectors);
void svf_nvme_config_write(struct svf_function *fn, unsigned int offset, unsigned int len);

static inline void svf_nvme_idset_add(struct nvme_idset *set, unsigned int id)
{
	set->words[id / 64] |= UINT64_C(1) << id % 64;
}

static inline void svf_nvme_idset_remove(struct nvme_idset *set, unsigned int id)
{
	set->words[id / 64] &= ~(UINT64_C(1) << id % 64);
}

/* The first member from id on; NVME_QUEUES_MAX: there is none. */
static inline unsigned int svf_nvme_idset_next(const struct nvme_idset *set, unsigned int id)
{
	while (id < NVME_QUEUES_MAX) {
		uint64_t rest = set->words[id / 64] >> id % 64;

		if (rest)
			return id + (unsigned int)__builtin_ctzll(rest);
		id += 64 - id % 64;
	}
	return NVME_QUEUES_MAX;
}

#endif
