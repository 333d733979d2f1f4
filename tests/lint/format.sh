#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# usage: format.sh SOURCE-ROOT
#
# Every C file is as .clang-format has it. Another release of clang-format has other ideas: 14 it is.

clang_format=$(command -v clang-format-14) || { echo 'SKIP: no clang-format-14'; exit 77; }
find "$1" -path "$1/build*" -prune -o -path "$1/.*" -prune -o -name '*.[ch]' -print |
	xargs "$clang_format" --style=file --dry-run --Werror || {
	echo "Out of shape: $clang_format --style=file -i FILE"
	exit 1
}
