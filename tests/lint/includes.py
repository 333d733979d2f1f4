#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Includes point one way: base <- core <- models, filters; host -> core, models, filters.

cli and preload never include core; models see only include/softvfio/model.h (and the uapi).
Prints each include that breaks the rule, as file:line, and fails.
"""
import pathlib
import re
import sys

# Folder -> what its files may include of the project, by first path component. A models/X may also include its
# own folder.
ALLOWED = {
    "uapi": {"uapi"},
    "base": {"base"},
    "core": {"base", "core", "uapi", "include"},
    "models": {"include", "uapi"},
    "filters": {"include", "uapi"},
    "host": {"base", "core", "models", "host", "uapi", "include"},
    "cli": {"cli", "uapi", "base"},
    "preload": {"preload", "uapi"},
    "include": {"softvfio", "include"},
    "examples": set(),
}
# The command line and control protocol of the host, which its only user must know.
# The list of models that are built in, which the models share.
EXCEPTIONS = {("cli", "host/control/protocol.h"), ("models", "models/registry.h")}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def own_folder(path, root):
    parts = path.relative_to(root).parts
    return "/".join(parts[:2]) if parts[0] == "models" else None


def violations(root):
    for folder, allowed in ALLOWED.items():
        for path in sorted((root / folder).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                target = match.group(1)
                own = own_folder(path, root)
                if target.split("/")[0] in allowed or (folder, target) in EXCEPTIONS:
                    continue
                if own and target.startswith(own + "/"):
                    continue
                yield f"{path.relative_to(root)}:{number}: {folder} must not include {target}"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(violations(root))
    for line in found:
        print(line)
    return 1 if found else 0


sys.exit(main())
