#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# usage: uapi-doc.sh UAPI-DOC-PROGRAM SOURCE-ROOT
#
# docs/uapi.md is what tools/uapi-doc makes of the table of commands and docs/uapi-notes.md.

"$1" "$2/docs/uapi-notes.md" "$2/tests/conformance/cases" | diff -u "$2/docs/uapi.md" - || {
	echo 'docs/uapi.md is out of date: tools/uapi-doc docs/uapi-notes.md tests/conformance/cases >docs/uapi.md (the program is in the build folder)'
	exit 1
}
