"""Writes normalisation.json: what PyTorch makes of models with batch and layer norms, where the tests let distsgd do it.

    pip install torch numpy; python make_normalisation.py

Like make_goldens.py, but with 50 steps each, in float64, and in batches of 20. The batch is one shard: nn.BatchNorm averages over all of it. The final tensors
have the running statistics too. A 2d norm sees the inputs as [channels, height, width], channels first.
"""

import sys

import numpy as np
import torch
from torch import nn

sys.dont_write_bytecode = True
import make_goldens as goldens

# Of two examples a batch norm makes ±1, and the least rounding shows: the last batch has 10.
goldens.BATCH = 20


class Dense(nn.Linear):
    """Of all numbers of an example, whatever its shape: nn.Flatten and nn.Linear as one module."""

    def forward(self, x):
        return super().forward(x.flatten(1))


class Residual(nn.Sequential):
    """x + f(x), f its layers."""

    def forward(self, x):
        return x + super().forward(x)


# name, model, shape of an example, outputs, loss, optimizer, η, modules
CASES = [
    ("batchnorm", "dense:8 batchnorm relu dense", (6,), 3, "cross-entropy", "sgd", 0.1,
     lambda: [Dense(6, 8), nn.BatchNorm1d(8), nn.ReLU(), Dense(8, 3)]),
    ("batchnorm at the data, adam", "batchnorm dense:8 tanh batchnorm dense", (6,), 1, "squared", "adam", 0.01,
     lambda: [nn.BatchNorm1d(6), Dense(6, 8), nn.Tanh(), nn.BatchNorm1d(8), Dense(8, 1)]),
    ("batchnorm, coefficients", "dense:8 batchnorm:momentum=0.3,epsilon=0.01 sigmoid dense", (6,), 3, "cross-entropy",
     "sgd:momentum=0.9", 0.05,
     lambda: [Dense(6, 8), nn.BatchNorm1d(8, eps=0.01, momentum=0.3), nn.Sigmoid(), Dense(8, 3)]),
    ("batchnorm 2d", "batchnorm tanh dense", (3, 2, 4), 3, "cross-entropy", "sgd", 0.1,
     lambda: [nn.BatchNorm2d(3), nn.Tanh(), Dense(24, 3)]),
    ("batchnorm in a block", "dense:8 residual(batchnorm gelu dense:8 batchnorm) dense", (6,), 3, "cross-entropy",
     "sgd", 0.05,
     lambda: [Dense(6, 8), Residual(nn.BatchNorm1d(8), nn.GELU(), Dense(8, 8), nn.BatchNorm1d(8)), Dense(8, 3)]),
    ("layernorm", "dense:8 layernorm tanh dense", (6,), 3, "cross-entropy", "sgd", 0.1,
     lambda: [Dense(6, 8), nn.LayerNorm([8]), nn.Tanh(), Dense(8, 3)]),
    ("layernorm of images, adam", "layernorm:epsilon=0.001 sigmoid dense", (2, 3, 4), 1, "squared", "adam", 0.01,
     lambda: [nn.LayerNorm([2, 3, 4], eps=0.001), nn.Sigmoid(), Dense(24, 1)]),
    ("both", "layernorm dense:40 batchnorm relu dense:7 layernorm tanh dense", (6,), 3, "cross-entropy",
     "sgd:momentum=0.9", 0.02,
     lambda: [nn.LayerNorm([6]), Dense(6, 40), nn.BatchNorm1d(40), nn.ReLU(), Dense(40, 7), nn.LayerNorm([7]),
              nn.Tanh(), Dense(7, 3)]),
]
STEPS = 50


def tensors(model):
    return {name: t.detach().clone() for name, t in model.state_dict().items() if t.is_floating_point()}


def make_case(name, text, shape, outputs, loss, optimizer, rate, modules):
    inputs = int(np.prod(shape))
    generator = torch.Generator().manual_seed(len(name))
    features = 2 * torch.randn(goldens.EXAMPLES, inputs, generator=generator) + 1
    if goldens.has_values(loss):
        direction = torch.randn(inputs, generator=generator)
        noise = torch.randn(goldens.EXAMPLES, generator=generator)
        targets = torch.sin(features @ direction) + 0.1 * noise
    else:
        targets = torch.randint(outputs, (goldens.EXAMPLES,), generator=generator)
    shaped = features.reshape(-1, *shape)

    torch.manual_seed(1)
    model = nn.Sequential(*modules())
    initial = tensors(model)
    exact = nn.Sequential(*modules()).double()
    exact.load_state_dict({key: t.double() for key, t in initial.items()}, strict=False)
    losses, _ = goldens.train(model, loss, optimizer, rate, STEPS, shaped, targets)
    exact_targets = targets.double() if goldens.has_values(loss) else targets
    exact_losses, _ = goldens.train(exact, loss, optimizer, rate, STEPS, shaped.double(), exact_targets)
    model.eval()
    case = {
        "name": name,
        "model": text,
        "loss": loss,
        "optimizer": optimizer,
        "shape": list(shape),
        "outputs": outputs,
        "batch": goldens.BATCH,
        "learningRate": rate,
        "float64Difference": ((losses - exact_losses) / exact_losses).abs().max().item(),
        "features": goldens.numbers(features),
        "targets" if goldens.has_values(loss) else "labels": goldens.numbers(targets),
        "initial": goldens.named(initial),
        "losses": goldens.numbers(exact_losses),
        "final": goldens.named(tensors(exact)),
        "inference": goldens.numbers(exact.eval()(shaped.double())),
    }
    for part in ("initial", "final"):
        assert all(len(t["values"]) == np.prod(t["shape"]) for t in case[part].values())
    return case


def rounded(value):
    """Numbers of float64 with the nine digits that a test at 1e-5 asks for."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


def write(cases, name):
    """Writes the file `name` beside this one."""
    torch.set_num_threads(1)
    goldens.write([rounded(make_case(*case)) for case in cases], name)


if __name__ == "__main__":
    write(CASES, "normalisation.json")
