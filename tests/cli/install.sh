#!/bin/sh
# make install: what lies where; a program of somebody else's builds against it; the man page; the completion.
set -eu
. tests/cli/lib/common.sh
make -s BUILD="$BUILD" DESTDIR="$W/root" PREFIX=/opt/ampoule install > "$W/log" 2>&1 || { cat "$W/log"; fail install; }
P=$W/root/opt/ampoule
(cd "$P" && find . -type f | sort) > "$W/files"
diff - "$W/files" <<'END' || fail "other files than these are installed"
./bin/ampoule
./include/ampoule.h
./lib/libampoule.a
./share/bash-completion/completions/ampoule
./share/man/man1/ampoule.1
END
# the binary is one file: it needs no other of the tree, and no library but libc's and libm
model tiny
model unknown
(cd "$W" && PATH=$P/bin:$PATH ampoule compile tiny.onnx -o out --library > /dev/null) || fail "the installed binary"
readelf -d "$P/bin/ampoule" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vxE 'libc\.so\.6|libm\.so\.6|ld-linux.*' &&
	fail "the installed binary needs a library"
# the library shows ampoule_* and nothing else
nm -g --defined-only "$P/lib/libampoule.a" | awk 'NF == 3 { print $3 }' | grep -v '^ampoule_' &&
	fail "the library shows names that are not its own"
nm -g --defined-only "$P/lib/libampoule.a" | awk 'NF == 3 { print $3 }' | sort > "$W/shown"
grep -oE '\bampoule_[a-z_]+\(' include/ampoule.h | tr -d "(" | grep -vx ampoule_put | sort -u > "$W/declared"
diff "$W/declared" "$W/shown" || fail "ampoule.h and the library disagree"
for cc in gcc clang; do
	$cc $STRICT -I"$P/include" tests/cli/lib/user.c -L"$P/lib" -lampoule -lm -o "$W/user" || fail "user.c with $cc"
	"$W/user" "$W/tiny.onnx" "$W/unknown.onnx" "$W/user_out" > "$W/said" || { cat "$W/said"; fail "user.c"; }
	[ ! -s "$W/said" ] || fail "the library prints"
done
if localedef -i de_DE -f UTF-8 "$W/de_DE.UTF-8" 2> /dev/null; then
	LOCPATH=$W LC_ALL=de_DE.UTF-8 "$W/user" "$W/tiny.onnx" "$W/unknown.onnx" "$W/user_de" || fail "a German locale"
	diff -r "$W/user_out" "$W/user_de" || fail "the caller's locale changes the output"
else
	echo "not run: a caller with a decimal comma (needs Debian's locales package)"
fi
printf '#include <ampoule.h>\nint main() { ampoule *a = ampoule_new(); ampoule_options o = AMPOULE_OPTIONS; (void)o; ampoule_free(a); }\n' > "$W/u.cc"
g++ -std=c++17 -Wall -Wextra -Werror -I"$P/include" "$W/u.cc" -L"$P/lib" -lampoule -lm -o "$W/u" && "$W/u" || fail "C++"

# the man page renders without complaint and names every command and option
if command -v man > /dev/null; then
	MANWIDTH=80 man --warnings -l "$P/share/man/man1/ampoule.1" > "$W/man" 2> "$W/err" || fail "man"
	[ ! -s "$W/err" ] || { cat "$W/err"; fail "man complains"; }
else
	echo "not run: the man page's rendering (needs Debian's man-db package)"
	cp "$P/share/man/man1/ampoule.1" "$W/man"
fi
if command -v mandoc > /dev/null; then mandoc -Tlint -W warning "$P/share/man/man1/ampoule.1" || fail mandoc; fi
for c in compile inspect verify run targets help; do
	grep -q "ampoule $c" "$W/man" || fail "the man page lacks $c"
	[ $c = help ] || for o in $("$AMPOULE" help $c | grep -oE '^  (-o|--[a-z-]+)|--atol|--classifier'); do
		sed 's/\\-/-/g' "$P/share/man/man1/ampoule.1" | grep -q -e "$o" || fail "the man page lacks $c $o"
	done
done

# completion
cat > "$W/complete.sh" <<'END'
. "$1"
complete -p ampoule > /dev/null || exit 1
try() {	# try WORDS...: completions of the last one
	COMP_WORDS=(ampoule "$@") COMP_CWORD=$# COMPREPLY=()
	COMP_LINE="ampoule $*" COMP_POINT=${#COMP_LINE}
	_ampoule ampoule "${@: -1}" "${@: -2:1}" || true
	printf '%s ' "${COMPREPLY[@]}" | sed 's/ *$//'
	echo
}
cd "$2"
expect() { [ "$got" = "$1" ] || { echo "got: $got, want: $1"; exit 1; }; }
got=$(try com); expect compile
got=$(try ""); expect "compile inspect verify run targets help"
got=$(try compile --wei); expect --weights
got=$(try compile x.onnx --weights ""); expect "embed array file"
got=$(try compile x.onnx --target gen); expect generic
got=$(try compile t); expect tiny.onnx
got=$(try help ver); expect verify
got=$(try inspect tiny.onnx --js); expect --json
got=$(try run --exa); expect --exact
got=$(try targets -); expect "--probe --help"
END
if command -v bash > /dev/null; then
	PATH=$P/bin:$PATH bash "$W/complete.sh" "$P/share/bash-completion/completions/ampoule" "$W" || fail completion
	# what it offers is what the program takes
	for c in compile inspect verify run; do
		for o in $(PATH=$P/bin:$PATH bash -c '. "$1"; COMP_WORDS=(ampoule $2 -) COMP_CWORD=2; _ampoule ampoule - $2
			printf "%s\n" "${COMPREPLY[@]}"' x "$P/share/bash-completion/completions/ampoule" $c); do
			"$AMPOULE" $c "$o" 2>&1 < /dev/null | grep -q "has no option" && fail "completion of $c offers $o"
		done
	done
fi
make -s BUILD="$BUILD" DESTDIR="$W/root" PREFIX=/opt/ampoule uninstall
[ -z "$(find "$W/root" -type f)" ] || fail "uninstall leaves $(find "$W/root" -type f)"
echo "install: all in place"
