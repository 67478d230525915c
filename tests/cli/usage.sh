#!/bin/sh
# What a user types wrong: exit codes, and messages that name the place and say what to do.
set -eu
. tests/cli/lib/common.sh
cd "$W"
for m in tiny several symbolic unknown unbound mismatch; do model $m; done

# 0: help and version
for c in compile inspect verify run targets; do
	code 0 "$AMPOULE" help $c
	has out "usage: ampoule $c" example
	code 0 "$AMPOULE" $c --help
	has out "usage: ampoule $c"
done
code 0 "$AMPOULE" help
has out compile inspect verify run targets "exit code"
code 0 "$AMPOULE" --version
grep -Eq '^ampoule [0-9]+\.[0-9]+\.[0-9]+$' out || fail "version"
code 0 "$AMPOULE" targets
has out x86-64 generic aarch64
# every option that help names is taken, and every one that is taken is named
for c in compile inspect verify run; do
	"$AMPOULE" help $c > help.txt
	for o in $(grep -oE '^  (-o|--[a-z-]+)' help.txt); do
		"$AMPOULE" $c "$o" 2>&1 < /dev/null | grep -q "has no option" && fail "$c $o is in the help only"
	done
done

# 2: usage
code 2 "$AMPOULE"
code 2 "$AMPOULE" frobnicate
has err "no command frobnicate"
code 2 "$AMPOULE" help frobnicate
code 2 "$AMPOULE" compile
has err "needs a model"
code 2 "$AMPOULE" compile tiny.onnx
has err "-o"
code 2 "$AMPOULE" compile tiny.onnx -o
has err "needs a value"
code 2 "$AMPOULE" compile tiny.onnx -o x --frobnicate
has err "no option --frobnicate"
code 2 "$AMPOULE" compile tiny.onnx second.onnx -o x
has err "second.onnx"
code 2 "$AMPOULE" compile tiny.onnx -o x --weights paper
has err paper
code 2 "$AMPOULE" compile tiny.onnx -o x --name 'a b'
has err "C identifier"
code 2 "$AMPOULE" compile tiny.onnx -o x --name int
has err "C identifier"
code 2 "$AMPOULE" compile tiny.onnx -o x --target z80
has err 'no target "z80"' x86-64 generic
code 2 "$AMPOULE" compile tiny.onnx -o x --target ./none.target
has err none.target
code 2 "$AMPOULE" compile tiny.onnx -o x --json
code 2 "$AMPOULE" compile tiny.onnx -o x --library=yes
code 2 "$AMPOULE" compile tiny.onnx -o x --dump-after nothing
has err "no such pass"
code 2 "$AMPOULE" verify tiny.onnx --rtol x
code 2 "$AMPOULE" verify tiny.onnx --rtol -1
code 2 "$AMPOULE" verify tiny.onnx --seed 1.5e400
code 2 "$AMPOULE" targets tiny.onnx
[ ! -e x ] || fail "wrong usage left a folder"

# 1: the model or the input; all problems at once, each with its place
code 1 "$AMPOULE" compile none.onnx -o x
has err "none.onnx" "No such file"
code 1 "$AMPOULE" compile . -o x
: > empty.onnx
code 1 "$AMPOULE" compile empty.onnx -o x
has err empty.onnx
head -c 100 tiny.onnx > short.onnx
code 1 "$AMPOULE" compile short.onnx -o x
has err short.onnx
echo 'this is no model' > text.onnx
code 1 "$AMPOULE" compile text.onnx -o x
has err text.onnx
for c in "compile unknown.onnx -o x" "inspect unknown.onnx" "verify unknown.onnx" "run unknown.onnx"; do
	code 1 "$AMPOULE" $c
	has err "unknown.onnx: " Frobnicate Transmogrify com.example "/a/Frobnicate" special_node
