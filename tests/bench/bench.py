"""make bench: Ampoule and its peers on the same models, one run, one machine.

    python tests/bench/bench.py --ampoule build/ampoule --build build/bench [--only rcmnet_a,resnet18]
        [--ours default,direct,default/avx2] [--runs 30] [--threads 1,2]
        [--peers onnxruntime,openvino,ncnn,torch.compile] [--quick]

In:  the definitions in models/, the compiler, the peers that are installed.
Out: a table on stdout (docs/benchmarks.md says what each column means), BUILD/bench.json, BUILD/bench.svg.
     Exit code 1 when Ampoule fails on a model or answers wrong; a peer that does is only printed so.

How: each model is exported, and compiled to C and built as its emitted Makefile says, once for each of OURS: a
numeric plan, and behind a stroke an instruction set.  Each contestant
is a process of its own (runner.c, peer.py) that stands loaded; its first output must agree with
PyTorch's in float64 or it is not raced.  The race then goes round: at its turn a contestant runs once
untimed, so that its weights are back in the caches, and once timed; the order of each round is drawn.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))
sys.path.insert(0, HERE)

import chart                                                               # noqa: E402
import common                                                              # noqa: E402
import export                                                              # noqa: E402
import flops                                                               # noqa: E402
import zoo                                                                 # noqa: E402

DEFAULT = ["rcmnet_a", "rcmnet_b", "resnet18", "resnet50", "vgg16", "densenet121", "efficientnet_b0", "mobilenetv2",
           "swin_tiny", "vit_tiny"]
GROWTH = [("size", (96, 160, 224, 320, 512)), ("width", (16, 32, 64, 96)), ("batch", (1, 2, 4, 8))]
TOLERANCE = 1e-4
C_FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
MODULE = {"onnxruntime": "onnxruntime", "openvino": "openvino", "ncnn": "ncnn", "torch.compile": "torch"}


class Failed(Exception):
    pass


def parse(name):
    """rcmnet_a@size=96@batch=4 -> its base, the options of its definition, the batch."""
    base, *words = name.split("@")
    options = {key: int(value) for key, _, value in (word.partition("=") for word in words)}
    return base, options, options.pop("batch", 1)


def build_model(name):
    base, options, _ = parse(name)
    if base.startswith("rcmnet_"):
        return export.build("rcmnet", variant=base[-1], **options)
    return export.build(base, **options)


def run_quiet(command, what):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(f"{what}: {words[-1][:150] if words else f'exit {done.returncode}'}")
    return done.stdout


def make_peak(build, cc):
    path = os.path.join(build, "peak")
    run_quiet([cc, *C_FLAGS, "-march=native", "-ffp-contract=fast", "-o", path, os.path.join(HERE, "peak.c")],
              "peak.c")
    seen = []

    def measure_peak():
        """The most seen in this run: a share of the peak is never flattered by a neighbour that took the core."""
        seen.append(float(run_quiet([path], "peak")))
        return max(seen)
    return measure_peak


class Contestant:
    """A process that stands loaded and runs when it is told to."""

    def __init__(self, name, command, output):
        self.name, self.times = name, []
        if os.path.exists(output):
            os.remove(output)
        self.log = open(output + ".log", "w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        bufsize=0)
        self.first_ns, self.before_kb, self.peak_kb = self.numbers()
        self.output = np.fromfile(output, np.float32)

    def numbers(self):
        line = self.process.stdout.readline().split()
        if not line:
            self.process.wait()
            self.log.seek(0)
            words = self.log.read().strip().splitlines()
            raise Failed(words[-1][:150] if words else f"exit {self.process.returncode}")
        return [int(n) for n in line]

    def run(self):
        self.process.stdin.write(b"r")
        return self.numbers()[0]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


class Ours:
    """One of --ours: "default", "direct", "speed/avx2": a numeric plan and, if not the CPU's best, a variant."""

    def __init__(self, text):
        self.plan, _, self.isa = text.partition("/")
        words = [w for w in (self.plan.replace("default", ""), self.isa) if w]
        self.name = " ".join(["ampoule", *words])

    def folder(self, folder, threads):
        return os.path.join(folder, f"{self.plan}-{threads}")


