# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the scripts in tests/clients and tests/system share. Source it first.
#
# A script prints TAP on standard output and ends with `finish`: exit status 0 when every check
# passed, 1 when one failed, 77 when the script cannot run here (`skip REASON`: a missing program,
# never a missing feature of softvfio). A check compares and reports; it does not end the script,
# so that one run shows everything that is wrong.
#
# Most scripts want all their commands inside a namespace: `inside -d null,vfs=2` runs the script
# again under `softvfio run` and returns only there. Everything before it runs twice, so it comes
# first.
#
# Environment: SOFTVFIO (the program under test), SOFTVFIO_CACHE (what is downloaded and built once),
# SOFTVFIO_TEST_NIGHTLY (non-empty: the long version of a test).

set -u

tests_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SOFTVFIO=${SOFTVFIO:-$tests_dir/../build/cli/softvfio}
SOFTVFIO_CACHE=${SOFTVFIO_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/softvfio}
export SOFTVFIO SOFTVFIO_CACHE
export LC_ALL=C
# Debian keeps administrators' programs (driverctl, ip) where an ordinary user's PATH does not look.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

checks=0
failures=0

# What the last `run` left.
output=
errors=
status=0

# Runs the script itself again inside a namespace, with the given options for `softvfio run`.
inside() {
	[ -z "${SOFTVFIO_TEST_INSIDE-}" ] || return 0
	[ -x "$SOFTVFIO" ] || {
		echo "Bail out! no program at $SOFTVFIO (set SOFTVFIO)"
		exit 1
	}
	SOFTVFIO_TEST_INSIDE=1 exec "$SOFTVFIO" run "$@" -- "$0"
}

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

need() {
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || skip "no $program here"
	done
}

# Text as TAP diagnostics.
note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	checks=$((checks + 1))
	echo "ok $checks - $*"
}

fail() {
	checks=$((checks + 1))
	failures=$((failures + 1))
	echo "not ok $checks - $*"
}

# verdict STATUS DESCRIPTION
verdict() {
	if [ "$1" -eq 0 ]; then pass "$2"; else fail "$2"; fi
}

finish() {
	echo "1..$checks"
	[ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]
	exit
}

# same DESCRIPTION EXPECTED ACTUAL
same() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		note "$(diff --label expected --label actual -u <(printf '%s\n' "$2") \
			<(printf '%s\n' "$3") | tail -n +3)"
	fi
}

# matches DESCRIPTION EXTENDED-REGEX ACTUAL: the whole of ACTUAL matches.
matches() {
	if [[ $3 =~ ^($2)$ ]]; then
		pass "$1"
	else
		fail "$1"
		note "expected: $2"
		note "actual:   $3"
	fi
}

# has_line DESCRIPTION EXPECTED-LINE TEXT
has_line() {
	if grep -qxF -- "$2" <<<"$3"; then
		pass "$1"
	else
		fail "$1"
		note "no line: $2"
		note "in: $3"
	fi
}

# has_line_like DESCRIPTION EXTENDED-REGEX TEXT: a whole line matches.
has_line_like() {
	if grep -qxE -- "$2" <<<"$3"; then
		pass "$1"
	else
		fail "$1"
		note "no line like: $2"
		note "in: $3"
	fi
}

# has_no_line_like DESCRIPTION EXTENDED-REGEX TEXT
has_no_line_like() {
	if grep -qxE -- "$2" <<<"$3"; then
		fail "$1"
		note "unexpected: $(grep -xE -- "$2" <<<"$3")"
	else
		pass "$1"
	fi
}

# Runs a command and leaves its standard output in $output, its standard error in $errors and its
# exit status in $status.
run() {
	local err

	err=$(mktemp)
	output=$("$@" 2>"$err")
	status=$?
	errors=$(cat "$err")
	rm -f "$err"
}

# Runs the text as bash would run it in a user's hands: `run_bash 'echo 9 > file'` leaves bash's own
# words in $errors.
run_bash() {
	run bash -c "$1" bash
}

# succeeds DESCRIPTION COMMAND...
succeeds() {
	local description=$1

	shift
	run "$@"
	verdict "$status" "$description"
	[ "$status" -eq 0 ] || note "$* gave $status: $output $errors"
}

pci=/sys/bus/pci/devices

