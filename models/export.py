"""Export a model to ONNX by either of PyTorch's exporters, with test data in ONNX's layout.

    python models/export.py rcmnet --variant a --exporter torchscript --opset 17 -o rcmnet.onnx
    python models/export.py swin_tiny --exporter dynamo --external-data -o swin.onnx --test-data out/
    python models/export.py rcmnet --checkpoint run/model.pt -o trained.onnx

In:  a model's name (rcmnet, or one of zoo/), its parameters; or a checkpoint that train.py wrote.
Out: FILE.onnx (+ FILE.onnx.data), and with --test-data DIR: DIR/model.onnx and
     DIR/test_data_set_0/{input_0,output_0}.pb, the outputs computed by PyTorch.

What the exporters of torch 2.13 do with an opset, tried with these models:
  torchscript  writes 9 to 20 itself, in the dialect of that opset; scaled_dot_product_attention (and
               nn.MultiheadAttention, which calls it) has no form below 14, strided slices none below 10.
  dynamo       (torch.export) builds opset 18 or later by its own.  For an older one it builds 18 and
               asks onnx's version converter, which fails on ReduceMean and others and leaves 18 in
               the file; 13 therefore never works and 17 for few models.  Newest that works: 25.
An opset that cannot be had is an error here, never another opset: the file's is compared with the
one asked for.
"""

import argparse
import contextlib
import json
import logging
import os
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper

import common
import rcmnet
import zoo

NEWEST = {"torchscript": 20, "dynamo": 25}
DEFAULT_OPSET = {"torchscript": 17, "dynamo": 18}


logging.getLogger("torch.onnx").setLevel(logging.ERROR)     # "torchvision is not installed"


class CannotExport(Exception):
    pass


@contextlib.contextmanager
def silence():
    """No progress and no graph dumps: the exporters write them to file descriptors, not to sys."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for copy, number in zip(kept, (1, 2)):
            os.dup2(copy, number)
            os.close(copy)
        os.close(null)


def build(name, seed=1, **options):
    """Seeded model in eval mode and its input size."""
    torch.manual_seed(seed)
    if name == "rcmnet":
        model = rcmnet.RCMNet(**options)
        size = model.size
    elif name in zoo.MODELS:
        if options:
            raise ValueError(f"{name} takes no option {', '.join(options)}")
        model, size = zoo.MODELS[name](), zoo.SIZE
    else:
        raise ValueError(f"no model {name!r}: rcmnet, {', '.join(zoo.MODELS)}")
    return common.settle(model, size, seed), size


def load(path):
    """Checkpoint of train.py or transfer.py -> model in eval mode, its input size, its record."""
    record = torch.load(path, map_location="cpu", weights_only=True)
    model = rcmnet.RCMNet(**record["options"])
    model.load_state_dict(record["state"])
    return model.eval(), model.size, record


def export(model, size, path, exporter="torchscript", opset=None, batch="1", external=False):
    """Writes path; raises CannotExport where the exporter has no form for the opset asked for."""
    opset = opset or DEFAULT_OPSET[exporter]
    # Two pictures while tracing a symbolic batch: torch.export takes a size of 1 for a constant.
    x = torch.zeros(2 if batch == "symbolic" else 1, 3, size, size)
    names = {"input_names": ["image"], "output_names": ["logits"]}
    # The fused inference path of nn.MultiheadAttention is one opaque operator, which neither exporter reads.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), silence():
            if exporter == "torchscript":
                axes = {n: {0: "batch"} for n in ("image", "logits")} if batch == "symbolic" else None
                torch.onnx.export(model, (x,), path, dynamo=False, opset_version=opset,
                                  dynamic_axes=axes, **names)
            else:
                shapes = ({0: torch.export.Dim("batch")},) if batch == "symbolic" else None
                torch.onnx.export(model, (x,), path, dynamo=True, opset_version=opset, verbose=False,
                                  dynamic_shapes=shapes, external_data=external, **names)
    except torch.onnx.errors.OnnxExporterError as problem:
        raise CannotExport(f"{exporter}, opset {opset}: {str(problem).splitlines()[0]}") from problem
    if external and exporter == "torchscript":
        onnx.save_model(onnx.load(path), path, save_as_external_data=True, size_threshold=1024,
                        location=os.path.basename(path) + ".data")
    got = {o.domain: o.version for o in onnx.load(path, load_external_data=False).opset_import}[""]
    if got != opset:
        raise CannotExport(f"{exporter} was asked for opset {opset} and wrote {got}")


def save_tensor(array, name, path):
    with open(path, "wb") as f:
        f.write(numpy_helper.from_array(np.ascontiguousarray(array), name).SerializeToString())


def write_test_data(model, size, folder, batch=1, seed=5, sets=1):
    """test_data_set_i/: the first from drawn cells, the others seeded noise of order 1."""
    for i in range(sets):
        if i == 0:
            x = common.drawn_batch(batch, size, seed)
        else:
            x = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed + i))
        with torch.no_grad():
            y = model(x)
        where = os.path.join(folder, f"test_data_set_{i}")
        os.makedirs(where, exist_ok=True)
        save_tensor(x.numpy(), "image", os.path.join(where, "input_0.pb"))
        save_tensor(y.numpy(), "logits", os.path.join(where, "output_0.pb"))


def write_configs(folder, model, classes):
    """config.json and preprocessor_config.json in Hugging Face's form."""
    config = {
        "architectures": ["RCMNet"], "model_type": "rcmnet", "problem_type": "single_label_classification",
        "num_labels": len(classes), "image_size": model.size, "num_channels": 3,
        "id2label": {str(i): c for i, c in enumerate(classes)},
        "label2id": {c: i for i, c in enumerate(classes)},
    }
    for name, content in (("config.json", config),
                          ("preprocessor_config.json", common.preprocessor(model.size))):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(content, f, indent=2)
            f.write("\n")


