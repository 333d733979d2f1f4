# SPDX-License-Identifier: BSD-3-Clause
"""Starts DPDK's EAL on the devices given as arguments, as any DPDK program's main does, and stops
it. Prints what rte_eal_init returned: the number of arguments it took, or -1."""

import ctypes
import sys

plugins = ("librte_bus_pci.so.23", "librte_dma_ioat.so.23")

arguments = ["eal", "--no-huge", "-m", "16", "--no-shconf", "--no-telemetry", "-l", "0"]
arguments += ["--log-level=lib.eal:debug", "--log-level=pmd.dma.ioat:debug"]
for plugin in plugins:
    arguments += ["-d", plugin]
for device in sys.argv[1:]:
    arguments += ["-a", device]

eal = ctypes.CDLL("librte_eal.so.23", use_errno=True)
argv = (ctypes.c_char_p * (len(arguments) + 1))(*[word.encode() for word in arguments], None)
result = eal.rte_eal_init(len(arguments), argv)
print("rte_eal_init:", result, flush=True)
eal.rte_eal_cleanup()
