#!/bin/sh
# Builds cells.cpp with the compiled model and runs it.  CXX: the C++ compiler (g++).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../build_model.sh"
"${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra -Werror -I"$model" "$here/cells.cpp" "$model/librcmnet.a" -pthread \
	-o "$work/cells"
"$work/cells"
