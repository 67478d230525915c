#!/bin/sh
# What is written for machines: JSON that parses, hashes that are right; and the same bytes twice.
set -eu
. tests/cli/lib/common.sh
ROOT=$PWD
cd "$W"
for m in tiny several attention symbolic; do model $m; done

# JSON of each command
for m in tiny several attention; do
	code 0 "$AMPOULE" inspect $m.onnx --json
	cp out inspect.json
	json inspect.json
	code 0 "$AMPOULE" run $m.onnx --json --input "$(input_name $m 0)=$m.in0.npy" \
		$([ $m = several ] && echo "--input rows=several.in1.npy")
	json out
	code 0 "$AMPOULE" compile $m.onnx -o $m --library
	json $m/manifest.json
	[ ! -s err ] || fail "success speaks on stderr"
	# manifest: each file is there with its hash, and nothing else is there
	python3 - $m $m.onnx inspect.json <<'END'
import hashlib, json, os, sys
d, model, inspect = sys.argv[1:]
digest = lambda p: hashlib.sha256(open(p, "rb").read()).hexdigest()
m = json.load(open(d + "/manifest.json"))
i = json.load(open(inspect))
assert m["model"]["sha256"] == digest(model) == i["sha256"], m["model"]
there = {os.path.relpath(os.path.join(r, f), d) for r, _, fs in os.walk(d) for f in fs}
assert there == set(m["files"]) | {"manifest.json"}, there ^ set(m["files"])
for f, h in m["files"].items():
    assert digest(d + "/" + f) == h, f
assert digest(d + "/" + d + ".weights") == m["weights_sha256"]
assert os.path.getsize(d + "/" + d + ".weights") == m["memory"]["weights_bytes"] == i["weights_bytes"]
assert m["memory"]["arena_bytes"] == i["arena_bytes"] >= i["bound_of_order"] >= i["bound_over_all_orders"]
header = open(d + "/" + d + ".h").read()
for key, n in (("ARENA", i["arena_bytes"]), ("WEIGHTS", i["weights_bytes"])):
    assert "#define %s_%s_BYTES %d\t" % (d.upper(), key, n) in header or \
        "#define %s_%s_BYTES %d\n" % (d.upper(), key, n) in header, key
assert [x["name"] for x in m["inputs"]] == [x["name"] for x in i["inputs"]]
assert m["numeric_plan"] == i["numeric_plan"]
END
done
grep -q 'tiny.*ends in Softmax\|model ends in Softmax' tiny/tiny.h || fail "Softmax is not said"
grep -q 'does not end in Softmax' attention/attention.h || fail "no Softmax is not said"
for m in tiny functions; do
	model $m
	code 0 "$AMPOULE" verify $m.onnx --json
	cp out verify.json
	json verify.json
	python3 - <<'END'
import json
v = json.load(open("verify.json"))
assert v["ok"] is True and v["sets"] == 1, v
assert all(c["ok"] for c in v["comparisons"])
assert any(c["against"] == "exact" and c["same_bytes"] for c in v["comparisons"])
END
done
# the plan is named and kept: the built code gives the bytes of run --exact under it
cp "$ROOT/models/small/rcmnet_small.onnx" rcmnet.onnx
code 0 "$AMPOULE" verify rcmnet.onnx --plan speed
has out "same bytes"
code 0 "$AMPOULE" compile rcmnet.onnx -o speed --library --plan speed
code 0 "$AMPOULE" compile rcmnet.onnx -o default --library
diff -r speed default || fail "speed is not the default plan"
code 0 "$AMPOULE" compile rcmnet.onnx -o direct --library --plan direct
code 0 "$AMPOULE" compile rcmnet.onnx -o size --library --plan size
cmp direct/rcmnet.weights size/rcmnet.weights
# the plan does not look at the target: one text of the model for all
for target in generic aarch64 armv7 riscv64-v s390x wasm32 x86_64-windows; do
	code 0 "$AMPOULE" compile rcmnet.onnx -o other --library --target $target
	cmp speed/rcmnet_model.c other/rcmnet_model.c || fail "$target has a model of its own"
	rm -r other
done
code 0 "$AMPOULE" inspect rcmnet.onnx
has out "numeric plan" "  winograd"
python3 - <<'END'
import json
for plan in "speed", "size", "direct":
	m = json.load(open(plan + "/manifest.json"))
	assert m["numeric_plan"] == plan, m["numeric_plan"]
	took = [l for l in m["layers"] if l["algorithm"] != "direct"]
	assert bool(took) == (plan != "direct"), m["layers"]
	for l in took:	# the last that was tried is the one that was taken, and rule 18 admits it
		name, ratio = l["error_over_direct"].split(", ")[-1].split()
		assert name == l["algorithm"] and 0 < float(ratio) <= 8, l
