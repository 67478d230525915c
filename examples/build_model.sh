# build_model.sh - read by the examples' run.sh: compiles and builds the small RCMNet once for all of them.
#
# In:  AMPOULE (the compiler; default: build/ampoule), CC (gcc), BUILD (build).
# Out: $model, a folder with librcmnet.a, librcmnet.so, rcmnet.h and the classifier rcmnet;
#      $work, a folder for the example's own files.
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build}
AMPOULE=${AMPOULE:-$build/ampoule}
CC=${CC:-gcc}
model=$build/examples/rcmnet
work=$build/examples/$(basename "$here")
mkdir -p "$work"
small=$root/models/small
if [ ! -e "$model/manifest.json" ] || [ "$AMPOULE" -nt "$model/manifest.json" ]; then
	"$AMPOULE" compile "$small/rcmnet_small.onnx" -o "$model" --name rcmnet --labels "$small/config.json" \
		--preprocess "$small/preprocessor_config.json"
fi
make -s -j2 -C "$model" CC="$CC" rcmnet librcmnet.a librcmnet.so
