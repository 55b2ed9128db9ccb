"""A training step of nets of convolutions in PyTorch: python nets_torch.py FOLDER --net lenet|resnet:DEPTH [OPTIONS], or,
with DistributedDataParallel over gloo, python -m torch.distributed.run --nproc_per_node P nets_torch.py FOLDER [OPTIONS].

The nets of the same names in distsgd; batches are taken from one tensor by index.
"""

import os
import time

import numpy as np
import torch
from torch import distributed, nn

import fashion


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


options = fashion.arguments()
torch.set_num_threads(options.threads)
torch.manual_seed(0)
rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
if size > 1:
    distributed.init_process_group("gloo")
images, labels = map(torch.from_numpy, fashion.training_set(options.folder))
images = images.reshape(-1, 1, 28, 28)
model = lenet() if options.net == "lenet" else resnet(int(options.net.removeprefix("resnet:")))
if size > 1:
    model = nn.parallel.DistributedDataParallel(model)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def together():
    if size > 1:
        distributed.barrier()


rng = np.random.default_rng(0)
for number, picked in fashion.batches(options, len(images), rng, rank, size):
    if number == options.skip:
        together()
        start = time.perf_counter()
    indices = torch.from_numpy(picked)
    optimizer.zero_grad()
    loss = criterion(model(images[indices]), labels[indices])
    loss.backward()
    optimizer.step()
together()
seconds = time.perf_counter() - start
if rank == 0:
    fashion.report(seconds, options, loss.item())
if size > 1:
    distributed.destroy_process_group()
