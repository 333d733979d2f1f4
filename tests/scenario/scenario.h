/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenarios: the core driven by text. One statement a line, # begins a comment. A scenario runs on
 * a machine of its own over the plain-memory port, in one process, with nothing mocked.
 *
 *   device MODEL[@BDF] [key=value]...	  a device of the machine (before anything else); beside the
 *					  model's keys driver=NAME, dma-alias=DD.F, and slot=DD.F,
 *					  first: behind the last bridge
 *   bridge BDF				  a bridge to conventional PCI (likewise)
 *   param MODULE.NAME=VALUE		  a module parameter (likewise)
 *   open NAME container|iommufd	  each may end in = RESULT, default 0
 *   open NAME group|cdev BDF
 *   ioctl NAME COMMAND ARG [-> NEW]	  NEW: the file that the command returned
 *   read NAME OFFSET LENGTH [: HEX...]	  result: bytes read; HEX: what they must be
 *   write NAME OFFSET HEX...
 *   close NAME
 *   memory NAME SIZE [readonly]	  zeroed memory of the client
 *   holds NAME OFFSET HEX...		  what that memory must be
 *   fill NAME OFFSET HEX...		  what the client writes there
 *   mmap NAME FILE OFFSET LENGTH	  a part of a BAR as memory of the client, until FILE is closed
 *   dma BDF read|write IOVA LENGTH	  by the device; it writes dd
 *   memfile NAME SIZE			  a file of memory; one a scenario
 *   event NAME				  an eventfd of the client
 *   signals NAME N			  how often it was signalled since the last such line
 *   fire NAME				  the client signals it
 *   raise BDF msi N | raise BDF intx 0|1 | raise BDF error
 *   numvfs BDF N | bind BDF DRIVER | unbind BDF | override BDF DRIVER | probe BDF | reset BDF
 *   id DRIVER new|remove "TEXT"	  what is written to new_id, remove_id
 *   process N				  which client process calls from now on
 *   memlock PAGES			  its limit of locked memory
 *   rawio on|off			  whether they have CAP_SYS_RAWIO (at the start: on)
 *   log "PART"				  some kernel message since the last such line holds PART
 *
 * ARG: none | a number | "text" | { FIELD... }, a structure in memory. FIELD: u8:V u16:V u32:V u64:V
 * or hex:BYTES; V: a number, size (of the structure), @NAME (address of memory), fd(NAME), group(BDF).
 * After a structure: "out u32@OFFSET=V ..." what it must hold when the call returns.
 * RESULT: a number or an errno's name, BLOCKED; then optionally "PART" that the reason must hold. An error without
 * any reason fails the scenario always.
 */
#ifndef SVF_TESTS_SCENARIO_SCENARIO_H
#define SVF_TESTS_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs one file. arm: NULL, or called once the empty machine is there, to inject a failure; results are then
 * not compared, as the failure may change any of them, and what is left to hold is that nothing
 * crashes, leaks or breaks an invariant.
 * Return: true when all was as stated; otherwise the first difference was printed as file:line: text.
 */
bool scenario_run(const char *path, void (*arm)(void));

/* Called before and after each ioctl of a scenario; NULL: not. */
struct svf_command;
extern void (*scenario_before)(const struct svf_command *command);
extern void (*scenario_after)(const struct svf_command *command);

/*
 * Runs a text that need not make sense: stops at what is no statement, says nothing, compares nothing.
 * Return: false when a rule was broken that must hold whatever happens.
 */
bool scenario_fuzz(const char *text, size_t size);

#endif
