/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the interpreter of scenarios (scenario.c: lines, names, values, results) and its statements
 * (statements.c) share.
 */
#ifndef SVF_TESTS_SCENARIO_INTERNAL_H
#define SVF_TESTS_SCENARIO_INTERNAL_H

#include <stdint.h>

#include "core/pci/topology.h"
#include "tests/scenario/scenario.h"
#include "tests/unit/port.h"

#define MAX_WORDS  64
#define MAX_NAMES  64
#define MAX_STRUCT 512
#define MAX_MEMORY (1u << 20)
#define SCRATCH	   8192u

enum name_kind { NAME_FILE, NAME_MEMORY, NAME_EVENT };

struct name {
	char text[32];
	enum name_kind kind;
	int fd;
	unsigned int process;  /* whose memory it is */
	struct svf_file *file; /* NULL: closed */
	void *memory;	       /* or the BAR that is mapped there */
	size_t size;
	bool bar;	   /* memory is a BAR's, to be given back before its file */
	struct name *user; /* of a BAR: the file */
	struct svf_event *event;
	unsigned int seen; /* signals counted so far */
};

struct scenario {
	const char *path;
	unsigned int line;
	bool tolerant, quiet, failed;
	bool broken; /* a rule was broken that holds whatever was made to fail */
	struct svf_machine *machine;
	struct svf_topology topology;
	struct svf_topology_node *bridge; /* the last one; NULL */
	bool built;
	struct name names[MAX_NAMES];
	unsigned int names_count, log_seen, process;
	char *words[MAX_WORDS];
	unsigned int count;
	char reason[SVF_REASON_SIZE];
	void *scratch; /* SCRATCH bytes for arguments, page-aligned */
};

/* --- scenario.c --- */

/* The scenario ends: a mistake of its own, or a result that is not the stated one. */
void scenario_fail(struct scenario *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Something that an injected failure may change. */
#define EXPECT(s, condition, ...)                                                                  \
	do {                                                                                       \
		if (!(condition) && !(s)->tolerant)                                                \
			scenario_fail(s, __VA_ARGS__);                                             \
	} while (0)

struct name *scenario_name(struct scenario *s, const char *text); /* NULL: there is none */
/* NULL, and the scenario has failed, when there are too many. */
struct name *scenario_add_name(struct scenario *s, const char *text, enum name_kind kind);
void scenario_close(struct scenario *s, struct name *name);
/* By name or address; NULL, and the scenario has failed or is tolerant. */
struct svf_file *scenario_file(struct scenario *s, const char *text);
struct svf_function *scenario_function(struct scenario *s, const char *text);

/* Without its quotes; NULL: it is not quoted. */
char *scenario_unquote(char *word);
/* One value of a field. */
uint64_t scenario_value(struct scenario *s, const char *text, size_t struct_size);
/* "{ u32:1 u64:@m }" into memory. Return: its bytes. */
size_t scenario_struct(struct scenario *s, const char *text, uint8_t *out);
/* Pairs of digits. Return: how many pairs. */
size_t scenario_hex(struct scenario *s, const char *text, uint8_t *out, size_t max);
/* "out u32@4=3 ..." from word i on. Return: the first word after it. */
unsigned int scenario_check_out(struct scenario *s, unsigned int i, const uint8_t *data,
				size_t size);
/* "= RESULT ["PART"]" at the end of the line, from word i; 0 when it is not there. */
void scenario_check(struct scenario *s, unsigned int i, long value);
/* The same of a call, whose reason is kept. */
void scenario_check_call(struct scenario *s, unsigned int i, const struct svf_call *call,
			 long value);

/* --- statements.c --- */

struct statement {
	const char *word;
	void (*run)(struct scenario *s);
	unsigned int min_words;
	bool before_build; /* describes the machine */
};

extern const struct statement scenario_statements[];
extern const size_t scenario_statements_count;

#endif
