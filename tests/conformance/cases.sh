# SPDX-License-Identifier: BSD-3-Clause
#
# Which cases there are and which machine each has; for record and run, which have set here.
#
# A case has machine.yaml, unless a line " * machine: NAME..." in its top comment names machines of
# machines/. On the first of them the case has just its own name, on another one it is CASE@NAME.

machines_of_program() {
	sed -n '/^ \*\//q; s/^ \* machine: *//p' "$here/cases/$1.c"
}

# The machine of CASE or CASE@MACHINE; nothing for machine.yaml.
machine_of_case() {
	local program=${1%@*} first

	[ -e "$here/cases/$program.c" ] || {
		echo "no case $program" >&2
		return 1
	}
	read -r first _ <<<"$(machines_of_program "$program")" || true
	case $1 in
	*@*) echo "${1#*@}" ;;
	*) echo "$first" ;;
	esac
}

# Whether it can be recorded on MACHINE (empty: machine.yaml).
has_kernel() {
	[ -z "$1" ] || [ -e "$here/machines/$1.qemu" ]
}

# Those that can be recorded.
all_cases() {
	local file program machine first

	for file in "$here"/cases/*.c; do
		program=$(basename "$file" .c)
		[ "$program" != lib ] || continue
		echo "$program"
		first=yes
		for machine in $(machines_of_program "$program"); do
			[ "$first" = yes ] || ! has_kernel "$machine" || echo "$program@$machine"
			first=no
		done
	done
}
