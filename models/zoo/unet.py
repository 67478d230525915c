"""A U-Net that segments pictures (Ronneberger et al., arXiv 1505.04597) as nnU-Net plans one in two dimensions
(Isensee et al., Nature Methods 18, 2021): strided convolutions go down, transposed ones up; each 3x3 convolution is
followed by an InstanceNorm - or by a GroupNorm of 8 groups - and a LeakyReLU."""

import torch
from torch import nn


def unit(cin, cout, stride, groups):
    norm = nn.GroupNorm(groups, cout) if groups else nn.InstanceNorm2d(cout, affine=True)
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, 1), norm, nn.LeakyReLU(0.01))


class UNet(nn.Module):
    def __init__(self, classes, widths=(32, 64, 128, 256, 320, 320), groups=0):
        super().__init__()
        down, up, join, cin = [], [], [], 3
        for i, width in enumerate(widths):
            down.append(nn.Sequential(unit(cin, width, 2 if i else 1, groups), unit(width, width, 1, groups)))
            cin = width
        for width in reversed(widths[:-1]):
            up.append(nn.ConvTranspose2d(cin, width, 2, 2))
            join.append(nn.Sequential(unit(2 * width, width, 1, groups), unit(width, width, 1, groups)))
            cin = width
        self.down, self.up, self.join = nn.ModuleList(down), nn.ModuleList(up), nn.ModuleList(join)
        self.head = nn.Conv2d(cin, classes, 1)

    def forward(self, x):
        maps = []
        for stage in self.down:
            x = stage(x)
            maps.append(x)
        for up, join, skip in zip(self.up, self.join, maps[-2::-1]):
            x = join(torch.cat([up(x), skip], 1))
        return self.head(x)


def unet(classes=4):
    return UNet(classes)


def unet_groupnorm(classes=4):
    return UNet(classes, groups=8)
