#!/bin/sh
# The whole way, as the README shows it: the small RCMNet to a static program that names the sample pictures, its
# bytes those of `run --exact`; without the decoders; with the weights beside it.  The README's own C compiles.
set -eu
. tests/cli/lib/common.sh
M=models/small
"$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/rcm" --name rcmnet --labels $M/config.json \
	--preprocess $M/preprocessor_config.json > "$W/log"
has "$W/log" "$W/rcm"
other=clang
case $CC in *clang*) other=gcc ;; esac
make -s -j2 -C "$W/rcm" CC=$other || fail "the classifier does not build with $other"
P=$W/rcm/rcmnet

# one file that needs nothing
readelf -lW "$P" | grep -q INTERP && fail "the classifier has a dynamic loader"
readelf -dW "$P" | grep -q NEEDED && fail "the classifier needs a library"
ldd "$P" > "$W/ldd" 2>&1 && ! grep -q statically "$W/ldd" && { cat "$W/ldd"; fail "ldd"; }
mkdir "$W/alone"
cp "$P" "$W/alone/"
cp examples/pictures/*.png examples/pictures/*.jpg "$W/alone/"
(cd "$W/alone" && env -i ./rcmnet --csv --top 1 .) > "$W/rows.csv" || fail "the classifier alone"
# every sample picture gets its label
python3 - "$W/rows.csv" examples/pictures/labels.csv <<'END'
import csv, os, sys
rows = {os.path.basename(r["file"]): r["answer"] for r in csv.DictReader(open(sys.argv[1]))}
want = {r[0]: r[1] for r in csv.reader(open(sys.argv[2])) if r[0] in rows}
assert len(rows) == 12 and rows == want, (rows, want)
END

"$P" --version > "$W/version"
has "$W/version" "contract holds: the same bytes on every machine"
# its bytes are the contract's, with every variant
pixels "$W/x.npy" 96
"$AMPOULE" run $M/rcmnet_small.onnx --exact --input "$W/x.npy" -o "$W/exact" > /dev/null
tail -c 32 "$W/exact/logits.npy" > "$W/want.bin"
for isa in $("$P" --help | grep -q isa && echo sse2 avx avx2 avx512 || echo default); do
	[ $isa = default ] && set -- || set -- --isa $isa
	got=0
	"$P" "$@" --out "$W/npy.$isa" "$W/x.npy" > "$W/row" 2> "$W/err" || got=$?
	if [ $got != 0 ]; then
		grep -q lacks "$W/err" || { cat "$W/err"; fail "the classifier with $isa"; }
		echo "not run: $isa (this CPU has none)"
		continue
	fi
	tail -c 32 "$W/npy.$isa"/*.npy > "$W/got.bin"
	cmp "$W/want.bin" "$W/got.bin" || fail "$isa: not the bytes of run --exact"
done

# without third_party, weights beside the program
"$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/plain" --name rcmnet --labels $M/config.json \
	--preprocess $M/preprocessor_config.json --weights file > /dev/null
rm -r "$W/plain/third_party"
make -s -j2 -C "$W/plain" CC="$CC" || fail "without the decoders"
code 0 "$W/plain/rcmnet" tests/app/pictures/bmp_rgb.bmp
code 1 "$W/plain/rcmnet" examples/pictures/01_neutrophil.png
has "$W/out" "BMP, PNM and .npy"
mv "$W/plain/rcmnet.weights" "$W/plain/gone"
code 1 "$W/plain/rcmnet" tests/app/pictures/bmp_rgb.bmp

# the README's C
awk '/#include <ampoule.h>/ { on = 1 } on && /^$/ { print; next } on && !/^    / { exit } on { print substr($0, 5) }' \
	README.md | sed '/^cc /,$d' > "$W/library.c"
grep -q ampoule_free "$W/library.c" || fail "README: the library's example has gone"
$CC $STRICT -Iinclude -fsyntax-only "$W/library.c" || fail "README: the library's example"
{
	printf '#include "rcmnet.h"\nint call(const void *image, void *logits);\nint call(const void *image, void *logits)\n{\n'
	sed -n '/static struct rcmnet net;/,/rcmnet_run/p' README.md
	printf '\treturn s;\n}\n'
} > "$W/rcm/readme.c"
grep -q rcmnet_prepare "$W/rcm/readme.c" || fail "README: the model's example has gone"
(cd "$W/rcm" && $CC $STRICT -I. -c readme.c -o readme.o) || fail "README: the model's example"
echo "classifier: as the README says"
