/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions on a BAR whose registers see each access, as programs meet them: what they do to registers, and
 * to registers and memory at once. That each does to the processor what it should is a unit test's.
 *
 *	trap-instructions BDF
 *
 * BAR 0 of the function keeps what is written to it. Prints what is wrong, and "N wrong".
 */
#include "trap.h"

/* --- accesses --- */

static void widths(void)
{
	volatile uint8_t *bytes = (volatile uint8_t *)registers;
	volatile uint64_t *wide = (volatile uint64_t *)registers;
	uint8_t in[777], out[777];

	wide[2] = 0x1122334455667788;
	check(bytes[17] == 0x77 && by_file(20) == 0x11223344, "widths", "a store of 8 bytes");
	bytes[16] = 0xaa;
	check(registers[4] == 0x556677aa, "widths", "a store of one byte");
	registers[4] |= 0x80000000;
	registers[4] ^= 1;
	registers[4]++;
	check(by_file(16) == 0xd56677ac, "widths", "read, modify, write");
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	memcpy((void *)(uintptr_t)(bytes + 1001), in, sizeof(in));
	memcpy(out, (const void *)(uintptr_t)(bytes + 1001), sizeof(out));
	check(!memcmp(in, out, sizeof(in)), "widths", "memcpy");
	memset((void *)(uintptr_t)(bytes + 3000), 0x3c, 2000);
	check(by_file(3000) == 0x3c3c3c3c && by_file(4996) == 0x3c3c3c3c, "widths",
	      "memset across pages");
	check(__atomic_exchange_n(&registers[8], 5, __ATOMIC_SEQ_CST) == 0 && registers[8] == 5,
	      "widths", "an exchange");
}

/* What compilers make of atomics, and instructions that not every processor has. */
static void exchanges(void)
{
	static uint8_t line[64] __attribute__((aligned(64)));
	uint32_t expected = 7;

	registers[8] = 5;
	check(__atomic_fetch_add(&registers[8], 2, __ATOMIC_SEQ_CST) == 5 && registers[8] == 7,
	      "exchanges", "add");
	check(__atomic_compare_exchange_n(&registers[8], &expected, 9, false, __ATOMIC_SEQ_CST,
					  __ATOMIC_SEQ_CST) &&
		      registers[8] == 9,
	      "exchanges", "compare, equal");
	check(!__atomic_compare_exchange_n(&registers[8], &expected, 11, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) &&
		      registers[8] == 9 && expected == 9,
	      "exchanges", "compare, not equal");
	__asm__ volatile("lock btsl $4, %0" : "+m"(registers[8]) : : "cc");
	check(registers[8] == 25, "exchanges", "a bit");
	for (unsigned int i = 0; i < sizeof(line); i++)
		line[i] = (uint8_t)(i ^ 0x5a);
	/* movdir64b (%rsi), %rdi; movdiri %eax, (%rdi) */
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x3e"
			 :
			 : "S"(line), "D"(&registers[64])
			 : "memory");
	check(by_file(256) == 0x59585b5a && by_file(256 + 60) == 0x65646766, "exchanges",
	      "a direct store of 64 bytes");
	__asm__ volatile(".byte 0x0f, 0x38, 0xf9, 0x07"
			 :
			 : "a"(0x12345678), "D"(&registers[64])
			 : "memory");
	check(by_file(256) == 0x12345678, "exchanges", "a direct store");
	/* The same on ordinary memory. */
	__asm__ volatile(".byte 0x0f, 0x38, 0xf9, 0x07" : : "a"(0x12345678), "D"(line) : "memory");
	check(line[0] == 0x78 && line[4] == (4 ^ 0x5a), "exchanges", "a direct store to memory");
}

