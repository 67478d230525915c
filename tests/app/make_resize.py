"""Make resize.txt and preprocess.txt: what Pillow and Hugging Face's arithmetic give.

In:  Pillow, numpy.  The pictures are noise from a linear congruential generator that the C test repeats.
Out: resize.txt: width height new_width new_height filter sha256 of the RGB bytes
     preprocess.txt: width height resize size_w size_h filter crop crop_w crop_h bgr rescale normalize
     layout (0 NCHW float, 1 NHWC float, 2 NHWC uint8, 3 one grey channel) out_w out_h sha256
The arithmetic of preprocess.txt follows image_transforms.py of transformers (rescale, normalize,
center_crop, get_resize_output_image_size), written out with numpy.
Run only to make new vectors; `make check` uses what is committed.
"""
import hashlib
import math
import os

import numpy as np
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))


def noise(w, h):
    out = np.empty(w * h * 3, np.uint8)
    x = (w * 7919 + h * 104729 + 1) & 0x7fffffff
    for i in range(out.size):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        v = x >> 16 & 255
        # long stretches of black and white too: there the filters overshoot
        out[i] = 255 if i % 97 < 20 else 0 if i % 89 < 15 else v
    return Image.fromarray(out.reshape(h, w, 3))


def sizes():
    rng = np.random.default_rng(5)
    fixed = [(1, 1, 7, 5), (5, 1, 3, 9), (1, 9, 4, 4), (2, 2, 2, 3), (3, 2, 2, 2), (100, 1, 1, 1), (64, 64, 64, 64),
             (37, 29, 37, 10), (37, 29, 10, 29), (224, 224, 112, 112), (300, 200, 224, 224), (97, 101, 224, 224),
             (360, 363, 224, 224), (150, 90, 7, 3), (17, 400, 64, 31), (255, 3, 256, 256), (31, 31, 97, 97)]
    return fixed + [tuple(int(v) for v in rng.integers(1, 90, 4)) for _ in range(110)]


def digest(b):
    return hashlib.sha256(b).hexdigest()


def preprocess(im, resize, sw, sh, flt, crop, cw, ch, bgr, rescale, normalize, layout):
    if layout == 3:
        im = im.convert("L")
    if resize == 1:
        im = im.resize((sw, sh), flt)
    elif resize == 2:
        short, long = min(im.size), max(im.size)
        new_long = int(sw * long / short)
        im = im.resize((sw, new_long) if im.width <= im.height else (new_long, sw), flt)
    a = np.array(im)
    a = a[..., None] if a.ndim == 2 else a
    if crop:
        h, w = a.shape[:2]
        top, left = (h - ch) // 2, (w - cw) // 2
        if top >= 0 and top + ch <= h and left >= 0 and left + cw <= w:
            a = a[top:top + ch, left:left + cw]
        else:
            nh, nw = max(ch, h), max(cw, w)
            new = np.zeros((nh, nw, a.shape[2]), a.dtype)
            tp, lp = math.ceil((nh - h) / 2), math.ceil((nw - w) / 2)
            new[tp:tp + h, lp:lp + w] = a
            top, left = top + tp, left + lp
            a = new[max(0, top):min(nh, top + ch), max(0, left):min(nw, left + cw)]
    if bgr:
        a = a[..., ::-1]
    if layout == 2:
        return a.shape[1], a.shape[0], np.ascontiguousarray(a).tobytes()
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    if layout == 3:
        mean, std = mean[:1], std[:1]
    x = (a.astype(np.float64) * (1 / 255)).astype(np.float32) if rescale else a
    if normalize:
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(np.float32)
        x = (x - np.array(mean, x.dtype)) / np.array(std, x.dtype)
    x = x.astype("<f4")
    h, w = x.shape[:2]
    if layout in (0, 3):
        x = x.transpose(2, 0, 1)
    return w, h, np.ascontiguousarray(x).tobytes()


if __name__ == "__main__":
    with open(os.path.join(here, "resize.txt"), "w") as f:
        for w, h, nw, nh in sizes():
            im = noise(w, h)
            for flt in range(6):
                f.write(f"{w} {h} {nw} {nh} {flt} {digest(im.resize((nw, nh), flt).tobytes())}\n")
    rng = np.random.default_rng(6)
    with open(os.path.join(here, "preprocess.txt"), "w") as f:
        for i in range(150):
            w, h = (int(v) for v in rng.integers(5, 120, 2))
            resize = int(rng.integers(0, 3))
            sw, sh = (int(v) for v in rng.integers(5, 70, 2))
            flt = int(rng.integers(0, 4))
            crop = int(rng.integers(0, 2))
            cw, ch = (int(v) for v in rng.integers(5, 70, 2))
            bgr, rescale, normalize = (int(v) for v in rng.integers(0, 2, 3))
            layout = int(rng.integers(0, 4))
            if layout == 3:
                bgr = 0
            args = (resize, sw, sh, flt, crop, cw, ch, bgr, rescale, normalize, layout)
            ow, oh, data = preprocess(noise(w, h), *args)
            f.write(" ".join(str(v) for v in (w, h) + args + (ow, oh)) + f" {digest(data)}\n")
