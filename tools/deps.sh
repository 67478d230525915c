#!/bin/sh
# deps.sh build|check|models|targets: finds which Debian packages are missing; installs them when run as root or through
# sudo without a password, and otherwise prints the one command that does.
set -eu
missing=
need() {	# need PACKAGE FILE-OR-COMMAND
	case $2 in
	/*) [ -e "$2" ] || missing="$missing $1" ;;
	*) command -v "$2" >/dev/null 2>&1 || missing="$missing $1" ;;
	esac
}
need gcc gcc
need libc6-dev /usr/include/stdio.h
need binutils ar
need protobuf-c-compiler protoc-c
need libprotobuf-c-dev /usr/include/protobuf-c/protobuf-c.h
if [ "$1" = check ]; then
	need libcunit1-dev /usr/include/CUnit/Basic.h
	need libonnx-testdata /usr/share/libonnx-testdata
	need libonnx-dev /usr/include/onnx/onnx.proto
	need clang clang
	need g++ g++
	need locales /usr/share/i18n/locales/de_DE
	need man-db man
	# python3-minimal has no ctypes, csv, json
	python3 -c 'import ctypes, csv, json' 2>/dev/null || missing="$missing python3"
fi
if [ "$1" = targets ]; then
	need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
	need libc6-dev-arm64-cross /usr/aarch64-linux-gnu/include/stdio.h
	need gcc-riscv64-linux-gnu riscv64-linux-gnu-gcc
	need libc6-dev-riscv64-cross /usr/riscv64-linux-gnu/include/stdio.h
	need gcc-arm-linux-gnueabihf arm-linux-gnueabihf-gcc
	need libc6-dev-armhf-cross /usr/arm-linux-gnueabihf/include/stdio.h
	need gcc-s390x-linux-gnu s390x-linux-gnu-gcc
	need libc6-dev-s390x-cross /usr/s390x-linux-gnu/include/stdio.h
	need llvm-19 llvm-objdump-19
	need lld-19 wasm-ld-19
	need wasi-libc /usr/include/wasm32-wasi/stdio.h
	need libclang-rt-19-dev-wasm32 /usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a
	need nodejs node
	need qemu-user qemu-aarch64
	need gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc
	need wine wine
	need clang-19 clang-19
	need python3 python3
fi
if [ "$1" = models ]; then
	need python3 python3
	python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "These packages (Debian's names) are missing:$missing" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	sudo=
elif sudo -n true 2>/dev/null; then
	sudo="sudo -n"
else
	echo "Packages are missing. Install them with:" >&2
	echo "  sudo apt-get install -y$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y -q $missing >/dev/null 2>&1 ||
	{ $sudo apt-get update -q >/dev/null && $sudo apt-get install -y -q $missing >/dev/null; }
