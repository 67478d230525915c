"""Train an RCMNet on drawn cells, or on a folder of pictures (one folder a class).

    python models/train.py -o run/                                       # the small demonstration
    python models/train.py --data smears/train --test smears/test -o run/ --width 64 --size 224

In:  parameters of the network, a seed, drawn or stored pictures.
Out: DIR/model.pt (parameters, weights, labels), DIR/metrics.json (accuracy and confusion matrix on
     held-out pictures, cross-checked by nothing that was trained on).

How: AdamW, one cycle of the learning rate, every picture turned, scaled, shifted, mirrored and
re-stained each time it is seen.  Every class is drawn equally often, whatever the folder holds.
One thread: the same seed on the same machine and PyTorch gives the same network.
"""

import argparse
import json
import math
import os
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import common
import export
import rcmnet
import render_cells

SMALL = {"variant": "a", "width": [16, 32, 64, 96], "heads": 3, "reduction": 4, "size": 96}


def margin(size):
    """Side of the stored training picture: the network's input plus what the crop cuts off."""
    return round(size * 13 / 12)


def drawn(count, size, seed, native=None):
    """`count` drawings of each class -> uint8 [N, margin, margin, 3], labels.

    Training pictures are drawn at the size needed; `native` draws larger ones and shrinks them with
    Pillow, the way a photograph goes into the classifier.
    """
    side, pictures, labels = margin(size), [], []
    for i in range(count):
        for label, name in enumerate(common.CLASSES):
            picture = render_cells.draw(name, native or side, seed + i)
            if native:
                picture = np.asarray(common.resized(Image.fromarray(picture), side))
            pictures.append(picture)
            labels.append(label)
    return np.stack(pictures), np.array(labels)


def from_folder(folder, size, classes=None):
    """DIR/class/picture -> uint8 [N, margin, margin, 3], labels, class names in order."""
    side, pictures, labels = margin(size), [], []
    names = sorted(d for d in os.listdir(folder) if os.path.isdir(os.path.join(folder, d)))
    classes = classes or [n.replace("_", " ") for n in names]
    for name in names:
        for file in sorted(os.listdir(os.path.join(folder, name))):
            with Image.open(os.path.join(folder, name, file)) as image:
                pictures.append(common.middle(np.asarray(common.resized(image, side)), side))
            labels.append(classes.index(name.replace("_", " ")))
    return np.stack(pictures), np.array(labels), classes


