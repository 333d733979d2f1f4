# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What happens to a function that QEMU assigns to a guest. Source lib.sh first; the function is $bdf,
# the token that it needs, if any, $token. $device and the array $machine are QEMU's -device and its
# further options.

device=
machine=()

refused_meanwhile() {
	hold next "$work/holder"
	told "$1" "$2" next group "$bdf${token:+ $token}"
	release next
}

# The guest's kernel finds the function, sizes its BARs and gives it to its NVMe driver, which sets up
# the MSI-X vector and gives up because nothing answers in the registers.
boots() {
	start "${machine[@]}" -device "$device" -trace 'vfio_msix_*' -trace 'vfio_pci_reset*' ||
		bail_out 'QEMU does not start'
	guest_sees 'at boot' "$bdf"
	has_line_like 'its driver takes it' 'nvme nvme[0-9]+: pci function 0000:01:00.0' "$told_by_guest"
	has_line_like 'the guest has set up MSI-X' ".*vfio_msix_enable +\($bdf\)" "$(cat "$work/qemu.err")"
	refused_meanwhile 'nobody else gets the group meanwhile' EBUSY
}

resets() {
	: >"$work/qemu.err"
	succeeds 'the machine can be reset' qmp system_reset
	guest_sees 'after a reset' "$bdf"
	has_line_like 'the function was reset' ".*vfio_pci_reset +\($bdf\).*" "$(cat "$work/qemu.err")"
}

# Unplugging frees the group; then the function is plugged in again.
is_unplugged() {
	succeeds 'the function can be unplugged' qmp device_del '"id": "function"'
	hear_guest gone || fail 'the guest sees it go'
	hear_qmp DEVICE_DELETED || fail 'QEMU lets it go'
	is_free 'its group is free, while QEMU lives'
	succeeds 'it can be plugged in again' qmp device_add "$(json_of "$device")"
	guest_sees 'plugged in again' "$bdf"
}

# A QEMU that is terminated, or killed, leaves the group free.
dies() {
	start "${machine[@]}" -S -device "$device" || bail_out 'QEMU does not start again'
	refused_meanwhile 'it has the group' EBUSY
	kill -TERM "${holder_pid[vm]}"
	ended 'it is terminated' 0
	is_free 'the group is free'

	start "${machine[@]}" -S -device "$device" || bail_out 'QEMU does not start again'
	refused_meanwhile 'it has the group' EBUSY
	kill -KILL "${holder_pid[vm]}"
	ended 'it is killed' 137
	is_free 'the group is free'
}

lives_and_dies() {
	boots
	resets
	is_unplugged
	quit
	is_free 'the group is free afterwards'
	dies
	[ "$failures" -eq 0 ] || note "$(cat "$work/qemu.err")"
}