# The addresses of all SR-IOV physical functions, one a line.
physical_functions() {
	local f

	for f in "$pci"/*/sriov_totalvfs; do
		[ -e "$f" ] && basename "${f%/*}"
	done
}

# The addresses of all functions that are no bridges, of whatever kind, one a line.
endpoints() {
	local f class

	for f in "$pci"/*; do
		read -r class <"$f/class"
		[[ $class == 0x06* ]] || basename "$f"
	done
}

# virtual_functions PF: the addresses of its VFs in the order of their index.
virtual_functions() {
	local i=0

	while [ -L "$pci/$1/virtfn$i" ]; do
		basename "$(readlink "$pci/$1/virtfn$i")"
		i=$((i + 1))
	done
}

# attribute BDF NAME
attribute() {
	cat "$pci/$1/$2"
}

# link_name BDF NAME: the last part of a symbolic link's target, empty when there is no such link.
link_name() {
	[ -L "$pci/$1/$2" ] && basename "$(readlink "$pci/$1/$2")"
}

# Leaves in $work a folder that goes away with the script.
work_folder() {
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
}

# compile NAME: builds tests/system/NAME.c into $work/NAME, with the project's warnings.
# compile NAME [OPTION...]: the program tests/system/NAME.c as $work/NAME.
compile() {
	local name=$1

	shift
	cc -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Werror -pthread "$@" -o "$work/$name" "$tests_dir/system/$name.c"
}

# Clients that hold devices while others come and go: `hold NAME COMMAND...` starts COMMAND (which
# ends up running tests/system/holder), `tell NAME WORDS...` gives it a line and leaves its answer in
# $answer, `kill_holder NAME` kills it with SIGKILL, `release NAME` lets it end. Needs $work.
declare -A holder_pid holder_in holder_out
answer=

hold() {
	local name=$1 in out fd

	shift
	mkfifo "$work/$name.in" "$work/$name.out"
	{
		# The other holders' ends, or they would never see the end of their input.
		for fd in "${holder_in[@]}" "${holder_out[@]}"; do
			exec {fd}>&-
		done
		exec "$@"
	} <"$work/$name.in" >"$work/$name.out" &
	holder_pid[$name]=$!
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	holder_in[$name]=$in
	holder_out[$name]=$out
	rm "$work/$name.in" "$work/$name.out"
}

tell() {
	local name=$1

	shift
	answer=
	printf '%s\n' "$*" >&"${holder_in[$name]}" && read -r answer <&"${holder_out[$name]}" ||
		answer='(no answer)'
}

close_holder() {
	local in=${holder_in[$1]} out=${holder_out[$1]}

	exec {in}>&- {out}<&-
	unset "holder_pid[$1]" "holder_in[$1]" "holder_out[$1]"
}

# The client itself, not the `softvfio exec` it may be under, which ends with it.
kill_holder() {
	tell "$1" pid
	kill -KILL "$answer"
	{ wait "${holder_pid[$1]}"; } 2>/dev/null
	close_holder "$1"
}

release() {
	local pid=${holder_pid[$1]}

	close_holder "$1"
	wait "$pid"
}

# told DESCRIPTION EXPECTED-ANSWER NAME WORDS...
told() {
	local description=$1 expected=$2

	shift 2
	tell "$@"
	same "$description" "$expected" "$answer"
}

# Inside a namespace: the process that serves it. Its parent, like the script's, is the launcher.
host_process() {
	local children child comm

	read -r -a children <"/proc/$PPID/task/$PPID/children"
	for child in "${children[@]}"; do
		read -r comm <"/proc/$child/comm"
		[ "$comm" != softvfiod ] || echo "$child"
	done
}

# host_files PID: how many files it has open. A close is not waited for, but is read before what comes after it.
host_files() {
	cat /sys/bus/pci/devices/*/vendor >/dev/null
	find "/proc/$1/fd" -mindepth 1 -maxdepth 1 | wc -l
}

# host_file_kinds PID: what they are, a line for each kind with its count; all alike to who may not look.
host_file_kinds() {
	cat /sys/bus/pci/devices/*/vendor >/dev/null
	find "/proc/$1/fd" -mindepth 1 -maxdepth 1 -printf '%l\n' 2>/dev/null | sed -E 's/:\[[0-9]+\]$//; s,^/proc/[0-9]+,/proc/PID,' | sort | uniq -c
}

# host_memory PID: the most memory it ever had, in KiB.
host_memory() {
	awk '/^VmHWM/ { print $2 }' "/proc/$1/status"
}
