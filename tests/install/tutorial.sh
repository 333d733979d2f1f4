#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# usage: tutorial.sh SOURCE-ROOT BUILD-ROOT SOFTVFIO
#
# What docs/tutorial says, with installed files only and outside the tree: the model is compiled as a
# shared object, linked with nothing, and its driver moves data with it.
set -eu

source=$1 build=$2 softvfio=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

meson install -C "$build" --no-rebuild --quiet --tags devel --destdir "$work/root" >/dev/null
pc=$(find "$work/root" -name softvfio.pc)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root
cp "$source"/docs/tutorial/*.c "$work"
cd "$work"
# shellcheck disable=SC2046 # words
cc -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC $(pkg-config --cflags softvfio) -o tick.so tick.c
cc -Wall -Wextra -Werror -o try try.c
[ -z "$(pkg-config --libs softvfio)" ] || {
	echo 'a model is linked with nothing, but pkg-config --libs says otherwise'
	exit 1
}
"$softvfio" run -d ./tick.so,help
out=$("$softvfio" run -d ./tick.so,first=100 -- ./try 0000:01:00.0 3)
echo "$out"
[ "$out" = "0000:01:00.0: memory and register agree
at least 3 ticks: yes" ]
