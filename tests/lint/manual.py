#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""manual.py SOFTVFIO SOURCE: --help and manual page tell of the same verbs and options, the topology example in
softvfio(7) is examples/topology.yaml, every page formats without a complaint, and the completion loads."""

import os
import re
import shutil
import subprocess
import sys

program, source = sys.argv[1:3]
problems = []


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def page(name):
    with open(os.path.join(source, "man", name), encoding="utf-8") as file:
        return file.read()


def help_verbs():
    text = run(program, "help")
    return re.findall(r"^  ([a-z]+) ", text.split("Verbs:")[1].split("Options:")[0], re.M)


def help_options(verb):
    text = run(program, verb, "--help").split("\nOptions:\n")[1].split("\nExamples:\n")[0]
    options = set()
    for short, long in re.findall(r"^  (?:(-\w),|   ) (--[a-z-]+)", text, re.M):
        options.update(filter(None, (short, long)))
    return options


def manual_sections():
    """{name: (options, names of the sections it refers to)} of each .Ss"""
    sections = {}
    for part in re.split(r"^\.Ss ", page("softvfio.1"), flags=re.M)[1:]:
        part = part.split("\n.Sh ")[0]
        options = set()
        for line in re.findall(r"^\.It Fl (.*)", part, re.M):
            for word in re.findall(r"(?:^|, Fl |Fl )(-?[a-z-]+)", line):
                options.add("-" + word)
        sections[part.split("\n")[0]] = (options, re.findall(r"^\.Sx (.*?)(?: \.)?$", part, re.M))
    return sections


def compare(what, ours, manual):
    for word in sorted(ours - manual):
        problems.append(f"{what}: {word} is in --help and not in softvfio(1)")
    for word in sorted(manual - ours):
        problems.append(f"{what}: {word} is in softvfio(1) and not in --help")


def check_options():
    sections = manual_sections()
    verbs = help_verbs()
    compare("verbs", set(verbs), set(re.findall(r"^\.Cm ([a-z]+)$", page("softvfio.1").split(".Sh DESC")[0], re.M)))
    for verb in verbs:
        if verb not in sections:
            problems.append(f"softvfio(1) has no section on {verb}")
            continue
        options, references = sections[verb]
        # A reference from an option's own text is no statement about the verb.
        if not options:
            options = set().union(*(sections[name][0] for name in references))
        compare(verb, help_options(verb), options)
        if "\nExamples:\n  softvfio" not in run(program, verb, "--help"):
            problems.append(f"{verb} --help has no example")


def check_example():
    with open(os.path.join(source, "examples", "topology.yaml"), encoding="utf-8") as file:
        example = file.read().split("\n\n", 1)[1].rstrip("\n")
    if example not in page("softvfio.7").replace("\\e", "\\"):
        problems.append("the example in softvfio(7) is not examples/topology.yaml")


def check_format():
    if not shutil.which("groff"):
        print("groff is missing: pages are not formatted")
        return
    for name in ("softvfio.1", "softvfio.7"):
        done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z", os.path.join(source, "man", name)],
                              capture_output=True, text=True, check=False)
        problems.extend(done.stderr.splitlines())


def complete(*words):
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _softvfio; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    completion = os.path.join(source, "completions", "softvfio.bash")
    return set(run("bash", "-uc", script, "bash", completion, program, *words).split())


def check_completion():
    compare("completion of verbs", set(help_verbs()), complete(""))
    for verb in help_verbs():
        if complete(verb, "--") != {word for word in help_options(verb) if word.startswith("--")}:
            problems.append(f"completion of {verb} --: {sorted(complete(verb, '--'))}")


check_options()
check_example()
check_format()
check_completion()
print("\n".join(problems))
sys.exit(bool(problems))
