#!/bin/sh
# venv.sh FOLDER: a Python environment with what the model checks need, of pinned versions; prints its Python.
# Does nothing where the folder already holds these versions.
set -eu
dir=$1
pins='torch==2.13.0 onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2 numpy==2.4.6 pillow==13.0.0'
if [ "$(cat "$dir/pins" 2>/dev/null)" != "$pins" ]; then
	python3 -m venv "$dir" || { echo "venv.sh: needs python3-venv" >&2; exit 1; }
	"$dir/bin/python" -m pip install --quiet --disable-pip-version-check $pins >&2
	echo "$pins" > "$dir/pins"
fi
echo "$dir/bin/python"
