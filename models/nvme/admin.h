/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of admin commands share. */
#ifndef SVF_MODELS_NVME_ADMIN_H
#define SVF_MODELS_NVME_ADMIN_H

#include "models/nvme/nvme.h"

#define NVME_AERS_MAX	 4u  /* asynchronous event requests outstanding: AERL and 1 */
#define NVME_EVENTS_MAX	 8u  /* events that wait for one; as many kinds as there are */
#define NVME_ERRORS_MAX	 64u /* entries of the error log: ELPE and 1 */
#define NVME_ERROR_BYTES 64u
#define NVME_CHANGED_MAX 256u /* the highest NSID whose changes are told */

/* Asynchronous Event Configuration: namespace attribute notices. */
#define NVME_ASYNC_NAMESPACE 0x100u

#define NVME_KELVIN	     308u /* what the controller says its temperature is */
#define NVME_KELVIN_WARNING  343u
#define NVME_KELVIN_CRITICAL 353u

struct nvme_event {
	uint8_t type, info, log;
};

/* events.c */
struct nvme_events {
	uint16_t cids[NVME_AERS_MAX];
	unsigned int outstanding;
	struct nvme_event pending[NVME_EVENTS_MAX];
	unsigned int count;
	unsigned int masked; /* 1 << type: told, and the log page not read since */
};

/* features.c: as dword 11 of Set Features had them. */
struct nvme_features {
	uint32_t arbitration, error_recovery, coalescing, write_atomicity, async_events;
	uint16_t temperature_over, temperature_under;
	uint64_t uncoalesced[4]; /* vectors with Coalescing Disable */
};

/* log.c */
struct nvme_logs {
	uint8_t errors[NVME_ERRORS_MAX][NVME_ERROR_BYTES]; /* error n at n modulo their number */
	uint64_t error_count;
	uint64_t changed[NVME_CHANGED_MAX / 64 + 1]; /* NSIDs */
};

struct nvme_admin {
	struct nvme_events events;
	struct nvme_features features;
	struct nvme_logs logs;
	bool queues_made; /* an I/O queue was created since the controller was enabled */
};

/* admin.c */
enum nvme_step svf_nvme_admin_execute(struct nvme_request *rq);
/* Dword 0 to 255 of Commands Supported and Effects: the admin commands. */
void svf_nvme_admin_effects(const struct nvme_controller *c, uint8_t *page);
/* After a reset of the controller; the error log stays. */
void svf_nvme_admin_reset(struct nvme_controller *c);

enum nvme_step svf_nvme_identify(struct nvme_request *rq);
enum nvme_step svf_nvme_set_features(struct nvme_request *rq);
enum nvme_step svf_nvme_get_features(struct nvme_request *rq);
void svf_nvme_features_reset(struct nvme_controller *c);
enum nvme_step svf_nvme_get_log_page(struct nvme_request *rq);

/* features.c: bits of Critical Warning. */
uint8_t svf_nvme_critical_warning(const struct nvme_controller *c);

/* log.c */
void svf_nvme_log_error(struct nvme_controller *c, const struct nvme_request *rq);
/* A write to a doorbell that names no queue, or no value of that queue: logged, and told. */
void svf_nvme_doorbell_error(struct nvme_controller *c, uint16_t queue, uint8_t info);

/* events.c */
enum nvme_step svf_nvme_async_event_request(struct nvme_request *rq);
void svf_nvme_event(struct nvme_controller *c, struct nvme_event event);
void svf_nvme_events_deliver(struct nvme_controller *c);
/* The log page was read: its events are told again. */
void svf_nvme_events_unmask(struct nvme_controller *c, uint8_t log);
/* An outstanding request of that command id ends with Command Abort Requested. */
bool svf_nvme_events_abort(struct nvme_controller *c, uint16_t cid);

/* virt.c */
enum nvme_step svf_nvme_virtualization(struct nvme_request *rq);
void svf_nvme_identify_primary(const struct nvme_controller *c, uint8_t *page);
void svf_nvme_identify_secondaries(const struct nvme_controller *c, unsigned int first,
				   uint8_t *page);

/* registers.c: CSTS.CFS, and CSTS.SHST as a value of the register. */
void svf_nvme_fatal(struct nvme_controller *c);
void svf_nvme_set_shutdown_status(struct nvme_controller *c, uint32_t status);

/* shutdown.c: CSTS.SHST says when it is done. */
void svf_nvme_shutdown_begin(struct nvme_controller *c);
/* The controller is reset, or ends. */
void svf_nvme_shutdown_drop(struct nvme_controller *c);

#endif
