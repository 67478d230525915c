"""Draws the sample pictures of examples/pictures: several sizes and forms, and their true labels.

    python models/make_samples.py examples/pictures

The forms are what a decoder must know: PNG in RGB, RGBA, palette and grey, JPEG baseline and
progressive, with and without reduced colour, one turned by EXIF.  The seeds were used neither for
training nor for testing, and were taken as they come.
"""

import csv
import os
import sys

from PIL import Image

import render_cells

SEED = 9_000_000
#          class, width, height, file ending, form
SAMPLES = (("neutrophil", 180, 180, "png", "rgb"),
           ("eosinophil", 360, 363, "jpg", "baseline"),
           ("basophil", 240, 320, "jpg", "baseline"),
           ("lymphocyte", 160, 160, "png", "rgba"),
           ("monocyte", 400, 300, "jpg", "exif"),
           ("immature granulocyte", 256, 256, "jpg", "progressive"),
           ("erythroblast", 150, 150, "png", "rgb"),
           ("platelet", 320, 320, "jpg", "full colour"),
           ("neutrophil", 220, 160, "png", "grey"),
           ("lymphocyte", 575, 432, "jpg", "baseline"),
           ("eosinophil", 200, 200, "png", "palette"),
           ("monocyte", 96, 96, "png", "rgb"))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    rows = []
    for i, (label, width, height, ending, form) in enumerate(SAMPLES):
        side = max(width, height)
        image = Image.fromarray(render_cells.draw(label, side, SEED + i))
        left, top = (side - width) // 2, (side - height) // 2
        image = image.crop((left, top, left + width, top + height))
        name = f"{i + 1:02d}_{label.replace(' ', '_')}.{ending}"
        options = {"optimize": True} if ending == "png" else {"quality": 88}
        if form == "rgba":
            image.putalpha(255)
        elif form == "palette":
            image = image.quantize(128)
        elif form == "grey":
            image = image.convert("L")
        elif form == "progressive":
            options["progressive"] = True
        elif form == "full colour":
            options["subsampling"] = 0
        elif form == "exif":                               # stored lying on its side, with a note of it
            exif = Image.Exif()
            exif[0x0112] = 6
            image = image.transpose(Image.Transpose.ROTATE_90)
            options["exif"] = exif
        image.save(os.path.join(folder, name), **options)
        rows.append((name, label, form))
    with open(os.path.join(folder, "labels.csv"), "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([("file", "label", "form"), *rows])


if __name__ == "__main__":
    main()
