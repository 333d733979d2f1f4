#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The sans-I/O claim: what base and core call outside themselves is this short list, and nothing else.

usage: symbols.py LIBRARY...   (static archives that together must need only ALLOWED)
"""
import subprocess
import sys

ALLOWED = {
    # memory and strings
    "calloc", "realloc", "free",
    "memcpy", "memmove", "memset", "memcmp", "memchr",
    "strlen", "strnlen", "strcmp", "strncmp", "strchr",
    # a failed assertion: our own bug
    "__assert_fail",
}
# What the compiler adds by itself.
TOOLCHAIN = ("_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "__asan_", "__ubsan_", "__sanitizer_", "__lsan_",
             "__gcov_", "__llvm_", "__start_", "__stop_", "__sanitizer_cov_")


def symbols(archives, kind):
    out = subprocess.run(["nm", "-P", "-g", kind, *archives], check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in out.splitlines() if line and not line.endswith(":")}


def main():
    archives = sys.argv[1:]
    needed = symbols(archives, "-u") - symbols(archives, "--defined-only")
    foreign = sorted(s for s in needed if s not in ALLOWED and not s.startswith(TOOLCHAIN))
    for name in foreign:
        print(f"core must not call {name}")
    return 1 if foreign else 0


sys.exit(main())
