"""Transfer a trained RCMNet to a small set of pictures with other classes, as the paper does.

    python models/transfer.py run/model.pt --data clinic/ -o clinic_run/

In:  a checkpoint of train.py, an image folder (one folder a class).
Out: DIR/model.pt and DIR/metrics.json: accuracy and confusion matrix of a cross-validation, in which
     every picture is answered once, by a network that has never seen it.

How: all weights but the last layer's are kept; first the new last layer alone learns, then all
layers at a lower rate.  Classes are shown equally often.  The model that is saved has learned from
all pictures; its accuracy is estimated by the cross-validation, not measured again.
"""

import argparse
import sys

import numpy as np
import torch

import export
import rcmnet
import train


def folds(labels, count, seed):
    """A fold number for every picture, each class dealt out evenly."""
    rng, of = np.random.default_rng(seed), np.zeros(len(labels), int)
    for c in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == c))
        of[mine] = (np.arange(len(mine)) + rng.integers(count)) % count
    return of


def transferred(record, classes):
    """The trained network with a fresh last layer for `classes` classes."""
    model = rcmnet.RCMNet(**{**record["options"], "classes": classes})
    kept = {k: v for k, v in record["state"].items() if not k.startswith("fc.")}
    missing, unexpected = model.load_state_dict(kept, strict=False)
    if unexpected or any(not m.startswith("fc.") for m in missing):
        raise ValueError("the checkpoint is of another network")
    return model


def learn(model, pictures, labels, epochs, per_epoch, seed, rate, head_first):
    """head_first: epochs in which only the last layer learns."""
    quiet = {"report": lambda line: None, "per_epoch": per_epoch, "seed": seed, "batch": 25}
    if head_first:
        for name, p in model.named_parameters():
            p.requires_grad = name.startswith("fc.")
        train.fit(model, pictures, labels, model.size, head_first, 1e-2, **quiet)
        for p in model.parameters():
            p.requires_grad = True
    return train.fit(model, pictures, labels, model.size, epochs, rate, **quiet)


def cross_validate(make, pictures, labels, count, seed, report=print, **plan):
    """Logits [N, classes]: each picture's from the fold that held it out."""
    of, out = folds(labels, count, seed), None
    for fold in range(count):
        torch.manual_seed(seed + fold)
        seen, held = np.flatnonzero(of != fold), np.flatnonzero(of == fold)
        model = learn(make(), pictures[seen], labels[seen], seed=seed + fold, **plan)
        logits = train.logits_of(model, pictures[held], model.size)
        out = np.zeros((len(labels), logits.shape[1]), np.float32) if out is None else out
        out[held] = logits
        report(f"fold {fold + 1}/{count}: {(logits.argmax(1) == labels[held]).sum()} of {len(held)} right")
    return out


def figures(labels, logits, classes):
    """Accuracy with its interval, mean recall over the classes, confusion matrix."""
    answer = logits.argmax(1)
    table = train.confusion(labels, answer, len(classes))
    right = int((answer == labels).sum())
    return {"pictures": len(labels), "right": right, "accuracy": right / len(labels),
            "interval_95": train.wilson(right, len(labels)),
            "balanced_accuracy": float((table.diagonal() / table.sum(1)).mean()),
            "classes": list(classes), "confusion": table.tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    _, size, record = export.load(args.checkpoint)
    pictures, labels, classes = train.from_folder(args.data, size)
    if np.bincount(labels, minlength=len(classes)).min() < args.folds:
        sys.exit(f"transfer.py: every class needs at least {args.folds} pictures")
    plan = {"epochs": args.epochs, "per_epoch": len(labels), "rate": args.rate, "head_first": 3}
    logits = cross_validate(lambda: transferred(record, len(classes)), pictures, labels, args.folds,
                            args.seed, **plan)
    found = figures(labels, logits, classes)
    print(f"{found['right']} of {found['pictures']} right\n"
          f"{train.table_text(np.array(found['confusion']), classes)}")
    torch.manual_seed(args.seed)
    model = learn(transferred(record, len(classes)), pictures, labels, seed=args.seed, **plan)
    train.save(model, {**record["options"], "classes": len(classes)}, classes, args.output, found)


if __name__ == "__main__":
    main()
