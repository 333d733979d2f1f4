/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Write a device.
 *
 * A model is one const struct svf_model_ops: what its options are, how a function of it is built,
 * and what happens when software touches it. It includes this header and no other of softvfio's,
 * has no thread, no clock and no file, and keeps what it knows of one function in a structure of
 * its own, svf_model_set_state().
 *
 * The life of a function: create() gives it identity, BARs and capabilities through the functions
 * below and may fail; then it is published and the callbacks come, one at a time, never nested;
 * destroy() frees the state, also when create() failed half-way. A virtual function has
 * create_vf() instead of create(), called each time sriov_numvfs makes it.
 *
 * A callback must not take long, about a millisecond at most: the whole machine waits. What takes
 * longer is done in slices, by svf_model_defer() and work(). What is to happen later is a timer,
 * svf_model_timer_start().
 *
 * A model is part of softvfio, a row of models/registry.c, or a shared object of its own, compiled
 * with this header only and made known by SVF_MODEL_REGISTER():
 *
 *	cc -shared -fPIC $(pkg-config --cflags softvfio) -o mydev.so mydev.c
 *	softvfio run -d ./mydev.so -- CMD
 *
 * It is trusted as softvfio itself is: it runs in the host's process, with the host's rights.
 *
 * Compatibility: an object runs with each softvfio that has the same SVF_MODEL_VERSION and all of
 * the members and functions that it uses. New members of struct svf_model_ops come at its end.
 *
 * Accesses the core answers by itself never reach the model: config space by the rules of its
 * registers, BARs backed by RAM (SVF_MODEL_BAR_RAM), resets as far as config space goes.
 */
#ifndef SOFTVFIO_MODEL_H
#define SOFTVFIO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVF_MODEL_MUST_CHECK	     __attribute__((warn_unused_result))
#define SVF_MODEL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* struct svf_model_ops.version; raised when an existing member changes its meaning. */
#define SVF_MODEL_VERSION 1u

struct svf_function;

/* --- options --- */

enum svf_option_type {
	SVF_OPTION_TEXT,
	SVF_OPTION_BOOL,   /* on or off; the bare key is on */
	SVF_OPTION_NUMBER, /* decimal or 0x hex, min to max */
	SVF_OPTION_HEX,	   /* hex with or without 0x, min to max */
	SVF_OPTION_BAR,	   /* SIZE[:32|:64|:io][:pref][:trap[=SIZE]][:trap-stores=SIZE] or none */
	SVF_OPTION_PIN,	   /* A to D, or none */
	SVF_OPTION_SIZE,   /* bytes, or with K, M, G or T, min to max */
};

/*
 * The value is the name of a file, which whoever reads the topology replaces by the file's content,
 * as the core and models open no files.
 */
#define SVF_OPTION_FILE (1u << 0)
/* With SVF_OPTION_FILE: the file is not text; its content comes as hexadecimal digits, two a byte. */
#define SVF_OPTION_BINARY (1u << 1)
/*
 * The value is the name of a file that the model keeps data in. Whoever reads the topology completes a
 * relative name; the model gives it to svf_storage_open().
 */
#define SVF_OPTION_STORAGE (1u << 2)

/**
 * struct svf_model_option - one row of a model's table of options
 * @name: as written before "="; NULL ends the table.
 * @type: how the value is read.
 * @flags: SVF_OPTION_FILE, SVF_OPTION_FILE | SVF_OPTION_BINARY, SVF_OPTION_STORAGE or 0.
 * @value_name: stands for the value in help, "ID".
 * @default_text: value when it is not given, read the same way; NULL: nothing, svf_option_value.set
 * is false.
 * @min: lowest value of a NUMBER, HEX or SIZE.
 * @max: highest value of a NUMBER, HEX or SIZE.
 * @help: one line, no full stop.
 */
struct svf_model_option {
	const char *name;
	enum svf_option_type type;
	unsigned int flags;
	const char *value_name;
	const char *default_text;
	uint64_t min, max;
	const char *help;
};

enum svf_model_bar_type {
	SVF_MODEL_BAR_NONE,
	SVF_MODEL_BAR_MEM32,
	SVF_MODEL_BAR_MEM64,
	SVF_MODEL_BAR_IO
};

