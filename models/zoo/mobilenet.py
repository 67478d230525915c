"""MobileNetV2 (Sandler et al., arXiv 1801.04381): inverted residuals, depthwise convolutions."""

import torch
from torch import nn
from torch.nn import functional as F


def unit(cin, cout, kernel=1, stride=1, groups=1, act=True):
    layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(cout)]
    return layers + ([nn.ReLU6(inplace=True)] if act else [])


class Inverted(nn.Module):
    def __init__(self, cin, cout, stride, expand):
        super().__init__()
        hidden = cin * expand
        layers = unit(cin, hidden) if expand != 1 else []
        layers += unit(hidden, hidden, 3, stride, hidden)
        self.body = nn.Sequential(*layers, *unit(hidden, cout, act=False))
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV2(nn.Module):
    PLAN = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1))                     # expand, channels, repeats, stride

    def __init__(self, classes):
        super().__init__()
        layers, cin = unit(3, 32, 3, 2), 32
        for expand, cout, repeats, stride in self.PLAN:
            for i in range(repeats):
                layers.append(Inverted(cin, cout, stride if i == 0 else 1, expand))
                cin = cout
        self.features = nn.Sequential(*layers, *unit(cin, 1280))
        self.fc = nn.Linear(1280, classes)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1))


def mobilenetv2(classes=1000):
    return MobileNetV2(classes)
