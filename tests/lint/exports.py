#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The host exports the functions that include/softvfio/model.h declares, for models in files, and nothing else.

usage: exports.py SOFTVFIOD MODEL.H
"""
import re
import subprocess
import sys

# What the C library's start files, and data of the C library that the program uses, put there.
TOOLCHAIN = {"_IO_stdin_used", "__bss_start", "__data_start", "data_start", "_edata", "_end", "_start", "_init", "_fini"}
DECLARED = re.compile(r"^[a-z].*?\b(svf_[a-z_]+)\(", re.M)


def main():
    program, header = sys.argv[1:]
    out = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", program], check=True, capture_output=True,
                         text=True).stdout
    exported = {line.split()[0] for line in out.splitlines() if "@" not in line.split()[0]} - TOOLCHAIN
    with open(header, encoding="utf-8") as file:
        declared = set(DECLARED.findall(file.read()))
    for name in sorted(exported - declared):
        print(f"the host exports {name}, which model.h does not declare")
    for name in sorted(declared - exported):
        print(f"model.h declares {name}, which the host does not export")
    return 0 if exported == declared and declared else 1


sys.exit(main())