/**
 * struct svf_model_bar - what a BAR is
 * @type: NONE: there is none.
 * @size: bytes, a power of two; memory from 16, I/O from 4 to 256.
 * @prefetchable: reads have no side effects.
 * @trapped: in an option: the user wants the model to see each access. Otherwise false.
 * @trap: in an option: the user wants that for this many bytes from its beginning. Otherwise 0.
 * @trap_stores: in an option: and for so many bytes behind them that the model sees each store. Otherwise 0.
 */
struct svf_model_bar {
	enum svf_model_bar_type type;
	uint64_t size;
	bool prefetchable, trapped;
	uint64_t trap, trap_stores;
};

/**
 * struct svf_option_value - an option as read
 * @set: given by the user, or has a default.
 * @given: given by the user.
 * @text: as written (or the default); NULL when not set.
 * @number: of NUMBER, HEX, SIZE and PIN (0: none, 1: A to 4: D); 0 or 1 of BOOL.
 * @bar: of BAR.
 */
struct svf_option_value {
	bool set, given;
	const char *text;
	uint64_t number;
	struct svf_model_bar bar;
};

/**
 * struct svf_model_error - why a function could not be built
 * @option: name of the option at fault, a literal or a name in the table, or NULL.
 * @text: a phrase with the facts and, after "; ", the remedy.
 */
struct svf_model_error {
	const char *option;
	char text[320];
};

#pragma GCC visibility push(default)

/**
 * svf_model_fail() - record why create() fails
 * @error: as given to create().
 * @err: the negative errno to be returned.
 * @option: name of the option at fault, kept by pointer, or NULL.
 * @fmt: printf-like; verbs s, c, d, u, x with length modifiers, no floating point.
 *
 * Context: in create() and create_vf() and in functions they call.
 * Return: @err.
 */
int svf_model_fail(struct svf_model_error *error, int err, const char *option, const char *fmt, ...)
	SVF_MODEL_PRINTF(4, 5);

#pragma GCC visibility pop

/* --- the model --- */

/* A reset leaves the contents of BARs backed by RAM alone; otherwise it zeroes them. */
#define SVF_MODEL_RESET_KEEPS_RAM (1u << 0)

/**
 * struct svf_model_ops - a device model
 * @size: sizeof(struct svf_model_ops) of the header it was compiled with. Members behind it are as
 * if NULL.
 * @version: SVF_MODEL_VERSION.
 * @flags: SVF_MODEL_RESET_KEEPS_RAM or 0.
 * @name: as after -d.
 * @help: one line, no full stop.
 * @options: ended by a row whose name is NULL; NULL: there are none.
 * @vfs_option: name of the NUMBER option that says how many VFs exist from the start, or NULL.
 * @create: builds a function. @values has one entry for each row of @options, in order. Returns 0;
 *-EINVAL, -ENOMEM, with the reason by svf_model_fail().
 * @create_vf: builds VF @index of @pf, whose header, address and BARs are there already; NULL: the
 *model has no VFs. Returns as create, the reason going to the caller of sriov_numvfs.
 * @destroy: frees the state, which may be NULL.
 * @reset: the function was reset; registers go back to their initial values. May be NULL.
 * @bar_read: of pages of a BAR that are TRAP: @len bytes from @offset, within the BAR. NULL: all ones.
 * @bar_write: likewise, and of READ_RAM; NULL: ignored.
 * @config_write: software has written @len bytes at @offset, the new value is in place. May be
 *NULL.
 * @vga_read: of a function with a VGA class: @len bytes of legacy memory (0xa0000 to 0xbffff) or
 *ports (0x3b0 to 0x3bb, 0x3c0 to 0x3df) from @address. NULL: all ones.
 * @vga_write: likewise; NULL: ignored.
 * @work: called once after svf_model_defer(). NULL: the model never calls that.
 */
struct svf_model_ops {
	size_t size;
	uint32_t version;
	unsigned int flags;
	const char *name, *help;
	const struct svf_model_option *options;
	const char *vfs_option;

	int (*create)(struct svf_function *fn, const struct svf_option_value *values,
		      struct svf_model_error *error);
	int (*create_vf)(struct svf_function *vf, struct svf_function *pf, unsigned int index,
			 struct svf_model_error *error);
	void (*destroy)(struct svf_function *fn);
	void (*reset)(struct svf_function *fn);
	void (*bar_read)(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
			 size_t len);
	void (*bar_write)(struct svf_function *fn, unsigned int bar, uint64_t offset,
			  const void *buf, size_t len);
	void (*config_write)(struct svf_function *fn, unsigned int offset, unsigned int len);
	void (*vga_read)(struct svf_function *fn, uint32_t address, void *buf, size_t len);
	void (*vga_write)(struct svf_function *fn, uint32_t address, const void *buf, size_t len);
	void (*work)(struct svf_function *fn);
};

