"""RCMNet: ResNet18 with CBAM and multi-head self-attention (after arXiv 2205.04230).

In:  pictures [N, 3, size, size], normalised as preprocessor_config.json says.
Out: logits [N, classes]; no softmax.

The paper names the parts and gives no layer table.  README.md beside this file says what is the
paper's and what is our reading of it.  Two variants that people build:

  a  BoTNet style.  In both blocks of stage 4 the second 3x3 convolution gives way to self-attention
     over the map, with learned height and width positions.  The first 3x3 keeps stride 1 and a 2x2
     average pooling after the attention halves the map, so that the first attention sees 14x14.
  b  ResNet18 with CBAM untouched, then one transformer encoder layer (attention, LayerNorm, MLP)
     over the 7x7 tokens that stage 4 leaves.

The same mathematics is spelled in several ways (`attention`, `cbam_mlp`), because every export in
the world chose another one and a compiler must read them all.  All spellings share one state_dict
layout, except nn.MultiheadAttention, which has its own parameters by nature.
"""

import torch
from torch import nn
from torch.nn import functional as F

ATTENTION = ("matmul", "einsum", "sdpa", "mha")
CBAM_MLP = ("conv", "linear")
POSITION = ("joint", "relative")


class ChannelGate(nn.Module):
    """CBAM's first half: mean and maximum over space, one MLP for both, a gate per channel."""

    def __init__(self, channels, reduction, spelling):
        super().__init__()
        hidden = max(1, channels // reduction)
        self.spelling = spelling
        if spelling == "conv":
            self.down = nn.Conv2d(channels, hidden, 1, bias=False)
            self.up = nn.Conv2d(hidden, channels, 1, bias=False)
        else:
            self.down = nn.Linear(channels, hidden, bias=False)
            self.up = nn.Linear(hidden, channels, bias=False)

    def mlp(self, x):
        return self.up(F.relu(self.down(x)))

    def forward(self, x):
        if self.spelling == "conv":
            mean = F.adaptive_avg_pool2d(x, 1)
            peak = F.adaptive_max_pool2d(x, 1)
            return x * torch.sigmoid(self.mlp(mean) + self.mlp(peak))
        mean = x.mean(dim=(2, 3))
        peak = x.amax(dim=(2, 3))
        gate = torch.sigmoid(self.mlp(mean) + self.mlp(peak))
        return x * gate[:, :, None, None]


class SpatialGate(nn.Module):
    """CBAM's second half: mean and maximum over channels, a 7x7 convolution, a gate per pixel."""

    def __init__(self, kernel=7):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        mean = torch.mean(x, dim=1, keepdim=True)
        peak = torch.max(x, dim=1, keepdim=True)[0]
        return x * torch.sigmoid(self.conv(torch.cat([mean, peak], dim=1)))


class CBAM(nn.Module):
    def __init__(self, channels, reduction, spelling):
        super().__init__()
        self.channel = ChannelGate(channels, reduction, spelling)
        self.spatial = SpatialGate()

    def forward(self, x):
        return self.spatial(self.channel(x))


class MapAttention(nn.Module):
    """Self-attention over the pixels of a map [N, C, H, W] -> [N, C, H, W], d = C / heads.

    position "joint":    score[i, j] = (q_i . k_j + p_i . q_j) / sqrt(d), p = row part + column part.
                         This is the form of the widely copied BoTNet re-implementations.
    position "relative": score[i, j] = (q_i . k_j + q_i . (r[yj - yi] + c[xj - xi])) / sqrt(d),
                         BoTNet's own, with tables of 2H-1 and 2W-1 rows.
    """

    def __init__(self, channels, heads, height, width, spelling, position):
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels do not divide into {heads} heads")
        self.heads, self.dim = heads, channels // heads
        self.height, self.width = height, width
        self.spelling, self.position = spelling, position
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        if position == "joint":
            self.rel_h = nn.Parameter(torch.randn(1, heads, self.dim, height, 1))
            self.rel_w = nn.Parameter(torch.randn(1, heads, self.dim, 1, width))
        else:
            std = self.dim ** -0.5
            self.rel_h = nn.Parameter(torch.randn(2 * height - 1, self.dim) * std)
            self.rel_w = nn.Parameter(torch.randn(2 * width - 1, self.dim) * std)
            y, x = torch.arange(height), torch.arange(width)
            self.register_buffer("index_h", y[None, :] - y[:, None] + height - 1, False)
            self.register_buffer("index_w", x[None, :] - x[:, None] + width - 1, False)

    def position_scores(self, q):
        """q [N, heads, d, H*W] -> the position's share of the scores [N, heads, H*W, H*W]."""
        h, w, count = self.height, self.width, self.height * self.width
        if self.position == "joint":
            p = (self.rel_h + self.rel_w).view(1, self.heads, self.dim, count)
            if self.spelling == "einsum":
                return torch.einsum("hdi,bhdj->bhij", p[0], q)
            return torch.matmul(p.permute(0, 1, 3, 2), q)
        rows, cols = self.rel_h[self.index_h], self.rel_w[self.index_w]      # [H, H, d], [W, W, d]
        grid = q.view(-1, self.heads, self.dim, h, w)
        if self.spelling == "einsum":
            by_row = torch.einsum("bndyx,yzd->bnyxz", grid, rows)
            by_col = torch.einsum("bndyx,xzd->bnyxz", grid, cols)
        else:
            by_row = torch.matmul(grid.permute(0, 1, 3, 4, 2), rows.transpose(1, 2))
            by_col = torch.matmul(grid.permute(0, 1, 4, 3, 2), cols.transpose(1, 2)).transpose(2, 3)
        both = by_row[..., :, None] + by_col[..., None, :]                   # [N, heads, H, W, H, W]
        return both.reshape(-1, self.heads, count, count)

    def forward(self, x):
        n, c, h, w = x.shape
        q = self.query(x).view(n, self.heads, self.dim, h * w)
        k = self.key(x).view(n, self.heads, self.dim, h * w)
        v = self.value(x).view(n, self.heads, self.dim, h * w)
        scale = self.dim ** -0.5
        if self.spelling == "sdpa":
            bias = self.position_scores(q) * scale
            out = F.scaled_dot_product_attention(
                q.transpose(2, 3), k.transpose(2, 3), v.transpose(2, 3), attn_mask=bias)
            return out.transpose(2, 3).reshape(n, c, h, w)
        if self.spelling == "einsum":
            scores = torch.einsum("bhdi,bhdj->bhij", q, k) + self.position_scores(q)
            share = torch.softmax(scores * scale, dim=-1)
            return torch.einsum("bhij,bhdj->bhdi", share, v).reshape(n, c, h, w)
        scores = torch.matmul(q.permute(0, 1, 3, 2), k) + self.position_scores(q)
        share = F.softmax(scores * scale, dim=-1)
        return torch.matmul(v, share.permute(0, 1, 3, 2)).view(n, c, h, w)


class TokenAttention(nn.Module):
    """Self-attention over tokens [N, T, C], the transformer's own form, in four spellings."""

    def __init__(self, channels, heads, spelling):
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels do not divide into {heads} heads")
        self.heads, self.dim, self.spelling = heads, channels // heads, spelling
        if spelling == "mha":
            self.mha = nn.MultiheadAttention(channels, heads, batch_first=True)
        else:
            self.qkv = nn.Linear(channels, 3 * channels)
            self.out = nn.Linear(channels, channels)

    def forward(self, x):
        if self.spelling == "mha":
            return self.mha(x, x, x, need_weights=False)[0]
        n, t, c = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, self.dim).permute(2, 0, 3, 1, 4).unbind(0)
        scale = self.dim ** -0.5
        if self.spelling == "sdpa":
            y = F.scaled_dot_product_attention(q, k, v)
        elif self.spelling == "einsum":
            share = torch.softmax(torch.einsum("bhid,bhjd->bhij", q, k) * scale, dim=-1)
            y = torch.einsum("bhij,bhjd->bhid", share, v)
        else:
            share = torch.softmax((q * scale) @ k.transpose(-2, -1), dim=-1)
            y = share @ v
        return self.out(y.transpose(1, 2).reshape(n, t, c))


