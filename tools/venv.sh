#!/bin/sh
# venv.sh FOLDER [PIN...]: a Python environment with what the model checks need, of pinned versions; prints its
# Python.  Does nothing where the folder already holds these versions.  PIN...: packages that may be missing (the
# benchmark's peers); one that cannot be had here is said and left out.
set -eu
dir=$1
shift
pins='torch==2.13.0 onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2 numpy==2.4.6 pillow==13.0.0'
if [ "$(cat "$dir/pins" 2>/dev/null)" != "$pins" ]; then
	python3 -m venv "$dir" || { echo "venv.sh: needs python3-venv" >&2; exit 1; }
	"$dir/bin/python" -m pip install --quiet --disable-pip-version-check $pins >&2
	echo "$pins" > "$dir/pins"
fi
# without their dependencies: what they need to run is there already, the rest are viewers and downloaders
for pin in "$@"; do
	grep -qxF "$pin" "$dir/extra" 2>/dev/null && continue
	if "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$pin" >&2; then
		echo "$pin" >> "$dir/extra"
	else
		echo "venv.sh: no $pin for this machine: left out" >&2
	fi
done
echo "$dir/bin/python"
