#!/bin/sh
# Emitted code for RISC-V with vectors, run with vectors of 128 and of 256 bits: one binary, the same bits.
#
# qemu 7.2 dies of an instruction that clang makes at -O2 and above of primitives on doubles (vfncvt.rtz.x.f.w): the
# loops of the digest and of the model that holds every kernel are vectorised by hand only.
set -eu
VECTORISE="-fno-vectorize -fno-slp-vectorize"
. tests/targets/lib/target.sh
target riscv64-v
run_128=$RUN
run_256=$(echo "$RUN" | sed 's/vlen=128/vlen=256/')
[ "$run_128" != "$run_256" ] || fail "no vector length in: $RUN"
for RUN in "$run_128" "$run_256"; do
	for o in -O1 -O2 -O3; do
		digest "rvv $o, $(echo "$RUN" | grep -o "vlen=[0-9]*")" $X $o $VECTORISE -ffp-contract=fast -DAMP_ISA_VECTOR
	done
done
classifier
RUN=$run_256
$RUN "$P" --out "$W/npy256" "$W/x.npy" > /dev/null || fail "the classifier with vectors of 256 bits"
cmp "$W/exact/logits.npy" "$W/npy256"/*.npy || fail "vectors of 256 bits: not the file of run --exact"
libraries
llvm-objdump-19 -d "$W/rcm/rcmnet_model_rvv.o" > "$W/asm"
grep -q 'vfmacc\|vfmadd' "$W/asm" || fail "no fma on vectors"