class Encoder(nn.Module):
    """One transformer encoder layer, normalisation first: x + attention, then x + MLP."""

    def __init__(self, channels, heads, spelling, ratio=4):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = TokenAttention(channels, heads, spelling)
        self.norm2 = nn.LayerNorm(channels)
        self.up = nn.Linear(channels, ratio * channels)
        self.down = nn.Linear(ratio * channels, channels)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Block(nn.Module):
    """Residual block: conv, conv (or attention over the map), CBAM, add, ReLU.

    `attention` is None, or a function (channels, height, width) that makes the module which takes
    the second convolution's place; the block then halves the map by pooling, not by stride.
    """

    def __init__(self, cin, cout, stride, side, reduction, cbam_mlp, attention=None):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, 1 if attention else stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        if attention:
            self.mixer = attention(cout, side, side)
            self.pool = nn.AvgPool2d(2, 2) if stride == 2 else nn.Identity()
        else:
            self.mixer = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
            self.pool = nn.Identity()
        self.bn2 = nn.BatchNorm2d(cout)
        self.cbam = CBAM(cout, reduction, cbam_mlp)
        self.skip = nn.Identity() if stride == 1 and cin == cout else nn.Sequential(
            nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.pool(self.mixer(y)))
        return F.relu(self.cbam(y) + self.skip(x))


class RCMNet(nn.Module):
    """width: channels of stage 1 (doubled by each stage), or the four stages' channels."""

    def __init__(self, variant="a", classes=8, size=224, width=64, heads=4, reduction=16,
                 attention="matmul", cbam_mlp="conv", position="joint"):
        super().__init__()
        for value, allowed, what in ((variant, "ab", "variant"), (attention, ATTENTION, "attention"),
                                     (cbam_mlp, CBAM_MLP, "cbam_mlp"),
                                     (position, POSITION, "position")):
            if value not in allowed:
                raise ValueError(f"{what} is {value!r}, not one of {', '.join(allowed)}")
        if variant == "a" and attention == "mha":
            raise ValueError("nn.MultiheadAttention has no place for positions: variant b only")
        if size % 32:
            raise ValueError(f"size {size} is not a multiple of 32")
        wide = [width * 2 ** i for i in range(4)] if isinstance(width, int) else list(width)
        self.variant, self.size = variant, size

        def over_map(channels, height, side):
            return MapAttention(channels, heads, height, side, attention, position)

        self.conv1 = nn.Conv2d(3, wide[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(wide[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        cin, stages = wide[0], []
        for i, cout in enumerate(wide):
            replace = over_map if variant == "a" and i == 3 else None
            stride, side = (1 if i == 0 else 2), size // (4 << i)
            stages.append(nn.Sequential(
                Block(cin, cout, stride, side * 2, reduction, cbam_mlp, replace),
                Block(cout, cout, 1, side, reduction, cbam_mlp, replace)))
            cin = cout
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        if variant == "b":
            self.position = nn.Parameter(torch.randn(1, (size // 32) ** 2, cin) * 0.02)
            self.encoder = Encoder(cin, heads, attention)
            self.norm = nn.LayerNorm(cin)
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        if self.variant == "b":
            x = self.encoder(x.flatten(2).transpose(1, 2) + self.position)
            return self.fc(self.norm(x).mean(dim=1))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