done
code 1 "$AMPOULE" compile unbound.onnx -o x
has err '"batch"' "--dim batch=1" '"height"' "--dim height=1" '"other"' "--shape other="
code 1 "$AMPOULE" compile mismatch.onnx -o x
has err "/y/Conv" "/z/Conv" "float[4,5,3,3]" "float[4,6,3,3]" "[infer]"
code 2 "$AMPOULE" compile symbolic.onnx -o x --dim batch=0x
has err "batch=0x"
code 2 "$AMPOULE" compile symbolic.onnx -o x --dim batch=-1
has err "batch=-1"
code 2 "$AMPOULE" compile symbolic.onnx -o x --dim batch=99999999999999999999
has err "batch=99999999999999999999"
code 1 "$AMPOULE" compile symbolic.onnx -o x --dim batch=1 --dim other=2
has err other
code 1 "$AMPOULE" compile tiny.onnx -o x --shape nothing=1x2
has err nothing
code 1 "$AMPOULE" compile tiny.onnx -o x --shape image=1x3x12
code 1 "$AMPOULE" compile tiny.onnx -o x --labels none.txt
printf 'a\nb\n' > two.txt
code 1 "$AMPOULE" compile tiny.onnx -o x --labels two.txt
has err two.txt "2 labels" probabilities
printf '{"do_resize": ' > broken.json
code 1 "$AMPOULE" compile tiny.onnx -o x --preprocess broken.json
has err broken.json
code 1 "$AMPOULE" run tiny.onnx --input none.npy
has err none.npy
code 1 "$AMPOULE" run tiny.onnx --input several.in0.npy
has err several.in0.npy
code 1 "$AMPOULE" run tiny.onnx --input wrong=tiny.in0.npy
has err wrong image
code 1 "$AMPOULE" run several.onnx --input several.in0.npy
has err '"x"'
code 1 "$AMPOULE" verify tiny.onnx --data .
has err test_data_set_0
[ ! -e x ] || fail "a failed compile left a folder"
ls -d x.* 2> /dev/null && fail "a failed compile left a temporary folder"

# 3: out of tolerance
code 3 "$AMPOULE" verify tiny.onnx --rtol 0 --atol 0
has out OUTSIDE

# folders: what is not ours stays as it is
mkdir theirs
echo precious > theirs/thesis.txt
code 1 "$AMPOULE" compile tiny.onnx -o theirs
has err theirs "not written by ampoule"
[ "$(cat theirs/thesis.txt)" = precious ] && [ "$(ls theirs)" = thesis.txt ] || fail "theirs was touched"
echo precious > file
code 1 "$AMPOULE" compile tiny.onnx -o file
[ "$(cat file)" = precious ] || fail "a file was replaced"
ln -s theirs link
code 1 "$AMPOULE" compile tiny.onnx -o link
[ "$(ls theirs)" = thesis.txt ] || fail "a link was followed"
mkdir theirs2
echo '{"name": "somebody else"}' > theirs2/manifest.json
code 1 "$AMPOULE" compile tiny.onnx -o theirs2
# ours and empty ones are replaced, whole; a failed compile keeps the old one
mkdir ours
code 0 "$AMPOULE" compile tiny.onnx -o ours/
[ -s ours/tiny.h ] || fail "an empty folder"
cp ours/manifest.json before.json
code 1 "$AMPOULE" compile unknown.onnx -o ours
cmp before.json ours/manifest.json || fail "a failed compile touched the former output"
code 0 "$AMPOULE" compile several.onnx -o ours --library
[ ! -e ours/tiny.h ] && [ -s ours/several.h ] || fail "the former output was not replaced"
code 1 "$AMPOULE" compile tiny.onnx -o no/such/folder
has err no/such/folder "No such file"

# read-only places (root may write anywhere: then /proc stands for one)
mkdir sealed
chmod a-w sealed
if [ "$(id -u)" = 0 ]; then sealed=/proc; else sealed=$W/sealed; fi
code 1 "$AMPOULE" compile tiny.onnx -o $sealed/x
has err "$sealed/x"
code 1 "$AMPOULE" run tiny.onnx -o $sealed/x
has err "$sealed/x"
code 1 env TMPDIR=$sealed "$AMPOULE" verify tiny.onnx
has err "$sealed"
if [ -w /dev/full ]; then
	got=0
	"$AMPOULE" inspect tiny.onnx > /dev/full 2> err || got=$?
	[ $got = 1 ] || fail "a full disk gives exit code $got"
fi
# nothing of this said anything on the wrong stream
code 0 "$AMPOULE" inspect tiny.onnx --json
[ ! -s err ] || fail "success speaks on stderr"
echo "usage: all as documented"
