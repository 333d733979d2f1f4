# SPDX-License-Identifier: BSD-3-Clause
"""Walks sysfs folders given as arguments with os.walk, reads every readable file twice, and follows
every link. Prints what it saw; ends with an error on the first thing a real sysfs would not do."""

import os
import stat
import sys


def fail(text):
    sys.exit(f"walk.py: {text}")


def on_error(error):
    fail(error)


def read(path):
    with open(path, "rb", buffering=0) as file:
        data = file.read(8192)
        if file.read(8192) != b"":
            fail(f"{path}: there is more after its end")
        file.seek(0)
        if file.read(8192) != data:
            fail(f"{path}: reads otherwise from its start again")
    return data


def check_file(path, counts):
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        if os.readlink(path).startswith("/"):
            fail(f"{path}: an absolute link")
        if not os.path.exists(os.path.realpath(path)):
            fail(f"{path}: a dangling link")
        counts["links"] += 1
        return
    if not stat.S_ISREG(mode):
        fail(f"{path}: neither file nor link")
    name = os.path.basename(path)
    if not mode & stat.S_IRUSR or name.startswith("resource") and name != "resource":
        return
    data = read(path)
    if name not in ("config", "rom") and data and not data.endswith(b"\n"):
        fail(f"{path}: no newline at the end of {data!r}")
    if name == "config" and len(data) not in (256, 4096):
        fail(f"{path}: {len(data)} bytes")
    counts["files"] += 1


def walk(top, counts):
    for folder, folders, files in os.walk(top, onerror=on_error):
        counts["folders"] += 1
        entries = sorted(folders + files)
        if entries != sorted(os.listdir(folder)) or len(set(entries)) != len(entries):
            fail(f"{folder}: listed otherwise a second time")
        for name in entries:
            path = os.path.join(folder, name)
            if name in files or os.path.islink(path):
                check_file(path, counts)


def main():
    counts = {"folders": 0, "files": 0, "links": 0}
    for top in sys.argv[1:]:
        walk(top, counts)
    if not all(counts.values()):
        fail(f"saw only {counts}")
    print(" ".join(f"{value} {name}" for name, value in counts.items()))


main()
