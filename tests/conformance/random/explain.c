/* SPDX-License-Identifier: BSD-3-Clause */
/* A call as one line of text: the fields of its structure by name, files by the names of their slots. */
#include "random.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *at;
	size_t len, used;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->used + 1 >= t->len)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at + t->used, t->len - t->used, fmt, ap);
	va_end(ap);
	t->used += n > 0 ? (size_t)n : 0;
}

static void add_slot(struct text *t, uint64_t slot)
{
	const struct class_info *class = &classes[slot_class((unsigned)slot)];

	add(t, "%c%u", class->letter, (unsigned)slot - class->first);
}

static const struct fixup *fixup_at(const struct op *op, unsigned offset)
{
	unsigned i;

	for (i = 0; i < op->nr_fixups; i++)
		if (op->fixups[i].offset == offset)
			return &op->fixups[i];
	return NULL;
}

static void add_fixup(struct text *t, const struct fixup *fix)
{
	switch (fix->fix) {
	case FIX_FD:
		add_slot(t, fix->value);
		break;
	case FIX_ID:
		add(t, "$%" PRIu64, fix->value);
		break;
	case FIX_IOVA:
		add(t, "@%" PRIu64 "+%#" PRIx64, fix->value, fix->add);
		break;
	case FIX_MEMORY:
		add(t, "memory+%#" PRIx64, fix->value);
		break;
	}
}

static void add_keep(struct text *t, const struct op *op)
{
	size_t i;

	if (op->keep.offset != 0)
		add(t, " -> %c%u", op->keep.is_iova ? '@' : '$', op->keep.variable);
	for (i = 0; i < ARRAY_SIZE(op->also); i++)
		if (op->also[i].offset != 0)
			add(t, " $%u", op->also[i].variable);
	if (op->fd_offset != 0) {
		add(t, " -> ");
		add_slot(t, op->slot2);
	}
}

/* width 0: as many bytes as a fixup there has, or 4. Gives back what was taken. */
static unsigned add_number(struct text *t, const struct op *op, unsigned offset, unsigned width)
{
	const struct fixup *fix = fixup_at(op, offset);
	uint64_t number = 0;

	if (fix != NULL) {
		add_fixup(t, fix);
		return fixup_width(fix->fix);
	}
	if (offset + width > op->len)
		width = op->len - offset;
	memcpy(&number, op->bytes + offset, width);
	add(t, number < 4096 ? "%" PRIu64 : "%#" PRIx64, number);
	return width;
}

static void add_fields(struct text *t, const struct op *op)
{
	const char *fields = op->command->fields, *end;
	unsigned offset = 0;

	add(t, "{");
	while (*fields != '\0' && offset < op->len) {
		end = fields + strcspn(fields, "0123456789");
		add(t, "%s%.*s=", offset > 0 ? " " : "", (int)(end - fields), fields);
		add_number(t, op, offset, (unsigned)(*end - '0'));
		offset += (unsigned)(*end - '0');
		fields = end + strspn(end, "0123456789 ");
	}
	if (offset < op->len)
		add(t, " |");
	while (offset < op->len && t->used + 24 < t->len) {
		add(t, " ");
		offset += add_number(t, op, offset, 4);
	}
	add(t, "}");
}

static void add_hex(struct text *t, const uint8_t *bytes, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++)
		add(t, "%02x", bytes[i]);
}

static void add_ioctl(struct text *t, const struct op *op)
{
	static const char *const places[NR_PLACES] = {
		[PLACE_NORMAL] = "",
		[PLACE_END] = " at the end of memory",
		[PLACE_READONLY] = " readonly",
		[PLACE_NULL] = "NULL",
		[PLACE_HOLE] = "no memory",
		[PLACE_KERNEL] = "kernel address",
	};

	add(t, "ioctl(");
	add_slot(t, op->slot);
	add(t, ", %s, ", op->command->name);
	if (op->command->fields == NULL)
		add(t, "%#" PRIx64, op->value);
	else if (op->place >= PLACE_NULL)
		add(t, "%s", places[op->place]);
	else if (op->command->fields[0] == '\0')
		add(t, "\"%s\"%s", op->text, places[op->place]);
	else {
		add_fields(t, op);
		add(t, "%s", places[op->place]);
	}
	add(t, ")");
	add_keep(t, op);
	if (op->nr_aux > 0) {
		add(t, " aux ");
		add_hex(t, op->aux, op->nr_aux);
	}
	if (op->command->flags & COMMAND_FD) {
		add(t, " -> ");
		add_slot(t, op->slot2);
	}
}

/* A text as it would be written in C. */
static void add_quoted(struct text *t, const char *text)
{
	add(t, "\"");
	for (; *text != '\0'; text++)
		add(t, *text == '\n' ? "\\n" : "%c", *text);
	add(t, "\"");
}

void op_explain(const struct op *op, char *text, size_t len)
{
	const char *site = op->site != NO_SITE ? sites[op->site].name : "";
	struct text t = {text, len, 0};

	text[0] = '\0';
	switch (op->kind) {
	case OP_OPEN:
		add_slot(&t, op->slot);
		add(&t, " = open(%s)", site);
		break;
	case OP_CLOSE:
		add(&t, "close ");
		add_slot(&t, op->slot);
		break;
	case OP_DUP:
		add_slot(&t, op->slot2);
		add(&t, " = dup ");
		add_slot(&t, op->slot);
		break;
	case OP_IOCTL:
		add_ioctl(&t, op);
		break;
	case OP_READ:
	case OP_WRITE:
		add(&t, "%s(", op->kind == OP_READ ? "pread" : "pwrite");
		add_slot(&t, op->slot);
		add(&t, ", region %" PRIu64 " offset %#" PRIx64 ", %u bytes", op->value >> 40,
		    op->value & (((uint64_t)1 << 40) - 1), op->len);
		if (op->kind == OP_WRITE) {
			add(&t, ": ");
			add_hex(&t, op->bytes, op->len < 8 ? op->len : 8);
		}
		add(&t, ")");
		break;
	case OP_BIND:
		add(&t, "bind %s to %s", site, op->text);
		break;
	case OP_SYSFS_WRITE:
		add(&t, "%s/%s = ", site, op->attribute);
		add_quoted(&t, op->text);
		break;
	case OP_SYSFS_READ:
		add(&t, "%s/%s?", site, op->attribute);
		break;
	case OP_SIGNALLED:
		add(&t, "eventfds?");
		break;
	case OP_POLL:
		add(&t, "poll ");
		add_slot(&t, op->slot);
		break;
	}
}
