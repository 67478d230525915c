"""One model, every target: are the outputs' bytes those of `ampoule run --exact`?

    check_bits.py --ampoule A --build DIR [--targets T,...] [--models M,...] [--inputs N] [--full] [--record]
                  [--jobs N] [--table FILE.md] [--known]

In:  hashes.txt beside this file: model, plan, input, SHA-256 of the ONNX file, SHA-256 of output 0, made by
     `run --exact` alone (--record makes it again). The models: the small trained RCMNet; RCMNet (a) with seeded weights
     (tests/tools/make_rcmnet); with --full those that models/export.py exported into DIR/models.
     Targets: the descriptions of compiler/target whose compiler and emulator are here; every variant of each.
Out: a table model x input x target; exit status 1 if any hash differs. What was not run is said and is no pass.
How: each model is compiled for each target as a library, built with the driver of tests/cli/lib, and run on inputs
     that a formula gives, the first input on all targets before the second. A result is kept in DIR/results.txt under
     the digest of the program and its weights, so that an interrupted run goes on where it was, and what a change of
     the compiler left alone is not run again. A model that another PyTorch exported has another SHA-256: its outputs
     are compared with what `run --exact` says now, and the table says "another model".
"""

import argparse
import concurrent.futures
import datetime
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HASHES = os.path.join(HERE, "hashes.txt")
DRIVE = os.path.join(ROOT, "tests/cli/lib/drive.c")
WASI = os.path.join(ROOT, "tests/targets/lib/wasi.mjs")

# name: (side of the picture, plans, inputs in the short form)
MODELS = {
    "rcmnet_small": (96, ("speed", "size", "direct"), 5),
    "rcmnet_seeded": (224, ("speed",), 1),
    "rcmnet_a": (224, ("speed",), 0),
    "rcmnet_b": (224, ("speed",), 0),
    "resnet18": (224, ("speed",), 0),
    "mobilenetv2": (224, ("speed",), 0),
    "vit_tiny": (224, ("speed",), 0),
}
# files of this repository, or written by its tools: the same bytes everywhere
OURS = ("rcmnet_small", "rcmnet_seeded")
# targets that take the full-size model in the short form
QUICK = ("x86-64", "aarch64", "generic")


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def must(command, **options):
    r = run(command, **options)
    if r.returncode:
        sys.exit("check-bits: %s\n%s" % (" ".join(command), r.stdout[-4000:]))
    return r.stdout


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def describe(path):
    """A target's keys; `variant` a list of names."""
    t = {"variant": []}
    for line in open(path):
        line = line.split("#")[0].strip()
        key, _, value = line.partition(" ")
        if key == "variant":
            t["variant"].append(value.split()[0])
        elif key:
            t[key] = value.strip()
    return t


def targets():
    """name: description with what runs it (a list), or why it cannot be run here."""
    all_of = {}
    machine = os.uname().machine.replace("_", "-")
    for file in sorted(os.listdir(os.path.join(ROOT, "compiler/target"))):
        if not file.endswith(".target"):
            continue
        t = describe(os.path.join(ROOT, "compiler/target", file))
        runner = t.get("run", "").split()
        if t["name"] == "wasm32":
            runner = ["node", "--no-warnings", WASI]
        missing = [x for x in (t.get("cc", "gcc").split()[0], *runner[:1]) if not shutil.which(x)]
        t["runner"] = runner
        t["why"] = "needs " + ", ".join(missing) if missing else ""
        if not runner and t["name"] not in (machine, "generic"):
            t["why"] = "this machine is %s" % machine
        all_of[t["name"]] = t
        if t["name"] == "riscv64-v":        # the same binary with longer vectors
            longer = dict(t, runner=[x.replace("vlen=128", "vlen=256") for x in runner], of="riscv64-v")
            all_of["riscv64-v/256"] = longer
    return all_of


