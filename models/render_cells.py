"""Draws peripheral blood cells as a Wright-Giemsa smear shows them.

    python models/render_cells.py --out drawn/ --count 200 --size 96      # an image folder
    python models/render_cells.py --sheet cells.jpg                       # a contact sheet

In:  a class, a size in pixels, a seed.      Out: an RGB picture, uint8 [size, size, 3].

How: everything is measured in micrometres and painted as optical density, so that overlapping
things absorb light together (Beer-Lambert) and red cells show through as they do on a slide.
A shape is a signed distance (negative inside) made of discs, capsules and a little warped space;
chromatin, granules and dust are smooth noise or stamped dots.  Stain strength, pH, lamp, focus,
magnification, place and neighbours vary by seed.  The pictures are drawings for demonstrations
and tests of software; they teach nobody haematology and no network medicine.
"""

import argparse
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CLASSES = ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte",
           "immature granulocyte", "erythroblast", "platelet")

# Optical density of red, green and blue light, per unit of thickness.
RED_CELL = (0.10, 0.36, 0.34)
AZURE = (0.86, 1.42, 0.56)            # chromatin
DARK_VIOLET = (1.10, 1.66, 0.78)      # basophil granules
ORANGE = (0.07, 0.55, 0.70)           # eosinophil granules
PINK = (0.07, 0.22, 0.13)             # neutrophil cytoplasm
SKY = (0.42, 0.28, 0.09)              # lymphocyte cytoplasm
SLATE = (0.36, 0.33, 0.17)            # monocyte cytoplasm
LILAC = (0.34, 0.42, 0.16)            # young granulocyte cytoplasm
RUBY = (0.42, 1.00, 0.42)             # azurophil granules
MAUVE = (0.22, 0.36, 0.16)            # platelet
MUD = (0.34, 0.37, 0.24)              # polychromatic cytoplasm of an erythroblast


def disc(x, y, cx, cy, radius):
    return np.hypot(x - cx, y - cy) - radius