def emit(args, path, folder, ours, threads, batch, library):
    """model.onnx -> a folder of C, built; returns seconds for each."""
    shutil.rmtree(folder, ignore_errors=True)
    more = [] if ours.plan == "default" else ["--plan", ours.plan]
    more += ["--dim", f"batch={batch}"] if batch > 1 else []
    more += ["--threads", str(threads)] if threads > 1 else []
    more += ["--library"] if library else []
    start = time.time()
    run_quiet([args.ampoule, "compile", path, "-o", folder, "--name", "net", *more],
              "ampoule compile")
    middle = time.time()
    run_quiet(["make", "-s", "-j2", "-C", folder, "CC=" + args.cc], "the C compiler")
    seconds = middle - start, time.time() - middle
    run_quiet([args.cc, *C_FLAGS, "-pthread", "-I" + folder, "-o", os.path.join(folder, "runner"),
               os.path.join(HERE, "runner.c"), os.path.join(folder, "libnet.a")], "runner.c")
    return seconds


def code_bytes(folder):
    """.text and .rodata of the model and its kernels, all variants together, without the weights."""
    total = 0
    for f in os.listdir(folder):
        if f.startswith("net") and f.endswith(".o") and f not in ("net_weights.o", "net_app.o"):
            for line in run_quiet(["objdump", "-h", "-w", os.path.join(folder, f)], "objdump").splitlines():
                words = line.split()
                if len(words) > 2 and words[1].startswith((".text", ".rodata")):
                    total += int(words[2], 16)
    return total


def our_first_answer(folder, given, batch, count, *more):
    """Milliseconds from the classifier's start to its exit, preparation and every check included."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run_quiet([os.path.join(folder, "net"), "--raw", *more, *[given] * batch], "the classifier")
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def tree_bytes(folder, endings):
    return sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(folder) for f in files
               if not os.path.islink(os.path.join(at, f)) and any(e in f for e in endings))


def program_bytes(folder):
    """The stripped classifier: all that must lie on the disk to run."""
    program = os.path.join(folder, "net.stripped")
    run_quiet(["strip", "-o", program, os.path.join(folder, "net")], "strip")
    return os.path.getsize(program)


def disk_bytes(name, folder):
    """What must lie on the disk to run a peer: shared libraries and model."""
    files = ["model.ncnn.param", "model.ncnn.bin"] if name == "ncnn" else ["model.onnx"]
    model = sum(os.path.getsize(os.path.join(folder, f)) for f in files)
    where = os.path.dirname(importlib.util.find_spec(MODULE[name]).origin)
    if name == "onnxruntime":
        return model + tree_bytes(os.path.join(where, "capi"), [".so"])
    if name == "ncnn":
        return model + tree_bytes(where, [".so"]) + tree_bytes(where + ".libs", [".so"])
    if name == "torch.compile":
        return model + tree_bytes(os.path.join(where, "lib"), [".so"])
    # OpenVINO carries every front end and device; only what the CPU needs for ONNX counts
    libs = os.path.join(where, "libs")
    parts = ("libopenvino.so", "libopenvino_intel_cpu", "libopenvino_onnx", "libtbb.so", "libtbb12", "libtbbmalloc")
    wanted = [f for f in os.listdir(libs) if f.startswith(parts)]
    return model + sum(os.path.getsize(os.path.join(libs, f)) for f in wanted)


def convert_ncnn(folder, shape):
    tool = os.path.join(os.path.dirname(sys.executable), "pnnx")
    if not os.path.exists(tool):
        raise Failed("pnnx is not installed")
    if os.path.exists(os.path.join(folder, "model.ncnn.bin")):
        return
    sizes = ",".join(map(str, shape))
    subprocess.run([tool, "model.onnx", f"inputshape=[{sizes}]", "fp16=0"], cwd=folder, capture_output=True)
    if not os.path.exists(os.path.join(folder, "model.ncnn.bin")):
        raise Failed("pnnx cannot convert it")


def enter(args, folder, shape, threads, who):
    """A fresh Contestant for one of --ours or a peer's name; Failed says why there is none."""
    given = os.path.join(folder, "input.f32")
    if isinstance(who, Ours):
        output = os.path.join(folder, who.name.replace(" ", "-") + ".f32")
        command = [os.path.join(who.folder(folder, threads), "runner"), given, output, *([who.isa] if who.isa else [])]
        return Contestant(who.name, command, output)
    if importlib.util.find_spec(MODULE[who]) is None:
        raise Failed("not there: not installed")
    if who == "ncnn":
        convert_ncnn(folder, shape)
    path, sizes = os.path.join(folder, "model.onnx"), ",".join(map(str, shape))
    output = os.path.join(folder, who + ".f32")
    return Contestant(who, [sys.executable, os.path.join(HERE, "peer.py"), who, path, given, sizes, output,
                            str(threads)], output)


def apart(a, b):
    if a.size != b.size:
        return float("inf")
    worst = np.abs(a.astype(np.float64).ravel() - b.ravel()).max() / np.abs(b).max()
    return float(worst) if np.isfinite(worst) else float("inf")