END
grep -q 'algorithm=winograd' speed/rcmnet_model.c || fail "no layer is computed by Winograd's algorithm"
# error by layer, and the page: well formed, whole in itself, the same twice
code 0 "$AMPOULE" verify rcmnet.onnx --json --layers --html page.html
cp out verify.json
cp page.html page1.html
code 0 "$AMPOULE" verify rcmnet.onnx --json --layers --html page.html
cmp page.html page1.html || fail "the page is another one the second time"
python3 - page.html verify.json <<'END'
import json, re, sys
import xml.dom.minidom
page = open(sys.argv[1]).read()
v = json.load(open(sys.argv[2]))
layers = {l["value"]: l for l in v["layers"]}
assert len(layers) > 50 and "logits" in layers, len(layers)
# the network's numbers are those of a float32 network, and the last layer's those of the comparison
assert all(0 <= l["max_rel"] < 1e-4 and 0 <= l["rms_rel"] < 1e-4 and l["not_finite"] == 0 for l in layers.values())
last = next(c for c in v["comparisons"] if c["against"] == "double")
assert abs(layers["logits"]["max_abs"] - last["max_abs"]) <= 1e-3 * last["max_abs"], (layers["logits"], last)
assert layers["/maxpool/MaxPool_output_0"]["max_abs"] > 0, "an error of nothing: was the truth compared with itself?"
pictures = re.findall(r"<svg.*?</svg>", page, re.S)
assert len(pictures) == 4, len(pictures)
for p in pictures:
    xml.dom.minidom.parseString(p)
assert not re.search(r"<script|src=|href=|url\(|http", page), "the page is not whole in itself"
assert page.count("<circle") > len(layers) and "/layer4/layer4.1/mixer" in page
END
code 0 "$AMPOULE" inspect rcmnet.onnx --html inspect.html
grep -q '<h2>Network' inspect.html && ! grep -q '<h2>Error by layer' inspect.html || fail "inspect's page"
code 1 "$AMPOULE" inspect rcmnet.onnx --html nowhere/page.html
# verify --keep keeps what it built; without it nothing stays behind
mkdir tmp
code 0 env TMPDIR="$W/tmp" "$AMPOULE" verify tiny.onnx
[ -z "$(ls tmp)" ] || fail "verify left $(ls tmp)"
code 0 env TMPDIR="$W/tmp" "$AMPOULE" verify tiny.onnx --keep
has out "kept: $W/tmp/"
[ -s "$(sed -n 's/^kept: //p' out)/driver.c" ] || fail "--keep"
# run -o writes .npy that run takes back
code 0 "$AMPOULE" run tiny.onnx --exact --input tiny.in0.npy -o outs
[ "$(head -c 6 outs/probabilities.npy | tail -c 5)" = NUMPY ] || fail "run -o"
code 0 "$AMPOULE" run symbolic.onnx --dim batch=2 --seed 3 -o outs
[ "$(ls outs | wc -l)" = 2 ] || fail "run -o of an unpleasant name: $(ls outs)"

# the same bytes: other folder, other path to the model, other locale, other time, other thread limit
locales=C
if localedef -i de_DE -f UTF-8 "$W/de_DE.UTF-8" 2> /dev/null; then
	locales="C de_DE.UTF-8"
	[ "$(LOCPATH=$W LC_ALL=de_DE.UTF-8 locale decimal_point 2> /dev/null)" = , ] || fail "the locale is not German"
else
	echo "not run: a locale with a decimal comma (needs Debian's locales package)"
fi
printf 'a\nb\nc\n' > labels.txt
printf '{"do_resize": true, "size": {"height": 12, "width": 12}, "do_rescale": true, "rescale_factor": 0.00392156862745098,
"do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 2}\n' > pre.json
"$AMPOULE" compile tiny.onnx -o first --labels labels.txt --preprocess pre.json > /dev/null
mkdir -p else/where
n=0
for l in $locales tr_TR.UTF-8; do
	n=$((n + 1))
	mkdir -p else/where/n$n
	(cd else/where && LOCPATH=$W LC_ALL=$l TZ=Asia/Tokyo "$AMPOULE" compile "$W/tiny.onnx" -o "n$n/second" \
		--labels "$W/labels.txt" --preprocess ../../pre.json > /dev/null)
	diff -r first "else/where/n$n/second" || fail "the output depends on the place or on the locale $l"
	LOCPATH=$W LC_ALL=$l "$AMPOULE" inspect tiny.onnx --json > inspect.$n
	LOCPATH=$W LC_ALL=$l "$AMPOULE" run tiny.onnx > run.$n
	cmp inspect.1 inspect.$n
	cmp run.1 run.$n
done
grep -rl -e "$W" -e "$PWD" first && fail "the output names a path of this machine"
# the numeric contract holds, and where a target gives it up, everything says so
has first/manifest.json '"numeric_contract": "holds"'
"$AMPOULE" inspect tiny.onnx > inspect.txt
has inspect.txt "contract  holds"
"$AMPOULE" inspect tiny.onnx --json | grep -q '"numeric_contract": "holds"' || fail "inspect --json: the contract"
grep -q no_contract first/tiny.c && fail "the model says that it gives up the contract"
printf '%s\n' "name loose" "cflags -O2 -fassociative-math" "variant generic AMP_ISA_GENERIC" > loose.target
"$AMPOULE" compile tiny.onnx -o loose --library --target ./loose.target > /dev/null
json loose/manifest.json
has loose/manifest.json '"numeric_contract": "not promised: -fassociative-math"'
has loose/tiny.c '.no_contract = "-fassociative-math"'
"$AMPOULE" inspect tiny.onnx --target ./loose.target > inspect.txt
has inspect.txt "contract  not promised: the target passes -fassociative-math"
# a folder that is replaced is as a new one
"$AMPOULE" compile several.onnx -o again --library > /dev/null
"$AMPOULE" compile tiny.onnx -o again --labels labels.txt --preprocess pre.json > /dev/null
diff -r first again || fail "replacing a folder"
echo "reports: all parse, all hashes right, the same bytes from $n places"