def picture(path, side, seed):
    """[1, 3, side, side] from a formula."""
    n = 3 * side * side
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, %d, %d), }" % (side, side)
    head = head.encode() + b" " * ((-len(head) - 11) % 64) + b"\n"
    data = struct.pack("<%df" % n, *(((i * 7919 + seed * 104729 + i // 97 * seed) % 2001 - 1000) / 500
                                     for i in range(n)))
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)


class Bits:
    def __init__(self, a):
        self.a = a
        self.dir = os.path.join(a.build, "bits")
        os.makedirs(os.path.join(self.dir, "models"), exist_ok=True)
        self.recorded, self.results, self.built = {}, {}, {}
        for line in open(HASHES) if os.path.exists(HASHES) else ():
            if line.strip() and not line.startswith("#"):
                model, plan, k, onnx, out = line.split()
                self.recorded[model, plan, int(k)] = onnx, out
        self.results_file = os.path.join(self.dir, "results.txt")
        for line in open(self.results_file) if os.path.exists(self.results_file) else ():
            f = line.split()
            if len(f) == 4:
                self.results[f[0], f[1]] = f[2], float(f[3])

    def onnx(self, model):
        """The path of the file, or None where it has to be exported first."""
        if model == "rcmnet_small":
            return os.path.join(ROOT, "models/small/rcmnet_small.onnx")
        path = os.path.join(self.dir, "models", model + ".onnx")
        if model == "rcmnet_seeded" and not os.path.exists(path):
            must([os.path.join(self.a.build, "tests/tools/make_rcmnet"), path])
        return path if os.path.exists(path) else None

    def input(self, model, k):
        side = MODELS[model][0]
        path = os.path.join(self.dir, "in%d.%d.npy" % (side, k))
        if not os.path.exists(path):
            picture(path, side, k)
        return path

    def exact(self, model, plan, k):
        """What `run --exact` says: the contract."""
        out = must([self.a.ampoule, "run", self.onnx(model), "--exact", "--json", "--plan", plan, "--input",
                    self.input(model, k)])
        return json.loads(out)["outputs"][0]["sha256"]

    def record(self, models, inputs):
        lines = ["# model, plan, input, SHA-256 of the ONNX file, SHA-256 of output 0; by `ampoule run --exact` only",
                 "# (make bits-record).  tests/bits/check_bits.py says what the inputs are."]
        old = dict(self.recorded)
        for model in MODELS:
            onnx = self.onnx(model) if model in models else None
            for plan in MODELS[model][1]:
                for k in range(5):
                    if onnx and k < inputs(model):
                        old[model, plan, k] = sha256(onnx), self.exact(model, plan, k)
                    if (model, plan, k) in old:
                        lines.append("%s %s %d %s %s" % ((model, plan, k) + old[model, plan, k]))
        with open(HASHES, "w") as f:
            f.write("\n".join(lines) + "\n")
        print("recorded: %d hashes in %s" % (len(lines) - 2, os.path.relpath(HASHES, ROOT)))

    def build(self, model, plan, target):
        """The folder with the built driver, and the digest of program and weights."""
        d = os.path.join(self.dir, "%s.%s.%s" % (model, plan, target["name"]))
        made_of = " ".join((sha256(self.a.ampoule), sha256(DRIVE), sha256(self.onnx(model))))
        if (d, made_of) not in self.built:
            stamp, drive = d + ".built", os.path.join(d, "drive" + target.get("exe", ""))
            if not os.path.exists(drive) or not os.path.exists(stamp) or open(stamp).read() != made_of:
                if self.a.known:
                    return d, ""
                shutil.rmtree(d, ignore_errors=True)
                must([self.a.ampoule, "compile", self.onnx(model), "-o", d, "--library", "--plan", plan,
                      "--name", "model", "--weights", "file", "--target", target["name"]])
                self.make(d, target)
                with open(stamp, "w") as f:
                    f.write(made_of)
            weights = os.path.join(d, "model.weights")
            self.built[d, made_of] = hashlib.sha256((sha256(drive) + sha256(weights)).encode()).hexdigest()[:24]
        return d, self.built[d, made_of]

    def make(self, d, target):
        cc = target.get("cc", "gcc")
        flags = target.get("cflags", "").split()
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "CC", "CFLAGS")}
        must(["make", "-s", "-j%d" % (1 if self.a.jobs > 1 else 2), "CC=" + cc, "CFLAGS=-O2", "libmodel.a"], cwd=d, env=env)
        if target["name"] == "wasm32":      # node 20 dies at exit when a program's memory has grown far
            target = dict(target, ldflags=target["ldflags"] + " -Wl,--initial-memory=402653184")
        threads = [] if target.get("threads") == "no" else ["-pthread"]
        static = ["-static"] if target["runner"] else []
        must(cc.split() + flags + ["-O2", "-std=c11", *threads, *static, "-I.", "-DMODEL=model_model", DRIVE,
                                   "libmodel.a", "-o", "drive" + target.get("exe", ""),
                                   *target.get("ldflags", "").split(), "-lm"], cwd=d, env=env)

    def one(self, d, target, variant, model, k):
        """(hash of output 0, seconds) or (None, why not)."""
        shutil.copy(self.input(model, k), os.path.join(d, "in.npy"))
        begin = time.time()
        r = run(target["runner"] + ["./drive" + target.get("exe", ""), "run", str(variant), "in.npy"], cwd=d)
        seconds = time.time() - begin
        if r.returncode and "not run" in r.stdout:
            return None, r.stdout.strip()
        if r.returncode:
            print(r.stdout[-2000:])
            return "failed", seconds
        return sha256(os.path.join(d, "out0.bin")), seconds

    def keep(self, digest, key, result):
        self.results[digest, key] = result
        with open(self.results_file, "a") as f:
            f.write("%s %s %s %.2f\n" % (digest, key, *result))


