# SPDX-License-Identifier: BSD-3-Clause
"""Runs a command and tells what it left behind.

    reaper.py COMMAND [ARGUMENT...]

Every process that COMMAND starts and abandons becomes a child of this one (PR_SET_CHILD_SUBREAPER),
so none can hide. When COMMAND has ended, those that are still there are given until
REAPER_PATIENCE seconds (default 0: none) to end by themselves; what remains is printed on standard
error, ended with SIGKILL, and makes the exit status 99. Otherwise the status is COMMAND's, or 128
plus the signal that killed it."""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def reap():
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def children():
    reap()
    found = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
            found += [int(word) for word in file.read().split()]
    return found


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"{pid} {file.read().replace(bytes(1), b' ').decode(errors='replace')}"
    except OSError:
        return str(pid)


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("reaper.py: cannot become a subreaper")
    status = subprocess.call(sys.argv[1:])
    deadline = time.monotonic() + float(os.environ.get("REAPER_PATIENCE", "0"))
    while children() and time.monotonic() < deadline:
        time.sleep(0.01)
    left = children()
    for pid in left:
        print("left behind:", describe(pid), file=sys.stderr)
        os.kill(pid, signal.SIGKILL)
    sys.exit(99 if left else status if status >= 0 else 128 - status)


main()
