"""make bench-kernels: each kernel alone against the peers, on layers of the networks that `make bench` races.

    python tests/bench/kernels.py --ampoule build/ampoule --build build/bench [--only conv3x3_64_56,softmax]
        [--peers onnxruntime,openvino,ncnn,torch.compile] [--threads 1] [--runs 30]

In:  the layers below, the compiler, the peers that are installed.
Out: a line a layer: median ms of one layer, the ratio to ONNX Runtime, GFLOP/s and share of the FMA peak (where the layer
     multiplies), and each peer's ms; BUILD/kernels.json.  Exit code 1 when Ampoule fails on a layer or answers wrong.

How: a model is `count` such layers one after the other, so that what happens at its borders (conversions of layout, copies
of the input and the output) weighs little; the time is divided by `count`.  Weights are the layers' own, so those
that exceed the caches come from memory, as in a network.  The race is bench.py's: the same answers within 1e-4 of PyTorch
in float64, then turn by turn, medians.
"""

import argparse
import json
import os
import shutil
import statistics
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import bench
import export
import flops


class Each(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def conv(cin, cout, kernel, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups), nn.ReLU())


def attention(x):
    return functional.scaled_dot_product_attention(x, x, x)


# name -> (input, what makes a layer, how many of them)
LAYERS = {
    "conv3x3_64_56": ((1, 64, 56, 56), lambda: conv(64, 64, 3), 8),
    "conv3x3_128_28": ((1, 128, 28, 28), lambda: conv(128, 128, 3), 8),
    "conv3x3_256_14": ((1, 256, 14, 14), lambda: conv(256, 256, 3), 8),
    "conv3x3_512_7": ((1, 512, 7, 7), lambda: conv(512, 512, 3), 8),
    "conv3x3_64_224": ((1, 64, 224, 224), lambda: conv(64, 64, 3), 3),
    "conv3x3_stride2_64_56": ((1, 64, 56, 56), lambda: conv(64, 128, 3, 2), 1),
    "conv7x7_stride2_3_224": ((1, 3, 224, 224), lambda: conv(3, 64, 7, 2), 1),
    "conv1x1_256_64_56": ((1, 256, 56, 56), lambda: nn.Sequential(conv(256, 64, 1), conv(64, 256, 1)), 4),
    "conv1x1_1024_256_14": ((1, 1024, 14, 14), lambda: nn.Sequential(conv(1024, 256, 1), conv(256, 1024, 1)), 4),
    "conv1x1_24_144_56": ((1, 24, 56, 56), lambda: nn.Sequential(conv(24, 144, 1), conv(144, 24, 1)), 4),
    "depthwise3x3_96_112": ((1, 96, 112, 112), lambda: conv(96, 96, 3, 1, 96), 8),
    "depthwise5x5_240_28": ((1, 240, 28, 28), lambda: conv(240, 240, 5, 1, 240), 8),
    "grouped3x3_128_28": ((1, 128, 28, 28), lambda: conv(128, 128, 3, 1, 4), 8),
    "transposed2x2_64_56": ((1, 64, 56, 56), lambda: nn.ConvTranspose2d(64, 64, 2, 2), 1),
    "matmul_197_192_768": ((1, 197, 192), lambda: nn.Sequential(nn.Linear(192, 768), nn.Linear(768, 192)), 4),
    "matmul_1_4096": ((1, 4096), lambda: nn.Linear(4096, 4096), 2),
    "attention_3_197_64": ((1, 3, 197, 64), lambda: Each(attention), 4),
    "softmax_3_197_197": ((1, 3, 197, 197), lambda: Each(lambda x: functional.softmax(x * 4, -1)), 8),
    "layernorm_3136_96": ((1, 3136, 96), lambda: nn.LayerNorm(96), 8),
    "conv_instancenorm_32_112": ((1, 32, 112, 112),
                                 lambda: nn.Sequential(conv(32, 32, 1), nn.InstanceNorm2d(32, affine=True)), 8),
    "conv_groupnorm_32_112": ((1, 32, 112, 112), lambda: nn.Sequential(conv(32, 32, 1), nn.GroupNorm(8, 32)), 8),
    "gelu_197_768": ((1, 197, 768), lambda: nn.GELU(), 4),
    "silu_96_112": ((1, 96, 112, 112), lambda: nn.SiLU(), 4),
    "maxpool3x3_64_112": ((1, 64, 112, 112), lambda: nn.MaxPool2d(3, 1, 1), 4),
    "resize_64_28": ((1, 64, 28, 28), lambda: nn.Upsample(scale_factor=2, mode="bilinear"), 2),
}