def augmented(pictures, size, g):
    """uint8 [B, S, S, 3] -> normalised [B, 3, size, size]: turned, scaled, shifted, re-stained."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    n, side = x.shape[0], x.shape[2]

    def uniform(lo, hi, *shape):
        return lo + (hi - lo) * torch.rand(*(shape or (n,)), generator=g)

    turn, zoom = uniform(-math.pi, math.pi), uniform(0.70, 1.12) * size / side
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    shift = uniform(-0.1, 0.1, n, 2)
    theta = torch.stack([
        torch.stack([zoom * flip * turn.cos(), -zoom * turn.sin(), shift[:, 0]], 1),
        torch.stack([zoom * flip * turn.sin(), zoom * turn.cos(), shift[:, 1]], 1)], 1)
    grid = F.affine_grid(theta, (n, 3, size, size), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    gain = torch.exp(0.15 * torch.randn(n, 3, 1, 1, generator=g))
    power = torch.exp(0.15 * torch.randn(n, 1, 1, 1, generator=g))
    grey = uniform(0, 0.25, n, 1, 1, 1)
    x = (x * gain).clamp(1e-3, 1) ** power
    x = x + grey * (x.mean(1, keepdim=True) - x)
    mean, std = torch.tensor(common.MEAN), torch.tensor(common.STD)
    return (x - mean[:, None, None]) / std[:, None, None]


def balanced(labels, count, rng):
    """`count` indices, every class equally often, each class's pictures in shuffled turns."""
    classes = np.unique(labels)
    turns = {}
    for c in classes:
        mine, need = np.flatnonzero(labels == c), -(-count // len(classes))
        turns[c] = np.concatenate([rng.permutation(mine) for _ in range(-(-need // len(mine)))])[:need]
    order = np.stack([turns[c] for c in classes], 1).ravel()[:count]
    return rng.permutation(order)


def fit(model, pictures, labels, size, epochs, rate, seed, batch=32, per_epoch=None, decay=0.02,
        report=print):
    """Trains in place.  per_epoch: pictures an epoch shows (default: as many as there are)."""
    g, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    per_epoch = (per_epoch or len(labels)) // batch * batch
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=epochs * per_epoch // batch, pct_start=0.2)
    start = time.time()
    for epoch in range(epochs):
        model.train()
        order, total, hits = balanced(labels, per_epoch, rng), 0.0, 0
        for at in range(0, per_epoch, batch):
            pick = order[at:at + batch]
            target = torch.from_numpy(labels[pick])
            logits = model(augmented(pictures[pick], size, g))
            loss = F.cross_entropy(logits, target, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimiser.step()
            cycle.step()
            total += loss.item() * len(pick)
            hits += (logits.argmax(1) == target).sum().item()
        report(f"epoch {epoch + 1}/{epochs}: loss {total / per_epoch:.3f}, "
               f"right {hits / per_epoch:.4f}, {time.time() - start:.0f} s")
    return model.eval()


def logits_of(model, pictures, size, batch=50):
    """Logits of stored pictures, cropped from the middle, in eval mode."""
    out = []
    with torch.no_grad():
        for at in range(0, len(pictures), batch):
            out.append(model(common.to_tensor(
                [common.middle(p, size) for p in pictures[at:at + batch]])).numpy())
    return np.concatenate(out)


def confusion(labels, predicted, count):
    table = np.zeros((count, count), int)
    np.add.at(table, (labels, predicted), 1)
    return table


def wilson(right, total, z=1.96):
    """Wilson's 95 % confidence interval of a share."""
    p = right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return middle - half, middle + half


def table_text(table, classes):
    """Confusion matrix as a Markdown table: rows are the truth."""
    short = [c if len(c) < 14 else c.replace("granulocyte", "gran.") for c in classes]
    lines = ["| truth \\ answer | " + " | ".join(short) + " |", "| --- |" + " ---: |" * len(classes)]
    lines += [f"| {c} | " + " | ".join(map(str, row)) + " |" for c, row in zip(classes, table)]
    return "\n".join(lines)


def save(model, options, classes, folder, metrics):
    os.makedirs(folder, exist_ok=True)
    torch.save({"options": options, "classes": list(classes), "state": model.state_dict()},
               os.path.join(folder, "model.pt"))
    with open(os.path.join(folder, "metrics.json"), "w") as f:
        json.dump(metrics, f, indent=1)
        f.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--data", metavar="DIR", help="image folder; without it cells are drawn")
    parser.add_argument("--test", metavar="DIR", help="image folder of held-out pictures")
    parser.add_argument("--count", type=int, default=700, help="drawings of each class to train on")
    parser.add_argument("--held-out", type=int, default=125, help="drawings of each class to test on")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    export.add_rcmnet_options(parser)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    options = {**SMALL, **export.rcmnet_options(args)}
    size, start = options.get("size", 224), time.time()
    if args.data:
        pictures, labels, classes = from_folder(args.data, size)
        test = from_folder(args.test, size, classes)[:2] if args.test else None
    else:
        classes = list(common.CLASSES)
        pictures, labels = drawn(args.count, size, 1_000_000 * args.seed)
        test = drawn(args.held_out, size, 1_000_000 * args.seed + 500_000, native=240)
    print(f"{len(labels)} pictures in {time.time() - start:.0f} s", flush=True)
    options["classes"] = len(classes)
    model = rcmnet.RCMNet(**options)
    start = time.time()
    fit(model, pictures, labels, size, args.epochs, args.rate, args.seed,
        report=lambda line: print(line, flush=True))
    metrics = {"trained_on": len(labels), "epochs": args.epochs, "seed": args.seed,
               "training_seconds": round(time.time() - start)}
    if test:
        answer = logits_of(model, test[0], size).argmax(1)
        right, table = int((answer == test[1]).sum()), confusion(test[1], answer, len(classes))
        metrics.update({"held_out": len(answer), "right": right, "accuracy": right / len(answer),
                        "interval_95": wilson(right, len(answer)), "classes": classes,
                        "confusion": table.tolist()})
        print(f"held out: {right} of {len(answer)} right\n{table_text(table, classes)}")
    save(model, options, classes, args.output, metrics)


if __name__ == "__main__":
    main()