def check(a, b, chosen, models, inputs):
    cells, columns, bad, left_out, others = {}, [], 0, [], set()
    wanted = []                                             # (input, model, plan, hash)
    for model in models:
        if not b.onnx(model):
            left_out.append("%s: not exported" % model)
            continue
        model_sha = sha256(b.onnx(model))
        for plan in MODELS[model][1]:
            for k in range(inputs(model)):
                onnx, out = b.recorded.get((model, plan, k), (None, None))
                if onnx is None and not a.unrecorded:
                    left_out.append("%s, plan %s, input %d: no hash recorded" % (model, plan, k))
                    continue
                if onnx != model_sha and model in OURS:
                    sys.exit("check-bits: %s is not the file whose hashes are recorded; if the model had to change: make bits-record"
                             % b.onnx(model))
                if onnx != model_sha:
                    out = b.exact(model, plan, k)
                    others.add(model)
                wanted.append((k, model, plan, out))
                cells[model, plan, k, ""] = out
    for name, target in chosen.items():
        if not target["why"]:
            columns += ["%s/%s" % (name, v) if len(target["variant"]) > 1 else name for v in target["variant"]]

    def runs_on(model):
        return {n: t for n, t in chosen.items() if not t["why"] and (a.full or model != "rcmnet_seeded" or n in QUICK)}
    if a.jobs > 1:                                          # all builds first, several at once
        needed = {(model, plan, t["name"]): t for _, model, plan, _ in wanted for t in runs_on(model).values()}
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            for done in [pool.submit(b.build, model, plan, t) for (model, plan, _), t in needed.items()]:
                done.result()
    for k, model, plan, want in sorted(wanted, key=lambda w: w[0]):
        for name, target in runs_on(model).items():
            d, digest = b.build(model, plan, target)
            for v, variant in enumerate(target["variant"]):
                column = "%s/%s" % (name, variant) if len(target["variant"]) > 1 else name
                key = "%s/%d/%s" % (" ".join(target["runner"][-3:]).replace(" ", "_"), k, variant)
                known = b.results.get((digest, key))
                if not known and a.known:
                    continue
                if not known:
                    known = b.one(d, target, v, model, k)
                    if known[0] is None:
                        left_out.append("%s: %s" % (column, known[1]))
                        continue
                    if known[0] != "failed":
                        b.keep(digest, key, known)
                equal = known[0] == want
                bad += not equal
                cells[model, plan, k, column] = "equal" if equal else "DIFFERS"
                if not equal:
                    print("DIFFERENT: %s, plan %s, input %d on %s: %s, not %s" %
                          (model, plan, k, column, known[0], want), flush=True)
                elif a.verbose:
                    print("equal: %s, plan %s, input %d on %s, %.1f s" % (model, plan, k, column, known[1]),
                          flush=True)
    return cells, columns, bad, left_out, others