/* The symbol by which softvfio finds the model in a shared object. */
#define SVF_MODEL_SYMBOL softvfio_model

/**
 * SVF_MODEL_REGISTER() - make a shared object a model, "-d ./FILE.so"
 * @ops: the name of a struct svf_model_ops that lives as long as the object.
 *
 * Once in an object, at file scope. Models that are built in are rows of models/registry.c instead.
 */
#define SVF_MODEL_REGISTER(ops)                                                                    \
	extern const struct svf_model_ops *const SVF_MODEL_SYMBOL                                  \
		__attribute__((visibility("default")));                                            \
	const struct svf_model_ops *const SVF_MODEL_SYMBOL = &(ops)

/* What follows is softvfio's: a shared object is linked with nothing and finds it in the host. */
#pragma GCC visibility push(default)

/* --- building: from create() and create_vf() only --- */

/**
 * struct svf_model_ids - identity of a function
 * @vendor: PCI_VENDOR_ID.
 * @device: PCI_DEVICE_ID.
 * @subvendor: PCI_SUBSYSTEM_VENDOR_ID.
 * @subdevice: PCI_SUBSYSTEM_ID.
 * @class_code: base class, subclass and interface, 24 bits.
 * @revision: PCI_REVISION_ID.
 */
struct svf_model_ids {
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class_code;
	uint8_t revision;
};

/**
 * svf_model_set_ids() - write identity into the header
 * @fn: the function, not a VF.
 * @ids: copied.
 */
void svf_model_set_ids(struct svf_function *fn, const struct svf_model_ids *ids);

/**
 * svf_model_set_pin() - say which INTx pin the function drives
 * @fn: the function, not a VF.
 * @pin: 0: none; 1 to 4: INTA to INTD.
 */
void svf_model_set_pin(struct svf_function *fn, unsigned int pin);

/*
 * For svf_model_add_bar(): the BAR is memory that clients and model share; the model sees no
 * accesses.
 */
#define SVF_MODEL_BAR_RAM (1u << 0)

/**
 * svf_model_add_bar() - give the function a BAR
 * @fn: the function, not a VF.
 * @index: 0 to 5; a 64-bit BAR takes @index + 1 too.
 * @bar: kind and size; type NONE adds nothing.
 * @flags: SVF_MODEL_BAR_RAM or 0; I/O BARs cannot be RAM.
 * @error: filled on failure, the option at fault left to the caller; may be NULL.
 *
 * Return: 0; -EINVAL: index taken or out of range, size not a power of two or out of range;
 * -ENOMEM.
 */