def race(entered, runs, warm, threads):
    order = random.Random(1)
    for i in range(warm + runs):
        for c in order.sample(entered, len(entered)):   # whom one comes after must not be the same each time
            if threads > 1:
                time.sleep(0.02)        # the one before leaves threads that spin for a while
            c.run()
            ns = c.run()
            if i >= warm:
                c.times.append(ns / 1e6)


def build_ours(args, path, folder, ours, threads, batch, said):
    """Builds one plan for so many threads; what is said of it besides its race: of the first build, a classifier."""
    to = ours.folder(folder, threads)
    seconds = emit(args, path, to, ours, threads, batch, library=said is not None)
    if said is not None:
        return said
    given = os.path.join(folder, "input.npy")
    with open(os.path.join(to, "manifest.json")) as f:
        memory = json.load(f)["memory"]
    return {"compile_s": seconds[0], "cc_s": seconds[1], "code_bytes": code_bytes(to),
            "weights_bytes": memory["weights_bytes"], "prepared_bytes": memory["prepared_bytes"],
            "arena_bytes": memory["arena_bytes"], "disk_mb": program_bytes(to) / 1e6,
            "first_ms_embedded": our_first_answer(to, given, batch, args.starts),
            "first_ms": our_first_answer(to, given, batch, args.starts, "--weights", os.path.join(to, "net.weights"))}


def stamp():
    """What the exports depend on: the definitions' text and the packages' versions."""
    digest = hashlib.sha256()
    models = os.path.join(HERE, "..", "..", "models")
    for f in sorted(os.listdir(models)):
        if f.endswith(".py"):
            with open(os.path.join(models, f), "rb") as text:
                digest.update(text.read())
    return digest.hexdigest() + " ".join(f"{p} {v}" for p, v in versions().items())


def prepare(args, name):
    """Exports a model, and what is compared with: BUILD/NAME, made once if --keep."""
    folder = os.path.join(args.build, name)
    os.makedirs(folder, exist_ok=True)
    made, path, batch = os.path.join(folder, "made.json"), os.path.join(folder, "model.onnx"), parse(name)[2]
    if args.keep and os.path.exists(made):
        with open(made) as f:
            record = json.load(f)
        if record.pop("stamp") == stamp():
            return record
    shutil.rmtree(folder)
    os.makedirs(folder)
    model, size = build_model(name)
    export.export(model, size, path, "torchscript")
    flop = batch * flops.count(path)
    if batch > 1:
        export.export(model, size, path, "torchscript", batch="symbolic")
    x = common.drawn_batch(batch, size, 5)
    x.numpy().tofile(os.path.join(folder, "input.f32"))
    # the classifier of a batch takes one file a picture
    np.save(os.path.join(folder, "input.npy"), x.numpy() if batch == 1 else x.numpy()[0])
    with torch.no_grad():
        np.save(os.path.join(folder, "truth.npy"), model.double()(x.double()).numpy())
    torch.export.save(torch.export.export(model.float(), (x,)), os.path.join(folder, "model.pt2"))
    record = {"model": name, "input": list(x.shape), "flop": flop}
    with open(made, "w") as f:
        json.dump({**record, "stamp": stamp()}, f)
    return record


def first_answers(c, output, starts):
    """The median of so many starts; of a peer that takes long to start (torch.compile), the one that was made."""
    times = [c.first_ns / 1e6]
    while len(times) < starts and times[0] < 5000:
        fresh = Contestant(c.name, c.process.args, output)
        times.append(fresh.first_ns / 1e6)
        fresh.stop()
    return statistics.median(times)


