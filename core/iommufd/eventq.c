/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fault queues and event queues of vIOMMUs; see eventq.h.
 *
 * The command that makes a queue makes an open file for it too. Until the caller has a descriptor of
 * that (installed), the object cannot be found, and closing the file undoes all. Reading never
 * waits: an empty queue reads as nothing, and poll says when there is something. What does not
 * fit whole is not delivered, and what a reader's memory did not take is lost to it.
 *
 * A page request is delivered once, with a cookie, and then waits for its answer. Detaching what it
 * came through answers for the user: invalid. The devices of this machine do not wait for
 * answers.
 *
 * An event that finds the queue of a vIOMMU full, or no memory, is dropped; after those that are in
 * it the reader finds a header that says so. Each event, dropped ones too, has a number of its own
 * in the sequence, and the header that of the last one dropped.
 */
#include "core/iommufd/eventq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/iommufd/hwpt.h"
#include "core/iommufd/viommu.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

#define VEVENTQ_DEPTH_MAX (1u << 19)
/* Page requests in one queue, read or not. */
#define FAULTS_MAX    (1u << 16)
#define SEQUENCE_MASK 0x7fffffffu

/* A queue's open file. */
struct svf_eventq_file {
	struct svf_file file;
	struct svf_eventq *queue;
	bool installed;
};

struct svf_fault_group {
	struct svf_list link; /* queue.deliver, until it is read */
	struct svf_page_request request;
	const struct svf_igroup *igroup;
	uint32_t handle_pasid;
};

struct svf_vevent {
	struct svf_list link;
	uint32_t sequence;
	uint32_t len;
	uint8_t data[];
};

/* --- files --- */

static struct svf_eventq_file *eventq_file_of(struct svf_file *file)
{
	return svf_container_of(file, struct svf_eventq_file, file);
}

/* The caller has the descriptor. */
static void eventq_installed(struct svf_file *file)
{
	struct svf_eventq_file *ef = eventq_file_of(file);

	ef->installed = true;
	svf_iobject_finalize(&ef->queue->obj);
}

static void eventq_close(struct svf_file *file)
{
	struct svf_eventq_file *ef = eventq_file_of(file);
	struct svf_eventq *queue = ef->queue;
	struct svf_ictx *ictx = queue->ictx;

	queue->file = NULL;
	queue->obj.users--;
	if (!ef->installed)
		svf_iobject_destroy(ictx, &queue->obj);
	file->machine->used.files--;
	free(ef);
	svf_ictx_put(ictx);
}

static void tell_readers(const struct svf_eventq *queue)
{
	struct svf_file *file = queue->file ? &queue->file->file : NULL;

	if (file)
		file->machine->port->file_ready(file->machine, file);
}

/* Opens the file that call hands to the caller, with its number at fd_at in the caller's memory. */
static int eventq_open(struct svf_eventq *queue, struct svf_ictx *ictx, struct svf_call *call,
		       enum svf_file_kind kind, const struct svf_file_ops *ops, uint64_t fd_at)
{
	struct svf_machine *machine = ictx->file.machine;
	struct svf_eventq_file *ef;

	if (!call->can_return_fd)
		return svf_fail(call, -EOPNOTSUPP,
				"this process cannot be given a new descriptor; start it under "
				"softvfio run or exec");
	if (machine->used.files >= machine->limits.files)
		return svf_fail(call, -EMFILE, "no more than %u open files", machine->limits.files);
	ef = calloc(1, sizeof(*ef));
	if (!ef)
		return svf_fail(call, -ENOMEM, "out of memory for an open queue");
	ef->file = (struct svf_file){.kind = kind, .ops = ops, .machine = machine};
	ef->queue = queue;
	queue->ictx = svf_ictx_get(ictx);
	queue->file = ef;
	queue->obj.users++;
	machine->used.files++;
	call->ret_file = &ef->file;
	call->ret_fd_at = fd_at;
	return 0;
}

/* --- fault queues --- */

struct svf_fault *svf_fault_lookup(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_FAULT);

	return object ? svf_container_of(object, struct svf_fault, queue.obj) : NULL;
}

static void group_free(struct svf_fault *fault, struct svf_fault_group *group)
{
	fault->pending--;
	fault->ictx->file.machine->used.objects--;
	free(group);
}