int svf_model_add_bar(struct svf_function *fn, unsigned int index, const struct svf_model_bar *bar,
		      unsigned int flags, struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_set_rom() - give the function an expansion ROM
 * @fn: the function, not a VF.
 * @bytes: its contents, copied; they read as ones behind @len. May be NULL when @len is 0.
 * @len: bytes, at most @size.
 * @size: of its BAR: a power of two, 2 KiB to 16 MiB.
 * @error: filled on failure, the option at fault left to the caller; may be NULL.
 *
 * Clients see a ROM region when it begins with an image as the PCI Firmware Specification has them.
 * Return: 0; -EINVAL: a size out of range; -ENOMEM.
 */
int svf_model_set_rom(struct svf_function *fn, const uint8_t *bytes, size_t len, uint64_t size,
		      struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_back_with_ram() - make a memory BAR that exists RAM, as SVF_MODEL_BAR_RAM
 * @fn: the function; for VFs, whose BARs follow from the PF, the only way.
 * @index: of a memory BAR.
 *
 * Return: 0; -ENOMEM.
 */
int svf_model_back_with_ram(struct svf_function *fn, unsigned int index) SVF_MODEL_MUST_CHECK;

/* Who answers accesses to a page of a memory BAR. */
enum svf_model_pages {
	SVF_MODEL_PAGES_TRAP,	  /* bar_read() and bar_write() */
	SVF_MODEL_PAGES_READ_RAM, /* loads: memory, svf_model_read_ram(); stores: bar_write() */
	SVF_MODEL_PAGES_RAM,	  /* memory, svf_model_ram(); the model sees no accesses */
};

/**
 * svf_model_set_pages() - say who answers accesses to part of a memory BAR
 * @fn: the function.
 * @index: of a memory BAR that exists, of 4096 bytes at least.
 * @offset: first byte, a multiple of 4096.
 * @len: bytes, a multiple of 4096, to the end of the BAR at most.
 * @pages: who.
 * @error: filled on failure, the option at fault left to the caller; may be NULL.
 *
 * The rest of the BAR stays as it is; a new one is TRAP, or RAM with SVF_MODEL_BAR_RAM. Registers that nobody has to
 * watch belong into pages of RAM or READ_RAM, where an access costs what memory costs: a trapped one takes a fault and
 * a call to the host.
 * Return: 0; -EINVAL: not such a BAR or range, or more than 64 runs of pages; -ENOMEM.
 */
int svf_model_set_pages(struct svf_function *fn, unsigned int index, uint64_t offset, uint64_t len,
			enum svf_model_pages pages,
			struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_get_bar() - what a BAR of a function is
 * @fn: the function.
 * @index: 0 to 5.
 * @ret: filled; type NONE when there is none or it is the upper half of another.
 */
void svf_model_get_bar(const struct svf_function *fn, unsigned int index,
		       struct svf_model_bar *ret);

/**
 * svf_model_ram() - the memory behind a BAR
 * @fn: the function.
 * @index: 0 to 5.
 *
 * Return: its first byte, shared with clients and valid until destroy() returns; NULL when the BAR
 * has no pages that are RAM. Of one that has other pages, too, only those of RAM show it.
 */
uint8_t *svf_model_ram(struct svf_function *fn, unsigned int index);

/**
 * svf_model_read_ram() - what clients load from the READ_RAM pages of a BAR
 * @fn: the function.
 * @index: 0 to 5.
 *
 * The core stores nothing there: bar_write() does, as far as loads are to show what was stored. A reset zeroes it
 * before reset(), unless SVF_MODEL_RESET_KEEPS_RAM.
 * Return: what stands for the first byte of the BAR, valid until destroy() returns; NULL when the BAR has no such pages.
 */
uint8_t *svf_model_read_ram(struct svf_function *fn, unsigned int index);

/**
 * svf_model_set_vpd() - give the function vital product data
 * @fn: the function.
 * @bytes: items as the PCI specification has them, copied; they read as ones behind @len.
 * @len: bytes, 1 to 32768.
 * @error: filled on failure, the option at fault left to the caller; may be NULL.
 *
 * Adds the capability unless config space has it.
 * Return: 0; -EINVAL: @len is out of range; -ENOSPC: config space is full; -ENOMEM.
 */
int svf_model_set_vpd(struct svf_function *fn, const uint8_t *bytes, size_t len,
		      struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_is_express() - whether the function sits on a PCI Express link
 * @fn: the function.
 *
 * Return: false on a conventional PCI bus, where it can have no PCIe capability and 256 bytes of
 * config space.
 */
bool svf_model_is_express(const struct svf_function *fn);

/**
 * svf_model_add_cap() - append a capability with contents of the model's own
 * @fn: the function.
 * @id: PCI_CAP_ID_*.
 * @body: what follows the two bytes of header.
 * @len: bytes of @body.
 *
 * Registers of capabilities the core knows become writable as the specification says; others are
 * read-only, see svf_model_set_writable(). Return: its offset; 0: config space is full.
 */
unsigned int svf_model_add_cap(struct svf_function *fn, uint8_t id, const void *body,
			       size_t len) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_ext_cap() - append an extended capability
 * @fn: a PCIe function.
 * @id: PCI_EXT_CAP_ID_*.
 * @version: 1 to 15.
 * @body: what follows the four bytes of header.
 * @len: bytes of @body.
 *
 * Return: its offset; 0: config space is full or has no extended part.
 */
unsigned int svf_model_add_ext_cap(struct svf_function *fn, uint16_t id, unsigned int version,
				   const void *body, size_t len) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_set_writable() - let software write bits of config space
 * @fn: the function.
 * @offset: of the byte.
 * @mask: bits that become writable; they are lost by a reset.
 */
void svf_model_set_writable(struct svf_function *fn, unsigned int offset, uint8_t mask);

/*
 * Functions that add a capability of a known kind. Each returns its offset; 0: config space is
 * full.
 */

/**
 * svf_model_add_pm() - power management: D0 and D3hot
 * @fn: the function.
 * @soft_reset: whether the way from D3hot to D0 resets the function (No_Soft_Reset clear).
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_pm(struct svf_function *fn, bool soft_reset) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_msi() - message signalled interrupts with 64-bit address and per-vector masks
 * @fn: the function, not a VF.
 * @vectors: a power of two, 1 to 32.
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_msi(struct svf_function *fn, unsigned int vectors) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_msix() - MSI-X
 * @fn: the function.
 * @vectors: 1 to 2048.
 * @bar: the memory BAR that holds table and pending bits.
 * @table: offset of the table in it, @vectors times 16 bytes, a multiple of 8.
 * @pba: offset of the pending bits, a multiple of 8.
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_msix(struct svf_function *fn, unsigned int vectors, unsigned int bar,
				uint32_t table, uint32_t pba) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_pcie() - PCI Express, version 2, of the port type that the function's place asks
 * for
 * @fn: a function for which svf_model_is_express() is true.
 * @flr: whether it can be reset by itself.
 *
 * Makes config space 4096 bytes.
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_pcie(struct svf_function *fn, bool flr) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_af() - conventional PCI advanced features: reset of the function by itself
 * @fn: a function without PCIe.
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_af(struct svf_function *fn) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_aer() - advanced error reporting
 * @fn: a PCIe function.
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_aer(struct svf_function *fn) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_add_ari() - alternative routing ID, needed by functions beyond the eighth, as VFs are
 * @fn: a PCIe function.
 *
 * Return: offset, 0 when config space is full.
 */
unsigned int svf_model_add_ari(struct svf_function *fn) SVF_MODEL_MUST_CHECK;

/**
 * struct svf_model_sriov - the VFs a PF can have
 * @total_vfs: 1 to 256.
 * @vf_device: their device id.
 * @offset: routing ID of VF 0 minus that of the PF, at least 1.
 * @stride: between routing IDs of VFs, at least 1.
 * @bars: of one VF: memory of at least 4096 bytes, or NONE.
 */
struct svf_model_sriov {
	unsigned int total_vfs;
	uint16_t vf_device, offset, stride;
	struct svf_model_bar bars[6];
};

/**
 * svf_model_add_sriov() - make the function a PF
 * @fn: a PCIe function.
 * @sriov: copied.
 * @error: filled on failure; may be NULL.
 *
 * Return: 0; -EINVAL: a value out of range or a BAR that is none; -ENOSPC: config space is full.
 */
int svf_model_add_sriov(struct svf_function *fn, const struct svf_model_sriov *sriov,
			struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_load_config() - take config space from a real device
 * @fn: the function, not a VF, nothing added to it before.
 * @bytes: as read from the device.
 * @len: 64, 256 or 4096.
 *
 * Replaces everything written before. Addresses and whatever a driver had enabled are cleared;
 * capabilities of known kinds get their writable bits. BARs are still to be added, as their sizes
 * are not in config space: svf_model_dumped_bar() tells their types. Context: before
 * svf_model_add_bar() and svf_model_adopt_sriov().
 */
void svf_model_load_config(struct svf_function *fn, const uint8_t *bytes, size_t len);

/**
 * svf_model_config() - config space, for reading
 * @fn: the function.
 *
 * Return: its 4096 bytes, of which those beyond the function's size are zero.
 */
const uint8_t *svf_model_config(const struct svf_function *fn);

/**
 * svf_model_find_cap() - offset of a capability
 * @fn: the function.
 * @id: PCI_CAP_ID_*.
 *
 * Return: 0 when there is none.
 */
unsigned int svf_model_find_cap(const struct svf_function *fn, uint8_t id);

/**
 * svf_model_find_ext_cap() - offset of an extended capability
 * @fn: the function.
 * @id: PCI_EXT_CAP_ID_*.
 *
 * Return: 0 when there is none.
 */
unsigned int svf_model_find_ext_cap(const struct svf_function *fn, uint16_t id);

/**
 * svf_model_adopt_sriov() - become a PF by an SR-IOV capability that config space has already
 * @fn: a function after svf_model_load_config().
 * @bars: of one VF, as in struct svf_model_sriov.
 * @error: filled on failure; may be NULL.
 *
 * Return: 0, also when there is no such capability or it allows no VFs; -EINVAL.
 */
int svf_model_adopt_sriov(struct svf_function *fn, const struct svf_model_bar bars[6],
			  struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/* --- at any time --- */

/**
 * svf_model_set_state() - keep the model's own structure
 * @fn: the function.
 * @state: owned by the model, freed by destroy().
 */
void svf_model_set_state(struct svf_function *fn, void *state);

/**
 * svf_model_state() - what svf_model_set_state() was given
 * @fn: the function.
 *
 * Return: the pointer, or NULL.
 */
void *svf_model_state(const struct svf_function *fn);

/**
 * svf_model_raise_msi() - send an MSI or MSI-X message
 * @fn: the function.
 * @vector: from 0. Lost without bus mastering, without a driver that enabled it, or when there is
 * no such vector.
 */
void svf_model_raise_msi(struct svf_function *fn, unsigned int vector);

/**
 * svf_model_set_intx() - drive the INTx line
 * @fn: the function, not a VF.
 * @level: true: asserted, until called with false.
 */
void svf_model_set_intx(struct svf_function *fn, bool level);

/**
 * svf_model_defer() - have work() called soon
 * @fn: the function, whose model has work().
 *
 * Once, from outside all other callbacks, with whatever else waits to be served in between; then
 * again when work() itself asks for it. Asking twice is asking once. A reset does not take it back.
 */
void svf_model_defer(struct svf_function *fn);

/* A moment and a callback. It belongs to its function and ends with it. */
struct svf_model_timer;

/* Nanoseconds; shorter periods are as this one, because a machine that only ticks serves nobody. */
#define SVF_MODEL_PERIOD_MIN 100000u

/**
 * svf_model_add_timer() - give the function a timer
 * @fn: the function. Context: create(), create_vf().
 * @fired: called when it goes off, from outside all other callbacks. It may start and stop any timer.
 * @arg: passed to @fired.
 *
 * Return: the timer, not started; it is freed after destroy(). NULL: out of memory.
 */
struct svf_model_timer *svf_model_add_timer(struct svf_function *fn,
					    void (*fired)(struct svf_function *fn, void *arg),
					    void *arg) SVF_MODEL_MUST_CHECK;

/**
 * svf_model_timer_start() - have a timer go off
 * @timer: started before or not: what it was to do is forgotten.
 * @delay_ns: until it does, at the earliest; 0: soon, but not now.
 * @period_ns: from then on again and again; 0: once.
 *
 * A periodic timer keeps to its beat: a moment that it comes late for is made up for by one call,
 * however many periods have gone by. A reset stops no timers: reset() does where the device's would.
 */
void svf_model_timer_start(struct svf_model_timer *timer, uint64_t delay_ns, uint64_t period_ns);

/**
 * svf_model_timer_stop() - have it not go off any more
 * @timer: started or not.
 */
void svf_model_timer_stop(struct svf_model_timer *timer);

/**
 * svf_model_now() - what time it is
 * @fn: the function.
 *
 * Return: nanoseconds since some moment; never less than before. It stands still during a callback.
 */
uint64_t svf_model_now(const struct svf_function *fn);

/**
 * svf_dma_read() - read memory as the device
 * @fn: the function.
 * @iova: address as the device sees it.
 * @dst: at least @len bytes.
 * @len: bytes.
 *
 * Return: 0; -EFAULT: bus mastering off, or a byte not mapped for reading or not there any more. An
 * IOMMU fault is then on record.
 */
int svf_dma_read(struct svf_function *fn, uint64_t iova, void *dst,
		 size_t len) SVF_MODEL_MUST_CHECK;

/**
 * svf_dma_write() - write memory as the device
 * @fn: the function.
 * @iova: address as the device sees it.
 * @src: at least @len bytes.
 * @len: bytes.
 *
 * Return: 0; -EFAULT: bus mastering off, or a byte not mapped for writing or not there any more; bytes
 * before it may have been written.
 */
int svf_dma_write(struct svf_function *fn, uint64_t iova, const void *src,
		  size_t len) SVF_MODEL_MUST_CHECK;

/**
 * struct svf_dma_segment - a piece of a vectored transfer
 * @iova: address as the device sees it.
 * @buf: of the model; svf_dma_writev() only reads it.
 * @len: bytes; 0 is fine.
 */
struct svf_dma_segment {
	uint64_t iova;
	void *buf;
	size_t len;
};

/**
 * svf_dma_readv() - read memory as the device, in one transfer from several places
 * @fn: the function.
 * @segments: read in this order.
 * @count: of them.
 *
 * Much less work than a svf_dma_read() for each.
 * Return: as svf_dma_read().
 */
int svf_dma_readv(struct svf_function *fn, const struct svf_dma_segment *segments,
		  unsigned int count) SVF_MODEL_MUST_CHECK;

/**
 * svf_dma_writev() - write memory as the device, in one transfer to several places
 * @fn: the function.
 * @segments: written in this order.
 * @count: of them.
 *
 * Return: as svf_dma_write(); segments before the one that failed have been written.
 */
int svf_dma_writev(struct svf_function *fn, const struct svf_dma_segment *segments,
		   unsigned int count) SVF_MODEL_MUST_CHECK;

/**
 * svf_dma_copy() - copy memory as the device
 * @fn: the function.
 * @to: address as the device sees it, like @from.
 * @from: where the bytes are.
 * @len: bytes.
 * @ret_source: set when it fails: whether @from is what could not be reached.
 *
 * As svf_dma_read() and svf_dma_write(), without a place of the model's between. Where the two
 * overlap the result is not defined.
 * Return: 0; -EFAULT: as these; bytes before the one that failed may have been copied.
 */
int svf_dma_copy(struct svf_function *fn, uint64_t to, uint64_t from, size_t len,
		 bool *ret_source) SVF_MODEL_MUST_CHECK;

/* --- storage: a file that outlives the machine --- */

/* A file that is open for the model. The host's. */
struct svf_storage;

enum svf_storage_op {
	SVF_STORAGE_READ,
	SVF_STORAGE_WRITE,
	SVF_STORAGE_ZERO,  /* the range reads as zeroes and keeps its place */
	SVF_STORAGE_TRIM,  /* the range reads as zeroes and may give up its place */
	SVF_STORAGE_FLUSH, /* what was done before this was submitted survives a loss of power */
};

/**
 * struct svf_storage_request - one access to a storage
 * @op: what is to be done.
 * @durable: of WRITE, ZERO and TRIM: done only when it survives a loss of power.
 * @offset: first byte; of all but FLUSH.
 * @len: bytes; of all but FLUSH.
 * @buf: of READ and WRITE: @len bytes, left alone by the model until the request is done.
 * @done: called once for a request that took time, with 0 or a negative errno.
 * @owner: the model's.
 * @storage: the host's.
 * @next: the host's.
 * @err: the host's.
 *
 * Allocated by the model, and there until it is done.
 */
struct svf_storage_request {
	enum svf_storage_op op;
	bool durable;
	uint64_t offset, len;
	void *buf;
	void (*done)(struct svf_storage_request *request, int err);
	void *owner;

	struct svf_storage *storage;
	struct svf_storage_request *next;
	int err;
};

/**
 * svf_storage_open() - open the file that an option names
 * @fn: the function.
 * @name: text of an option with SVF_OPTION_STORAGE.
 * @ret: set on success, to be closed by destroy().
 * @error: filled on failure, the option at fault left to the caller; may be NULL.
 *
 * A regular file or block device that can be read and written and that no other device uses.
 * Context: from create() only.
 * Return: 0; -EINVAL: it cannot be opened so; -ENOMEM.
 */
int svf_storage_open(struct svf_function *fn, const char *name, struct svf_storage **ret,
		     struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/**
 * svf_storage_size() - how long the file is
 * @storage: the storage.
 *
 * Return: bytes it had when it was opened. It does not grow: requests keep within.
 */
uint64_t svf_storage_size(const struct svf_storage *storage);

/**
 * svf_storage_submit() - begin an access
 * @storage: the storage.
 * @request: everything but the host's members filled.
 *
 * Requests are independent: two that are under way at the same time may be done in any order.
 * Success means that all of it was done, after a FLUSH or with @durable that it is on stable
 * storage. Once a flush has failed, all further ones fail: what was lost then is not known.
 *
 * Return: 0: it is done, done() is not called; -EINPROGRESS: done() will be called, from outside
 * all callbacks of the model; another negative errno: it failed, done() is not called.
 */
int svf_storage_submit(struct svf_storage *storage,
		       struct svf_storage_request *request) SVF_MODEL_MUST_CHECK;

/**
 * svf_storage_close() - give the file back
 * @storage: may be NULL.
 *
 * Requests that are still under way are done all the same, some with -ECANCELED, after the function
 * may be gone: their done() then only frees them.
 */
void svf_storage_close(struct svf_storage *storage);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
