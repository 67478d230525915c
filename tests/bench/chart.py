"""The benchmark's picture: an SVG of horizontal bars, a group a model, time relative to ONNX Runtime."""

from xml.sax.saxutils import escape

NAMES = {"ampoule": "Ampoule", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn",
         "torch.compile": "torch.compile"}
COLOURS = {"ampoule": "#c0392b", "onnxruntime": "#5b6770", "openvino": "#8fa3b0", "ncnn": "#b9a77a",
           "torch.compile": "#a58fb0"}
LEFT, WIDE, ROW, GAP, TOP = 150, 430, 17, 14, 58


def chart(title, note, groups):
    """groups: [(model, [(contestant, milliseconds or None, words if None)])], ONNX Runtime among them."""
    def ratio(rows, ms):
        base = next((v for n, v, _ in rows if n == "onnxruntime" and v), None)
        return ms / base if base and ms else None
    groups = [g for g in groups if ratio(g[1], 1.0)]
    longest = max([ratio(rows, v) or 0 for _, rows in groups for _, v, _ in rows], default=1)
    # a bar beyond this is cut and says so; the others stay readable
    most = min(max(longest, 1.2), 4.0)
    height = TOP + sum(len(rows) * ROW + GAP for _, rows in groups) + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 170} {height}" '
           f'width="{LEFT + WIDE + 170}" height="{height}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           f'<text x="12" y="22" font-size="15" font-weight="bold" fill="#222">{escape(title)}</text>',
           f'<text x="12" y="40" font-size="11" fill="#666">{escape(note)}</text>']
    y, x = TOP, LEFT + WIDE / most
    out.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 34}" stroke="#5b6770" stroke-dasharray="3 3"/>')
    for model, rows in groups:
        out.append(f'<text x="12" y="{y + len(rows) * ROW / 2 + 4:.0f}" font-weight="bold" '
                   f'fill="#222">{escape(model)}</text>')
        for name, ms, words in rows:
            r = ratio(rows, ms)
            known = name.split(" ")[0]
            label = name.replace(known, NAMES.get(known, known), 1)
            if r is None:
                out.append(f'<text x="{LEFT + 4}" y="{y + 12}" font-size="11" fill="#888">'
                           f'{escape(label)}: {escape(words)}</text>')
            else:
                w = WIDE * min(r, most) / most
                cut = " (cut)" if r > most else ""
                out.append(f'<rect x="{LEFT}" y="{y + 2}" width="{w:.1f}" height="{ROW - 4}" '
                           f'fill="{COLOURS.get(known, "#999")}"/>')
                out.append(f'<text x="{LEFT + w + 5:.1f}" y="{y + 12}" font-size="11" fill="#222" '
                           'paint-order="stroke" stroke="#fff" stroke-width="3">'
                           f'{escape(label)} {ms:.1f} ms, {r:.2f}x{cut}</text>')
            y += ROW
        y += GAP
    out.append(f'<text x="12" y="{y + 4}" font-size="11" fill="#666">Bars: median time of a run, ONNX Runtime = 1. '
               'Shorter is faster.</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
