/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest of its own, without an operating system (a Multiboot kernel): it loads from and stores to BAR 0 of
 * an assigned function with instructions of all widths, and says what it found.
 *
 * BAR 0 keeps what is written to it. Lines go to port 0x402 (isa-debugcon); a write to port 0x501
 * (isa-debug-exit) ends the machine.
 */
#include <stdint.h>

#define DEVICE 0x00051b36u
#define BAR    0x10
#define PAGE   4096u
#define PAGES  4u
#define WORDS  (PAGE / 4)

__asm__(".section .multiboot, \"a\"\n"
	".align 4\n"
	".long 0x1badb002, 0, -0x1badb002\n"
	".section .text\n"
	".globl _start\n"
	"_start: mov $stack + 4096, %esp\n"
	"call run\n"
	"1: hlt\n"
	"jmp 1b\n"
	".comm stack, 4096, 16\n");

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *text)
{
	while (*text)
		out8(0x402, (uint8_t)*text++);
}

static void check(int good, const char *what)
{
	say(good ? "ok: " : "wrong: ");
	say(what);
	say("\n");
}

static uint32_t config(uint32_t slot, uint32_t offset)
{
	out32(0xcf8, 0x80000000u | slot << 11 | offset);
	return in32(0xcfc);
}

/* The firmware has given it an address and let it decode. */
static volatile uint8_t *find_bar(void)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		if (config(slot, 0) == DEVICE)
			return (volatile uint8_t *)(uintptr_t)(config(slot, BAR) & ~15u);
	}
	return 0;
}

/* One kind of page. */
static void use_page(volatile uint8_t *page)
{
	volatile uint32_t *words = (volatile uint32_t *)page;
	uint32_t count = 16, old = 5;
	const volatile uint8_t *from = page;
	volatile uint8_t *to = page + 64;

	for (uint32_t i = 0; i < 16; i++)
		words[i] = 0x01020304u * (i + 1);
	check(page[0] == 4 && page[3] == 1 && *(volatile uint16_t *)(page + 6) == 0x0204,
	      "loads of bytes and halves");
	page[5] = 0xaa;
	*(volatile uint16_t *)(page + 6) = 0xbbcc;
	check(words[1] == 0xbbccaa08u, "stores of bytes and halves");
	words[2] += 7;
	words[2] |= 0x80000000u;
	check(words[2] == 0x83060913u, "read, modify, write");
	__asm__ volatile("lock xaddl %0, %1" : "+r"(old), "+m"(words[3]) : : "cc", "memory");
	check(old == 0x04080c10u && words[3] == 0x04080c15u, "a locked exchange");
	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	check(words[16] == words[0] && words[31] == words[15], "a copy");
}

void run(void);

void run(void)
{
	volatile uint8_t *bar = find_bar();

	if (!bar) {
		say("wrong: no device\n");
	} else {
		for (uint32_t i = 0; i < PAGES; i++)
			use_page(bar + i * PAGE);
		say("done\n");
	}
	out8(0x501, 0);
}