def width(text):
    parts = [int(p) for p in text.split(",")]
    if len(parts) not in (1, 4):
        raise argparse.ArgumentTypeError("one width, or four: 16,32,64,96")
    return parts[0] if len(parts) == 1 else parts


def add_rcmnet_options(parser):
    """RCMNet's own parameters; an option that is not given keeps the definition's default."""
    group = parser.add_argument_group("RCMNet")
    group.add_argument("--variant", choices="ab")
    group.add_argument("--classes", type=int)
    group.add_argument("--size", type=int, help="side of the input picture, a multiple of 32")
    group.add_argument("--width", type=width, help="channels of stage 1, or of all four: 16,32,64,96")
    group.add_argument("--heads", type=int)
    group.add_argument("--reduction", type=int, help="of CBAM's MLP")
    group.add_argument("--attention", choices=rcmnet.ATTENTION)
    group.add_argument("--cbam-mlp", choices=rcmnet.CBAM_MLP)
    group.add_argument("--position", choices=rcmnet.POSITION)


def rcmnet_options(args):
    names = ("variant", "classes", "size", "width", "heads", "reduction", "attention", "cbam_mlp",
             "position")
    return {n: getattr(args, n) for n in names if getattr(args, n) is not None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="rcmnet, " + ", ".join(zoo.MODELS))
    parser.add_argument("-o", "--output", help="the .onnx file (default NAME.onnx)")
    parser.add_argument("--checkpoint", help="a trained RCMNet of train.py or transfer.py")
    parser.add_argument("--exporter", choices=("torchscript", "dynamo"), default="torchscript")
    parser.add_argument("--opset", help="a number, or newest")
    parser.add_argument("--batch", choices=("1", "symbolic"), default="1")
    parser.add_argument("--external-data", action="store_true", help="weights beside the file")
    parser.add_argument("--test-data", metavar="DIR", help="write DIR/model.onnx and its test data")
    parser.add_argument("--configs", metavar="DIR", help="with --checkpoint: write config.json, "
                        "preprocessor_config.json")
    parser.add_argument("--seed", type=int, default=1)
    add_rcmnet_options(parser)
    args = parser.parse_args()
    torch.set_num_threads(1)
    opset = NEWEST[args.exporter] if args.opset == "newest" else args.opset and int(args.opset)
    try:
        if args.checkpoint:
            model, size, record = load(args.checkpoint)
            if args.configs:
                write_configs(args.configs, model, record["classes"])
        else:
            model, size = build(args.name, args.seed, **rcmnet_options(args))
        path = args.output or args.name + ".onnx"
        if args.test_data:
            os.makedirs(args.test_data, exist_ok=True)
            path = args.output or os.path.join(args.test_data, "model.onnx")
            write_test_data(model, size, args.test_data, seed=args.seed + 4)
        export(model, size, path, args.exporter, opset, args.batch, args.external_data)
    except (ValueError, CannotExport) as problem:
        sys.exit(f"export.py: {problem}")
    onnx.checker.check_model(path)
    print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
