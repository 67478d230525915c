#!/bin/sh
# check-includes.sh: who may include whom (docs/architecture.md).  Prints each breach; exit 1 when there is any.
set -eu
bad=0
# folder: folders of compiler/ that it may include besides itself and core
allow() {
	dir=$1; shift
	for f in compiler/$dir/*.c compiler/$dir/*.h compiler/$dir/*.inc; do
		[ -e "$f" ] || continue
		sed -n 's/^#[ \t]*include "\([a-z]*\)\/.*/\1/p' "$f" | sort -u | while read -r inc; do
			[ -d "compiler/$inc" ] || continue
			case " core $dir $* " in
			*" $inc "*) ;;
			*) echo "$f includes $inc/" ;;
			esac
		done
	done
}
out=$(
	allow core
	allow ir
	allow import ir ops
	allow ops ir
	allow eval ir ops
	allow passes ir ops eval
	allow target
	allow plan ir
	allow emit ir target
	allow verify ir
	allow report ir ops emit
	for f in runtime/*/*.h runtime/*/*.inc runtime/*/*.c; do
		grep -Hn '#[ \t]*include "\(core\|ir\|ops\|eval\|passes\|import\|plan\|emit\)/' "$f" |
			grep -v 'ir/schedule.h' || true
	done
)
if [ -n "$out" ]; then
	echo "$out"
	bad=1
fi
exit $bad
