"""Every model, both exporters: PyTorch, ONNX Runtime and the compiled model answer alike.

    python tests/models/check_models.py --ampoule build/ampoule --build build/check-models [--only rcmnet]

In:  the definitions in models/, the compiler.
Out: one line a case: what ONNX Runtime and the compiled model differ from each other by; exit code
     0 all within tolerance, 1 otherwise.  A case that the exporter cannot write is a failure too.

How: each case is exported to BUILD/CASE/model.onnx, with test_data_set_0 (a drawn cell) and
test_data_set_1 (seeded noise); their outputs are ONNX Runtime's, which must agree with PyTorch's.
`ampoule verify --data` then compiles the model for this machine and compares.  The measure is
max|a - b| / max|b| over an output, so atol = tolerance * max|b| and rtol = 0.
--classes COUNT compares the chosen class too: COUNT drawn cells and COUNT noise inputs go through the
built classifier of the full-size RCMNet as .npy files.
"""

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))

import common                                                              # noqa: E402
import export                                                              # noqa: E402
import render_cells                                                        # noqa: E402
import zoo                                                                 # noqa: E402

SMALL = {"width": [16, 32, 64, 96], "heads": 3, "reduction": 4, "size": 96}
TOLERANCE = 1e-5
# Where depth explains more: the share of the largest output that PyTorch and ONNX Runtime, both
# correct, already differ by comes near or above 1e-5.  README.md of models/ gives the figures.
DEEP = {"mobilenetv2": 1e-4, "resnet50": 1e-4}
# What the compiled model may differ by under each numeric plan, in units of the tolerance.  The weights,
# which PyTorch computes, differ in their last bits from machine to machine, and with them Winograd's share.
PLANS = {"direct": 1, "speed": 2}


def cases():
    """(case, model name, options, exporter, opset, batch, external data)"""
    short = {"torchscript": "ts", "dynamo": "dynamo"}
    both = tuple(short)
    for exporter in both:
        e, outside = short[exporter], exporter == "dynamo"
        for variant in "ab":
            yield (f"rcmnet_{variant}_{e}", "rcmnet", {"variant": variant}, exporter, None, "1", outside)
        for name in zoo.MODELS:
            yield f"{name}_{e}", name, {}, exporter, None, "1", outside
        for attention, mlp in (("matmul", "linear"), ("einsum", "conv"), ("sdpa", "linear"), ("mha", "conv")):
            for variant in "ab" if attention != "mha" else "b":
                options = {"variant": variant, "attention": attention, "cbam_mlp": mlp, **SMALL}
                yield (f"small_{variant}_{attention}_{mlp}_{e}", "rcmnet", options, exporter, None,
                       "1", False)
        for attention in ("matmul", "einsum"):
            options = {"attention": attention, "position": "relative", **SMALL}
            yield f"small_a_relative_{attention}_{e}", "rcmnet", options, exporter, None, "1", False
        for variant, attention in (("a", "matmul"), ("a", "einsum"), ("a", "sdpa"), ("b", "mha")):
            options = {"variant": variant, "attention": attention, **SMALL}
            yield f"small_{variant}_{attention}_symbolic_{e}", "rcmnet", options, exporter, None, "symbolic", True
        newest = export.NEWEST[exporter]
        for opset in (13, 17, 18, newest) if exporter == "torchscript" else (18, newest):
            for variant, attention in (("a", "matmul"), ("a", "sdpa"), ("b", "mha"), ("b", "matmul")):
                if opset < 14 and attention in ("sdpa", "mha"):
                    continue                                  # the exporter has no form for it
                options = {"variant": variant, "attention": attention, **SMALL}
                yield (f"small_{variant}_{attention}_opset{opset}_{e}", "rcmnet", options, exporter, opset,
                       "1", False)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def apart(a, b):
    return float(np.abs(a.astype(np.float64) - b).max() / np.abs(b).max())


def inputs(size, batch):
    noise = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(7))
    return [common.drawn_batch(batch, size, 5).numpy(), noise.numpy()]