def measure(args, name, peak):
    """One model: everything the table and bench.json say about it."""
    folder = os.path.join(args.build, name)
    path, batch = os.path.join(folder, "model.onnx"), parse(name)[2]
    record = {**prepare(args, name), "races": []}
    shape, truth = record["input"], np.load(os.path.join(folder, "truth.npy"))
    said = {}       # of each plan
    for threads in args.threads:
        rows, entered, built = [], [], set()
        for who in [*args.ours, *args.peers]:
            row = {"name": who.name if isinstance(who, Ours) else who, "ours": isinstance(who, Ours)}
            rows.append(row)
            progress(f"{name}: {row['name']}, {threads} thread{'s' * (threads > 1)}")
            try:
                if isinstance(who, Ours):
                    if who.plan not in built:
                        said[who.plan] = build_ours(args, path, folder, who, threads, batch, said.get(who.plan))
                        built.add(who.plan)
                    row.update(said[who.plan])
                c = enter(args, folder, shape, threads, who)
            except Failed as problem:
                row["absent"] = str(problem)
                continue
            row["error"] = apart(c.output, truth)
            row["prepare_first_ms" if isinstance(who, Ours) else "first_ms"] = c.first_ns / 1e6
            row.update(before_mb=c.before_kb / 1024, peak_mb=c.peak_kb / 1024)
            if not isinstance(who, Ours):
                row["disk_mb"] = disk_bytes(who, folder) / 1e6
            if row["error"] <= TOLERANCE:
                entered.append(c)
            else:
                row["wrong"] = True
                c.stop()
        progress(f"{name}: the race, {threads} thread{'s' * (threads > 1)}")
        peak()
        race(entered, args.runs, args.warm, threads)
        record["peak_gflops"] = peak()
        for c in entered:
            c.stop()
            row = next(r for r in rows if r["name"] == c.name)
            row.update(median_ms=statistics.median(c.times), min_ms=min(c.times), times_ms=c.times)
        for c in entered:
            row = next(r for r in rows if r["name"] == c.name)
            if not row["ours"]:
                progress(f"{name}: {c.name} starts, {threads} thread{'s' * (threads > 1)}")
                row["first_ms"] = first_answers(c, os.path.join(folder, c.name + ".f32"), args.starts)
        record["races"].append({"threads": threads, "rows": rows})
    progress("")
    for built in os.listdir(folder) if args.keep else []:
        if os.path.isdir(os.path.join(folder, built)):
            shutil.rmtree(os.path.join(folder, built))       # ours are built anew each time, and large
    if not args.keep:
        shutil.rmtree(folder)
    return record


