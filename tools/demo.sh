#!/bin/sh
# demo.sh AMPOULE FOLDER: the main job, once: ONNX in, static classifier out, pictures named.
set -eu
ampoule=$1 out=$2
m=models/small
mkdir -p "$(dirname "$out")"
echo "\$ ampoule compile $m/rcmnet_small.onnx -o $out --labels $m/config.json --preprocess $m/preprocessor_config.json"
"$ampoule" compile $m/rcmnet_small.onnx -o "$out" --name rcmnet --labels $m/config.json \
	--preprocess $m/preprocessor_config.json
echo "\$ make -C $out"
MAKEFLAGS= make -s -j2 -C "$out"
echo "\$ $out/rcmnet examples/pictures"
"$out/rcmnet" --top 2 --time examples/pictures
echo
echo "binary: $(wc -c < "$out/rcmnet") bytes, static; RAM for the network: $(sed -n \
	's/^#define RCMNET_ARENA_BYTES \([0-9]*\).*/\1/p' "$out/rcmnet.h") bytes"
