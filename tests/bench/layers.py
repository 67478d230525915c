"""make bench-layers, make bench-price: where the time of a model goes, step by step and kernel by kernel.

    python tests/bench/layers.py --ampoule build/ampoule --build build/bench --model rcmnet_a [--runs 30]
        [--threads 1] [--isa avx2] [--price]

In:  models' names, with commas between, or paths of .onnx files.
Out: a line a step: ms, share of the whole, GFLOP/s and share of the FMA peak by the node's own operations, GB/s of
     its operands; then sums by kernel.  --price: no line a step, but what the numeric contract costs each kernel.

How: the emitted model tells a watch of its steps (ampoule_rt.h); tests/bench/steps.c reads a clock there.  For the price
the same files are built once more as the contract forbids: -Ofast, which lets the compiler reorder sums, use estimates
for divisions and roots and drop the cases of NaN and of zeros' signs; without fma in hardware (--isa sse2, avx) a product
and a sum are two roundings in place of the contract's one, in tiles that fit the registers; the two programs take turns.
(Where a kernel is written in vectors, and order costs nothing by design, the two are the same code.)
"""

import argparse
import collections
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))


def quiet(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit("layers.py: %s failed:\n%s%s" % (" ".join(command), done.stdout[-2000:], done.stderr[-2000:]))
    return done.stdout


# what the contract asks for and the free build leaves out: file, pattern, replacement
FREE = [
    ("Makefile", r"-ffp-contract=off", "-Ofast -ffp-contract=fast"),
    ("simd/guard.h", r"(?m)^#\s*error.*$", ""),
    ("simd/scalar.h", r"return s_fma_soft\(a, b, c\)", "return a * b + c"),
    ("simd/sse2.h", r"(static inline vf v_fma\(vf a, vf b, vf c\)\s*\{)", r"\1 return v_add(v_mul(a, b), c);"),
    ("kernels/tile.h", r"(?s)#define AMP_TILE_T 4(\s*#define AMP_TILE_V 1\s*)#define AMP_TILE_SOFT", r"#define AMP_TILE_T 2\1"),
]


def build(args, path, folder, free):
    more = ["--threads", str(args.threads)] if args.threads > 1 else []
    quiet([args.ampoule, "compile", path, "-o", folder, "--name", "net", "--library", *more])
    if free:
        for name, pattern, replacement in FREE:
            file = os.path.join(folder, name)
            if name.endswith(".h") and not os.path.exists(file):
                continue                                    # this target or model has none
            with open(file) as f:
                text, count = re.subn(pattern, replacement, f.read())
            if not count:
                sys.exit("layers.py: the emitted %s looks different now" % name)
            with open(file, "w") as f:
                f.write(text)
    quiet(["make", "-s", "-j2", "-C", folder, "CC=" + args.cc])
    program = os.path.join(folder, "steps")
    quiet([args.cc, "-O2", "-pthread", "-I" + folder, "-o", program, os.path.join(HERE, "steps.c"),
           os.path.join(folder, "libnet.a")])
    return [program, str(args.runs), str(args.threads), *([args.isa] if args.isa else [])]


class Step:
    def __init__(self, line):
        head, self.name = line.split("|", 1)
        words = head.split(" ", 6)
        self.op, self.how, self.parts = words[1], words[2], int(words[3])
        self.macs, self.bytes, self.shape = int(words[4]), int(words[5]), words[6]
        self.times = []


def told(program, into):
    """One round of runs: the steps, their times added to `into`."""
    lines = quiet(program).splitlines()
    runs = int(program[1])
    if not into:
        into.extend(Step(line) for line in lines[:len(lines) - runs])
    for line in lines[-runs:]:
        for step, ns in zip(into, line.split(), strict=True):
            step.times.append(int(ns) / 1e6)


def model_path(args, name):
    if name.endswith(".onnx"):
        return name
    import export
    from bench import build_model
    model, size = build_model(name)
    path = os.path.join(args.build, name + ".onnx")
    export.export(model, size, path, "torchscript")
    return path


def layers(steps, peak):
    whole = sum(statistics.median(s.times) for s in steps)
    print(f"{'step':>4} {'ms':>9} {'share':>6} {'GFLOP/s':>8} {'peak':>5} {'GB/s':>6}  node, kernel, threads, output")
    for i, s in enumerate(steps):
        ms = statistics.median(s.times)
        rate = 2e-6 * s.macs / ms if ms else 0
        speed = f"{rate:8.1f} {100 * rate / peak:4.0f}%" if s.macs else " " * 14
        print(f"{i:4} {ms:9.4f} {100 * ms / whole:5.1f}% {speed} {1e-6 * s.bytes / ms if ms else 0:6.1f}  "
              f"{s.op} {s.name} ({s.how}, {s.parts}) {s.shape}")


def sums(steps, free, peak):
    kinds = collections.defaultdict(lambda: [0, 0, 0])
    for s in steps:
        k = kinds[s.how]
        k[0] += 1
        k[1] += statistics.median(s.times)
        k[2] += s.macs
    whole = sum(k[1] for k in kinds.values())
    print(f"\n{'':4} {'ms':>9} {'share':>6} {'GFLOP/s':>8} {'peak':>5} {'steps':>6}"
          f"{'  contract / -Ofast' if free else ''}  kernel")
    for how, (n, ms, macs) in sorted(kinds.items(), key=lambda k: -k[1][1]):
        rate = 2e-6 * macs / ms if ms else 0
        speed = f"{rate:8.1f} {100 * rate / peak:4.0f}%" if macs else " " * 14
        price = ""
        if free:
            ours = sum(min(s.times) for s in steps if s.how == how)
            theirs = sum(min(f.times) for f in free if f.how == how)
            price = f"  {ours / theirs if theirs else 0:17.3f}"
        print(f"{'':4} {ms:9.3f} {100 * ms / whole:5.1f}% {speed} {n:6}{price}  {how}")
    price = ""
    if free:
        price = f"  {sum(min(s.times) for s in steps) / sum(min(f.times) for f in free):17.3f}"
    print(f"{'':4} {whole:9.3f} {'':6} {2e-6 * sum(s.macs for s in steps) / whole:8.1f} {'':5} {len(steps):6}{price}  "
          f"all, sum of medians of {len(steps[0].times)} runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ampoule", required=True)
    parser.add_argument("--build", required=True, metavar="DIR")
    parser.add_argument("--model", required=True)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--isa", default="")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--price", action="store_true")
    args = parser.parse_args()
    os.environ.pop("MAKEFLAGS", None)   # variables given to make are not for the emitted Makefile
    os.makedirs(args.build, exist_ok=True)
    peak_program = os.path.join(args.build, "peak")
    quiet([args.cc, "-O2", "-march=native", "-ffp-contract=fast", "-o", peak_program, os.path.join(HERE, "peak.c")])
    for name in args.model.split(","):
        path = model_path(args, name)
        base = os.path.join(args.build, "layers_" + os.path.splitext(os.path.basename(path))[0])
        programs = [build(args, path, base, False)] + ([build(args, path, base + "_free", True)] if args.price else [])
        peak = args.threads * float(quiet([peak_program]))
        kept = [[] for _ in programs]
        for _ in range(3 if args.price else 1):
            for program, steps in zip(programs, kept, strict=True):
                told(program, steps)
        print(f"\n{name}: {args.threads} thread{'s' * (args.threads > 1)}, FMA peak {peak:.0f} GFLOP/s; operations as the "
              "nodes state them")
        if not args.price:
            layers(kept[0], peak)
        sums(kept[0], kept[1] if args.price else None, peak)


if __name__ == "__main__":
    main()
