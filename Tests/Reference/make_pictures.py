"""Writes pictures.json: what PyTorch makes of models with convolutions and pooling, where the tests let distsgd do it.

    pip install torch numpy; python make_pictures.py

As make_normalisation.py: 50 steps each, in float64; an example is [channels, height, width], or [channels, length].
"""

import sys

from torch import nn

sys.dont_write_bytecode = True
import make_normalisation as training
from make_normalisation import Residual


class Narrowing(nn.Sequential):
    """f(x) plus every second number of x, and zeros in the new channels."""

    def forward(self, x):
        y = super().forward(x)
        return y + nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


# name, model, shape of an example, outputs, loss, optimizer, η, modules
CASES = [
    ("a small lenet", "conv:3,5,padding=2 sigmoid avgpool:2 conv:5,3 sigmoid avgpool:2 flatten dense:9 sigmoid dense",
     (1, 10, 11), 3, "cross-entropy", "sgd:momentum=0.9", 0.5,
     lambda: [nn.Conv2d(1, 3, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(3, 5, 3), nn.Sigmoid(),
              nn.AvgPool2d(2), nn.Flatten(), nn.Linear(5, 9), nn.Sigmoid(), nn.Linear(9, 3)]),
    ("strides", "conv:7,3,stride=2,padding=1 tanh maxpool:3,stride=2 conv:4,2,stride=3,padding=1,unbiased flatten dense",
     (2, 11, 8), 3, "cross-entropy", "sgd", 0.05,
     lambda: [nn.Conv2d(2, 7, 3, stride=2, padding=1), nn.Tanh(), nn.MaxPool2d(3, stride=2),
              nn.Conv2d(7, 4, 2, stride=3, padding=1, bias=False), nn.Flatten(), nn.Linear(4, 3)]),
    ("depthwise", "conv:8,1 depthwise:3,padding=1,stride=2 relu conv:13,1 tanh globalavgpool flatten dense",
     (2, 5, 7), 1, "squared", "adam", 0.01,
     lambda: [nn.Conv2d(2, 8, 1), nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8), nn.ReLU(), nn.Conv2d(8, 13, 1),
              nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(13, 1)]),
    ("sequences", "conv1d:5,4,stride=2,padding=2 relu maxpool:2 conv1d:4,2 tanh flatten dense", (3, 12), 3,
     "cross-entropy", "sgd", 0.1,
     lambda: [nn.Conv1d(3, 5, 4, stride=2, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(5, 4, 2), nn.Tanh(),
              nn.Flatten(), nn.Linear(8, 3)]),
    ("blocks", "conv:4,3,padding=1,unbiased batchnorm tanh "
     "residual(conv:6,3,stride=2,padding=1 batchnorm tanh conv:6,3,padding=1 batchnorm) "
     "residual(conv:6,3,padding=1 gelu) tanh globalavgpool flatten dense",
     (1, 5, 6), 3, "cross-entropy", "sgd", 0.02,
     lambda: [nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Tanh(),
              Narrowing(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.Tanh(),
                        nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)),
              Residual(nn.Conv2d(6, 6, 3, padding=1), nn.GELU()), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
              nn.Linear(6, 3)]),
]

if __name__ == "__main__":
    training.write(CASES, "pictures.json")
