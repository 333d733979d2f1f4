#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests/unit/uapi_list.h, which is compared with the system's headers, has all that uapi/ states of Linux's ABI.

usage: uapi-list.py SOURCE-ROOT

Reads the headers as they are written in this project: one #define, enumerator or member a line. Members
named reserved or pad are padding, which the kernel's headers name as they like.
"""
import pathlib
import re
import sys

DEFINE = re.compile(r"#define\s+((?:VFIO|IOMMU)_\w+)\s")
ENUMERATOR = re.compile(r"\t((?:VFIO|IOMMU)_\w+)(?: = \w+)?,?$")
STRUCT = re.compile(r"struct (\w+) \{$")
MEMBER = re.compile(r"\t+(?:struct )?\w+ (\w+)(\[\w*\])?;")
PADDING = re.compile(r"reserved\d*$")
LISTED = re.compile(r"(NUMBER|SIZE|MEMBER|ARRAY)\((\w+)(?:, (\w+))?\)$")


def stated(path):
    struct = None
    for line in path.read_text().splitlines():
        if match := DEFINE.match(line) or ENUMERATOR.match(line):
            yield match.group(1)
        elif match := STRUCT.match(line):
            struct = match.group(1)
            yield f"struct {struct}"
        elif struct and (match := MEMBER.match(line)) and not PADDING.match(match.group(1)):
            yield f"struct {struct}.{match.group(1)}"
        elif line.startswith("}"):
            struct = None


def listed(path):
    for line in path.read_text().splitlines():
        match = LISTED.match(line)
        if match and not (match.group(3) and PADDING.match(match.group(3))):
            kind, name, member = match.groups()
            yield name if kind == "NUMBER" else f"struct {name}" if kind == "SIZE" else f"struct {name}.{member}"


def main():
    root = pathlib.Path(sys.argv[1])
    known = set(listed(root / "tests/unit/uapi_list.h"))
    names = [name for header in ("vfio.h", "iommufd.h") for name in stated(root / "uapi" / header)]
    missing = [name for name in names if name not in known]
    for name in missing:
        print(f"tests/unit/uapi_list.h lacks {name}")
    for name in sorted(known - set(names)):
        print(f"tests/unit/uapi_list.h has {name}, which uapi/ does not")
    return 1 if missing or known - set(names) or not names else 0


sys.exit(main())
