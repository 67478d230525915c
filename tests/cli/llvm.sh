#!/bin/sh
# LLVM's triples through an installed clang: what --probe says is a target file; --emit gives objects, assembler text and
# LLVM's own for any triple without a C library; what is missing is said.  With LLVM's library, where it is installed:
# layouts, this machine's CPU.
set -eu
. tests/cli/lib/common.sh
command -v clang > /dev/null || fail "needs clang"
CLANG=$(command -v clang)
model tiny
model attention
TINY=$W/tiny.onnx

# probe TRIPLE ENDIAN BITS VARIANT: its lines, and that the text is a target that compiles
probe() {
	code 0 "$AMPOULE" targets --probe $1
	cp "$W/out" "$W/$1.target"
	has "$W/out" "name $1" "endian $2" "bits $3" "variant $4" "cc clang --target=$1"
	code 0 "$AMPOULE" compile "$TINY" -o "$W/probed" --library --target "$W/$1.target"
	has "$W/probed/manifest.json" "\"target\": \"$1\""
}
probe thumbv7em-none-eabihf little 32 "generic AMP_ISA_GENERIC"
has "$W/thumbv7em-none-eabihf.target" "fma: hardware for float, software for double" "note microcontroller"
probe aarch64-none-elf little 64 "neon AMP_ISA_NEON"
grep -q "^run" "$W/aarch64-none-elf.target" && fail "an emulator without a system"
probe riscv64-unknown-elf little 64 "generic AMP_ISA_GENERIC"
probe wasm32-unknown-unknown little 32 "generic AMP_ISA_GENERIC"
has "$W/wasm32-unknown-unknown.target" "incbin yes" "threads no"
probe s390x-linux-gnu big 64 "generic AMP_ISA_GENERIC"
has "$W/s390x-linux-gnu.target" "run qemu-s390x  # guess: "
probe x86_64-pc-windows-gnu little 64 "avx512 AMP_ISA_AVX512"
has "$W/x86_64-pc-windows-gnu.target" "detect avx2 amp_cpu_has_avx2" "incbin yes  # guess: "
# NEON of 32-bit Arm flushes subnormals: such a triple gets the unit beside it, and nobody else's flags hide it
for triple in armv8a-linux-gnueabihf armv7a-linux-androideabi24; do
	probe $triple little 32 "generic AMP_ISA_GENERIC"
	has "$W/$triple.target" "cflags -mfpu=vfpv"
done
for line in "cc clang --target=armv8a-none-eabihf -mfpu=crypto-neon-fp-armv8" "cflags -mfpu=neon-vfpv4"; do
	printf 'name mine\nendian little\nbits 32\nthreads no\nvariant generic AMP_ISA_GENERIC\n%s\n' "$line" > "$W/neon.target"
	code 0 "$AMPOULE" inspect "$TINY" --target "$W/neon.target"
	has "$W/out" "not promised"
done
for bad in avr i386-linux-gnu no-such-triple "x; y" ""; do
	code 2 "$AMPOULE" targets --probe "$bad"
	[ -s "$W/err" ] || fail "no reason for the triple \"$bad\""
done
echo "ok: probe"

