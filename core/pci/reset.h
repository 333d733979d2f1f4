/* SPDX-License-Identifier: BSD-3-Clause */
/* Resets as the rest of core/pci uses them; the kernel's way to a reset is svf_function_reset(). */
#ifndef SVF_CORE_PCI_RESET_H
#define SVF_CORE_PCI_RESET_H

struct svf_function;

/* What the hardware does: everything goes back to its initial value, addresses included. */
void svf_function_hw_reset(struct svf_function *fn);

/*
 * The same with config space saved before and restored after, as the kernel does around every reset
 * of its own.
 */
void svf_function_reset_and_restore(struct svf_function *fn);

/* Fills fn->reset_methods, in the order in which functions are discovered. */
void svf_function_find_reset_methods(struct svf_function *fn);

#endif
