/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random sequences of calls on VFIO and iommufd, from a seed: the same program with the same seed asks
 * the real kernel and softvfio the same things, and what they say is compared.
 *
 *	generate.c	the sequence, from the seed and a rough model of what works (model.c)
 *	actions_*.c	what can be asked: one function for each kind of call
 *	iommufd.c	the same for sequences on iommufd, with iommufd_*.c
 *	execute.c	makes the calls and says what came back
 *	sysfs.c		those on the functions in sysfs
 *	explain.c	a call as text
 *	commands.c	the tables: ioctls with their fields, the machine's functions, the files
 *	main.c		the command line
 *
 * The sequence depends on the seed alone, never on an answer, so that it can be explained without
 * a device. Files have names ("g1": the second group file), not numbers, and so have the ids and the
 * IOVAs that calls give ("$3", "@2"). Calls that would wait for another's close are left out by the
 * executor, which knows what is really open.
 *
 * Seeds below IOMMUFD_SEEDS are sequences on legacy VFIO, those from TEST_SEEDS on use the test command.
 */
#ifndef CONFORMANCE_RANDOM_H
#define CONFORMANCE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE	      4096u

#define MAX_OPS	      64
#define MAX_BYTES     512
#define MAX_FIXUPS    8
#define MAX_AUX	      64
#define NO_SITE	      (-1)
#define IOMMUFD_SEEDS 1000000u
#define TEST_SEEDS    2000000u

/* The functions of the machine, see oracle/boot. VFs are found by their place behind the PF. */
enum site {
	SITE_PF,
	SITE_VF0,
	SITE_VF1,
	SITE_NVME,
	SITE_NVF0,
	SITE_NVF1,
	SITE_EDU,
	SITE_BRIDGE,
	SITE_CONV0,
	SITE_CONV1,
	SITE_MULTI0,
	SITE_MULTI1,
	NR_SITES,
};

struct site_info {
	const char *name;
	const char *bdf;
	int pf;	   /* of a VF: its PF; else NO_SITE */
	int group; /* functions with the same number share a group */
	const char *native;
};
extern const struct site_info sites[NR_SITES];

/* The files that a sequence has, by class. Eventfds and what is behind them are always as they are. */
enum class {
	CLASS_CONTAINER,
	CLASS_IOMMUFD,
	CLASS_GROUP,
	CLASS_DEVICE,
	CLASS_CDEV,
	CLASS_QUEUE,
	CLASS_ACCESS,
	CLASS_EVENTFD,
	CLASS_MEMORY, /* memfds: to be written, to be read only */
	CLASS_NULL,
	CLASS_CLOSED,
	NR_CLASSES,
};

struct class_info {
	char letter;
	unsigned first, count;
};
/* How many of which class there are, in sequences on legacy VFIO and in those on iommufd. */
extern const struct class_info legacy_classes[NR_CLASSES], iommufd_classes[NR_CLASSES],
	test_classes[NR_CLASSES];
extern const struct class_info *classes;
#define NR_SLOTS 24

enum class slot_class(unsigned slot);

/* An ioctl. fields: names with their sizes in bytes behind them, in the order of the structure. */
struct command {
	const char *name;
	uint32_t nr;
	enum class on;
	const char *fields; /* NULL: the argument is a number; "": a string */
	uint32_t flags;	    /* COMMAND_* */
};
#define COMMAND_FD	 1u  /* returns a file */
#define COMMAND_BITMAP	 2u  /* may write to the memory of bitmaps */
#define COMMAND_HOT_INFO 4u  /* returns group ids from byte 12 on */
#define COMMAND_ID	 8u  /* returns an object's id in bytes 12 to 15 */
#define COMMAND_AUX	 16u /* may write to the memory beside the argument */

extern const struct command commands[];
extern const size_t nr_commands;
const struct command *command_find(uint32_t nr, enum class on);

