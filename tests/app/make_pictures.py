"""Make the pictures that test the decoders, and pillow.txt: what Pillow sees in them.

In:  Pillow and numpy; a fixed seed.
Out: pictures/*  and pillow.txt: name, width, height, SHA-256 of
     ImageOps.exif_transpose(im).convert("RGB").tobytes() - for 16-bit grey of v >> 8 instead.
     Files whose name starts with bad_ must be refused; pillow.txt does not name them.
Run only to make new pictures; `make check` uses what is committed.
"""
import hashlib
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "pictures")
rng = np.random.default_rng(20240607)
W, H = 37, 29


def smooth(h, w, c, top=255):
    """A soft colourful picture with a little noise: what photographs are like."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    a = np.zeros((h, w, c))
    for k in range(c):
        a[..., k] = 0.5 + 0.3 * np.sin(x / (5 + k) + k) + 0.2 * np.cos(y / (4 + 2 * k) - k)
        cx, cy, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(4, 9)
        a[..., k] += 0.4 * ((x - cx) ** 2 + (y - cy) ** 2 < r * r)
    a += rng.normal(0, 0.03, a.shape)
    a = np.clip(a, 0, 1) * top
    return a.round().astype(np.uint8 if top < 256 else np.uint16)


rgb = smooth(H, W, 3)
rgba = np.dstack([rgb, smooth(H, W, 1)])
grey = smooth(H, W, 1)[..., 0]
grey16 = smooth(H, W, 1, 65535)[..., 0]
rgb16 = smooth(H, W, 3, 65535)
cmyk = smooth(H, W, 4)


def save(name, im, **kw):
    im.save(os.path.join(out, name), **kw)


def raw(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows, width, height, depth, colour, extra=b"", interlace=0, after=b""):
    """A PNG written by hand: rows are the packed bytes of each row (of each pass)."""
    body = b"".join(b"\0" + r for r in rows)
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)) +
            extra + chunk(b"IDAT", zlib.compress(body, 9)) + after + chunk(b"IEND", b""))


def pack(row, depth):
    """Samples of one row (any channels, flat) packed as PNG and TIFF pack them."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)
    return np.packbits(bits).tobytes()


def adam7(a, depth):
    rows = []
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)):
        part = a[y0::dy, x0::dx]
        if part.size:
            rows += [pack(r.reshape(-1), depth) for r in part]
    return rows


