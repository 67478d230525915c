#!/bin/sh
# --tune: measures, writes its file, reads it; the file changes time and no bit; what is in it is not trusted.
set -eu
. tests/cli/lib/common.sh
cp models/small/rcmnet_small.onnx "$W/rcmnet.onnx"
cd "$W"
code 0 "$AMPOULE" compile rcmnet.onnx --library -o tuned --tune small.tune
grep -q '^band [0-9]* Conv direct float' small.tune || fail "no band was measured"
grep -q '^chunk\|^ahead [0-9]* Conv winograd' small.tune || fail "nothing of Winograd was measured"
cp small.tune before.tune
# read, not measured: no C compiler is called
code 0 env PATH=/nowhere "$AMPOULE" compile rcmnet.onnx --library -o again --tune small.tune
cmp small.tune before.tune || fail "the file was measured anew"
diff -r tuned again || fail "the same file gives other code"
# values of the file's own: other code, the same bytes
sed 's/^band [0-9]*/band 1/; s/^ahead [0-9]*/ahead 4096/' small.tune > other.tune
code 0 "$AMPOULE" compile rcmnet.onnx --library -o other --tune other.tune
! cmp -s tuned/rcmnet_model.c other/rcmnet_model.c || fail "the file has no effect"
code 0 "$AMPOULE" compile rcmnet.onnx --library -o plain
pixels in.npy 96
for d in plain other; do
	make -s -C $d CC="$CC" > log 2>&1 || { cat log; fail "$d does not build"; }
	(cd $d && $CC -O1 $STRICT -I. -DMODEL=rcmnet_model "$DRIVE" librcmnet.a -o drive -lm && ./drive run -1 ../in.npy) ||
		fail "$d does not run"
done
cmp plain/out0.bin other/out0.bin || fail "tuning changed bits"
cmp plain/rcmnet.weights other/rcmnet.weights || fail "tuning changed the weights"
# hostile values are brought into range; a file that is none is refused
sed 's/^band [0-9]*/band 999999999999/' small.tune > huge.tune
code 0 "$AMPOULE" compile rcmnet.onnx --library -o huge --tune huge.tune
for line in 'band x Conv' 'band 3' 'nonsense' 'band -3 Conv' 'band 99999999999999999999 Conv'; do
	echo "$line" > bad.tune
	code 1 "$AMPOULE" compile rcmnet.onnx --library -o bad --tune bad.tune
	has err 'line 1'
done
[ ! -e bad ] || fail "a failed compilation left its folder"
echo "tune: measured once, read again, no bit changed"
