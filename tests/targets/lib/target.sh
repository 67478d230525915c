# target.sh - what the scripts beside this folder share; read with `. tests/targets/lib/target.sh`.
#
# In:   AMPOULE, BUILD (absolute), PICTURES (how many of the twelve samples the classifier sees).
# Gives: target NAME reads compiler/target/NAME.target into T, X (compiler and its flags), RUN (emulator);
#        digests, classifier, libraries: what every target must pass.  The bytes are those of `run --exact`,
#        computed on this machine each time.  What cannot be run ends in "not run: ...", never in "ok: ...".
. tests/cli/lib/common.sh
PICTURES=${PICTURES:-4}
M=models/small

key() {
	sed -n "s/^$1[ 	]*//p" "compiler/target/$T.target"
}
# target NAME [EMULATOR]: fails where a tool is missing, since make check-targets has installed it
target() {
	T=$1
	[ -f "compiler/target/$T.target" ] || fail "there is no target $T"
	X=$(key cc)
	RUN=${2:-$(key run)}
	EXE=$(key exe)
	case $(key threads) in no) STRICT=${STRICT% -pthread} ;; esac
	for tool in ${X%% *} ${RUN%% *}; do
		command -v "$tool" > /dev/null || fail "$T needs $tool: nothing was checked"
	done
}
# digest NAME COMPILER FLAGS...: all primitives and functions, compared with plain C's digest
digest() {
	what=$1
	shift
	"$@" $(key cflags) -std=c11 -Wall -Wextra -Werror -static tests/kernels/simd/digest.c -o "$W/digest$EXE" $(key ldflags) > \
		"$W/log" 2>&1 || { cat "$W/log"; fail "digest for $T: $what"; }
	$RUN "$W/digest$EXE" > "$W/digest.out" || fail "digest for $T: $what"
	[ -z "$EXE" ] || sed -i 's/\r$//' "$W/digest.out"
	cmp -s "$W/digest.out" tests/kernels/simd/digest.txt ||
		{ diff tests/kernels/simd/digest.txt "$W/digest.out" | head -6; fail "digest for $T: $what"; }
	echo "ok: primitives, $T, $what"
}
# digests COMPILER...: each variant of the target, each level, contraction allowed
digests() {
	key variant | while read -r name macro flags; do
		for c in "$@"; do
			command -v ${c%% *} > /dev/null || { echo "not run: primitives, $T, $c (not installed)"; continue; }
			for o in -O1 -O2 -O3; do
				digest "$name $c $o" $c $o -ffp-contract=fast -D$macro $flags || exit 1
			done
		done
	done || exit 1
}
pictures() {
	rm -rf "$W/pictures"
	mkdir "$W/pictures"
	cp $(ls examples/pictures/*.png examples/pictures/*.jpg | head -$PICTURES) "$W/pictures/"
	$RUN "$P" --csv --top 1 "$W/pictures" > "$W/rows.csv" || fail "the classifier for $T"
	python3 - "$W/rows.csv" examples/pictures/labels.csv $PICTURES <<'END2' || fail "the classifier for $T"
import csv, os, sys
rows = {os.path.basename(r["file"]): r["answer"] for r in csv.DictReader(open(sys.argv[1]))}
want = {r[0]: r[1] for r in csv.reader(open(sys.argv[2])) if r[0] in rows}
assert len(rows) == int(sys.argv[3]) and rows == want, (rows, want)
END2
}
# The small RCMNet as a program that decodes pictures, both numeric plans' bytes.
classifier() {
	code 0 "$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/rcm" --name rcmnet --labels $M/config.json \
		--preprocess $M/preprocessor_config.json --target $T
	make -s -j2 -C "$W/rcm" CC="$X" CFLAGS=-O2 > "$W/make.log" 2>&1 ||
		{ cat "$W/make.log"; fail "the classifier for $T does not build"; }
	P=$W/rcm/rcmnet$EXE
	[ $PICTURES = 0 ] || pictures
	pixels "$W/x.npy" 96
	"$AMPOULE" run $M/rcmnet_small.onnx --exact --input "$W/x.npy" -o "$W/exact" > /dev/null
	$RUN "$P" --out "$W/npy" "$W/x.npy" > /dev/null || fail "the classifier for $T with --out"
	cmp "$W/exact/logits.npy" "$W/npy"/*.npy || fail "the classifier for $T: not the file of run --exact"
	echo "ok: classifier, $T, $PICTURES pictures and the bytes of run --exact"
}
# compiled MODEL FLAGS OPTIONS...: the model as a library, and the driver around it
compiled() {
	D=$W/$1.$T
	rm -rf "$D"
	name=$1 flags=$2
	shift 2
	code 0 "$AMPOULE" compile "$W/$name.onnx" -o "$D" --library --target $T "$@"
	(
		cd "$D"
		case $flags in *contract=fast*) sed -i 's/-ffp-contract=off/-ffp-contract=fast/' Makefile ;; esac
		make -s -j2 CC="$X" CFLAGS="$flags" "lib$name.a" > make.log 2>&1 &&
			$X $(cd "$OLDPWD" && key cflags) $flags $STRICT -static -I. "-DMODEL=${name}_model" "$DRIVE" "lib$name.a" \
				-o drive$EXE $(cd "$OLDPWD" && key ldflags) -lm >> make.log 2>&1 || { cat make.log; exit 1; }
	) || fail "$name for $T with $flags does not build"
}
# library MODEL FLAGS OPTIONS...: its bytes, and what its header promises in every mode of the caller
library() {
	compiled "$@"
	(cd "$D" && $RUN ./drive$EXE run -1 "$W/$name".in*.npy && $RUN ./drive$EXE check "$W/$name".in*.npy) ||
		fail "$name for $T with $flags"
	same_bytes
}
same_bytes() {
	i=0
	for want in $(cat "$W/$name.exact"); do
		[ "$(sha "$D/out$i.bin")" = "$want" ] || fail "$name for $T with $flags, output $i: not the bytes of run --exact"
		i=$((i + 1))
	done
	echo "ok: $name, $T $flags"
	rm -rf "$D"
}
libraries() {
	for one in tiny several attention functions every; do
		model $one
		exact $one > "$W/$one.exact"
		[ -s "$W/$one.exact" ] || fail "run --exact $one"
		case $one in
		every) library $one "-O2 ${VECTORISE:-}" ;;
		*) library $one -O2 ;;
		esac
	done
	library attention "-O3 -ffp-contract=fast"
	library functions "-O1 -ffp-contract=fast"
}
