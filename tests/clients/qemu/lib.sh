# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# QEMU with an assigned function, for the scripts that test it. Source ../lib.sh first.
#
# The machine is a q35 with a root port, emulated (TCG), with 256 MiB and a Linux guest that tells on
# its serial port what it finds behind the root port (init, describe). QEMU is controlled by QMP.
# One machine at a time.

guest_dir=$tests_dir/clients/qemu

# How long a step of the guest may take before the test gives up, in seconds.
patience=120

# use_qemu 7|10: which QEMU `start` starts. 7 is Debian 12's own, 10 that of its backports.
use_qemu() {
	local root=$SOFTVFIO_CACHE/qemu

	[ -e "$SOFTVFIO_CACHE/guest/vmlinuz" ] || skip "no kernel for guests here ($guest_dir/build fetches it)"
	need cpio busybox
	if [ "$1" = 7 ]; then
		need qemu-system-x86_64
		qemu=(qemu-system-x86_64)
		return
	fi
	[ -x "$root/usr/bin/qemu-system-x86_64" ] || skip "no QEMU 10 here ($guest_dir/build fetches it)"
	qemu=(env "LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios"
		-L "$root/usr/lib/ipxe/qemu")
}

# prepare_guest [INIT]: makes $work/initramfs.gz, with that program of this folder, and the serial port.
prepare_guest() {
	local root=$work/root

	mkdir -p "$root/bin" "$root/dev"
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$guest_dir/${1-init}" "$root/init"
	cp "$guest_dir/describe" "$root/"
	(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs.gz"
	mkfifo "$work/serial"
	exec {serial}<>"$work/serial"
}

# start OPTION...: starts the machine; false if QEMU ends at once, with its words in $work/qemu.err.
start() {
	: >"$work/qemu.err"
	# shellcheck disable=SC2016 # for the inner shell
	hold vm sh -c 'err=$1; shift; exec "$@" 2>>"$err"' sh "$work/qemu.err" "${qemu[@]}" \
		-nodefaults -no-user-config -display none -qmp stdio -accel tcg -cpu max -m 256 \
		-machine q35 -kernel "$SOFTVFIO_CACHE/guest/vmlinuz" -initrd "$work/initramfs.gz" \
		-append 'console=ttyS0 quiet panic=-1 rdinit=/init' -serial "file:$work/serial" \
		-device pcie-root-port,id=rp1,chassis=1,slot=1 "$@"
	hear_qmp '{"QMP"' && qmp qmp_capabilities
}

bail_out() {
	echo "Bail out! $1"
	note "$(cat "$work/qemu.err")"
	exit 1
}

# hear_qmp WORDS: reads what QEMU says up to a line with these words, which is left in $heard.
hear_qmp() {
	while read -r -t "$patience" heard <&"${holder_out[vm]}"; do
		[[ $heard != *"$1"* ]] || return 0
	done
	return 1
}

# qmp COMMAND [ARGUMENTS]: false if QEMU refuses it.
qmp() {
	printf '{"execute": "%s", "arguments": {%s}}\n' "$1" "${2-}" >&"${holder_in[vm]}"
	while hear_qmp '{'; do
		case $heard in
		'{"return"'*) return 0 ;;
		'{"error"'*) return 1 ;;
		esac
	done
	return 1
}

# hear_guest WORDS: what the guest has said up to a line that begins so is left in $told_by_guest.
hear_guest() {
	local line

	told_by_guest=
	while read -r -t "$patience" line <&"$serial"; do
		line=${line%$'\r'}
		[[ $line != *'guest: '* ]] || told_by_guest+=${line#*guest: }$'\n'
		[[ $line != *"guest: $1"* ]] || return 0
	done
	return 1
}

# guest_sees DESCRIPTION BDF: the function as it is on the host.
guest_sees() {
	hear_guest ready || fail "$1: the guest comes to it"
	same "$1: the guest sees the function as it is" "$(describe "$pci/$2")" \
		"$(sed '/^nvme/d; /^ready/d; /^a device/d; /^gone/d; /^$/d' <<<"$told_by_guest")"
}

# is_free DESCRIPTION: nobody has the group of $bdf open.
is_free() {
	hold next "$work/holder"
	told "$1" ok next group "$bdf${token:+ $token}"
	release next
}

# json_of DRIVER,NAME=VALUE...: the arguments of device_add for what -device takes.
json_of() {
	sed 's/^/driver=/; s/,/", "/g; s/=/": "/g; s/.*/"&"/' <<<"$1"
}

# ended DESCRIPTION STATUS: waits for QEMU.
ended() {
	local pid=${holder_pid[vm]} rest

	rest=$(cat <&"${holder_out[vm]}")
	{ wait "$pid"; } 2>/dev/null
	same "$1" "$2" "$?"
	close_holder vm
}

quit() {
	qmp quit
	ended 'QEMU ends well' 0
}

# shellcheck source=describe
. "$guest_dir/describe"