void svf_fault_report(struct svf_fault *fault, const struct svf_page_request *request,
		      const struct svf_igroup *igroup, uint32_t handle_pasid)
{
	struct svf_machine *machine = fault->ictx->file.machine;
	struct svf_fault_group *group;

	if (fault->pending >= FAULTS_MAX ||
	    !svf_share_left(fault->ictx->objects.used + fault->pending, machine->used.objects,
			    machine->limits.objects))
		return;
	group = calloc(1, sizeof(*group));
	if (!group)
		return;
	group->request = *request;
	group->igroup = igroup;
	group->handle_pasid = handle_pasid;
	svf_list_add_tail(&fault->queue.deliver, &group->link);
	fault->pending++;
	machine->used.objects++;
	tell_readers(&fault->queue);
}

static struct svf_fault_group *response_lookup(const struct svf_fault *fault, uint32_t cookie)
{
	return svf_idtable_lookup(&fault->responses, cookie);
}

static void drop_response(struct svf_fault *fault, uint32_t cookie)
{
	struct svf_fault_group *group = response_lookup(fault, cookie);

	svf_idtable_remove(&fault->responses, cookie);
	group_free(fault, group);
}

static bool came_through(const struct svf_fault_group *group, const struct svf_igroup *igroup,
			 uint32_t handle_pasid)
{
	return group->igroup == igroup && group->handle_pasid == handle_pasid;
}

void svf_fault_auto_respond(struct svf_fault *fault, const struct svf_igroup *igroup,
			    uint32_t handle_pasid)
{
	struct svf_fault_group *group, *tmp;

	if (!fault || !fault->pending)
		return;
	svf_list_for_each_safe(group, tmp, &fault->queue.deliver, link) {
		if (!came_through(group, igroup, handle_pasid))
			continue;
		svf_list_del(&group->link);
		group_free(fault, group);
	}
	for (uint32_t cookie = 1; cookie <= fault->responses.size; cookie++) {
		group = response_lookup(fault, cookie);
		if (group && came_through(group, igroup, handle_pasid))
			drop_response(fault, cookie);
	}
}

void svf_fault_fini(struct svf_iobject *object)
{
	struct svf_fault *fault = svf_container_of(object, struct svf_fault, queue.obj);
	struct svf_fault_group *group, *tmp;

	svf_list_for_each_safe(group, tmp, &fault->queue.deliver, link) {
		svf_list_del(&group->link);
		group_free(fault, group);
	}
	for (uint32_t cookie = 1; cookie <= fault->responses.size; cookie++)
		if (response_lookup(fault, cookie))
			drop_response(fault, cookie);
	svf_idtable_fini(&fault->responses);
}

static struct iommu_hwpt_pgfault compose(const struct svf_fault_group *group, uint32_t cookie)
{
	const struct svf_page_request *request = &group->request;

	return (struct iommu_hwpt_pgfault){
		.flags = IOMMU_PGFAULT_FLAGS_LAST_PAGE |
			 (request->pasid_valid ? IOMMU_PGFAULT_FLAGS_PASID_VALID : 0),
		.dev_id = request->dev_id,
		.pasid = request->pasid,
		.grpid = request->grpid,
		.perm = request->perm,
		.addr = request->addr,
		.cookie = cookie,
	};
}

static ssize_t fault_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
			  uint64_t offset)
{
	struct svf_eventq *queue = eventq_file_of(file)->queue;
	struct svf_fault *fault = svf_container_of(queue, struct svf_fault, queue);
	const size_t size = sizeof(struct iommu_hwpt_pgfault);
	size_t done = 0;

	(void)offset; /* the transport counts what was read, the queue has no positions */
	if (len % size)
		return svf_fail(call, -ESPIPE, "%zu bytes are not a number of page requests", len);
	while (!svf_list_empty(&queue->deliver)) {
		struct svf_fault_group *group =
			svf_list_first(&queue->deliver, struct svf_fault_group, link);
		struct iommu_hwpt_pgfault message;
		int64_t cookie;

		if (len - done < size)
			return done ? (ssize_t)done
				    : svf_fail(call, -EINVAL, "no room for one page request");
		cookie = svf_idtable_add(&fault->responses, group, UINT32_MAX);
		if (cookie < 0)
			return done ? (ssize_t)done
				    : svf_fail(call, (int)cookie, "no cookie for a page request");
		svf_list_del(&group->link);
		message = compose(group, (uint32_t)cookie);
		memcpy((uint8_t *)buf + done, &message, size);
		done += size;
	}
	return (ssize_t)done;
}

static int respond(struct svf_fault *fault, struct svf_call *call,
		   const struct iommu_hwpt_page_response *response)
{
	if (response->code != IOMMUFD_PAGE_RESP_SUCCESS &&
	    response->code != IOMMUFD_PAGE_RESP_INVALID)
		return svf_fail(call, -EINVAL, "answer %u is neither SUCCESS (0) nor INVALID (1)",
				response->code);
	if (!response_lookup(fault, response->cookie))
		return svf_fail(call, -EINVAL, "no page request with cookie %u waits",
				response->cookie);
	drop_response(fault, response->cookie);
	return 0;
}