/* Where one page is trapped and the next is not, or is not there. */
static void borders(void)
{
	uint8_t *area =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint64_t *wide = (volatile uint64_t *)(area + PAGE - 4);

	map_bar(0, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED, area);
	registers[PAGE / 4 - 1] = 1;
	*wide = 0x1122334455667788;
	check(by_file(PAGE - 4) == 0x55667788 && *(uint32_t *)(area + PAGE) == 0x11223344 &&
		      *wide == 0x1122334455667788,
	      "borders", "from registers into memory");
	memset(area + PAGE - 100, 0x21, 200);
	check(area[PAGE + 99] == 0x21 && by_file(PAGE - 100) == 0x21212121, "borders", "memset");
	mprotect(area + PAGE, PAGE, PROT_NONE);
	handle(SIGSEGV, jump, 0);
	if (!sigsetjmp(back, 1)) {
		*wide = 0;
		check(false, "borders", "into memory that is not there");
	}
	check(caught.si_addr == area + PAGE && by_file(PAGE - 4) == 0x21212121, "borders",
	      "nothing is written, and the fault is where it is");
	mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE);
	map_bar(0, PAGE, PROT_READ, MAP_FIXED, area);
	if (!sigsetjmp(back, 1)) {
		*wide = 0;
		check(false, "borders", "from a page that is read-only");
	}
	check(*(uint32_t *)(area + PAGE) == 0x21212121, "borders", "nothing of that is written");
	munmap(area, 3 * PAGE);
}

/* --- string instructions --- */

#define REP_MOVS(code) __asm__ volatile(code : "+D"(to), "+S"(from), "+c"(times) : : "memory", "cc")

static void rep_movs(void *to, const void *from, size_t times, unsigned int width, bool down)
{
	if (width == 1 && down)
		REP_MOVS("std; rep movsb; cld");
	else if (width == 1)
		REP_MOVS("rep movsb");
	else if (width == 2 && down)
		REP_MOVS("std; rep movsw; cld");
	else if (width == 2)
		REP_MOVS("rep movsw");
	else if (width == 4 && down)
		REP_MOVS("std; rep movsl; cld");
	else if (width == 4)
		REP_MOVS("rep movsl");
	else if (down)
		REP_MOVS("std; rep movsq; cld");
	else
		REP_MOVS("rep movsq");
}

static void strings(void)
{
	static const unsigned int widths[] = {1, 2, 4, 8};
	uint8_t *bytes = (uint8_t *)(uintptr_t)registers;
	static uint8_t in[512], out[512];

	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 3 + 1);
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int w = widths[i];
		size_t n = 256 / w;

		/* Memory to registers, registers to registers, registers to memory, over the end of a page. */
		rep_movs(bytes + PAGE - 100, in, n, w, false);
		rep_movs(bytes + 2 * PAGE - 60, bytes + PAGE - 100, n, w, false);
		memset(out, 0, sizeof(out));
		rep_movs(out, bytes + 2 * PAGE - 60, n, w, false);
		check(!memcmp(in, out, 256), "strings", "upwards");
		rep_movs(bytes + 2 * PAGE + 196 - w, in + 512 - w, n, w, true);
		memset(out, 0, sizeof(out));
		rep_movs(out + 256 - w, bytes + 2 * PAGE + 196 - w, n, w, true);
		check(!memcmp(in + 256, out, 256), "strings", "downwards");
	}
}

/* One that ends at memory which is not there has done the rest, and goes on once it is. */
static uint8_t *missing;

static void provide(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	count++;
	if ((uint8_t *)info->si_addr != missing)
		_exit(9);
	mprotect(missing, PAGE, PROT_READ | PROT_WRITE);
}

static void strings_in_part(void)
{
	uint8_t *area =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	missing = area + PAGE;
	mprotect(missing, PAGE, PROT_NONE);
	memset((void *)(uintptr_t)registers, 0x44, 2 * PAGE);
	handle(SIGSEGV, provide, 0);
	count = 0;
	rep_movs(area + PAGE - 300, (void *)(uintptr_t)registers, 600, 1, false);
	check(count == 1, "strings", "a fault in the middle");
	for (unsigned int i = 0; i < 600; i++)
		check(area[PAGE - 300 + i] == 0x44, "strings", "which is repaired");
	check(area[PAGE + 300] == 0, "strings", "and no more");
	munmap(area, 2 * PAGE);
}

int main(int argc, char **argv)
{
	int status = open_bar(argc, argv);

	if (status)
		return status;
	widths();
	exchanges();
	borders();
	strings();
	strings_in_part();
	printf("%d wrong\n", failures);
	return failures > 0;
}
