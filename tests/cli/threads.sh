#!/bin/sh
# --threads: code that a pool of threads shares gives the bytes of `run --exact` with any number of them, whatever the
# callers' modes are and however many callers share a pool; no data race that ThreadSanitizer sees; nothing of it is
# there when it was not asked for.
# In: AMPOULE, BUILD, CC.
set -eu
. tests/cli/lib/common.sh

NAME=small
cp models/small/rcmnet_small.onnx "$W/small.onnx"
pixels "$W/small.in0.npy" 96

# one THREADS CC CFLAGS OPTIONS
one() {
	D=$W/$NAME.$1
	code 0 "$AMPOULE" compile "$W/$NAME.onnx" -o "$D" --library --threads $1 $4
	(
		cd "$D"
		make -s -j2 CC="$2" CFLAGS="$3" "lib$NAME.a" > make.log 2>&1 || { cat make.log; exit 1; }
		# the model itself still needs nothing of the system: a pool comes from outside
		case $3 in
		*fsanitize*) ;;
		*) nm -u "$NAME".o "$NAME"_model_*.o | awk '$1 == "U" { print $2 }' |
			grep -vx -e 'mem[a-z]*' -e '_GLOBAL_OFFSET_TABLE_' -e '__.*div.*' -e '__.*mod.*' -e "${NAME}_.*" && {
			echo "undefined symbols that are not allowed"; exit 1; } ;;
		esac
		$2 $3 $STRICT -I. -DPOOL "-DMODEL=${NAME}_model" "$DRIVE" "lib$NAME.a" -o drive -lm || exit 1
	) || fail "$NAME does not build for $1 threads with $2 $3"
	(cd "$D" && ./drive run -1 "$W/$NAME".in*.npy) || fail "$NAME does not run with $1 threads"
	i=0
	for want in $(cat "$W/$NAME.exact"); do
		[ "$(sha "$D/out$i.bin")" = "$want" ] || fail "$NAME, $1 threads, output $i: not the bytes of run --exact"
		i=$((i + 1))
	done
	(cd "$D" && ./drive check "$W/$NAME".in*.npy) > "$W/log" || { cat "$W/log"; fail "$NAME, $1 threads: a promise of the header"; }
	grep -q '^[1-9][0-9]* of [0-9]* steps are shared' "$W/log" || { cat "$W/log"; fail "$NAME: no step is shared by $1 threads"; }
	echo "ok: $NAME $1 threads $2 $3 $4"
}
for NAME in small wide; do
	[ $NAME = small ] || model $NAME
	exact $NAME > "$W/$NAME.exact"
	[ $NAME = small ] || recorded $NAME
	[ -s "$W/$NAME.exact" ] || fail "run --exact $NAME"
	if [ $NAME = small ]; then
		one 3 gcc -O2 ""
	else
		one 2 gcc -O2 "--target generic"
		one 8 clang -O2 ""
	fi
	rm -rf "$W/$NAME".[238]
	TSAN_OPTIONS="halt_on_error=1 report_signal_unsafe=0" one 3 gcc "-O1 -g -fsanitize=thread" "--target generic"
done

# one thread: no pool, no thread, no atomic is linked or named
code 0 "$AMPOULE" compile "$W/wide.onnx" -o "$W/one" --library
[ ! -e "$W/one/pool" ] || fail "a pool for one thread"
grep -rqE 'pthread|stdatomic|team' "$W/one/wide_model.c" "$W/one/wide.c" "$W/one/Makefile" && fail "threads for one thread"
# what must be 1 to 64 is refused otherwise
for n in 0 65 1.5 x; do
	code 2 "$AMPOULE" compile "$W/wide.onnx" -o "$W/x" --threads $n
done
# the classifier makes the pool itself; at run time fewer threads
code 0 "$AMPOULE" compile "$W/small.onnx" -o "$W/app" --name small --threads 3 --labels models/small/config.json \
	--preprocess models/small/preprocessor_config.json
has "$W/app/manifest.json" '"threads": 3'
make -s -j2 -C "$W/app" DECODERS=1 > "$W/make.log" 2>&1 || { cat "$W/make.log"; fail "the classifier does not build"; }
for n in 1 2 3; do
	code 0 "$W/app/small" --raw --threads $n examples/pictures
	mv "$W/out" "$W/answers.$n"
done
cmp "$W/answers.1" "$W/answers.2" && cmp "$W/answers.1" "$W/answers.3" || fail "other answers with other numbers of threads"
code 2 "$W/app/small" --threads 4 examples/pictures
# --profile: a row a step, and JSON
code 0 "$W/app/small" --profile examples/pictures/09_neutrophil.png
has "$W/err" "conv_c16" "Attention" "GFLOP/s" "medians of"
code 0 "$W/app/small" --profile --json --threads 1 examples/pictures/09_neutrophil.png
json "$W/out"
json "$W/err"
python3 - "$W/err" "$W/app/manifest.json" <<'END'
import json, sys
p, m = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
assert len(p["steps"]) == m["steps"] and p["threads"] == 1, (len(p["steps"]), m["steps"])
total = sum(s["seconds"] for s in p["steps"])
assert 0 < total < 2 * p["seconds"], (total, p["seconds"])
assert sum(s["macs"] for s in p["steps"]) == p["macs"] > 0
END
echo "threads: the contract's bytes with every number of them"