def capsule(x, y, a, b, ra, rb):
    """A stroke from a to b whose radius runs from ra to rb."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    return np.hypot(x - a[0] - t * dx, y - a[1] - t * dy) - (ra + t * (rb - ra))


def melt(a, b, k):
    """Union of two shapes whose seam is rounded over a width of k."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def rise(x, lo, hi):
    t = np.clip((x - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


class Slide:
    """One field of view: its grid in micrometres, its stain, its lamp, its optical density."""

    def __init__(self, side, rng):
        self.side, self.rng = side, rng
        self.field = rng.uniform(21.5, 27.0)
        self.pitch = self.field / side
        axis = ((np.arange(side) + 0.5) * self.pitch - self.field / 2).astype(np.float32)
        self.y, self.x = np.meshgrid(axis, axis, indexing="ij")
        self.density = np.zeros((side, side, 3), np.float32)
        # One stain, one pH: eosin and azure dyes of a slide go up and down together or apart.
        self.eosin, self.azure = rng.uniform(0.7, 1.35), rng.uniform(0.78, 1.25)
        self.hue = rng.normal(0, 0.055, 3)
        self.soft = max(rng.uniform(0.10, 0.16), 0.75 * self.pitch)

    def dye(self, colour, strength=1.0):
        """A colour as this slide's stain gives it; blue-red balance of the colour says which dye."""
        c = np.array(colour, np.float32)
        blueness = np.clip(c[0] / c.max(), 0, 1)
        factor = self.eosin + (self.azure - self.eosin) * min(1.0, 1.6 * blueness)
        return (c * np.exp(self.hue) * factor * strength).astype(np.float32)

    def noise(self, grain, window=None):
        """Smooth noise of about unit range; `grain` is the size of a patch in micrometres."""
        count = int(np.ceil(self.field / grain)) + 3
        small = self.rng.normal(0, 1, (count, count)).astype(np.float32)
        big = int(round(count * grain / self.pitch))
        image = Image.fromarray(small, "F").resize((big, big), Image.BICUBIC)
        return np.asarray(image)[:self.side, :self.side]

    def inside(self, distance, soft=None):
        """1 inside, 0 outside, an optical edge between."""
        return rise(-distance, -(soft or self.soft), soft or self.soft)

    def warped(self, amount, grain):
        """Coordinates bent by noise: what is drawn on them gets a living outline."""
        return self.x + amount * self.noise(grain), self.y + amount * self.noise(grain)

    def window(self, cx, cy, radius):
        def span(c):
            lo = int((c - radius + self.field / 2) / self.pitch)
            hi = int((c + radius + self.field / 2) / self.pitch) + 2
            return slice(max(lo, 0), max(min(hi, self.side), 0))
        return span(cy), span(cx)

    def veil(self, mask, keep):
        """What lies on top hides a part of what lies below."""
        self.density *= (1 - (1 - keep) * mask)[..., None]

    def paint(self, mask, colour, strength=1.0):
        self.density += mask[..., None] * self.dye(colour, strength)

    def dots(self, points, radii, colour, strengths, keep=0.6):
        """Granules: small soft discs, each with the colour's own strength."""
        dye = self.dye(colour)
        for (px, py), radius, strength in zip(points, radii, strengths):
            win = self.window(px, py, radius + 2 * self.soft)
            if win[0].start >= win[0].stop or win[1].start >= win[1].stop:
                continue
            m = self.inside(disc(self.x[win], self.y[win], px, py, radius), max(self.soft, radius * 0.45))
            self.density[win] *= (1 - (1 - keep) * m)[..., None]
            self.density[win] += (m * strength)[..., None] * dye

    def scatter(self, distance, count, margin):
        """Up to `count` points at least `margin` inside the shape."""
        rows, cols = np.nonzero(distance < -margin)
        if not len(rows):
            return np.zeros((0, 2))
        pick = self.rng.integers(0, len(rows), count)
        at = np.stack([self.x[rows[pick], cols[pick]], self.y[rows[pick], cols[pick]]], 1)
        return at + self.rng.uniform(-0.5, 0.5, at.shape) * self.pitch

    def photograph(self, size):
        """Lamp, lens, camera: density -> RGB uint8 [size, size, 3]."""
        rng = self.rng
        lamp = np.array([242, 237, 231]) * np.exp(rng.normal(0, 0.022, 3)) * rng.uniform(0.90, 1.03)
        lean = rng.uniform(-0.004, 0.004, 2)
        light = 1 + lean[0] * self.x + lean[1] * self.y
        light -= rng.uniform(0, 0.0006) * (self.x ** 2 + self.y ** 2)
        picture = lamp * light[..., None] * np.exp(-self.density)
        image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        focus = 0.05 + abs(rng.normal(0, 0.11)) + (rng.uniform(0.1, 0.3) if rng.random() < 0.12 else 0)
        image = image.filter(ImageFilter.GaussianBlur(focus / self.pitch))
        if image.width != size:
            image = image.resize((size, size), Image.BOX if image.width % size == 0 else Image.LANCZOS)
        grain = rng.normal(0, rng.uniform(0.6, 2.2), (size, size, 1)) + rng.normal(0, 0.8, (size, size, 3))
        return np.clip(np.asarray(image) + grain + 0.5, 0, 255).astype(np.uint8)


def red_cell(slide, cx, cy, radius):
    """Biconcave disc: a dense ring around a pale centre."""
    rng = slide.rng
    win = slide.window(cx, cy, 1.35 * radius)
    if win[0].start >= win[0].stop or win[1].start >= win[1].stop:
        return
    x, y = slide.x[win] - cx, slide.y[win] - cy
    turn, oval = rng.uniform(0, np.pi), rng.uniform(0.9, 1.0)
    c, s = np.cos(turn), np.sin(turn)
    u, v = (c * x + s * y), (c * y - s * x) / oval
    angle = np.arctan2(v, u)
    ripple = 1 + rng.normal(0, 0.022) * np.cos(3 * angle + rng.uniform(0, 6)) \
        + rng.normal(0, 0.03) * np.cos(2 * angle + rng.uniform(0, 6))
    rho = np.hypot(u, v) / (radius * ripple)
    shift = rng.normal(0, 0.06, 2)
    hollow = np.hypot(u / radius - shift[0], v / radius - shift[1])
    pallor = rng.uniform(0.35, 0.85) if rng.random() < 0.93 else 0.0
    reach = rng.uniform(0.62, 0.86)
    thick = 1 - pallor * (1 - rise(hollow, 0.12, reach))
    thick *= 1 - 0.25 * rise(rho, 0.85, 1.0)
    edge = slide.inside((rho - 1) * radius)
    rim = 0.16 * np.exp(-(((rho - 0.965) * radius) / 0.16) ** 2)
    tint = slide.dye(RED_CELL, rng.uniform(0.88, 1.12))
    if rng.random() < 0.05:                                   # a young, bluish one
        tint = 0.6 * tint + slide.dye(SLATE, 0.45)
    slide.density[win] += ((thick + rim) * edge)[..., None] * tint


def platelet(slide, cx, cy, radius):
    rng = slide.rng
    x, y = slide.warped(0.11 * radius, 0.9 * radius)
    turn, oval = rng.uniform(0, np.pi), rng.uniform(0.68, 1.0)
    u = np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)
    v = (np.cos(turn) * (y - cy) - np.sin(turn) * (x - cx)) / oval
    shape = np.hypot(u, v) - radius
    body = slide.inside(shape, max(0.2, slide.soft))
    slide.veil(body, 0.3)
    slide.paint(body * (0.9 + 0.12 * slide.noise(0.5)), MAUVE, rng.uniform(0.8, 1.15))
    core = np.hypot(u + rng.normal(0, 0.1), v + rng.normal(0, 0.1)) - 0.55 * radius
    slide.paint(slide.inside(core, 0.5 * radius), MAUVE, 0.7)
    points = slide.scatter(shape, int(9 * radius * radius) + 4, 0.28 * radius)
    slide.dots(points, rng.uniform(0.13, 0.3, len(points)), RUBY, rng.uniform(0.35, 0.85, len(points)))


def chromatin(slide, nucleus, coarse, contrast, strength, colour=AZURE, rim=0.25):
    """Fills the shape with nuclear stain: clumps of size `coarse`, a denser membrane."""
    mask = slide.inside(nucleus)
    lumps = np.tanh(1.5 * slide.noise(coarse)) + 0.45 * slide.noise(coarse * 0.45)
    tone = 1 + contrast * lumps + rim * np.exp(-((nucleus + 0.22) / 0.24) ** 2)
    slide.veil(mask, 0.25)
    slide.paint(mask * np.clip(tone, 0.35, 1.9), colour, strength)


def body(slide, cx, cy, radius, wobble, colour, strength, mottle=0.12, grain=0.6, edge=0.12):
    """Cytoplasm; returns its signed distance."""
    x, y = slide.warped(wobble * radius, 0.9 * radius)
    shape = disc(x, y, cx, cy, radius)
    mask = slide.inside(shape, slide.soft * 1.4)
    slide.veil(mask, 0.06)
    tone = 1 + mottle * slide.noise(grain) + edge * np.exp(-((shape + 0.25) / 0.3) ** 2)
    slide.paint(mask * np.clip(tone, 0.2, 2), colour, strength)
    return shape


def lobes(slide, points, radii, bridge, k, wobble=0.22):
    """Nuclear lobes at `points`, each joined to the next by a strand of radius `bridge`."""
    x, y = slide.warped(wobble, 1.6)
    shape = None
    for p, r in zip(points, radii):
        stretch = slide.rng.uniform(0.2, 0.75) * r
        turn = slide.rng.uniform(0, np.pi)
        d = np.array([np.cos(turn), np.sin(turn)]) * stretch * 0.5
        part = capsule(x, y, p - d, p + d, r * 0.92, r * slide.rng.uniform(0.78, 0.95))
        shape = part if shape is None else melt(shape, part, k)
    for a, b in zip(points[:-1], points[1:]):
        shape = melt(shape, capsule(x, y, a, b, bridge, bridge), 0.35)
    return shape


def along_arc(slide, cx, cy, count, radius, span, turn):
    """Points on an arc about the cell's middle, a little scattered."""
    rng = slide.rng
    angles = turn + np.linspace(-0.5, 0.5, count) * span + rng.normal(0, 0.10, count)
    reach = radius * (1 + rng.normal(0, 0.12, count))
    return np.stack([cx + reach * np.cos(angles), cy + reach * np.sin(angles)], 1)


def neutrophil(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(5.9, 7.1)
    cell = body(slide, cx, cy, radius, 0.035, PINK, rng.uniform(0.85, 1.25), 0.28, 0.35)
    points = slide.scatter(cell, 190, 0.3)
    slide.dots(points, rng.uniform(0.09, 0.17, len(points)), RUBY,
               rng.uniform(0.06, 0.22, len(points)), 1.0)
    count = rng.choice([2, 3, 4, 5], p=[0.08, 0.40, 0.36, 0.16])
    turn = rng.uniform(0, 2 * np.pi)
    reach = radius * rng.uniform(0.42, 0.51)
    span = {2: 2.1, 3: 3.4, 4: 4.2, 5: 5.0}[int(count)] * rng.uniform(0.9, 1.08)
    ox, oy = cx - 0.10 * radius * np.cos(turn), cy - 0.10 * radius * np.sin(turn)
    points = along_arc(slide, ox, oy, count, reach, span, turn)
    size = {2: 2.2, 3: 1.92, 4: 1.66, 5: 1.45}[int(count)] * radius / 6.5
    shape = lobes(slide, points, size * rng.uniform(0.85, 1.12, count), rng.uniform(0.22, 0.5), 0.25)
    chromatin(slide, np.maximum(shape, cell + 0.5), 0.75, 0.20, rng.uniform(0.95, 1.15))
    return radius


def eosinophil(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(6.2, 7.4)
    cell = body(slide, cx, cy, radius, 0.035, ORANGE, rng.uniform(0.22, 0.36), 0.1)
    turn = rng.uniform(0, 2 * np.pi)
    count = 3 if rng.random() < 0.14 else 2
    ox, oy = cx + 0.16 * radius * np.cos(turn), cy + 0.16 * radius * np.sin(turn)
    points = along_arc(slide, ox, oy, count, radius * rng.uniform(0.38, 0.45),
                       (2.35 if count == 2 else 3.3) * rng.uniform(0.9, 1.1), turn)
    size = (2.15 if count == 2 else 1.75) * radius / 6.8
    shape = lobes(slide, points, size * rng.uniform(0.9, 1.1, count), rng.uniform(0.45, 0.9), 0.3)
    shape = np.maximum(shape, cell + 0.5)
    chromatin(slide, shape, 0.9, 0.15, rng.uniform(0.82, 1.0))
    grains = slide.scatter(np.maximum(cell, -shape - 0.35), int(rng.uniform(330, 430)), 0.30)
    slide.dots(grains, rng.uniform(0.30, 0.46, len(grains)), ORANGE,
               rng.uniform(0.5, 1.05, len(grains)), 0.50)
    return radius


def basophil(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(5.4, 6.6)
    cell = body(slide, cx, cy, radius, 0.04, LILAC, rng.uniform(0.75, 1.05), 0.2)
    count = rng.integers(2, 4)
    points = along_arc(slide, cx, cy, count, radius * 0.36, rng.uniform(2.6, 4.0), rng.uniform(0, 6.3))
    shape = lobes(slide, points, rng.uniform(1.9, 2.4, count) * radius / 6, 1.1, 0.9, 0.4)
    shape = np.maximum(shape, cell + 0.45)
    chromatin(slide, shape, 1.3, 0.15, rng.uniform(0.70, 0.85), rim=0.05)
    grains = slide.scatter(cell, int(rng.uniform(60, 130)), 0.38)
    slide.dots(grains, rng.uniform(0.32, 0.62, len(grains)), DARK_VIOLET,
               rng.uniform(0.62, 1.1, len(grains)), 0.45)
    return radius


def lymphocyte(slide, cx, cy):
    rng = slide.rng
    large = rng.random() < 0.25
    radius = rng.uniform(5.4, 6.3) if large else rng.uniform(4.1, 5.2)
    cell = body(slide, cx, cy, radius, 0.05, SKY, rng.uniform(0.7, 1.15), 0.14)
    inner = radius * (rng.uniform(0.70, 0.78) if large else rng.uniform(0.80, 0.89))
    turn, gap = rng.uniform(0, 2 * np.pi), (radius - inner) * rng.uniform(0.3, 0.85)
    nx, ny = cx + gap * np.cos(turn), cy + gap * np.sin(turn)
    x, y = slide.warped(0.14, 2.2)
    tilt, oval = rng.uniform(0, np.pi), rng.uniform(0.92, 1.0)
    u = np.cos(tilt) * (x - nx) + np.sin(tilt) * (y - ny)
    v = (np.cos(tilt) * (y - ny) - np.sin(tilt) * (x - nx)) / oval
    shape = np.hypot(u, v) - inner
    if rng.random() < 0.3:                                              # a shallow notch
        side = rng.uniform(0, 2 * np.pi)
        shape = np.maximum(shape, -disc(x, y, nx + 1.12 * inner * np.cos(side),
                                        ny + 1.12 * inner * np.sin(side), 0.3 * inner))
    chromatin(slide, shape, 1.25, 0.15, rng.uniform(0.95, 1.15), rim=0.12)
    if large and rng.random() < 0.6:
        points = slide.scatter(np.maximum(cell, -shape), int(rng.integers(3, 11)), 0.35)
        slide.dots(points, rng.uniform(0.15, 0.24, len(points)), RUBY, np.full(len(points), 0.7))
    return radius


def monocyte(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(7.0, 8.6)
    cell = body(slide, cx, cy, radius, 0.075, SLATE, rng.uniform(0.72, 1.05), 0.20, 0.45)
    dust = slide.scatter(cell, 130, 0.3)
    slide.dots(dust, rng.uniform(0.07, 0.13, len(dust)), RUBY, rng.uniform(0.05, 0.25, len(dust)), 1.0)
    turn = rng.uniform(0, 2 * np.pi)
    x, y = slide.warped(0.34, 2.6)
    form = rng.random()
    bend = rng.uniform(2.6, 3.6) if form < 0.45 else rng.uniform(1.5, 2.3)     # horseshoe or kidney
    reach = radius * (0.46 if form < 0.45 else 0.36)
    ox, oy = cx - 0.12 * radius * np.cos(turn), cy - 0.12 * radius * np.sin(turn)
    angles = turn + np.linspace(-0.5, 0.5, 7) * bend
    line = np.stack([ox + reach * np.cos(angles), oy + reach * np.sin(angles)], 1)
    girth = radius * (rng.uniform(0.31, 0.37) if form < 0.45 else rng.uniform(0.40, 0.48))
    swell = girth * (1 + 0.16 * np.cos(np.linspace(-1, 1, 7) * rng.uniform(2, 4) + rng.uniform(-1, 1)))
    shape = None
    for i in range(6):
        part = capsule(x, y, line[i], line[i + 1], swell[i], swell[i + 1])
        shape = part if shape is None else melt(shape, part, 0.3)
    shape = np.maximum(shape, cell + 0.45)
    chromatin(slide, shape, 0.85, 0.24, rng.uniform(0.62, 0.82), rim=0.2)
    if rng.random() < 0.7:                                              # folds: darker creases
        for _ in range(rng.integers(1, 3)):
            a = line[rng.integers(1, 5)] + rng.normal(0, 0.3, 2)
            b = a + rng.normal(0, 1.5, 2)
            crease = np.maximum(np.abs(capsule(x, y, a, b, 0.25, 0.6)), shape)
            slide.paint(slide.inside(crease - 0.05, 0.22), AZURE, 0.28)
    holes = slide.scatter(np.maximum(cell, -shape - 0.2), int(rng.integers(0, 13)), 0.65)
    for px, py in holes:
        size = rng.uniform(0.25, 0.62)
        slide.veil(slide.inside(disc(slide.x, slide.y, px, py, size), 0.2), rng.uniform(0.15, 0.5))
    return radius


def immature(slide, cx, cy):
    """From promyelocyte to metamyelocyte: nucleus big and eccentric, then indented."""
    rng = slide.rng
    radius = rng.uniform(6.8, 8.3)
    age = rng.random()                                                  # 0 young, blue; 1 older, pink
    cell = body(slide, cx, cy, radius, 0.035, LILAC, 0.95 - 0.35 * age, 0.16, 0.5, 0.2)
    slide.paint(slide.inside(cell), PINK, 0.2 + 0.7 * age)
    turn = rng.uniform(0, 2 * np.pi)
    d = np.array([np.cos(turn), np.sin(turn)])
    inner = radius * (0.70 - 0.13 * age + rng.uniform(-0.03, 0.03))
    n = np.array([cx, cy]) + d * (radius - inner) * rng.uniform(0.65, 0.95)
    hof = disc(slide.x, slide.y, *(n - d * inner * 1.0), 0.24 * radius)
    slide.veil(slide.inside(np.maximum(hof, cell), 1.2), 0.62)
    x, y = slide.warped(0.22, 2.6)
    tilt, oval = turn + np.pi / 2 + rng.normal(0, 0.3), rng.uniform(0.78, 0.95)
    u = np.cos(tilt) * (x - n[0]) + np.sin(tilt) * (y - n[1])
    v = (np.cos(tilt) * (y - n[1]) - np.sin(tilt) * (x - n[0])) / oval
    shape = np.hypot(u, v) - inner
    if age > 0.6:                                                       # metamyelocyte: a bay
        bay = n - d * inner * oval * rng.uniform(1.0, 1.15)
        shape = np.maximum(shape, -disc(x, y, bay[0], bay[1], inner * rng.uniform(0.42, 0.6)))
    shape = np.maximum(shape, cell + 0.35)
    chromatin(slide, shape, 0.55, 0.11 + 0.06 * age, 0.64 + 0.22 * age, rim=0.14)
    if age < 0.55:                                                      # nucleoli: pale blue islands
        for px, py in slide.scatter(shape, int(rng.integers(1, 4)), 1.3):
            spot = slide.inside(disc(x, y, px, py, rng.uniform(0.55, 0.9)), 0.35)
            slide.veil(spot, 0.68)
            slide.paint(spot, SKY, 0.30)
    over = np.maximum(cell, -shape - (1.6 if age < 0.4 else 0.2))       # azurophil granules, some above it
    points = slide.scatter(over, int(rng.uniform(60, 130) * (1.15 - 0.75 * age)), 0.35)
    slide.dots(points, rng.uniform(0.15, 0.29, len(points)), RUBY,
               rng.uniform(0.35, 0.85, len(points)), 0.85)
    return radius


def erythroblast(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(4.3, 5.7)
    ripe = rng.random()                                                 # blue-grey, then pinker
    cell = body(slide, cx, cy, radius, 0.03, MUD, 1.15 - 0.5 * ripe, 0.09, 0.9, 0.22)
    slide.paint(slide.inside(cell), RED_CELL, 0.25 + 0.65 * ripe)
    inner = radius * rng.uniform(0.47, 0.62)
    turn, gap = rng.uniform(0, 2 * np.pi), (radius - inner) * rng.uniform(0.05, 0.55)
    x, y = slide.warped(0.09, 1.8)
    nx, ny = cx + gap * np.cos(turn), cy + gap * np.sin(turn)
    shape = disc(x, y, nx, ny, inner)
    ring = slide.inside(np.abs(shape - 0.35) - 0.2, 0.3)                # a pale ring about the nucleus
    slide.veil(ring * slide.inside(cell), 0.8)
    chromatin(slide, shape, 0.85, 0.30, rng.uniform(1.2, 1.45), rim=0.2)
    spokes = np.cos(rng.integers(6, 9) * np.arctan2(y - ny, x - nx) + rng.uniform(0, 6))
    slide.paint(slide.inside(shape + 0.3) * np.clip(spokes, 0, 1) * 0.28, AZURE)      # a cartwheel
    return radius


def central_platelets(slide, cx, cy):
    rng = slide.rng
    radius = rng.uniform(1.2, 2.0) if rng.random() < 0.8 else rng.uniform(2.0, 3.0)
    platelet(slide, cx, cy, radius)
    if rng.random() < 0.25:
        turn = rng.uniform(0, 2 * np.pi)
        platelet(slide, cx + 3 * np.cos(turn), cy + 3 * np.sin(turn), rng.uniform(0.9, 1.5))
    return radius


PAINTERS = dict(zip(CLASSES, (neutrophil, eosinophil, basophil, lymphocyte, monocyte, immature,
                              erythroblast, central_platelets)))
REACH = dict(zip(CLASSES, (6.5, 6.8, 6.0, 5.0, 7.8, 7.5, 5.0, 1.7)))    # usual radius, for neighbours


def neighbours(slide, cx, cy, reach):
    """Red cells (and now and then a platelet) around the place that the cell will take."""
    rng = slide.rng
    half = slide.field / 2 + 3
    taken, tries = [], int(rng.choice([14, 40, 120, 260], p=[0.12, 0.28, 0.4, 0.2]))
    crowd = rng.uniform(0.72, 1.02)                                     # below 1 they overlap
    squeeze = rng.uniform(0.74, 1.04)                                   # some lie under the cell's rim
    for _ in range(tries):
        x, y, r = rng.uniform(-half, half), rng.uniform(-half, half), rng.normal(3.55, 0.18)
        if np.hypot(x - cx, y - cy) < (reach + r) * squeeze:
            continue
        if any(np.hypot(x - a, y - b) < (r + c) * crowd for a, b, c in taken):
            continue
        taken.append((x, y, r))
        red_cell(slide, x, y, r)
    for _ in range(rng.poisson(0.7)):
        x, y = rng.uniform(-half, half, 2)
        if np.hypot(x - cx, y - cy) > reach + 3.2:
            platelet(slide, x, y, rng.uniform(0.8, 1.5))


def draw(label, size, seed):
    """One picture of one cell, with its surroundings: uint8 [size, size, 3]."""
    rng = np.random.default_rng([CLASSES.index(label), seed])
    side = size if size >= 200 else 2 * size
    slide = Slide(side, rng)
    slide.density += np.array([0.012, 0.02, 0.016], np.float32) * (1 + 0.5 * slide.noise(3))[..., None]
    cx, cy = rng.normal(0, 0.055, 2).clip(-0.13, 0.13) * slide.field
    neighbours(slide, cx, cy, REACH[label])
    if rng.random() < 0.05:                                             # a second white cell, cut off
        other = PAINTERS[CLASSES[rng.integers(0, 7)]]
        turn = rng.uniform(0, 2 * np.pi)
        far = slide.field * 0.5 / max(abs(np.cos(turn)), abs(np.sin(turn))) + 3.5
        other(slide, far * np.cos(turn), far * np.sin(turn))
    PAINTERS[label](slide, cx, cy)
    return slide.photograph(size)


def sheet(path, per_class=8, size=150, seed=7, quality=88):
    """A contact sheet: one row a class."""
    left, gap = 150, 4
    page = Image.new("RGB", (left + per_class * (size + gap), len(CLASSES) * (size + gap) + gap), "white")
    pen = ImageDraw.Draw(page)
    for i, label in enumerate(CLASSES):
        y = gap + i * (size + gap)
        pen.multiline_text((8, y + size // 2 - 8), label.replace(" ", "\n"), fill="black", font_size=17)
        for j in range(per_class):
            page.paste(Image.fromarray(draw(label, size, seed * 1000 + j)), (left + j * (size + gap), y))
    page.save(path, quality=quality)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", metavar="DIR", help="image folder to write: DIR/class/number.png")
    parser.add_argument("--count", type=int, default=100, help="pictures of each class")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", metavar="FILE", help="write a contact sheet")
    args = parser.parse_args()
    if not args.out and not args.sheet:
        parser.error("say --out or --sheet")
    if args.sheet:
        sheet(args.sheet)
    if args.out:
        for label in CLASSES:
            folder = os.path.join(args.out, label.replace(" ", "_"))
            os.makedirs(folder, exist_ok=True)
            for i in range(args.count):
                picture = Image.fromarray(draw(label, args.size, args.seed * 1000003 + i))
                picture.save(os.path.join(folder, f"{i:05d}.png"))


if __name__ == "__main__":
    main()