static ssize_t fault_write(struct svf_file *file, struct svf_call *call, const void *buf,
			   size_t len, uint64_t offset)
{
	struct svf_eventq *queue = eventq_file_of(file)->queue;
	struct svf_fault *fault = svf_container_of(queue, struct svf_fault, queue);
	struct iommu_hwpt_page_response response;
	size_t done = 0;
	int err;

	(void)offset;
	if (len % sizeof(response))
		return svf_fail(call, -ESPIPE, "%zu bytes are not a number of answers", len);
	for (; done < len; done += sizeof(response)) {
		memcpy(&response, (const uint8_t *)buf + done, sizeof(response));
		err = respond(fault, call, &response);
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

static unsigned int fault_poll(struct svf_file *file)
{
	const struct svf_eventq *queue = eventq_file_of(file)->queue;

	return SVF_POLL_OUT | (svf_list_empty(&queue->deliver) ? 0 : SVF_POLL_IN);
}

static const struct svf_file_ops fault_ops = {
	.read = fault_read,
	.write = fault_write,
	.poll = fault_poll,
	.installed = eventq_installed,
	.close = eventq_close,
};

int svf_fault_queue_alloc(struct svf_ucmd *ucmd)
{
	struct iommu_fault_alloc *cmd = ucmd->cmd;
	struct svf_iobject *object;
	struct svf_fault *fault;
	int err;

	if (cmd->flags)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", cmd->flags);
	err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*fault), SVF_IOBJECT_FAULT, &object);
	if (err)
		return err;
	fault = svf_container_of(object, struct svf_fault, queue.obj);
	fault->ictx = ucmd->ictx;
	svf_list_init(&fault->queue.deliver);
	svf_idtable_init(&fault->responses);
	cmd->out_fault_id = object->id;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (!err)
		err = eventq_open(&fault->queue, ucmd->ictx, ucmd->call, SVF_FILE_FAULT, &fault_ops,
				  ucmd->ubuffer + offsetof(struct iommu_fault_alloc, out_fault_fd));
	if (err)
		svf_iobject_destroy(ucmd->ictx, object);
	return err;
}

/* --- event queues of vIOMMUs --- */

static struct svf_veventq *find_veventq(const struct svf_viommu *viommu, uint32_t type)
{
	struct svf_veventq *veventq;

	svf_list_for_each(veventq, &viommu->veventqs, link)
		if (veventq->type == type)
			return veventq;
	return NULL;
}

static uint32_t next_sequence(struct svf_veventq *veventq)
{
	uint32_t sequence = veventq->sequence;

	veventq->sequence = (sequence + 1) & SEQUENCE_MASK;
	return sequence;
}

static struct svf_vevent *vevent_alloc(const struct svf_veventq *veventq, const void *data,
				       size_t len)
{
	struct svf_ictx *ictx = veventq->viommu->ictx;
	struct svf_machine *machine = ictx->file.machine;
	struct svf_vevent *vevent;

	if (!svf_share_left(ictx->objects.used + veventq->num_events, machine->used.objects,
			    machine->limits.objects))
		return NULL;
	vevent = calloc(1, sizeof(*vevent) + len);
	if (!vevent)
		return NULL;
	machine->used.objects++;
	vevent->len = (uint32_t)len;
	memcpy(vevent->data, data, len);
	return vevent;
}

static void vevent_free(struct svf_veventq *veventq, struct svf_vevent *vevent)
{
	svf_list_del(&vevent->link);
	veventq->viommu->ictx->file.machine->used.objects--;
	veventq->num_events--;
	free(vevent);
}

int svf_viommu_report_event(struct svf_viommu *viommu, struct svf_call *call, uint32_t type,
			    const void *data, size_t len)
{
	struct svf_veventq *veventq = find_veventq(viommu, type);
	struct svf_vevent *vevent = NULL;
	bool room;

	if (!veventq)
		return svf_fail(call, -EOPNOTSUPP, "vIOMMU %u has no event queue of type 0x%x",
				viommu->obj.id, type);
	room = veventq->num_events < veventq->depth;
	if (room)
		vevent = vevent_alloc(veventq, data, len);
	if (vevent) {
		vevent->sequence = next_sequence(veventq);
		svf_list_add_tail(&veventq->queue.deliver, &vevent->link);
		veventq->num_events++;
		/* The gap in the sequence tells what the header would have. */
		veventq->lost = false;
	} else {
		veventq->lost_sequence = next_sequence(veventq);
		veventq->lost = true;
	}
	tell_readers(&veventq->queue);
	return vevent || !room ? 0 : svf_fail(call, -ENOMEM, "no memory for an event");
}