def table(cells, columns):
    """Markdown: a row for each model, plan and input."""
    rows = sorted({key[:3] for key in cells}, key=lambda r: (list(MODELS).index(r[0]), r[1], r[2]))
    lines = ["| model | plan | input | SHA-256 of the output | " + " | ".join(columns) + " |",
             "| --- " * (4 + len(columns)) + "|"]
    for row in rows:
        marks = [{"equal": "=", "DIFFERS": "**differs**"}.get(cells.get(row + (c,)), "not run") for c in columns]
        lines.append("| %s | %s | %d | `%s...` | " % (*row, cells[row + ("",)][:16]) + " | ".join(marks) + " |")
    return "\n".join(lines)


def summary(cells, columns):
    """Markdown: how many inputs had the contract's bytes, a row for each model and plan; "-": none was run."""
    rows = sorted({key[:2] for key in cells}, key=lambda r: (list(MODELS).index(r[0]), r[1]))
    lines = ["| model | plan | " + " | ".join(columns) + " |", "| --- " * (2 + len(columns)) + "|"]
    for row in rows:
        def cell(column):
            marks = [mark for key, mark in cells.items() if key[:2] == row and key[3] == column]
            return "**differs**" if "DIFFERS" in marks else str(len(marks)) if marks else "-"
        lines.append("| %s | %s | %s |" % (*row, " | ".join(cell(c) for c in columns)))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ampoule", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--targets", default="")
    parser.add_argument("--models", default="")
    parser.add_argument("--inputs", type=int, default=0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="builds at a time")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--unrecorded", action="store_true", help="without a recorded hash: run --exact now")
    parser.add_argument("--table", default="")
    parser.add_argument("--known", action="store_true", help="only what earlier runs found: for the table")
    parser.add_argument("--verbose", action="store_true")
    a = parser.parse_args()
    b = Bits(a)
    known = targets()
    names = a.targets.replace(",", " ").split()
    for n in names:
        if n not in known:
            sys.exit("check-bits: there is no target %s; there are: %s" % (n, ", ".join(known)))
    chosen = {n: t for n, t in known.items() if not names or n in names}
    models = a.models.replace(",", " ").split() or [m for m in MODELS if a.full or MODELS[m][2]]
    for m in models:
        if m not in MODELS:
            sys.exit("check-bits: there is no model %s; there are: %s" % (m, ", ".join(MODELS)))

    def inputs(model):
        return min(5, a.inputs) or (5 if a.full else MODELS[model][2] or 1)
    if a.record:
        return b.record(models, inputs)
    begin = time.time()
    cells, columns, bad, left_out, others = check(a, b, chosen, models, inputs)
    text = table(cells, columns)
    print(text)
    for n, t in chosen.items():
        if t["why"]:
            left_out.append("%s: %s" % (n, t["why"]))
    if not a.full:
        left_out.append("full-size models on all targets (FULL=1)")
    for line in dict.fromkeys(left_out):
        print("not run: " + line)
    for model in sorted(others):
        print("another model: %s is not the file whose hashes are recorded; compared with `run --exact` of today" % model)
    count = sum(1 for key in cells if key[3])
    print("%d outputs compared with `run --exact`, %d differ, %.0f s" % (count, bad, time.time() - begin))
    if a.table:
        with open(a.table, "w") as f:
            f.write("%s\n\n%s\n\n%s\n" % (datetime.date.today().isoformat(), summary(cells, columns), text))
    sys.exit(1 if bad or not count else 0)


main()
