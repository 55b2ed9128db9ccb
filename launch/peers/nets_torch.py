"""A training step of nets of convolutions in PyTorch: python nets_torch.py FOLDER --net lenet|resnet:DEPTH [OPTIONS], or,
with DistributedDataParallel over gloo, python -m torch.distributed.run --nproc_per_node P nets_torch.py FOLDER [OPTIONS].

The nets of the same names in distsgd.
"""

from torch import nn

import torch_training


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )


class Residual(nn.Sequential):
    """f(x) + x, or, where f makes smaller pictures of more channels, every second number of x and zeros."""

    def forward(self, x):
        y = super().forward(x)
        if x.shape != y.shape:
            x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return x + y


def normalised(inputs, outputs, stride=1):
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


def resnet(depth):
    layers, inputs = [*normalised(1, 16), nn.ReLU()], 16
    for outputs in (16, 32, 64):
        for _ in range((depth - 2) // 6):
            stride = 1 if outputs == inputs else 2
            layers += [Residual(*normalised(inputs, outputs, stride), nn.ReLU(), *normalised(outputs, outputs)), nn.ReLU()]
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def net(options):
    return lenet() if options.net == "lenet" else resnet(int(options.net.removeprefix("resnet:")))


torch_training.train(net, (1, 28, 28))
