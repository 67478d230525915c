#!/bin/sh
# Emitted code for 32-bit Arm with VFPv4 under qemu: pointers of 32 bits, and no instruction of NEON, which would flush
# subnormals (rule 11).
set -eu
. tests/targets/lib/target.sh
target armv7
digests "$X" "clang --target=arm-linux-gnueabihf" "clang-19 --target=arm-linux-gnueabihf"
classifier
libraries
# neon OBJECT: its instructions on vectors: on a q register, or on lanes of d registers
neon() {
	arm-linux-gnueabihf-objdump -d "$1" > "$W/asm"
	grep -E '	v(ld|st)[1-4]\.|	v[a-z]+(\.[a-z0-9]+)*	.*\bq[0-9]|	v[a-z]+\.[fiusp](8|16|32)	d[0-9]' "$W/asm" |
		grep -vE 'vcvt|vmov'
}
printf 'typedef float v __attribute__((vector_size(16)));\nv f(v a, v b);\nv f(v a, v b) { return a + b; }\n' > "$W/neon.c"
$X -march=armv7-a -mfpu=neon-vfpv4 -O2 -c "$W/neon.c" -o "$W/neon.o"
neon "$W/neon.o" > "$W/log" || fail "the search finds no NEON where there is"
for f in "$W"/rcm/rcmnet_model_*.o; do
	neon "$f" && fail "NEON in $f"
	grep -q 'vfma\.f32' "$W/asm" || fail "no fma in $f"
done
echo "ok: no NEON"
# beyond 32-bit pointers
model symbolic
code 1 "$AMPOULE" compile "$W/symbolic.onnx" -o "$W/x" --library --dim batch=200000000 --target armv7
has "$W/err" "pointers of 32 bits" 4800000000