def write_case(folder, model, size, exporter, opset, batch, external):
    """Exports, runs PyTorch and ONNX Runtime, stores the data sets.  Returns their distance and max|b|."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "model.onnx")
    export.export(model, size, path, exporter, opset, batch, external)
    onnx.checker.check_model(path)
    run, worst, largest = session(path), 0.0, 0.0
    for i, x in enumerate(inputs(size, 3 if batch == "symbolic" else 1)):
        y = run.run(None, {"image": x})[0]
        with torch.no_grad():
            worst = max(worst, apart(y, model(torch.from_numpy(x)).numpy()))
        largest = max(largest, float(np.abs(y).max()))
        where = os.path.join(folder, f"test_data_set_{i}")
        os.makedirs(where)
        export.save_tensor(x, "image", os.path.join(where, "input_0.pb"))
        export.save_tensor(y, "logits", os.path.join(where, "output_0.pb"))
    return worst, largest


def verify(ampoule, folder, plan, tolerance, largest, batch):
    """ampoule verify -> (exit code, its JSON or None, its last words)."""
    command = [ampoule, "verify", os.path.join(folder, "model.onnx"), "--data", folder, "--plan", plan,
               "--rtol", "0", "--atol", f"{tolerance * largest:.9g}", "--json"]
    if batch == "symbolic":
        command += ["--dim", "batch=3"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = None
    words = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return done.returncode, told, words[0] if words else ""


def largest_error(told):
    """The largest max|a-b| / max|b| of a set against ONNX Runtime's stored outputs in verify's report, or None."""
    found = [c["max_rel"] for c in (told or {}).get("comparisons", []) if c["against"] == "stored"]
    return max(found) if found else None


def same_classes(ampoule, folder, count, build):
    """The classifier's class on drawn cells and noise against ONNX Runtime's; how many differ."""
    path, out = os.path.join(folder, "model.onnx"), os.path.join(build, "classifier")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([ampoule, "compile", path, "-o", out, "--name", "net", "--classifier"], check=True)
    subprocess.run(["make", "-s", "-C", out], check=True)
    run = session(path)
    shape = run.get_inputs()[0].shape
    data = os.path.join(build, "inputs")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    files, expected = [], []
    noise = torch.Generator().manual_seed(11)
    for i in range(2 * count):
        if i < count:
            x = common.to_tensor([render_cells.draw(common.CLASSES[i % 8], shape[2], 7_000_000 + i)])
        else:
            x = torch.randn(1, 3, shape[2], shape[3], generator=noise)
        files.append(os.path.join(data, f"{i:04d}.npy"))
        np.save(files[-1], x.numpy())
        expected.append(run.run(None, {"image": x.numpy()})[0][0])
    done = subprocess.run([os.path.join(out, "net"), "--json", "--raw", *files], capture_output=True,
                          text=True, check=True)
    rows = {row["file"]: row["outputs"] for row in json.loads(done.stdout)}
    got = np.array([rows[f] for f in files])
    shutil.rmtree(data)
    return int((got.argmax(1) != np.array(expected).argmax(1)).sum()), apart(got, np.array(expected))


def check(case, ampoule, build):
    """One line of the table; True when all is well."""
    name, model_name, options, exporter, opset, batch, external = case
    folder, start = os.path.join(build, name), time.time()
    tolerance = DEEP.get(model_name, TOLERANCE)
    model, size = export.build(model_name, **options)
    try:
        between, largest = write_case(folder, model, size, exporter, opset, batch, external)
    except export.CannotExport as problem:
        print(f"{name:38} FAIL  no export: {problem}", flush=True)
        return False
    del model
    gc.collect()
    good, mine, why = between <= tolerance, [], ""
    for plan, share in PLANS.items() if ampoule else ():
        code, told, words = verify(ampoule, folder, plan, share * tolerance, largest, batch)
        error = largest_error(told)
        mine.append(f"{plan} exit {code}" if error is None else f"{plan} {error:.1e}")
        if code != 0 or error is None or error > share * tolerance:
            good, why = False, why or words[:200]
    line = f"{name:38} {'ok' if good else 'FAIL':5} ORT-PyTorch {between:.1e}  ampoule-ORT {' '.join(mine) or 'not run'} "
    print(f"{line} {time.time() - start:5.1f} s  {why}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ampoule", help="the compiler; without it only PyTorch and ONNX Runtime are compared")
    parser.add_argument("--build", required=True, metavar="DIR")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--keep", action="store_true", help="keep the exports of the cases that passed")
    parser.add_argument("--classes", type=int, default=0, metavar="COUNT")
    args = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [c for c in cases() if args.only in c[0]]
    if args.list or not chosen:
        print("\n".join(c[0] for c in chosen) or f"no case is called {args.only}")
        sys.exit(0 if chosen else 2)
    failed = []
    for case in chosen:
        if not check(case, args.ampoule, args.build):
            failed.append(case[0])
        elif args.classes and args.ampoule and case[0] in ("rcmnet_a_ts", "rcmnet_b_ts"):
            wrong, error = same_classes(args.ampoule, os.path.join(args.build, case[0]), args.classes, args.build)
            print(f"{case[0]:38} {'FAIL' if wrong else 'ok':5} {wrong} of {2 * args.classes} classes differ, "
                  f"largest distance {error:.1e}", flush=True)
            failed += [case[0] + " classes"] if wrong else []
        if case[0] not in failed and not args.keep:
            shutil.rmtree(os.path.join(args.build, case[0]), ignore_errors=True)
    if not args.ampoule:
        print("no --ampoule: nothing was compiled")
    print(f"{len(chosen) - len(failed)} of {len(chosen)} cases passed" +
          (": FAILED " + ", ".join(failed) if failed else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
