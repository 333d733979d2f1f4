# SPDX-License-Identifier: BSD-3-Clause
# bash completion for softvfio(1). What can be said is asked of the program itself, so that it is never out of date.

_softvfio_verbs()
{
	"$1" help 2>/dev/null | sed -n '/^Verbs:/,/^Options:/s/^  \([a-z]*\) .*/\1/p'
}

_softvfio_options()
{
	"$1" "$2" --help 2>/dev/null | sed -n '/^Options:/,/^Examples:/s/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p'
}

_softvfio_namespaces()
{
	"$1" ls 2>/dev/null | sed -n '2,$s/ .*//p'
}

# After "MODEL," the model's keys, else the models, or the files that may be one.
_softvfio_devices()
{
	local program=$1 word=$2

	case $word in
	*,*)
		"$program" run -d "${word%%[,@]*},help" 2>/dev/null |
			sed -n "s/^  \([a-z0-9]*\)=.*/\1=/p" | sed "s|^|${word%,*},|"
		;;
	*/* | .*)
		compgen -f -X '!*.so' -- "$word"
		compgen -d -S / -- "$word"
		;;
	*)
		"$program" run -d help 2>/dev/null | sed -n 's/^  \([a-z0-9_]*\) .*/\1/p'
		;;
	esac
}

# The place of the first word from 2 on that is no option nor an option's argument: NAME or CMD.
_softvfio_operand()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-d | --device | -c | --config | -p | --param | -n | --name) i=$((i + 1)) ;;
		--) i=$((i + 1)) && break ;;
		-*) ;;
		*) break ;;
		esac
	done
	echo "$i"
}

_softvfio()
{
	local program=${COMP_WORDS[0]} verb=${COMP_WORDS[1]-} word=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]} operand

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_softvfio_verbs "$program")" -- "$word")
		return
	fi
	operand=$(_softvfio_operand)
	case $verb in
	run) [ "$operand" -lt "$COMP_CWORD" ] && verb="command" ;;
	exec) [ "$operand" -lt "$COMP_CWORD" ] && verb="command" ;;
	esac
	case $verb,$previous,$word in
	command,*) mapfile -t COMPREPLY < <(compgen -c -f -- "$word") ;;
	*,-d,* | *,--device,*)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W "$(_softvfio_devices "$program" "$word")" -- "$word")
		;;
	*,-c,* | *,--config,*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	*,*,-*) mapfile -t COMPREPLY < <(compgen -W "$(_softvfio_options "$program" "$verb")" -- "$word") ;;
	help,*) mapfile -t COMPREPLY < <(compgen -W "$(_softvfio_verbs "$program")" -- "$word") ;;
	exec,* | stop,* | why,* | dmesg,*)
		mapfile -t COMPREPLY < <(compgen -W "$(_softvfio_namespaces "$program")" -- "$word")
		;;
	run,*) mapfile -t COMPREPLY < <(compgen -c -f -- "$word") ;;
	esac
}

complete -F _softvfio softvfio
