"""EfficientNet-B0 (Tan and Le, arXiv 1905.11946): MBConv with squeeze-and-excitation and SiLU."""

import torch
from torch import nn
from torch.nn import functional as F


def unit(cin, cout, kernel=1, stride=1, groups=1, act=True):
    layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(cout, eps=1e-3)]
    return layers + ([nn.SiLU()] if act else [])


class Squeeze(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.down = nn.Conv2d(channels, hidden, 1)
        self.up = nn.Conv2d(hidden, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(F.silu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class MBConv(nn.Module):
    def __init__(self, cin, cout, kernel, stride, expand):
        super().__init__()
        hidden = cin * expand
        layers = unit(cin, hidden) if expand != 1 else []
        layers += unit(hidden, hidden, kernel, stride, hidden)
        layers.append(Squeeze(hidden, max(1, cin // 4)))
        self.body = nn.Sequential(*layers, *unit(hidden, cout, act=False))
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class EfficientNet(nn.Module):
    PLAN = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
            (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
    #        expand, channels, repeats, stride, kernel

    def __init__(self, classes):
        super().__init__()
        layers, cin = unit(3, 32, 3, 2), 32
        for expand, cout, repeats, stride, kernel in self.PLAN:
            for i in range(repeats):
                layers.append(MBConv(cin, cout, kernel, stride if i == 0 else 1, expand))
                cin = cout
        self.features = nn.Sequential(*layers, *unit(cin, 1280))
        self.fc = nn.Linear(1280, classes)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1))


def efficientnet_b0(classes=1000):
    return EfficientNet(classes)