void svf_veventq_fini(struct svf_iobject *object)
{
	struct svf_veventq *veventq = svf_container_of(object, struct svf_veventq, queue.obj);
	struct svf_vevent *vevent, *tmp;

	svf_list_for_each_safe(vevent, tmp, &veventq->queue.deliver, link)
		vevent_free(veventq, vevent);
	svf_list_del(&veventq->link);
	veventq->viommu->obj.users--;
}

static void put_header(uint8_t *to, uint32_t flags, uint32_t sequence)
{
	const struct iommufd_vevent_header header = {flags, sequence};

	memcpy(to, &header, sizeof(header));
}

static ssize_t veventq_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
			    uint64_t offset)
{
	struct svf_eventq *queue = eventq_file_of(file)->queue;
	struct svf_veventq *veventq = svf_container_of(queue, struct svf_veventq, queue);
	const size_t head = sizeof(struct iommufd_vevent_header);
	uint8_t *to = buf;
	size_t done = 0;

	(void)offset;
	if (len < head)
		return svf_fail(call, -EINVAL, "%zu bytes have no room for the header of an event",
				len);
	while (!svf_list_empty(&queue->deliver) && len - done >= head) {
		struct svf_vevent *vevent =
			svf_list_first(&queue->deliver, struct svf_vevent, link);

		if (len - done < head + vevent->len)
			return done ? (ssize_t)done
				    : svf_fail(call, -EINVAL,
					       "no room for an event of %u bytes and its header",
					       vevent->len);
		put_header(to + done, 0, vevent->sequence);
		memcpy(to + done + head, vevent->data, vevent->len);
		done += head + vevent->len;
		vevent_free(veventq, vevent);
	}
	if (svf_list_empty(&queue->deliver) && veventq->lost && len - done >= head) {
		put_header(to + done, IOMMU_VEVENTQ_FLAG_LOST_EVENTS, veventq->lost_sequence);
		done += head;
		veventq->lost = false;
	}
	return (ssize_t)done;
}

static unsigned int veventq_poll(struct svf_file *file)
{
	struct svf_eventq *queue = eventq_file_of(file)->queue;
	const struct svf_veventq *veventq = svf_container_of(queue, struct svf_veventq, queue);

	return svf_list_empty(&queue->deliver) && !veventq->lost ? 0 : SVF_POLL_IN;
}

static const struct svf_file_ops veventq_ops = {
	.read = veventq_read,
	.poll = veventq_poll,
	.installed = eventq_installed,
	.close = eventq_close,
};

static int check_veventq(struct svf_call *call, const struct iommu_veventq_alloc *cmd)
{
	if (cmd->flags || cmd->reserved || cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x or type %u is not known", cmd->flags,
				cmd->type);
	if (!cmd->veventq_depth || cmd->veventq_depth > VEVENTQ_DEPTH_MAX)
		return svf_fail(call, -EINVAL, "a queue of %u events; 1 to %u can be asked for",
				cmd->veventq_depth, VEVENTQ_DEPTH_MAX);
	return 0;
}

int svf_veventq_alloc(struct svf_ucmd *ucmd)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct svf_veventq *veventq;
	struct svf_iobject *object;
	struct svf_viommu *viommu;
	int err = check_veventq(ucmd->call, cmd);

	if (err)
		return err;
	viommu = svf_viommu_lookup(ucmd, cmd->viommu_id);
	if (!viommu)
		return -ENOENT;
	if (find_veventq(viommu, cmd->type))
		return svf_fail(ucmd->call, -EEXIST,
				"vIOMMU %u has an event queue of type 0x%x already", viommu->obj.id,
				cmd->type);
	err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*veventq), SVF_IOBJECT_VEVENTQ,
				&object);
	if (err)
		return err;
	veventq = svf_container_of(object, struct svf_veventq, queue.obj);
	svf_list_init(&veventq->queue.deliver);
	veventq->type = cmd->type;
	veventq->depth = cmd->veventq_depth;
	veventq->viommu = viommu;
	viommu->obj.users++;
	svf_list_add_tail(&viommu->veventqs, &veventq->link);
	cmd->out_veventq_id = object->id;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (!err)
		err = eventq_open(
			&veventq->queue, ucmd->ictx, ucmd->call, SVF_FILE_VEVENTQ, &veventq_ops,
			ucmd->ubuffer + offsetof(struct iommu_veventq_alloc, out_veventq_fd));
	if (err)
		svf_iobject_destroy(ucmd->ictx, object);
	return err;
}
