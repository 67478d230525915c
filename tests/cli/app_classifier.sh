#!/bin/sh
# The classifier's program as a user meets it, around a model whose answers can be calculated
# (tests/app/fake_model.c): rows, formats, folders, standard input, tensors, errors, exit codes.
# In: CC, BUILD.
set -eu
O=${BUILD:-build}/app
make -s -j2 -f tests/app/Makefile O="$O" CC="${CC:-gcc}" "$O/fake" "$O/fake_batch" "$O/fake_multi" "$O/fake_file"
make -s -j2 -f tests/app/Makefile O="$O/plain" CC="${CC:-gcc}" DECODERS=0 "$O/plain/fake"
W=$O/work
rm -rf "$W"
mkdir -p "$W/set/sub"

fail() {
	echo "FAILED: $1"
	exit 1
}
# want TEXT COMMAND...: exact standard output
want() {
	text=$1
	shift
	got=$("$@" 2> "$W/err") || true
	[ "$got" = "$text" ] || { printf 'command: %s\nwant: %s\ngot:  %s\n' "$*" "$text" "$got"; cat "$W/err"; exit 1; }
}
# code N COMMAND...: exit code
code() {
	n=$1
	shift
	c=0
	"$@" > "$W/out" 2> "$W/err" || c=$?
	[ "$c" = "$n" ] || { cat "$W/out" "$W/err"; fail "exit code $c, not $n: $*"; }
}

# pictures of one colour; P6 of 8 x 8
colour() {
	{ printf 'P6 8 8 255\n'; i=0; while [ $i -lt 64 ]; do printf "$2"; i=$((i + 1)); done; } > "$W/set/$1.ppm"
}
colour red '\377\000\000'
colour blue '\000\000\377'
colour white '\377\377\377'
cp tests/app/pictures/png_c2_d16.png "$W/set/deep.PNG"
printf 'not a picture' > "$W/set/notes.txt"
printf 'P6 8 8 255\n' > "$W/set/broken.ppm"
cp "$W/set/red.ppm" "$W/set/sub/inner.ppm"

# softmax(8, 0, 0, 4): 0.98137, 0.01797, 0.00033, 0.00033
want "$W/set/red.ppm: red 0.981  grey, \"or\" so 0.018  green 0.000" "$O/fake" "$W/set/red.ppm"
want "$W/set/red.ppm: red 0.981" "$O/fake" --top 1 "$W/set/red.ppm"
want "$W/set/red.ppm: 8 0 0 4" "$O/fake" --raw "$W/set/red.ppm"
want "$W/set/red.ppm: red 1.000  grey, \"or\" so 0.982" "$O/fake" --top=2 --activation sigmoid "$W/set/red.ppm"
want "$W/set/red.ppm: red 8.000" "$O/fake" --top 1 --activation none "$W/set/red.ppm"
want "$W/set/red.ppm: uncertain  red 0.981" "$O/fake" --top 1 --min-probability 0.99 "$W/set/red.ppm"
want "$W/set/red.ppm: red 0.981" "$O/fake" --top 1 --min-probability 0.98 "$W/set/red.ppm"
got=$("$O/fake" --top 1 - < "$W/set/blue.ppm")
[ "$got" = "-: blue 0.981" ] || fail "standard input: $got"

# a folder: sorted, not recursive, other files left out; the broken picture has its row and the others go on
code 1 "$O/fake" --top 1 "$W/set"
cat > "$W/expect" <<EOF
$W/set/blue.ppm: blue 0.981
$W/set/broken.ppm: error: PNM: the file is cut short
$W/set/deep.PNG: $("$O/fake" --top 1 tests/app/pictures/png_c2_d16.png | sed 's/^[^:]*: //')
$W/set/red.ppm: red 0.981
$W/set/white.ppm: error: the model's output logits is not a finite number at 1
EOF
diff "$W/expect" "$W/out" || fail "folder"
grep -q '2 of 5 could not be classified' "$W/err" || fail "no summary"
grep -q 'deep.PNG: .*(16 bits a channel, scaled to 8)' "$W/out" || fail "16 bits are not said"
mkdir "$W/empty"
code 1 "$O/fake" "$W/empty"
code 1 "$O/fake" "$W/nowhere.png"
grep -q 'cannot be opened' "$W/out" || fail "missing file"

# batches give the same rows as one by one, a broken one among them too
"$O/fake_batch" "$W/set" > "$W/batch" 2> /dev/null && fail "batch: exit code"
"$O/fake" "$W/set" > "$W/single" 2> /dev/null && fail "single: exit code"
diff "$W/single" "$W/batch" || fail "a batch of 2 differs"

# JSON and CSV are read back by other programs where they are there
code 1 "$O/fake" --json --top 2 "$W/set" "$W/no\"such"
cp "$W/out" "$W/all.json"
code 1 "$O/fake" --csv --top 2 "$W/set"
cp "$W/out" "$W/all.csv"
head -n 1 "$W/all.csv" | grep -qx 'file,answer,class_1,probability_1,class_2,probability_2,note,error' || fail "CSV header"
grep -q "set/red.ppm,red,red,0.98[0-9]*,\"grey, \"\"or\"\" so\",0.0179[0-9]*,,\$" "$W/all.csv" || fail "CSV row"
if command -v python3 > /dev/null; then
	python3 - "$W/all.json" "$W/all.csv" <<'EOF'
