#!/bin/sh
# Emitted code for 64-bit Arm, built by the cross compiler and run by qemu: the classifier with its picture decoders,
# and models around the driver of tests/cli (which also sets rounding and flushing modes); the bytes are those of
# `run --exact`, computed on this machine, each time.
# In: AMPOULE, BUILD.  Needs aarch64-linux-gnu-gcc and qemu-aarch64 (tools/deps.sh targets); without them it fails.
set -eu
. tests/cli/lib/common.sh
X=aarch64-linux-gnu-gcc
QEMU=qemu-aarch64
command -v $X > /dev/null && command -v $QEMU > /dev/null || fail "needs $X and $QEMU: nothing was checked"
M=models/small

code 0 "$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/rcm" --name rcmnet --labels $M/config.json \
	--preprocess $M/preprocessor_config.json --target aarch64
make -s -j2 -C "$W/rcm" CC=$X > "$W/make.log" 2>&1 || { cat "$W/make.log"; fail "the classifier does not build"; }
readelf -h "$W/rcm/rcmnet" | grep -q AArch64 || fail "the classifier is not for aarch64"
readelf -lW "$W/rcm/rcmnet" | grep -q INTERP && fail "the classifier has a dynamic loader"
$QEMU "$W/rcm/rcmnet" --csv --top 1 examples/pictures > "$W/rows.csv" || fail "the classifier under $QEMU"
python3 - "$W/rows.csv" examples/pictures/labels.csv "$W/x.npy" <<'END'
import csv, os, struct, sys
rows = {os.path.basename(r["file"]): r["answer"] for r in csv.DictReader(open(sys.argv[1]))}
want = {r[0]: r[1] for r in csv.reader(open(sys.argv[2])) if r[0] in rows}
assert len(rows) == 12 and rows == want, (rows, want)
n = 3 * 96 * 96
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 96, 96), }"
head += b" " * ((-len(head) - 11) % 64) + b"\n"
data = struct.pack("<%df" % n, *[((i * 7919) % 2001 - 1000) / 500 for i in range(n)])
open(sys.argv[3], "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)
END
"$AMPOULE" run $M/rcmnet_small.onnx --exact --input "$W/x.npy" -o "$W/exact" > /dev/null
$QEMU "$W/rcm/rcmnet" --out "$W/npy" "$W/x.npy" > /dev/null || fail "the classifier with --out"
tail -c 32 "$W/exact/logits.npy" > "$W/want.bin"
tail -c 32 "$W/npy"/*.npy > "$W/got.bin"
cmp "$W/want.bin" "$W/got.bin" || fail "the classifier: not the bytes of run --exact"
echo "ok: the classifier names the sample pictures, its bytes are the contract's"

# one MODEL TARGET FLAGS: the library and the driver
one() {
	D=$W/$1.$2
	rm -rf "$D"
	code 0 "$AMPOULE" compile "$W/$1.onnx" -o "$D" --library --target $2
	(cd "$D" && make -s -j2 CC=$X CFLAGS="$3" "lib$1.a" > make.log 2>&1 &&
		$X $3 $STRICT -static -I. "-DMODEL=$1_model" "$DRIVE" "lib$1.a" -o drive -lm >> make.log 2>&1) ||
		{ cat "$D/make.log"; fail "$1 for $2 with $3"; }
	(cd "$D" && $QEMU ./drive run -1 "$W/$1".in*.npy && $QEMU ./drive check "$W/$1".in*.npy) ||
		fail "$1 for $2 with $3 under $QEMU"
	i=0
	for want in $(cat "$W/$1.exact"); do
		[ "$(sha "$D/out$i.bin")" = "$want" ] || fail "$1 for $2 with $3, output $i: not the bytes of run --exact"
		i=$((i + 1))
	done
	echo "ok: $1, $2 $3"
}
for name in tiny several attention functions; do
	model $name
	exact $name > "$W/$name.exact"
	[ -s "$W/$name.exact" ] || fail "run --exact $name"
	one $name aarch64 -O2
	one $name aarch64 "-O3 -ffp-contract=fast"
	one $name generic -O2
done
