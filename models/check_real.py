"""The paper's second step on real photographs: transfer the network trained on drawings.

    python models/check_real.py --pictures ../shared/wbc --build build/real [--ampoule build/ampoule]

In:  300 photographs of white blood cells (Zheng et al., Micron 107, 2018, doi
     10.1016/j.micron.2018.01.010: NNN.bmp and labels.csv), which are not part of this project;
     models/small/rcmnet_small.pt, trained on drawn cells.
Out: accuracy with its 95 % interval and the confusion matrix, for the transferred network and for the
     same network from scratch; BUILD/model/ (ONNX, labels, preprocessing) with PyTorch's logits of
     every picture in BUILD/logits.csv.  With --ampoule the model is compiled, or with --classifier
     taken as built, and its answer to every picture is compared with PyTorch's.

How: 5-fold cross-validation over the four usable classes (one class has a single picture and is left
out); each picture is answered by networks that never saw it; every class is shown equally often,
augmented; both networks see the same number of pictures.  All settings were chosen before the first
run over the photographs; nothing is tuned on them.
Exit: 0 agreement (or nothing to compare with, said so), 1 trouble, 3 the binary differs.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time

import numpy as np
import torch
from PIL import Image

import common
import export
import rcmnet
import train
import transfer

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")           # their labels 1 to 4
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDS, SEED = 5, 1
HEAD_EPOCHS, EPOCHS, RATE, SCRATCH_RATE = 4, 26, 1e-3, 3e-3


def read(folder, size):
    """Files, stored pictures [N, margin, margin, 3], labels."""
    files, labels = [], []
    with open(os.path.join(folder, "labels.csv"), newline="") as f:
        for number, label in list(csv.reader(f))[1:]:
            if 1 <= int(label) <= len(CLASSES):
                files.append(os.path.join(folder, f"{int(number):03d}.bmp"))
                labels.append(int(label) - 1)
    pictures = []
    for file in files:
        with Image.open(file) as image:
            side = train.margin(size)
            pictures.append(common.middle(np.asarray(common.resized(image, side)), side))
    return files, np.stack(pictures), np.array(labels)


def report(title, found):
    low, high = found["interval_95"]
    print(f"\n{title}: {found['right']} of {found['pictures']} right, {100 * found['accuracy']:.1f} % "
          f"(95 % interval {100 * low:.1f} to {100 * high:.1f}), mean recall of the classes "
          f"{100 * found['balanced_accuracy']:.1f} %\n")
    print(train.table_text(np.array(found["confusion"]), found["classes"]), flush=True)


def pytorch_logits(model, files):
    """Logits as preprocessor_config.json prescribes them, each picture from its file."""
    rows = []
    for file in files:
        with Image.open(file) as image, torch.no_grad():
            rows.append(model(common.to_tensor([common.prepare(image, model.size)])).numpy()[0])
    return np.stack(rows)


def build_classifier(ampoule, folder, build):
    """ampoule compile + make -> path of the classifier."""
    out = os.path.join(build, "c")
    subprocess.run([ampoule, "compile", os.path.join(folder, "model.onnx"), "-o", out, "--name", "wbc",
                    "--classifier", "--labels", os.path.join(folder, "config.json"),
                    "--preprocess", os.path.join(folder, "preprocessor_config.json")], check=True)
    subprocess.run(["make", "-s", "-C", out], check=True)
    return os.path.join(out, "wbc")


def classifier_logits(classifier, files):
    """Runs `classifier --json --raw FILE...`; every picture's raw outputs, in the order given."""
    done = subprocess.run([classifier, "--json", "--raw", *files], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{classifier}: exit code {done.returncode}: {done.stderr.strip()[:500]}")
    rows = {row["file"]: row["outputs"] for row in json.loads(done.stdout)}
    return np.array([rows[file] for file in files], np.float32)


def compare(classifier, files, expected):
    got = classifier_logits(classifier, files)
    if got.shape != expected.shape:
        print(f"the classifier answered {got.shape}, PyTorch {expected.shape}")
        return False
    error = np.abs(got - expected).max() / np.abs(expected).max()
    agree = int((got.argmax(1) == expected.argmax(1)).sum())
    print(f"\ncompiled binary against PyTorch: max|a-b| / max|b| = {error:.2e}, same class on {agree} of "
          f"{len(files)} pictures")
    return bool(error <= 1e-5 and agree == len(files))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", required=True, metavar="DIR")
    parser.add_argument("--build", required=True, metavar="DIR")
    parser.add_argument("--checkpoint", default=os.path.join(HERE, "small", "rcmnet_small.pt"))
    parser.add_argument("--ampoule", help="the compiler: compile the transferred model, then compare")
    parser.add_argument("--classifier", help="an already built classifier of BUILD/model to compare")
    parser.add_argument("--reuse", action="store_true", help="BUILD/model.pt is there: compare only")
    args = parser.parse_args()
    torch.set_num_threads(1)
    _, size, record = export.load(args.checkpoint)
    files, pictures, labels = read(args.pictures, size)
    options = {**record["options"], "classes": len(CLASSES)}
    folder, start = os.path.join(args.build, "model"), time.time()
    os.makedirs(folder, exist_ok=True)
    if not args.reuse:
        plan = {"per_epoch": len(labels) * (FOLDS - 1) // FOLDS, "report": lambda s: print(s, flush=True)}
        kept = transfer.cross_validate(
            lambda: transfer.transferred(record, len(CLASSES)), pictures, labels, FOLDS, SEED,
            epochs=EPOCHS, rate=RATE, head_first=HEAD_EPOCHS, **plan)
        fresh = transfer.cross_validate(
            lambda: rcmnet.RCMNet(**options), pictures, labels, FOLDS, SEED,
            epochs=HEAD_EPOCHS + EPOCHS, rate=SCRATCH_RATE, head_first=0, **plan)
        found = transfer.figures(labels, kept, CLASSES)
        scratch = transfer.figures(labels, fresh, CLASSES)
        report("transferred from drawings", found)
        report("from scratch", scratch)
        a, b = kept.argmax(1) == labels, fresh.argmax(1) == labels
        print(f"\nonly the transferred network is right on {(a & ~b).sum()}, only the other on {(b & ~a).sum()}")
        torch.manual_seed(SEED)
        model = transfer.learn(transfer.transferred(record, len(CLASSES)), pictures, labels,
                               EPOCHS, len(labels), SEED, RATE, HEAD_EPOCHS)
        train.save(model, options, CLASSES, args.build, {"transferred": found, "scratch": scratch,
                                                         "seconds": round(time.time() - start)})
    model = export.load(os.path.join(args.build, "model.pt"))[0]
    export.export(model, size, os.path.join(folder, "model.onnx"))
    export.write_configs(folder, model, CLASSES)
    expected = pytorch_logits(model, files)
    with open(os.path.join(args.build, "logits.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["file", "truth", *CLASSES])
        for file, label, row in zip(files, labels, expected):
            out.writerow([os.path.basename(file), CLASSES[label], *(f"{v:.9g}" for v in row)])
    print(f"{time.time() - start:.0f} s")
    classifier = args.classifier or (args.ampoule and build_classifier(args.ampoule, folder, args.build))
    if not classifier:
        print("no --ampoule and no --classifier: the compiled binary was NOT compared")
    elif not compare(classifier, files, expected):
        sys.exit(3)


if __name__ == "__main__":
    main()