/* Where the argument of an ioctl is. */
enum place {
	PLACE_NORMAL,
	PLACE_END, /* nothing is mapped behind it */
	PLACE_READONLY,
	PLACE_NULL,
	PLACE_HOLE,
	PLACE_KERNEL,
	NR_PLACES,
};

enum op_kind {
	OP_OPEN,
	OP_CLOSE,
	OP_DUP,
	OP_IOCTL,
	OP_READ,
	OP_WRITE,
	OP_BIND,	/* driver_override and drivers_probe */
	OP_SYSFS_WRITE, /* of a function's attribute */
	OP_SYSFS_READ,
	OP_SIGNALLED, /* what the eventfds have */
	OP_POLL,
};

/* A number that is known only when the call is made. */
enum fix {
	FIX_MEMORY, /* 8 bytes: value bytes into the memory */
	FIX_FD,	    /* 4 bytes: of slot value */
	FIX_ID,	    /* 4 bytes: what was given to variable value */
	FIX_IOVA,   /* 8 bytes: what was given to variable value, and add */
};
struct fixup {
	unsigned offset;
	enum fix fix;
	uint64_t value, add;
};
unsigned fixup_width(enum fix fix);

/* Ids and IOVAs that calls gave. Until then an id is 0, as is an IOVA. */
#define NR_IDS	 16
#define NR_IOVAS 16

/* What is kept of a successful call's answer. */
struct keep {
	bool is_iova;
	unsigned offset; /* in the argument; 0: nothing is kept */
	unsigned variable;
};

struct op {
	enum op_kind kind;
	unsigned slot; /* the file, of OP_DUP and COMMAND_FD the new one is in slot2 */
	unsigned slot2;
	int site;
	const struct command *command;
	enum place place;
	uint64_t value; /* of an ioctl without structure; of reads and writes: the offset */
	unsigned len;	/* of bytes */
	uint8_t bytes[MAX_BYTES];
	struct fixup fixups[MAX_FIXUPS];
	unsigned nr_fixups;
	struct keep keep, also[2];
	unsigned
		fd_offset; /* where the call puts the number of the file that is in slot2 then; or 0 */
	unsigned nr_aux; /* bytes that are put to the memory of bitmaps before */
	uint8_t aux[MAX_AUX];
	const char *attribute;
	char text[128]; /* a string argument, or the value of an attribute */
};

struct sequence {
	unsigned nr_ops;
	bool touched[NR_SITES]; /* the functions it may bind */
	struct op ops[MAX_OPS];
};

/* generate.c */
void sequence_generate(struct sequence *seq, uint64_t seed);
/* iommufd.c */
void iommufd_generate(struct sequence *seq, uint64_t seed);

/* explain.c: one line without its end. */
void op_explain(const struct op *op, char *text, size_t len);

/*
 * The memory that is mapped for DMA: 64 pages to be written, 8 to be read only, then none. The
 * page of bitmaps is one of its own.
 */
#define MEMORY_PAGES	  64u
#define MEMORY_READONLY	  8u
#define MEMORY_BITMAP	  0x1000000u
#define MEMORY_HOLE_PAGES 8u

/* sysfs.c: paths and values of the functions; 0 or a negative errno. */
int sysfs_write_value(enum site site, const char *attribute, const char *value);
int sysfs_read_value(enum site site, const char *attribute, char *value, size_t len);
int sysfs_bind(enum site site, const char *driver, char *result, size_t len);
int sysfs_group_path(enum site site, char *path, size_t len);
int sysfs_cdev_path(enum site site, char *path, size_t len);
bool sysfs_clean(enum site site);

/* execute.c */
void execute_begin(void);
/* The files that every sequence has, after its generation. */
void execute_sequence(void);
/* Makes the call; result is what the transcript has, detail the bytes that came back or empty. */
void op_execute(const struct op *op, char *result, size_t len, char *detail, size_t detail_len);
/* Everything as it was; false when something stayed. */
bool execute_clean(const struct sequence *seq);

#endif
