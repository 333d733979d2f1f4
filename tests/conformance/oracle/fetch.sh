# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Packages of Debian's that are unpacked into the cache folder instead of being installed: QEMU 10
# (qemu/), and the private apt configuration by which they come (apt/). Shared by what needs a real
# machine: ./build and tests/clients/qemu/build.

cache=${SOFTVFIO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/softvfio}
mirror=${SOFTVFIO_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# The lists of three suites, kept apart from the system's. Pinning is apt's default: a backport is
# taken only where it is asked for by name.
setup_apt() {
	export APT_CONFIG=$cache/apt/apt.conf

	[ -e "$cache/apt/ready" ] && return
	say "reading package lists into $cache/apt"
	mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial" "$cache/apt/none"
	cat >"$cache/apt/sources.list" <<-SOURCES
		deb [signed-by=$keyring] $mirror bookworm main
		deb [signed-by=$keyring] $mirror bookworm-backports main
		deb [signed-by=$keyring] $mirror trixie-backports main
	SOURCES
	cat >"$APT_CONFIG" <<-CONF
		Dir::Etc::SourceList "$cache/apt/sources.list";
		Dir::Etc::SourceParts "$cache/apt/none";
		Dir::Etc::Preferences "$cache/apt/none/preferences";
		Dir::Etc::PreferencesParts "$cache/apt/none";
		Dir::State::Lists "$cache/apt/lists";
		Dir::Cache "$cache/apt";
		Dir::Cache::Archives "$cache/apt/archives";
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Debug::NoLocking "true";
	CONF
	apt-get -qq update
	touch "$cache/apt/ready"
}

# apt is asked what an installation would fetch, so that exactly those libraries come along which
# this system does not have.
unpack_qemu() {
	local deb tmp=$cache/qemu.tmp

	[ -x "$cache/qemu/usr/bin/qemu-system-x86_64" ] && return
	setup_apt
	say "downloading QEMU"
	rm -rf "$tmp" "$cache"/apt/archives/*.deb
	apt-get -qq --yes --download-only install qemu-system-x86/bookworm-backports \
		qemu-system-common/bookworm-backports qemu-system-data/bookworm-backports \
		seabios/bookworm-backports ipxe-qemu >&2
	mkdir -p "$tmp"
	for deb in "$cache"/apt/archives/*.deb; do
		dpkg-deb -x "$deb" "$tmp"
	done
	rm -f "$cache"/apt/archives/*.deb
	mv "$tmp" "$cache/qemu"
}