import csv, json, math, sys
rows = json.load(open(sys.argv[1]))
assert [r["file"].split("/")[-1] for r in rows] == ["blue.ppm", "broken.ppm", "deep.PNG", "red.ppm", "white.ppm", 'no"such']
red = rows[3]
assert red["answer"] == "red" and red["classes"][1]["label"] == 'grey, "or" so' and red["classes"][1]["index"] == 3
e = [math.exp(v - 8) for v in (8, 0, 0, 4)]
assert abs(red["classes"][0]["probability"] - e[0] / sum(e)) < 1e-9, red
assert "cut short" in rows[1]["error"] and "16 bits" in rows[2]["note"] and "classes" not in rows[4]
table = list(csv.reader(open(sys.argv[2])))
assert {len(r) for r in table} == {8} and len(table) == 6 and table[4][4] == 'grey, "or" so', table
EOF
fi

# a terminal sees how far it is, on standard error only
if command -v python3 > /dev/null; then
	python3 - "$O/fake" "$W/set" <<'EOF'
import os, pty, subprocess, sys
master, slave = pty.openpty()
rows = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=slave).stdout.decode()
os.close(slave)
shown = b""
try:
    while piece := os.read(master, 4096):
        shown += piece
except OSError:
    pass
assert b"\r3 of 5 " in shown and " of 5" not in rows and rows.count("\n") == 5, (shown, rows)
EOF
fi

# the answers do not depend on the locale
for l in C de_DE.UTF-8 tr_TR.UTF-8; do
	LC_ALL=$l "$O/fake" --json "$W/set/red.ppm" > "$W/red.$l"
	cmp "$W/red.C" "$W/red.$l" || fail "locale $l"
done

# tensors: written, read back by name and by place
code 0 "$O/fake_multi" --help
grep -q 'Input  bias float32\[4\]' "$W/out" || fail "--help names the inputs"
{ printf '\223NUMPY\001\000\072\000'; printf '%-57s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}"; printf '\000\000\000\000\000\000\240\101\000\000\000\000\000\000\000\000'; } > "$W/bias.npy"
want "$W/set/red.ppm: green 1.000" "$O/fake_multi" --top 1 "bias=$W/bias.npy" "$W/set/red.ppm"
code 2 "$O/fake_multi" "$W/set/red.ppm"
code 2 "$O/fake_multi" "bias=$W/bias.npy"
code 0 "$O/fake_multi" --out "$W/npy" "bias=$W/bias.npy" "$W/set/red.ppm"
name=$(printf %s "$W/set/red.ppm" | tr / _)
[ -s "$W/npy/$name.logits.npy" ] && [ -s "$W/npy/$name.means.npy" ] || fail "--out: $(ls "$W/npy")"
[ "$(tail -c 12 "$W/npy/$name.means.npy" | od -An -tx1 | tr -d ' \n')" = 0000803f0000000000000000 ] || fail "means"
code 1 "$O/fake" "$W/bias.npy"
grep -q 'shape does not fit input image' "$W/out" || fail "npy of another shape"

# weights in a file beside the program: checked
cp "$O/fake_file" "$W/fake_file"
code 1 "$W/fake_file" "$W/set/red.ppm"
printf '\000\000\000\101' > "$W/fake.weights"
want "$W/set/red.ppm: red 0.981" "$W/fake_file" --top 1 "$W/set/red.ppm"
printf '\000\000\000\102' > "$W/wrong.weights"
code 1 "$W/fake_file" --weights "$W/wrong.weights" "$W/set/red.ppm"
grep -q 'SHA-256' "$W/err" || fail "wrong weights are not named"
printf '\000\000\000\101\000' > "$W/wrong.weights"
code 1 "$W/fake_file" --weights "$W/wrong.weights" "$W/set/red.ppm"

# usage
code 2 "$O/fake"
code 2 "$O/fake" --top 0 "$W/set/red.ppm"
code 2 "$O/fake" --top 1e9 x
code 2 "$O/fake" --min-probability 2 x
code 2 "$O/fake" --activation tanh x
code 2 "$O/fake" --json --csv x
code 2 "$O/fake" --nonsense x
code 2 "$O/fake" --top
code 2 "$O/fake" --isa sse9 "$W/set/red.ppm"
code 1 "$O/fake" --isa future "$W/set/red.ppm"
grep -q 'processor lacks' "$W/err" || fail "--isa that the processor lacks"
code 0 "$O/fake" --isa generic "$W/set/red.ppm"
code 0 "$O/fake" --version
code 0 "$O/fake" --help
code 0 "$O/fake" -- "$W/set/red.ppm"
code 0 "$O/fake" --time "$W/set/red.ppm"
grep -q 'ms to run' "$W/err" || fail "--time"
code 1 "$O/fake" --out /dev/null/x "$W/set/red.ppm"
[ ! -w /dev/full ] || { c=0; "$O/fake" "$W/set/red.ppm" > /dev/full 2> /dev/null || c=$?; [ $c = 1 ] || fail "full disk: $c"; }

# without third_party: BMP, PNM and .npy, and it says so
want "$W/set/red.ppm: red 0.981" "$O/plain/fake" --top 1 "$W/set/red.ppm"
code 0 "$O/plain/fake" tests/app/pictures/bmp_rgb.bmp
code 1 "$O/plain/fake" tests/app/pictures/png_c2_d8.png
grep -q 'PNG files are not read; what is: BMP, PNM and .npy (this program was built without' "$W/out" || fail "DECODERS=0"
echo "the classifier's program does as it says"