def pngs():
    palette = smooth(1, 256, 3)[0]
    for interlace in (0, 1):
        for colour, depths, channels in ((0, (1, 2, 4, 8, 16), 1), (2, (8, 16), 3), (3, (1, 2, 4, 8), 1),
                                         (4, (8, 16), 2), (6, (8, 16), 4)):
            for depth in depths:
                a = smooth(H, W, channels, (1 << depth) - 1 if colour != 3 else (1 << depth) - 1)
                extra = chunk(b"PLTE", palette[:1 << depth].tobytes()) if colour == 3 else b""
                rows = adam7(a, depth) if interlace else [pack(r.reshape(-1), depth) for r in a]
                name = f"png_c{colour}_d{depth}{'_adam7' if interlace else ''}.png"
                raw(name, png(rows, W, H, depth, colour, extra, interlace))
    a = smooth(H, W, 1, 255)
    rows = [pack(r.reshape(-1), 8) for r in a]
    raw("png_grey_trns.png", png(rows, W, H, 8, 0, chunk(b"tRNS", struct.pack(">H", int(a[3, 3, 0])))))
    a = rgb
    rows = [pack(r.reshape(-1), 8) for r in a]
    raw("png_rgb_trns.png", png(rows, W, H, 8, 2, chunk(b"tRNS", struct.pack(">3H", *map(int, a[3, 3])))))
    a = smooth(H, W, 1, 15)
    rows = [pack(r.reshape(-1), 4) for r in a]
    raw("png_pal_trns.png", png(rows, W, H, 4, 3, chunk(b"PLTE", palette[:16].tobytes()) +
                                chunk(b"tRNS", bytes(range(0, 160, 10)))))
    raw("png_pal_short.png", png(rows, W, H, 4, 3, chunk(b"PLTE", palette[:9].tobytes())))
    exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 274, 3, 1, 6, 0) + b"\0\0\0\0"
    rows = [pack(r.reshape(-1), 8) for r in rgb]
    raw("png_exif6.png", png(rows, W, H, 8, 2, chunk(b"eXIf", exif)))
    raw("png_exif_after.png", png(rows, W, H, 8, 2, after=chunk(b"eXIf", exif)))
    text = b"Raw profile type exif\0\0" + zlib.compress(
        b"\nexif\n%8d\n" % (len(exif) + 6) + (b"Exif\0\0" + exif).hex().encode() + b"\n")
    raw("png_raw_profile.png", png(rows, W, H, 8, 2, chunk(b"zTXt", text)))
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<x><rdf tiff:Orientation=\"8\"/></x>"
    raw("png_xmp8.png", png(rows, W, H, 8, 2, chunk(b"iTXt", xmp)))
    raw("png_gamma.png", png(rows, W, H, 8, 2, chunk(b"gAMA", struct.pack(">I", 100000))))
    raw("png_1x1.png", png([b"\x10\x20\x30"], 1, 1, 8, 2))
    good = open(os.path.join(out, "png_c2_d8.png"), "rb").read()
    raw("bad_png_short.png", good[:len(good) // 2])
    raw("bad_png_crc.png", good[:60] + bytes([good[60] ^ 1]) + good[61:])
    raw("bad_png_huge.png", png([b""], 60000, 60000, 8, 2))


def jpegs():
    im = Image.fromarray(rgb)
    for sub in (0, 1, 2):
        for prog in (0, 1):
            save(f"jpeg_s{sub}{'_prog' if prog else ''}.jpg", im, quality=85, subsampling=sub,
                 progressive=bool(prog))
    big = Image.fromarray(smooth(61, 83, 3))
    for q in (10, 50, 98):
        save(f"jpeg_q{q}.jpg", big, quality=q)
    save("jpeg_restart.jpg", big, quality=80, restart_marker_blocks=2)
    save("jpeg_optimize.jpg", big, quality=80, optimize=True)
    save("jpeg_grey.jpg", Image.fromarray(grey), quality=90)
    save("jpeg_grey_prog.jpg", Image.fromarray(grey), quality=30, progressive=True)
    save("jpeg_rgb.jpg", im, quality=90, keep_rgb=True)
    save("jpeg_cmyk.jpg", Image.fromarray(cmyk, "CMYK"), quality=90)
    save("jpeg_1x1.jpg", Image.fromarray(rgb[:1, :1]))
    save("jpeg_8x17.jpg", Image.fromarray(rgb[:17, :8]), quality=75)
    # Adobe's YCCK: the CMYK file with its transform byte set to 2
    data = bytearray(open(os.path.join(out, "jpeg_cmyk.jpg"), "rb").read())
    at = data.find(b"Adobe")
    data[at + 11] = 2
    raw("jpeg_ycck.jpg", bytes(data))
    # vertical-only subsampling (4:4:0), which Pillow does not write: the luma's sampling factors in the
    # header of a 4:2:2 file of 16 x 16 pixels are turned from 2x1 to 1x2; it has as many blocks
    save("jpeg_440.jpg", Image.fromarray(smooth(16, 16, 3)), quality=90, subsampling=1)
    data = bytearray(open(os.path.join(out, "jpeg_440.jpg"), "rb").read())
    at = data.find(b"\xff\xc0")
    assert data[at + 11] == 0x21
    data[at + 11] = 0x12
    raw("jpeg_440.jpg", bytes(data))
    for o in range(1, 9):
        exif = Image.Exif()
        exif[274] = o
        save(f"jpeg_exif{o}.jpg", Image.fromarray(rgb[:16, :24]), quality=80, exif=exif)
    for order in ("II", "MM"):
        e = "<" if order == "II" else ">"
        tiff = (b"II*\0" if order == "II" else b"MM\0*") + struct.pack(e + "IH", 8, 2) + \
            struct.pack(e + "HHI4s", 271, 2, 3, b"ab\0\0") + struct.pack(e + "HHIHH", 274, 3, 1, 5, 0) + \
            b"\0\0\0\0"
        save(f"jpeg_exif_{order}.jpg", im, quality=80, exif=b"Exif\0\0" + tiff)
    xmp = b"http://ns.adobe.com/xap/1.0/\0<rdf><tiff:Orientation>3</tiff:Orientation></rdf>"
    data = open(os.path.join(out, "jpeg_s2.jpg"), "rb").read()
    raw("jpeg_xmp3.jpg", data[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + data[2:])
    raw("jpeg_trailing.jpg", data + b"garbage after the end")
    raw("bad_jpeg_short.jpg", data[:len(data) * 2 // 3])
    raw("bad_jpeg_header.jpg", data[:100])
    at = data.find(b"\xff\xc0")
    raw("bad_jpeg_huge.jpg", data[:at + 5] + struct.pack(">HH", 65000, 65000) + data[at + 9:])


def tiffs():
    modes = [("bw", Image.fromarray(grey).convert("1")), ("grey", Image.fromarray(grey)),
             ("rgb", Image.fromarray(rgb)), ("rgba", Image.fromarray(rgba)),
             ("cmyk", Image.fromarray(cmyk, "CMYK")),
             ("pal", Image.fromarray(rgb).quantize(17)), ("la", Image.fromarray(rgba[..., 2:], "LA")),
             ("grey16", Image.fromarray(grey16))]
    for name, im in modes:
        for comp, short in ((None, "raw"), ("tiff_lzw", "lzw"), ("tiff_adobe_deflate", "zip"),
                            ("packbits", "pb")):
            if short in ("pb",) and name in ("la", "pal"):
                continue
            save(f"tiff_{name}_{short}.tif", im, compression=comp)
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[317] = 2
    save("tiff_pred.tif", Image.fromarray(rgb), compression="tiff_lzw", tiffinfo=info)
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[278] = 5
    save("tiff_strips.tif", Image.fromarray(rgb), compression="tiff_lzw", tiffinfo=info)
    for o in range(2, 9):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[274] = o
        save(f"tiff_orient{o}.tif", Image.fromarray(rgb[:16, :24]), compression="tiff_lzw", tiffinfo=info)

    def tiff(name, a, photo, bits, *, order="<", planar=1, extra=None, colormap=None, tile=None, big=0,
             fill=1):
        """A TIFF by hand: a is [h, w, c]."""
        h, w, c = a.shape
        e = order
        planes = [a] if planar == 1 else [a[..., k:k + 1] for k in range(c)]
        blocks = []
        for p in planes:
            if tile:
                for y in range(0, h, tile):
                    for x in range(0, w, tile):
                        t = np.zeros((tile, tile, p.shape[2]), p.dtype)
                        part = p[y:y + tile, x:x + tile]
                        t[:part.shape[0], :part.shape[1]] = part
                        blocks.append(t)
            else:
                for y in range(0, h, 11):
                    blocks.append(p[y:y + 11])
        data = []
        for b in blocks:
            if bits == 16:
                d = b.astype(e + "u2").tobytes()
            else:
                d = b"".join(pack(r.reshape(-1), bits) for r in b)
            if fill == 2:
                d = bytes(int(f"{v:08b}"[::-1], 2) for v in d)
            data.append(d)
        tags = {256: (4, [w]), 257: (4, [h]), 258: (3, [bits] * c), 259: (3, [1]), 262: (3, [photo]),
                277: (3, [c]), 284: (3, [planar])}
        if fill != 1:
            tags[266] = (3, [fill])
        if extra is not None:
            tags[338] = (3, [extra])
        if colormap is not None:
            tags[320] = (3, list(map(int, colormap)))
        pos = 16 if big else 8
        offs = []
        for d in data:
            offs.append(pos)
            pos += len(d) + len(d) % 2
        if tile:
            tags.update({322: (3, [tile]), 323: (3, [tile]), 324: (4, offs), 325: (4, [len(d) for d in data])})
        else:
            tags.update({273: (4, offs), 278: (3, [11]), 279: (4, [len(d) for d in data])})
        blob = b"".join(d + b"\0" * (len(d) % 2) for d in data)
        ifd, after = b"", pos + (8 + 20 * len(tags) + 8 if big else 2 + 12 * len(tags) + 4)
        tail = b""
        for k in sorted(tags):
            kind, v = tags[k]
            d = struct.pack(e + ("H" if kind == 3 else "I") * len(v), *v)
            room = 8 if big else 4
            if len(d) <= room:
                field = d.ljust(room, b"\0")
            else:
                field = struct.pack(e + ("Q" if big else "I"), after + len(tail))
                tail += d + b"\0" * (len(d) % 2)
            ifd += struct.pack(e + "HH" + ("Q" if big else "I"), k, kind, len(v)) + field
        mark = b"II" if e == "<" else b"MM"
        if big:
            head = mark + struct.pack(e + "HHHQ", 43, 8, 0, pos)
            ifd = struct.pack(e + "Q", len(tags)) + ifd + b"\0" * 8
        else:
            head = mark + struct.pack(e + "HI", 42, pos)
            ifd = struct.pack(e + "H", len(tags)) + ifd + b"\0" * 4
        raw(name, head + blob + ifd + tail)

    for order, short in (("<", "ii"), (">", "mm")):
        tiff(f"tiff_hand_rgb16_{short}.tif", rgb16, 2, 16, order=order)
        tiff(f"tiff_hand_grey16_{short}.tif", grey16[..., None], 1, 16, order=order)
        tiff(f"tiff_hand_rgba16_{short}.tif", smooth(H, W, 4, 65535), 2, 16, order=order, extra=2)
        tiff(f"tiff_hand_cmyk16_{short}.tif", smooth(H, W, 4, 65535), 5, 16, order=order)
    tiff("tiff_assoc.tif", rgba, 2, 8, extra=1)
    tiff("tiff_assoc16.tif", smooth(H, W, 4, 65535), 2, 16, extra=1)
    tiff("tiff_rgbx.tif", rgba, 2, 8, extra=0)
    for photo in (0, 1):
        for bits in (1, 2, 4, 8):
            tiff(f"tiff_p{photo}_b{bits}.tif", smooth(H, W, 1, (1 << bits) - 1), photo, bits)
    for bits in (1, 2, 4, 8):
        n = 1 << bits
        tiff(f"tiff_pal_b{bits}.tif", smooth(H, W, 1, n - 1), 3, bits,
             colormap=smooth(1, 3 * n, 1, 65535).reshape(-1))
    tiff("tiff_fill2.tif", smooth(H, W, 1, 1), 1, 1, fill=2)
    tiff("tiff_planar.tif", rgb, 2, 8, planar=2)
    tiff("tiff_tiled.tif", rgb, 2, 8, tile=16)
    tiff("tiff_tiled_planar.tif", rgb, 2, 8, tile=16, planar=2)
    tiff("tiff_big.tif", rgb, 2, 8, big=1)
    tiff("tiff_big_mm.tif", rgb, 2, 8, big=1, order=">")
    good = open(os.path.join(out, "tiff_rgb_lzw.tif"), "rb").read()
    raw("bad_tiff_short.tif", good[:len(good) * 2 // 3])
    tiff("bad_tiff_lab.tif", rgb, 8, 8)
    save("bad_tiff_jpeg.tif", Image.fromarray(rgb), compression="jpeg")
    save("bad_tiff_float.tif", Image.fromarray(grey.astype(np.float32)))


def bmps():
    save("bmp_bw.bmp", Image.fromarray(grey).convert("1"))
    save("bmp_grey.bmp", Image.fromarray(grey))
    save("bmp_pal.bmp", Image.fromarray(rgb).quantize(200))
    save("bmp_rgb.bmp", Image.fromarray(rgb))
    save("bmp_rgba.bmp", Image.fromarray(rgba))

    def bmp(name, rows, w, h, bits, compression=0, palette=b"", masks=b"", header=40, colours=0):
        body = b"".join(rows)
        off = 14 + header + (len(masks) if header < 52 else 0) + len(palette)
        if header == 12:
            info = struct.pack("<IHHHH", 12, w, h, 1, bits)
        else:
            info = struct.pack("<IiiHHIIiiII", header, w, h, 1, bits, compression, len(body), 2835, 2835,
                               colours, 0)
            info = (info + (masks if header >= 52 else b"")).ljust(header, b"\0")
            if header < 52:
                info += masks
        raw(name, b"BM" + struct.pack("<IHHI", off + len(body), 0, 0, off) + info + palette + body)

    def pad(r):
        return r + b"\0" * (-len(r) % 4)
    colours = smooth(1, 256, 3)[0]
    four = b"".join(bytes(c) + b"\0" for c in colours)
    three = b"".join(bytes(c) for c in colours)
    for bits in (1, 4, 8):
        a = smooth(H, W, 1, (1 << bits) - 1)
        rows = [pad(pack(r.reshape(-1), bits)) for r in a]
        bmp(f"bmp_b{bits}.bmp", rows, W, H, bits, palette=four[:4 << bits])
        bmp(f"bmp_b{bits}_top.bmp", rows, W, -H, bits, palette=four[:4 << bits])
        bmp(f"bmp_b{bits}_os2.bmp", rows, W, H, bits, palette=three[:3 << bits], header=12)
    a = smooth(H, W, 1, 11)
    bmp("bmp_b4_few.bmp", [pad(pack(r.reshape(-1), 4)) for r in a], W, H, 4, palette=four[:48], colours=12)
    a = rng.integers(0, 65536, (H, W))
    rows = [pad(r.astype("<u2").tobytes()) for r in a]
    bmp("bmp_555.bmp", rows, W, H, 16)
    bmp("bmp_565.bmp", rows, W, H, 16, 3, masks=struct.pack("<III", 0xf800, 0x7e0, 0x1f))
    bmp("bmp_555_fields.bmp", rows, W, H, 16, 3, masks=struct.pack("<III", 0x7c00, 0x3e0, 0x1f))
    a = rng.integers(0, 1 << 32, (H, W))
    rows = [r.astype("<u4").tobytes() for r in a]
    bmp("bmp_32.bmp", rows, W, H, 32)
    for k, m in enumerate(((0xff0000, 0xff00, 0xff, 0), (0xff000000, 0xff0000, 0xff00, 0),
                           (0xff, 0xff00, 0xff0000, 0xff000000))):
        bmp(f"bmp_32_fields{k}.bmp", rows, W, H, 32, 3, masks=struct.pack("<IIII", *m), header=108)
    # run lengths: encoded runs, literals, end of row, a move, end of picture
    def rle8(a):
        o = b""
        for y in range(a.shape[0] - 1, -1, -1):
            r, x = a[y], 0
            while x < len(r):
                n = 1
                while x + n < len(r) and r[x + n] == r[x] and n < 255:
                    n += 1
                if n >= 3 or len(r) - x < 4:
                    o += bytes([n, r[x]])
                    x += n
                else:
                    m = min(len(r) - x, 7)
                    o += bytes([0, m]) + bytes(int(v) for v in r[x:x + m]) + b"\0" * (m % 2)
                    x += m
            o += b"\0\0"
        return o + b"\0\1"

    def rle4(a):
        o = b""
        for y in range(a.shape[0] - 1, -1, -1):
            r, x = a[y], 0
            while x < len(r):
                if len(r) - x >= 6 and y % 2:
                    m = 6
                    v = [int(k) for k in r[x:x + m]]
                    o += bytes([0, m, v[0] << 4 | v[1], v[2] << 4 | v[3], v[4] << 4 | v[5], 0])
                    x += m
                else:
                    m = min(2, len(r) - x)
                    o += bytes([m, int(r[x]) << 4 | int(r[x + m - 1])])
                    x += m
            o += b"\0\0"
        return o + b"\0\1"
    a = smooth(H, W, 1, 255)[..., 0] // 16 * 16
    bmp("bmp_rle8.bmp", [rle8(a)], W, H, 8, 1, palette=four)
    a = smooth(H, W, 1, 15)[..., 0]
    bmp("bmp_rle4.bmp", [rle4(a)], W, H, 4, 2, palette=four[:64])
    move = bytes([3, 5, 0, 2, 2, 1, 4, 9, 0, 0]) + bytes([W, 3, 0, 0]) * (H - 2) + b"\0\1"
    bmp("bmp_rle8_move.bmp", [move], W, H, 8, 1, palette=four)
    good = open(os.path.join(out, "bmp_rgb.bmp"), "rb").read()
    raw("bad_bmp_short.bmp", good[:len(good) // 2])
    bmp("bad_bmp_huge.bmp", [], 2000000000, 2000000000, 24)


def pnms():
    g5 = smooth(H, W, 1, 255)[..., 0]
    raw("pnm_p1.pbm", b"P1\n# comment\n%d %d\n" % (W, H) +
        b"\n".join(b"".join(b"%d" % v for v in r > 99) for r in grey) + b"\n")
    raw("pnm_p1_spaces.pbm", b"P1 %d %d\n" % (W, H) + b" ".join(b"%d" % v for v in (grey > 99).reshape(-1)))
    raw("pnm_p2.pgm", b"P2\n%d %d # c\n255\n" % (W, H) + b" ".join(b"%d" % v for v in g5.reshape(-1)))
    raw("pnm_p2_max17.pgm", b"P2\n%d %d\n17\n" % (W, H) +
        b" ".join(b"%d" % v for v in smooth(H, W, 1, 17).reshape(-1)))
    raw("pnm_p3.ppm", b"P3 %d %d 255\n" % (W, H) + b"\n".join(b"%d" % v for v in rgb.reshape(-1)) + b"\n")
    raw("pnm_p3_max1000.ppm", b"P3 %d %d 1000\n" % (W, H) +
        b" ".join(b"%d" % v for v in smooth(H, W, 3, 1000).reshape(-1)))
    raw("pnm_p4.pbm", b"P4\n%d %d\n" % (W, H) + np.packbits(grey > 99, axis=1).tobytes())
    raw("pnm_p5.pgm", b"P5\n#x\n%d %d\n255\n" % (W, H) + g5.tobytes())
    raw("pnm_p5_max100.pgm", b"P5 %d %d 100\n" % (W, H) + smooth(H, W, 1, 100).tobytes())
    raw("pnm_p5_16.pgm", b"P5 %d %d 65535\n" % (W, H) + grey16.astype(">u2").tobytes())
    raw("pnm_p5_max4095.pgm", b"P5 %d %d 4095\n" % (W, H) +
        smooth(H, W, 1, 4095).astype(">u2").tobytes())
    raw("pnm_p6.ppm", b"P6\n%d %d\n255\n" % (W, H) + rgb.tobytes())
    raw("pnm_p6_max200.ppm", b"P6\n%d %d\n200\n" % (W, H) + np.minimum(rgb, 200).tobytes())
    raw("pnm_p6_16.ppm", b"P6\n%d %d\n65535\n" % (W, H) + rgb16.astype(">u2").tobytes())
    raw("pnm_p6_max1023.ppm", b"P6\n%d %d\n1023\n" % (W, H) +
        smooth(H, W, 3, 1023).astype(">u2").tobytes())
    raw("bad_pnm_short.ppm", b"P6\n%d %d\n255\n" % (W, H) + rgb.tobytes()[:-1])
    raw("bad_pnm_above.pgm", b"P2 2 1 9\n3 10\n")
    raw("bad_pnm_huge.ppm", b"P6\n999999999 999999999\n255\nxx")


def seen(path):
    im = Image.open(path)
    im.load()
    if im.mode in ("I;16", "I;16B", "I;16L", "I"):
        a = np.asarray(im).astype(np.int64) >> 8
        im2 = Image.fromarray(a.astype(np.uint8))
        return ImageOps.exif_transpose(im2).convert("RGB")
    return ImageOps.exif_transpose(im).convert("RGB")


if __name__ == "__main__":
    os.makedirs(out, exist_ok=True)
    for f in os.listdir(out):
        os.remove(os.path.join(out, f))
    pngs()
    jpegs()
    tiffs()
    bmps()
    pnms()
    raw("bad_empty.png", b"")
    raw("bad_text.png", b"This is no picture.\n")
    with open(os.path.join(out, "bad_tensor.npy"), "wb") as g:      # no picture, but food for the fuzzer
        np.save(g, np.asfortranarray(np.arange(60, dtype=">i2").reshape(3, 4, 5)))
    raw("bad_gif.gif", b"GIF89a\1\0\1\0\0\0\0;")
    lines = []
    for f in sorted(os.listdir(out)):
        if f.startswith("bad_"):
            continue
        # Pillow does not know a big-endian BigTIFF; it holds the pixels of the little-endian one
        im = seen(os.path.join(out, f.replace("big_mm", "big")))
        lines.append(f"{f} {im.width} {im.height} {hashlib.sha256(im.tobytes()).hexdigest()}\n")
    with open(os.path.join(here, "pillow.txt"), "w") as g:
        g.writelines(lines)
    print(len(lines), "pictures,", sum(os.path.getsize(os.path.join(out, f)) for f in os.listdir(out)), "bytes")
