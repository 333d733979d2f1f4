# SPDX-License-Identifier: BSD-3-Clause
"""Compares two shapes of sysfs, as sysfs-shape prints them, allowing for listed differences.

usage: sysfs-compare.py EXPECTED ACTUAL DIFFERENCES

A line of DIFFERENCES is a kind, a regular expression for whole names, and after "#" the reason:

    absent   expected, and not there
    extra    there, and not expected
    mode     there with another mode
    value    there with another value or link target

Prints each difference that is not allowed, and each line of DIFFERENCES that nothing needs any more;
ends with status 1 when there are any."""

import re
import sys


class Allowed:
    def __init__(self, path):
        self.rules = []
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                rule, _, reason = line.partition("#")
                if not rule.strip():
                    continue
                kind, pattern = rule.split()
                if kind not in ("absent", "extra", "mode", "value") or not reason.strip():
                    sys.exit(f"{path}:{number}: kind, pattern and reason are wanted")
                self.rules.append([kind, re.compile(pattern), f"{path}:{number}: {kind} {pattern}", 0])

    def covers(self, kind, name):
        for rule in self.rules:
            if rule[0] == kind and rule[1].fullmatch(name):
                rule[3] += 1
                return True
        return False

    def unused(self):
        return [text for _, _, text, used in self.rules if not used]


def load(path):
    """Name -> (mode, value): of a link, ("->", target)."""
    shape = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            name, mode, *value = line.rstrip("\n").split(" ", 2)
            shape[name.rstrip("/")] = (mode, "".join(value))
    return shape


def differences(expected, actual):
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            yield "absent", name, " ".join(expected[name])
        elif name not in expected:
            yield "extra", name, " ".join(actual[name])
        else:
            for kind, want, have in zip(("mode", "value"), expected[name], actual[name]):
                if want != have:
                    yield kind, name, f"expected {want or 'nothing'}, found {have or 'nothing'}"


def main():
    expected, actual, allowed = load(sys.argv[1]), load(sys.argv[2]), Allowed(sys.argv[3])
    if not expected or not actual:
        sys.exit("one of the shapes is empty")
    wrong = 0
    for kind, name, text in differences(expected, actual):
        if not allowed.covers(kind, name):
            print(f"{kind} {name}: {text}")
            wrong += 1
    for text in allowed.unused():
        print(f"no longer needed: {text}")
        wrong += 1
    print(f"# {len(expected)} names expected, {len(actual)} found, {len(allowed.rules)} allowed differences")
    sys.exit(wrong > 0)


main()
