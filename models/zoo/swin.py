"""Swin-Tiny (Liu et al., arXiv 2103.14030): attention in windows of 7x7, every other layer shifted."""

import torch
from torch import nn
from torch.nn import functional as F

WINDOW = 7


def windows(x, side):
    """[N, H, W, C] -> [N * windows, 49, C]"""
    n, c, count = x.shape[0], x.shape[3], side // WINDOW
    x = x.view(n, count, WINDOW, count, WINDOW, c).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, WINDOW * WINDOW, c)


def unwindows(x, side, n):
    c, count = x.shape[2], side // WINDOW
    x = x.view(n, count, count, WINDOW, WINDOW, c).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(n, side, side, c)


class WindowAttention(nn.Module):
    def __init__(self, dim, heads, side, shift):
        super().__init__()
        self.heads, self.side, self.shift = heads, side, shift
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.table = nn.Parameter(torch.randn((2 * WINDOW - 1) ** 2, heads) * 0.3)
        at = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij"))
        at = at.flatten(1)
        step = (at[:, :, None] - at[:, None, :]) + WINDOW - 1                       # [2, 49, 49]
        self.register_buffer("index", (step[0] * (2 * WINDOW - 1) + step[1]).flatten(), False)
        self.register_buffer("mask", self.make_mask() if shift else None, False)

    def make_mask(self):
        """Windows that the shift stitched together do not see across the seam."""
        part = torch.zeros(1, self.side, self.side, 1)
        cuts = (slice(0, -WINDOW), slice(-WINDOW, -self.shift), slice(-self.shift, None))
        for i, rows in enumerate(cuts):
            for j, cols in enumerate(cuts):
                part[:, rows, cols, :] = 3 * i + j
        part = windows(part, self.side).squeeze(2)                                  # [windows, 49]
        return (part[:, None, :] != part[:, :, None]).float() * -100.0

    def forward(self, x):
        n, c = x.shape[0], x.shape[3]
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), dims=(1, 2))
        x = windows(x, self.side)
        tokens, dim = WINDOW * WINDOW, c // self.heads
        qkv = self.qkv(x).reshape(-1, tokens, 3, self.heads, dim).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        scores = (q * dim ** -0.5) @ k.transpose(-2, -1)                  # [N * windows, heads, 49, 49]
        bias = self.table[self.index].view(tokens, tokens, -1).permute(2, 0, 1)
        scores = scores + bias.unsqueeze(0)
        if self.shift:
            count = self.mask.shape[0]
            scores = scores.view(-1, count, self.heads, tokens, tokens)
            scores = scores + self.mask[None, :, None]
            scores = scores.view(-1, self.heads, tokens, tokens)
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, tokens, c)
        y = unwindows(self.out(y), self.side, n)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), dims=(1, 2))
        return y


class Layer(nn.Module):
    def __init__(self, dim, heads, side, shift):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = WindowAttention(dim, heads, side, shift)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Merge(nn.Module):
    """Four neighbours become one token of twice the width."""

    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduce = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x):
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.reduce(self.norm(x))


class Swin(nn.Module):
    def __init__(self, classes, size=224, dim=96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24)):
        super().__init__()
        self.patches = nn.Conv2d(3, dim, 4, 4)
        self.norm0 = nn.LayerNorm(dim)
        side, layers = size // 4, []
        for i, depth in enumerate(depths):
            if i:
                layers.append(Merge(dim))
                dim, side = 2 * dim, side // 2
            for j in range(depth):
                shift = WINDOW // 2 if j % 2 and side > WINDOW else 0
                layers.append(Layer(dim, heads[i], side, shift))
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.norm0(self.patches(x).permute(0, 2, 3, 1))
        return self.head(self.norm(self.layers(x)).mean(dim=(1, 2)))


def swin_tiny(classes=1000):
    return Swin(classes)
