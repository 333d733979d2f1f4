/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzer whose inputs are scenarios (tests/scenario): honest stories, which mutation makes dishonest.
 * It works by lines, so that a mutant is still a scenario: lines are left out, repeated, exchanged,
 * taken from another scenario, and numbers in them become others. The machine that the first lines
 * describe stays as it is. What a scenario states as results means nothing then; what must hold is
 * that nothing crashes, nothing is left, and no errno is without a reason.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

#define LINES_MAX 256
#define LINE_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max, unsigned int seed);

struct lines {
	unsigned int count, head; /* the first so many describe the machine */
	char text[LINES_MAX][LINE_SIZE];
};

static bool is_of_machine(const char *line)
{
	return strncmp(line, "device", 6) == 0 || strncmp(line, "param", 5) == 0;
}

/* Comments and empty lines are left out. */
static void lines_read(struct lines *lines, const uint8_t *data, size_t size)
{
	lines->count = lines->head = 0;
	while (size && lines->count < LINES_MAX) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;
		char *line = lines->text[lines->count];

		if (length && length < LINE_SIZE && *data != '#') {
			memcpy(line, data, length);
			line[length] = '\0';
			lines->count++;
			if (is_of_machine(line) && lines->head == lines->count - 1)
				lines->head++;
		}
		length += end ? 1 : 0;
		data += length;
		size -= length;
	}
}

static size_t lines_write(const struct lines *lines, uint8_t *out, size_t max)
{
	size_t size = 0;

	for (unsigned int i = 0; i < lines->count; i++) {
		size_t length = strlen(lines->text[i]);

		if (size + length + 1 > max)
			break;
		memcpy(out + size, lines->text[i], length);
		out[size + length] = '\n';
		size += length + 1;
	}
	return size;
}

static void lines_insert(struct lines *lines, unsigned int at, const char *text)
{
	if (lines->count == LINES_MAX)
		return;
	memmove(lines->text[at + 1], lines->text[at], (lines->count - at) * sizeof(lines->text[0]));
	memmove(lines->text[at], text, strlen(text) + 1);
	lines->count++;
}

static void lines_remove(struct lines *lines, unsigned int at)
{
	lines->count--;
	memmove(lines->text[at], lines->text[at + 1], (lines->count - at) * sizeof(lines->text[0]));
}

/* --- mutation --- */

static unsigned int below(unsigned int *seed, unsigned int n)
{
	return n ? (unsigned int)rand_r(seed) % n : 0;
}

/* One of the line's fields "u32:..." or numbers gets another value. */
static void change_number(char *line, unsigned int *seed)
{
	static const char *const values[] = {
		"0",
		"1",
		"2",
		"3",
		"4",
		"5",
		"7",
		"8",
		"9",
		"16",
		"17",
		"20",
		"33",
		"34",
		"36",
		"0x1000",
		"0x2000",
		"0x3000",
		"0x100000",
		"0x101000",
		"0xfee00000",
		"0xfffff000",
		"0xffffffff",
		"0x10000000000",
		"0x70000000004",
		"0x7fffffffffffffff",
		"0xfffffffffffff000",
		"0xffffffffffffffff",
		"size",
		"@m",
		"fd(g)",
		"fd(c)",
		"fd(d)",
	};
	const char *value = values[below(seed, sizeof(values) / sizeof(values[0]))];
	char *fields[32], *end = line + LINE_SIZE, rest[LINE_SIZE];
	unsigned int count = 0;

	for (char *p = line; *p && count < 32; p++) {
		if ((p[0] == ':' || p[0] == ' ') && isalnum((unsigned char)p[1]) &&
		    (isdigit((unsigned char)p[1]) || p[0] == ':'))
			fields[count++] = p + 1;
	}
	if (!count)
		return;
	line = fields[below(seed, count)];
	snprintf(rest, sizeof(rest), "%s", line + strcspn(line, " }"));
	/* What is too long for the line is cut, which is a mutation, too. */
	snprintf(line, (size_t)(end - line), "%s%s", value, rest);
}

static void mutate(struct lines *lines, unsigned int *seed)
{
	unsigned int body = lines->count - lines->head;
	unsigned int at = lines->head + below(seed, body), other = lines->head + below(seed, body);
	char copy[LINE_SIZE];

	if (!body)
		return;
	memcpy(copy, lines->text[other], sizeof(copy));
	switch (below(seed, 6)) {
	case 0:
		lines_remove(lines, at);
		break;
	case 1:
		lines_insert(lines, at, copy);
		break;
	case 2:
		memcpy(lines->text[other], lines->text[at], sizeof(copy));
		memcpy(lines->text[at], copy, sizeof(copy));
		break;
	default:
		change_number(lines->text[at], seed);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static struct lines lines;

	lines_read(&lines, data, size);
	for (unsigned int n = 1 + below(&seed, 4); n; n--)
		mutate(&lines, &seed);
	return lines_write(&lines, data, max);
}

/* The one's machine and beginning, and then a part of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max, unsigned int seed)
{
	static struct lines one, two;
	unsigned int from, keep;

	lines_read(&one, data1, size1);
	lines_read(&two, data2, size2);
	keep = one.head + below(&seed, one.count - one.head + 1);
	from = two.head + below(&seed, two.count - two.head);
	one.count = keep;
	for (unsigned int i = from; i < two.count; i++)
		lines_insert(&one, one.count, two.text[i]);
	return lines_write(&one, out, max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!scenario_fuzz((const char *)data, size))
		abort();
	return 0;
}