def write(folder, name):
    """The model of one line of LAYERS, its input and what PyTorch answers in float64."""
    shape, make, count = LAYERS[name]
    torch.manual_seed(1)
    model = nn.Sequential(*[make() for _ in range(count)]).eval()
    x = torch.randn(shape, generator=torch.Generator().manual_seed(5))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "model.onnx")
    with torch.no_grad(), export.silence():
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"])
        torch.export.save(torch.export.export(model, (x,)), os.path.join(folder, "model.pt2"))
        np.save(os.path.join(folder, "truth.npy"), model.double()(x.double()).numpy())
    x.numpy().tofile(os.path.join(folder, "input.f32"))
    return path


def measure(args, name, peak):
    folder = os.path.join(args.build, "kernel_" + name)
    path, (shape, _, count) = write(folder, name), LAYERS[name]
    flop = flops.count(path)
    truth, ours = np.load(os.path.join(folder, "truth.npy")), bench.Ours("default")
    bench.progress(f"{name}: the compiler")
    bench.emit(args, path, ours.folder(folder, args.threads), ours, args.threads, 1, library=True)
    rows, entered = {}, []
    for who in [ours, *args.peers]:
        label = getattr(who, "name", who)
        bench.progress(f"{name}: {label}")
        try:
            c = bench.enter(args, folder, shape, args.threads, who)
        except bench.Failed as problem:
            rows[label] = {"absent": str(problem)}
            continue
        error = bench.apart(c.output, truth)
        rows[label] = {"error": error}
        if error <= bench.TOLERANCE:
            entered.append(c)
        else:
            rows[label]["wrong"] = True
            c.stop()
    bench.progress(f"{name}: the race")
    bench.race(entered, args.runs, 5, args.threads)
    for c in entered:
        c.stop()
        rows[c.name].update(median_ms=statistics.median(c.times) / count, min_ms=min(c.times) / count)
    bench.progress("")
    shutil.rmtree(folder)
    return {"layer": name, "input": shape, "count": count, "flop": flop / count, "peak_gflops": peak(), "rows": rows}


def show(record, peers, threads):
    rows, mine = record["rows"], record["rows"]["ampoule"].get("median_ms")
    base = rows.get("onnxruntime", {}).get("median_ms")
    rate = record["flop"] / mine / 1e6 if mine else 0
    share = 100 * rate / record["peak_gflops"] / threads
    words = [f"{mine:9.4f}" if mine else f"{'WRONG':>9}", f"{mine / base:6.2f}" if mine and base else f"{'-':>6}",
             f"{rate:8.1f} {share:5.0f}%" if rate else " " * 15]
    for peer in peers:
        ms = rows[peer].get("median_ms")
        words.append(f"{ms:13.4f}" if ms else f"{'wrong' if rows[peer].get('wrong') else 'not there':>13}")
    print(f"{record['layer']:26}", *words, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ampoule", required=True)
    parser.add_argument("--build", required=True, metavar="DIR")
    parser.add_argument("--only", default="", help="layers, with commas: " + ", ".join(LAYERS))
    parser.add_argument("--peers", default="onnxruntime,openvino,ncnn,torch.compile")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--cc", default="gcc")
    args = parser.parse_args()
    os.environ.pop("MAKEFLAGS", None)
    names = [n for n in args.only.split(",") if n] or list(LAYERS)
    args.peers = [p for p in args.peers.split(",") if p]
    for wrong in [n for n in names if n not in LAYERS] + [p for p in args.peers if p not in bench.MODULE]:
        sys.exit(f"kernels.py: there is no {wrong}; layers: {', '.join(LAYERS)}; peers: {', '.join(bench.MODULE)}")
    torch.set_num_threads(1)
    os.makedirs(args.build, exist_ok=True)
    peak = bench.make_peak(args.build, args.cc)
    report = {"machine": bench.machine(args), "runs": args.runs, "threads": args.threads, "layers": []}
    print(f"{report['machine']['cpu']}; {report['machine']['cc']}; {args.threads} thread{'s' * (args.threads > 1)}; "
          f"milliseconds of one layer, medians of {args.runs}")
    print(f"{'':26} {'ampoule':>9} {'/ ORT':>6} {'GFLOP/s':>8} {'peak':>6}", *[f"{p:>13}" for p in args.peers])
    failed = []
    for name in names:
        report["layers"].append(measure(args, name, peak))
        show(report["layers"][-1], args.peers, args.threads)
        if "median_ms" not in report["layers"][-1]["rows"]["ampoule"]:
            failed.append(name)
        with open(os.path.join(args.build, "kernels.json"), "w") as f:
            json.dump(report, f, indent=1)
            f.write("\n")
    if failed:
        sys.exit("kernels.py: Ampoule failed or answered wrong on " + ", ".join(failed))


if __name__ == "__main__":
    main()
