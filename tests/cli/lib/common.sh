# common.sh - what the scripts beside this folder share; read with `. tests/cli/lib/common.sh`.
#
# In:   AMPOULE (path of the compiler), BUILD (build folder, absolute), CC.
# Gives: W, a fresh folder of this test's own; fail, code, has, model, pixels, sha.
CC=${CC:-gcc}
W=$BUILD/tests/cli/$(basename "$0" .sh)
chmod -R u+rwx "$W" 2> /dev/null || true
rm -rf "$W"
mkdir -p "$W"
MODELS=$BUILD/tests/tools/make_models
DRIVE=$PWD/tests/cli/lib/drive.c
# warnings are errors for what users write around the model, too
STRICT="-std=c11 -Wall -Wextra -Werror -pthread"

fail() {
	echo "FAILED: $*"
	exit 1
}
# code N COMMAND...: the command ends with exit code N; its streams lie in $W/out and $W/err
code() {
	want=$1
	shift
	got=0
	"$@" > "$W/out" 2> "$W/err" || got=$?
	[ "$got" = "$want" ] || { cat "$W/out" "$W/err"; fail "exit code $got, not $want: $*"; }
}
# has FILE TEXT...: the file holds each text (a fixed string)
has() {
	file=$1
	shift
	for text in "$@"; do
		grep -qF -e "$text" "$file" || { cat "$file"; fail "not said: $text"; }
	done
}
# model NAME: writes $W/NAME.onnx and its inputs
model() {
	"$MODELS" "$1" "$W/$1.onnx"
}
# pixels FILE N: writes a .npy picture of N x N pixels, float32 [1, 3, N, N], from a formula
pixels() {
	python3 - "$1" "$2" <<'END'
import struct, sys
side = int(sys.argv[2])
n = 3 * side * side
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, %d, %d), }" % (side, side)
head += b" " * ((-len(head) - 11) % 64) + b"\n"
data = struct.pack("<%df" % n, *[((i * 7919) % 2001 - 1000) / 500 for i in range(n)])
open(sys.argv[1], "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)
END
}
sha() {
	sha256sum "$1" | cut -d' ' -f1
}
# given NAME: its inputs as options of run
given() {
	for f in "$W/$1".in*.npy; do
		i=${f##*.in}
		printf ' --input %s=%s' "$(input_name "$1" "${i%.npy}")" "$f"
	done
}
# exact NAME: the SHA-256 of each output as `run --exact` gives it, one a line
exact() {
	"$AMPOULE" run "$W/$1.onnx" --exact --json $(given "$1") |
		python3 -c 'import json, sys; [print(o["sha256"]) for o in json.load(sys.stdin)["outputs"]]'
}
# recorded NAME: what `run --exact` gives is what it gave when the numeric plan was last changed (tests/bits/kernels.sh)
recorded() {
	[ -s "$W/$1.exact" ] || fail "$1: no bytes of run --exact"
	awk -v name="$1" '$1 == name { print $3 }' tests/bits/kernels.txt | cmp -s - "$W/$1.exact" ||
		fail "$1: run --exact no longer gives the bytes of tests/bits/kernels.txt; if they had to change: make bits-record"
}
input_name() {
	"$AMPOULE" inspect "$W/$1.onnx" --json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["inputs"][int(sys.argv[1])]["name"])' "$2"
}
json() {
	python3 -m json.tool "$1" > /dev/null || { cat "$1"; fail "$1 is no JSON"; }
}
