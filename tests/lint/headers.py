#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each header compiles alone; the public ones also as C++.

usage: headers.py SOURCE-ROOT CC CXX
"""
import pathlib
import subprocess
import sys

FOLDERS = ("uapi", "base", "core", "host", "cli", "include")
C_FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-fsyntax-only"]


def compiles(root, command, header):
    source = f'#include "{header}"\n'
    result = subprocess.run([*command, "-I", root, "-I", f"{root}/include", "-"], input=source, text=True,
                            capture_output=True)
    if result.returncode:
        print(f"{header} does not compile alone with {command[0]}:\n{result.stderr}")
    return result.returncode == 0


def main():
    root, cc, cxx = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    pkg = subprocess.run(["pkg-config", "--cflags", "fuse3", "libseccomp", "jansson", "yaml-0.1"], check=True,
                         capture_output=True, text=True).stdout.split()
    good = True
    for folder in FOLDERS:
        for header in sorted((root / folder).rglob("*.h")):
            good &= compiles(root, [cc, "-xc", *C_FLAGS, *pkg], header.relative_to(root))
    for header in sorted((root / "include").rglob("*.h")):
        good &= compiles(root, [cxx, "-xc++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"],
                         header.relative_to(root))
    return 0 if good else 1


sys.exit(main())