# what else the model part wants: itself, memory functions, the compiler's support library
foreign() {
	nm -u "$1"/*.o 2> /dev/null | sed -n 's/^ *[Uw] //p' | sort -u | grep -vxE \
		'(tiny_.*|mem(cpy|move|set|cmp)|__aeabi_.*|__[a-z]+([sd]f|[sdt]i|hf)[a-z0-9]*|__stack_pointer|___chkstk_ms|__chkstk|_GLOBAL_OFFSET_TABLE_|\.TOC\.)' ||
		true
}
# emit TRIPLE KIND END FILES: as many files of that kind
emit() {
	code 0 "$AMPOULE" compile "$TINY" -o "$W/emit" --library --triple $1 --emit $2
	n=$(ls "$W/emit" | grep -c "\.$3\$" || true)
	[ "$n" = $4 ] || { ls "$W/emit"; fail "--emit $2 --triple $1: $n files, not $4"; }
	[ -s "$W/emit/tiny_model.c" ] || fail "the C is not there"
}
for triple in thumbv7em-none-eabihf aarch64-none-elf riscv64-unknown-elf wasm32-unknown-unknown; do
	emit $triple obj o 3
	case $triple in
	thumb*) machine=ARM ;;
	aarch64*) machine=AArch64 ;;
	riscv64*) machine=RISC-V ;;
	wasm32*) machine= ;;
	esac
	if [ -n "$machine" ]; then
		for o in "$W/emit"/*.o; do
			readelf -h "$o" | grep -q "Machine: *$machine" || fail "$o is not for $triple"
		done
		f=$(foreign "$W/emit")
		[ -z "$f" ] || fail "$triple wants $f"
	else
		[ "$(head -c 4 "$W/emit/tiny.o" | tail -c 3)" = asm ] || fail "no WebAssembly"
	fi
	emit $triple asm s 2
	emit $triple ll ll 2
	has "$W/emit/tiny_model_$([ $triple = aarch64-none-elf ] && echo neon || echo generic).ll" "target triple ="
done
emit s390x-linux-gnu obj o 3
# the manifest binds the objects, too
python3 - "$W/emit" <<'END' || fail "the manifest and the objects"
import hashlib, json, os, sys
d = sys.argv[1]
m = json.load(open(d + "/manifest.json"))
objects = [f for f in os.listdir(d) if f.endswith(".o")]
assert objects and "clang" in m["objects_by"], m
for f in objects:
    assert m["files"][f] == hashlib.sha256(open(os.path.join(d, f), "rb").read()).hexdigest(), f
END
emit x86_64-pc-windows-gnu obj o 6
echo "ok: objects, assembler text, LLVM's"

# threads want a system, and their pool its headers
code 2 "$AMPOULE" compile "$TINY" -o "$W/no" --library --triple aarch64-none-elf --emit obj --threads 2
has "$W/err" "has no threads"
code 0 "$AMPOULE" compile "$TINY" -o "$W/emit" --library --triple powerpc64le-linux-gnu --emit obj --threads 2
[ -e "$W/emit/pool.o" ] || has "$W/err" "no pool.o" "a struct amp_pool of your own"
# on this machine they give the contract's bytes
if [ "$(uname -m)" = x86_64 ]; then
	for one in tiny attention; do
		exact $one > "$W/$one.exact"
		code 0 "$AMPOULE" compile "$W/$one.onnx" -o "$W/run" --library --triple x86_64-linux-gnu --emit obj
		(cd "$W/run" && $CC $STRICT -I. "-DMODEL=${one}_model" "$DRIVE" *.o -o drive -lm &&
			./drive run -1 "$W/$one".in*.npy && ./drive check "$W/$one".in*.npy) || fail "$one by clang"
		i=0
		for want in $(cat "$W/$one.exact"); do
			[ "$(sha "$W/run/out$i.bin")" = "$want" ] || fail "$one by clang, output $i: not the bytes of run --exact"
			i=$((i + 1))
		done
		[ $i -gt 0 ] || fail "run --exact $one"
	done
	code 0 "$AMPOULE" compile "$TINY" -o "$W/run" --library --triple x86_64-linux-gnu --emit obj --threads 2
	has "$W/run/manifest.json" '"pool.o": "'
	(cd "$W/run" && $CC $STRICT -I. -DPOOL -DMODEL=tiny_model "$DRIVE" *.o -o drive -lm &&
		./drive run -1 "$W"/tiny.in*.npy && ./drive check "$W"/tiny.in*.npy) || fail "two threads by clang"
	[ "$(sha "$W/run/out0.bin")" = "$(head -1 "$W/tiny.exact")" ] || fail "two threads by clang: not the bytes of run --exact"
	echo "ok: the bytes of run --exact"
fi

# microcontrollers: inspect and the manifest say what they get
code 0 "$AMPOULE" inspect "$TINY" --triple thumbv7em-none-eabihf
has "$W/out" "target    thumbv7em-none-eabihf" "microcontroller: plain C"
code 0 "$AMPOULE" inspect "$TINY" --triple thumbv7em-none-eabihf --json
json "$W/out"
has "$W/out" '"target_note": "microcontroller: '
code 0 "$AMPOULE" compile "$TINY" -o "$W/emit" --library --triple thumbv7em-none-eabihf --emit obj
json "$W/emit/manifest.json"
has "$W/emit/manifest.json" '"target_note": "microcontroller: '
code 0 "$AMPOULE" inspect "$TINY" --triple aarch64-none-elf
grep -q microcontroller "$W/out" && fail "aarch64 is no microcontroller"

# what is wrong or missing
code 2 "$AMPOULE" compile "$TINY" -o "$W/no" --triple aarch64-none-elf --emit obj
has "$W/err" "--emit needs --library"
code 2 "$AMPOULE" compile "$TINY" -o "$W/no" --library --emit obj
has "$W/err" "--emit needs --triple"
code 2 "$AMPOULE" compile "$TINY" -o "$W/no" --library --triple aarch64-none-elf --emit exe
has "$W/err" "c, obj, asm or ll"
code 2 env AMPOULE_CLANG=/no/clang "$AMPOULE" compile "$TINY" -o "$W/no" --library --target generic --triple x --emit obj
has "$W/err" "--emit needs clang, and there is none" "apt-get install clang"
mkdir "$W/empty"
got=0
PATH=$W/empty "$AMPOULE" targets --probe aarch64-none-elf > "$W/out" 2> "$W/err" || got=$?
if "$AMPOULE" targets | grep -q '^native.*LLVM'; then
	[ $got = 0 ] || fail "LLVM is linked, and --probe needs clang"
else
	[ $got = 2 ] || fail "--probe without clang: exit code $got"
	has "$W/err" "there is neither" "apt-get install clang" "make WITH_LLVM=1"
fi
# a clang that cannot compile it: its own words, and no folder
printf '#!/bin/sh\nfor a; do case $a in -c) echo "fatal: out of registers" >&2; exit 1 ;; esac; done\nexec %s "$@"\n' "$CLANG" > \
	"$W/clang"
chmod +x "$W/clang"
code 1 env AMPOULE_CLANG="$W/clang" "$AMPOULE" compile "$TINY" -o "$W/no" --library --triple aarch64-none-elf --emit obj
has "$W/err" "out of registers" "cannot compile"
[ ! -e "$W/no" ] || fail "a folder although clang failed"
ls "$W" | grep -q '^no\.' && fail "a temporary folder is left"
# nothing else needs clang
code 0 env PATH="$W/empty" "$AMPOULE" compile "$TINY" -o "$W/yes" --library --target generic
code 0 env PATH="$W/empty" "$AMPOULE" targets
echo "ok: what is missing is said"

# LLVM's library: the same compiler with llvm.c built for it
LLVM_CONFIG=
for l in llvm-config llvm-config-19 llvm-config-14; do
	[ -n "$LLVM_CONFIG" ] || ! command -v $l > /dev/null || [ ! -e "$($l --includedir)/llvm-c/Core.h" ] || LLVM_CONFIG=$l
done
if [ -z "$LLVM_CONFIG" ] || ldd "$AMPOULE" | grep -q asan; then
	echo "not run: WITH_LLVM=1 (needs llvm-dev, and no sanitizer)"
	exit 0
fi
$CC -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -DWITH_LLVM -Icompiler -Iinclude -isystem "$($LLVM_CONFIG --includedir)" -c \
	compiler/target/llvm.c -o "$W/llvm.o"
$CC "$BUILD/compiler/main.o" "$W/llvm.o" "$BUILD/libampoule.a" -o "$W/ampoule" -l:libprotobuf-c.a -lm $($LLVM_CONFIG --ldflags) \
	$($LLVM_CONFIG --libs)
code 0 "$W/ampoule" targets
grep '^native' "$W/out" | grep -q LLVM || { cat "$W/out"; fail "native is not LLVM's"; }
code 0 env PATH="$W/empty" "$W/ampoule" targets --probe s390x-linux-gnu
has "$W/out" "endian big" "bits 64" "data layout E-" "# guess: no clang was found"
code 0 "$W/ampoule" targets --probe thumbv7em-none-eabihf
has "$W/out" "data layout e-" "bits 32" "fma: hardware for float"
code 2 "$W/ampoule" targets --probe no-such-triple
has "$W/err" "does not know no-such-triple"
exact tiny > "$W/tiny.exact"
code 0 "$W/ampoule" compile "$TINY" -o "$W/native" --library --target native
[ "$(grep -c '_model_.*\.o:' "$W/native/Makefile")" = 1 ] || fail "native is more than one variant"
(cd "$W/native" && make -s CC="$CC" && $CC $STRICT -I. -DMODEL=tiny_model "$DRIVE" libtiny.a -o drive -lm &&
	./drive run -1 "$W"/tiny.in*.npy) || fail "native"
[ "$(sha "$W/native/out0.bin")" = "$(head -1 "$W/tiny.exact")" ] || fail "native: not the bytes of run --exact"
# without --target the folder is for every machine, LLVM or not
code 0 "$W/ampoule" compile "$TINY" -o "$W/a" --library
code 0 "$AMPOULE" compile "$TINY" -o "$W/b" --library
diff -r "$W/a" "$W/b" > /dev/null || fail "LLVM changes the default"
echo "ok: WITH_LLVM=1 ($($LLVM_CONFIG --version))"
