"""DenseNet121 (Huang et al., arXiv 1608.06993): every layer reads all earlier maps of its block."""

import torch
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, cin, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, maps):
        x = self.conv1(F.relu(self.norm1(torch.cat(maps, 1))))
        return self.conv2(F.relu(self.norm2(x)))


class Dense(nn.Module):
    def __init__(self, cin, depth, growth):
        super().__init__()
        self.layers = nn.ModuleList(Layer(cin + i * growth, growth) for i in range(depth))

    def forward(self, x):
        maps = [x]
        for layer in self.layers:
            maps.append(layer(maps))
        return torch.cat(maps, 1)


class DenseNet(nn.Module):
    def __init__(self, depths, classes, growth=32, width=64):
        super().__init__()
        parts = [nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                 nn.MaxPool2d(3, 2, 1)]
        for i, depth in enumerate(depths):
            parts.append(Dense(width, depth, growth))
            width += depth * growth
            if i + 1 < len(depths):
                parts += [nn.BatchNorm2d(width), nn.ReLU(),
                          nn.Conv2d(width, width // 2, 1, bias=False), nn.AvgPool2d(2, 2)]
                width //= 2
        self.features = nn.Sequential(*parts, nn.BatchNorm2d(width), nn.ReLU())
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1))


def densenet121(classes=1000):
    return DenseNet((6, 12, 24, 16), classes)
