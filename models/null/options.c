/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of the null model. */
#include <stddef.h>

#include "models/null/null.h"

/* Known to lspci as a PCI test device, which is what this is; no host driver claims it. */
#define DEFAULT_VENDOR "1b36"
#define DEFAULT_DEVICE "0005"

#define BAR_HELP       "BAR as SIZE[:32|:64|:io][:pref][:trap[=SIZE]][:trap-stores=SIZE], or none"

const struct svf_model_option svf_null_options[] = {
	[OPT_VFS] = {"vfs", SVF_OPTION_NUMBER, 0, "N", "0", 0, 256,
		     "VFs that exist from the start"},
	[OPT_TOTALVFS] = {"totalvfs", SVF_OPTION_NUMBER, 0, "N", NULL, 0, 256,
			  "VFs the function can have (8; 0 on a conventional bus)"},
	[OPT_VENDOR] = {"vendor", SVF_OPTION_HEX, 0, "ID", DEFAULT_VENDOR, 0, 0xfffe, "vendor id"},
	[OPT_DEVICE] = {"device", SVF_OPTION_HEX, 0, "ID", DEFAULT_DEVICE, 0, 0xffff, "device id"},
	[OPT_SUBVENDOR] = {"subvendor", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			   "subsystem vendor id (that of the device)"},
	[OPT_SUBDEVICE] = {"subdevice", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			   "subsystem device id (that of the device)"},
	[OPT_CLASS] = {"class", SVF_OPTION_HEX, 0, "CODE", "ff0000", 0, 0xffffff,
		       "class code, 24 bits"},
	[OPT_REVISION] = {"revision", SVF_OPTION_HEX, 0, "REV", "0", 0, 0xff, "revision id"},
	[OPT_BAR0 + 0] = {"bar0", SVF_OPTION_BAR, 0, "BAR", "1M:64:pref", 0, 0, BAR_HELP},
	[OPT_BAR0 + 1] = {"bar1", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 2] = {"bar2", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 3] = {"bar3", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 4] = {"bar4", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 5] = {"bar5", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_MSI] = {"msi", SVF_OPTION_NUMBER, 0, "N", "8", 0, 32,
		     "MSI vectors, a power of two; 0: no MSI"},
	[OPT_MSIX] = {"msix", SVF_OPTION_NUMBER, 0, "N", "16", 0, 2048,
		      "MSI-X vectors; 0: no MSI-X"},
	[OPT_MSIXBAR] = {"msixbar", SVF_OPTION_NUMBER, 0, "BAR", NULL, 0, 5,
			 "BAR with the MSI-X table, at its end (a free one, of its own)"},
	[OPT_INTX] = {"intx", SVF_OPTION_PIN, 0, "PIN", "A", 0, 0, "INTx pin: A to D, or none"},
	[OPT_PM] = {"pm", SVF_OPTION_BOOL, 0, "on|off", "on", 0, 0, "power management capability"},
	[OPT_FLR] = {"flr", SVF_OPTION_BOOL, 0, "on|off", "on", 0, 0, "function level reset"},
	[OPT_PCIE] = {"pcie", SVF_OPTION_BOOL, 0, "on|off", NULL, 0, 0,
		      "PCI Express, or conventional PCI (as the bus is)"},
	[OPT_VFBAR0 + 0] = {"vfbar0", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR (64K:64:pref)"},
	[OPT_VFBAR0 + 1] = {"vfbar1", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 2] = {"vfbar2", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 3] = {"vfbar3", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 4] = {"vfbar4", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 5] = {"vfbar5", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFMSIX] = {"vfmsix", SVF_OPTION_NUMBER, 0, "N", "8", 0, 2048,
			"MSI-X vectors of each VF; 0: no MSI-X"},
	[OPT_VFDEVICE] = {"vfdevice", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			  "device id of VFs (that of the device)"},
	[OPT_OFFSET] = {"offset", SVF_OPTION_NUMBER, 0, "N", "128", 1, 0xffff,
			"from the PF to VF 0, in functions"},
	[OPT_STRIDE] = {"stride", SVF_OPTION_NUMBER, 0, "N", "2", 1, 0xffff,
			"from VF to VF, in functions"},
	[OPT_DUMP] = {"dump", SVF_OPTION_TEXT, SVF_OPTION_FILE, "FILE", NULL, 0, 0,
		      "config space of a real device, as lspci -vvv -xxxx prints it"},
	[OPT_ROM] = {"rom", SVF_OPTION_TEXT, SVF_OPTION_FILE | SVF_OPTION_BINARY, "FILE", NULL, 0,
		     0, "contents of the expansion ROM"},
	[OPT_ROMSIZE] = {"romsize", SVF_OPTION_NUMBER, 0, "BYTES", NULL, 2048, 16 << 20,
			 "size of the expansion ROM, a power of two (that of its contents)"},
	[OPT_VPD] = {"vpd", SVF_OPTION_TEXT, SVF_OPTION_FILE | SVF_OPTION_BINARY, "FILE", NULL, 0,
		     0, "vital product data"},
	{NULL, SVF_OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL},
};