def progress(words):
    """What is being done now, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{words:78}\r", end="", file=sys.stderr, flush=True)


HEAD = (f"{'':16} {'median ms':>9} {'min':>8} {'/ ORT':>6} {'GFLOP/s':>8} {'of peak':>7} {'error':>8} {'first ms':>8} "
        f"{'RSS MB':>7} {'(start)':>7} {'disk MB':>7}")


def show(record):
    print(f"\n{record['model']}  {record['flop'] / 1e9:.2f} GFLOP, FMA peak {record['peak_gflops']:.0f} GFLOP/s a core")
    for r in record["races"]:
        base = next((row.get("median_ms") for row in r["rows"] if row["name"] == "onnxruntime"), None)
        print(f"{r['threads']} thread{'s' * (r['threads'] > 1)}" + HEAD[len("1 thread") + (r["threads"] > 1):])
        for row in r["rows"]:
            if "absent" in row:
                print(f"  {row['name']:14} {row['absent']}")
                continue
            if "median_ms" in row:
                ms = row["median_ms"]
                rate = record["flop"] / ms / 1e6
                part = (f"{ms:9.2f} {row['min_ms']:8.2f} {f'{ms / base:.2f}' if base else '-':>6} {rate:8.1f} "
                        f"{100 * rate / record['peak_gflops'] / r['threads']:6.0f}%")
            else:
                part = f"{'WRONG OUTPUT, not raced':>42}"
            print(f"  {row['name']:14} {part} {row['error']:8.1e} {row['first_ms']:8.1f} {row['peak_mb']:7.1f} "
                  f"{row['before_mb']:7.1f} {row['disk_mb']:7.1f}")
        ours = next((row for row in r["rows"] if row["ours"] and "first_ms_embedded" in row), None)
        if ours:
            print(f"  {ours['name']}, weights embedded: first answer {ours['first_ms_embedded']:.1f} ms; weights "
                  f"{ours['weights_bytes'] / 1e6:.1f} MB, prepared {ours['prepared_bytes'] / 1e6:.1f}, arena "
                  f"{ours['arena_bytes'] / 1e6:.1f}; code {ours['code_bytes'] / 1e3:.0f} KB; compile "
                  f"{ours['compile_s']:.1f} s, C compiler {ours['cc_s']:.1f} s")
    sys.stdout.flush()


def show_growth(models):
    """Time and memory as one size grows: a line a model, for the first number of threads."""
    print(f"\n{'':24} {'GFLOP':>7} {'median ms':>9} {'/ ORT':>6} {'RSS MB':>7} {'arena MB':>8} {'weights':>8}")
    for record in models:
        rows = record["races"][0]["rows"]
        ours = next((r for r in rows if r["ours"] and "median_ms" in r), None)
        base = next((r["median_ms"] for r in rows if r["name"] == "onnxruntime" and "median_ms" in r), None)
        if ours:
            ratio = f"{ours['median_ms'] / base:.2f}" if base else "-"
            print(f"{record['model']:24} {record['flop'] / 1e9:7.2f} {ours['median_ms']:9.2f} "
                  f"{ratio:>6} {ours['peak_mb']:7.1f} "
                  f"{ours['arena_bytes'] / 1e6:8.2f} {ours['weights_bytes'] / 1e6:8.1f}")


def versions():
    found = {}
    for package in ["onnxruntime", "openvino", "ncnn", "pnnx", "torch", "onnx", "numpy"]:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def machine(args):
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
            "cc": run_quiet([args.cc, "--version"], args.cc).splitlines()[0],
            "ampoule": run_quiet([args.ampoule, "--version"], "ampoule").strip().splitlines()[0],
            "versions": versions(), "load_at_start": os.getloadavg()[0]}


def write_report(args, report):
    """bench.json, and a picture for each number of threads; their paths."""
    stem = os.path.join(args.build, "growth" if args.growth else "bench")
    about, paths = report["machine"], [stem + ".json"]
    with open(paths[0], "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    for i, threads in enumerate(args.threads):
        groups = [(record["model"], [(r["name"], r.get("median_ms"), r.get("absent", "wrong output, not raced"))
                                     for r in record["races"][i]["rows"]]) for record in report["models"]]
        paths.append(stem + (f"-{threads}" if i else "") + ".svg")
        with open(paths[-1], "w") as f:
            f.write(chart.chart(f"float32, {'' if args.growth else 'batch 1, '}{threads} thread{'s' * (threads > 1)}",
                                f"{about['cpu']}; {about['cc']}; medians of {args.runs}", groups))
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ampoule", required=True)
    parser.add_argument("--build", required=True, metavar="DIR")
    known = ["rcmnet_a", "rcmnet_b", *zoo.MODELS]
    parser.add_argument("--only", default="", help="models, with commas: " + ", ".join(known) +
                        "; rcmnet_a@size=96@width=32@batch=4 is one of other sizes")
    parser.add_argument("--growth", default="", metavar="MODEL", help="instead: one model over sizes, widths, batches")
    parser.add_argument("--ours", default="default", help="PLAN or PLAN/ISA, with commas; PLAN default: no --plan")
    parser.add_argument("--peers", default="onnxruntime,openvino,ncnn,torch.compile")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--keep", action="store_true", help="keep the exports, and use them")
    parser.add_argument("--quick", action="store_true", help="5 runs, 1 thread, one start each: to see that it works")
    args = parser.parse_args()
    os.environ.pop("MAKEFLAGS", None)   # variables given to make bench are not for the emitted Makefiles
    names = [n for n in args.only.split(",") if n] or DEFAULT
    if args.growth:
        names = [f"{args.growth}@{key}={n}" for key, values in GROWTH for n in values]
    args.peers = [p for p in args.peers.split(",") if p]
    args.ours = [Ours(t) for t in args.ours.split(",") if t]
    args.threads = [1] if args.quick else [int(t) for t in args.threads.split(",")]
    args.runs, args.warm, args.starts = (5, 2, 1) if args.quick else (args.runs, 5, 5)
    for wrong in [n for n in names if parse(n)[0] not in known] + [p for p in args.peers if p not in MODULE]:
        sys.exit(f"bench.py: there is no {wrong}; models: {', '.join(known)}; peers: {', '.join(MODULE)}")
    torch.set_num_threads(1)
    os.makedirs(args.build, exist_ok=True)
    peak = make_peak(args.build, args.cc)
    report = {"machine": machine(args), "runs": args.runs, "tolerance": TOLERANCE, "models": []}
    about = report["machine"]
    print(f"{about['cpu']}, {about['cores']} cores, load {about['load_at_start']:.1f}; {about['cc']}; {about['ampoule']}")
    print(", ".join(f"{k} {v or 'not installed'}" for k, v in about["versions"].items()), flush=True)
    failed = []
    for name in names:
        record = measure(args, name, peak)
        report["models"].append(record)
        show(record)
        write_report(args, report)      # a race of hours that is interrupted keeps what it has
        if any("median_ms" not in r for race_ in record["races"] for r in race_["rows"] if r["ours"]):
            failed.append(name)
    about["load_at_end"] = os.getloadavg()[0]
    print(f"\nload {about['load_at_start']:.1f} at the start, {about['load_at_end']:.1f} at the end "
          f"of {about['cores']} cores" + (": the machine was shared, trust ratios only" if
                                          about["load_at_end"] > 1.5 else ""))
    if args.growth:
        show_growth(report["models"])
    print("written: " + ", ".join(write_report(args, report)))
    if failed:
        sys.exit("bench.py: Ampoule failed or answered wrong on " + ", ".join(failed))


if __name__ == "__main__":
    main()
