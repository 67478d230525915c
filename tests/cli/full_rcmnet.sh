#!/bin/sh
# RCMNet at full size (224 x 224, 8.15 M parameters, written by tests/tools/make_rcmnet.c): compiled in under 2 s and
# built in under 20 s of processor time, its bytes those of `run --exact`, its arena the bound of its order.
set -eu
. tests/cli/lib/common.sh
cd "$W"
"$BUILD/tests/tools/make_rcmnet" full.onnx
# seconds LIMIT COMMAND...: runs it; fails when it takes more processor time
seconds() {
	python3 - "$@" <<'END'
import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
t = u.ru_utime + u.ru_stime
print("%.2f s of processor time: %s" % (t, " ".join(sys.argv[2:5])))
sys.exit(t > float(sys.argv[1]))
END
}
case $(nm "$AMPOULE" 2> /dev/null | grep -c __asan_init) in
0) limit=2 ;;
*) limit=100 ;;		# the sanitized compiler takes its time
esac
seconds $limit "$AMPOULE" compile full.onnx -o out --library || fail "the compiler is too slow"
printf 'name near\nprefetch 0\nincbin yes\nvariant plain AMP_ISA_GENERIC\n' > near.target
"$AMPOULE" compile full.onnx -o near --library --target ./near.target > /dev/null
grep -q '\.ahead = [1-9]' out/full_model.c || fail "large weights are not prefetched"
grep -q '\.ahead = [1-9]' near/full_model.c && fail "prefetch 0 prefetches"
rm -r near
[ ! -e out/kernels/layout.inc ] || fail "a conversion of layout inside the network"
seconds 20 make -s -j2 -C out CC="$CC" || fail "the emitted folder builds too slowly"
$CC -O2 $STRICT -Iout -DMODEL=full_model "$DRIVE" out/libfull.a -o drive -lm
"$AMPOULE" inspect full.onnx --json > inspect.json
python3 - <<'END'
import json, struct
i = json.load(open("inspect.json"))
assert i["arena_bytes"] == i["bound_of_order"], (i["arena_bytes"], i["bound_of_order"])
n = 3 * 224 * 224
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }"
head += b" " * ((-len(head) - 11) % 64) + b"\n"
data = struct.pack("<%df" % n, *[((k * 7919) % 2001 - 1000) / 500 for k in range(n)])
open("full.in0.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)
END
want=$(exact full)
for isa in 0 -1; do
	./drive run $isa full.in0.npy
	[ "$(sha out0.bin)" = "$want" ] || fail "variant $isa: not the bytes of run --exact"
done
# the truth is near: the evaluator in double agrees to 1e-5 of the largest logit
"$AMPOULE" run full.onnx --input full.in0.npy -o truth > /dev/null
python3 - <<'END'
import struct
got = struct.unpack("<8f", open("out0.bin", "rb").read())
want = struct.unpack("<8d", open("truth/logits.npy", "rb").read()[-64:])
e = max(abs(a - b) for a, b in zip(got, want)) / max(map(abs, want))
print("distance to the truth: %.2g of the largest logit" % e)
assert e < 1e-5, e
END
# the plan does not depend on the batch: two images at once give the bytes of each alone
"$BUILD/tests/tools/make_rcmnet" batch.onnx --symbolic-batch
python3 - <<'END'
import struct
n = 3 * 224 * 224
def write(name, images):
	head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 3, 224, 224), }" % len(images)
	head += b" " * ((-len(head) - 11) % 64) + b"\n"
	data = b"".join(struct.pack("<%df" % n, *[((k * s) % 2001 - 1000) / 500 for k in range(n)]) for s in images)
	open(name, "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)
write("both.npy", [7919, 4421])
write("one.npy", [7919])
write("two.npy", [4421])
END
for i in "2 both" "1 one" "1 two"; do
	set -- $i
	"$AMPOULE" run batch.onnx --exact --dim batch=$1 --input $2.npy -o $2.out > /dev/null
done
python3 - <<'END'
both, one, two = (open(n + ".out/logits.npy", "rb").read() for n in ("both", "one", "two"))
assert both[-64:] == one[-32:] + two[-32:] and one[-32:] != two[-32:], "a batch is not its images"
END
rm -f full.onnx batch.onnx ./*.npy out/*.weights
echo "full size: as it should be"
