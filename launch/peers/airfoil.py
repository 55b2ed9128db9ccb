"""The chapter's four runs of linear regression: python airfoil.py torch|numpy TABLE.csv.

Seconds of an epoch without evaluation, after a run that is not counted. The data are the same shape as the airfoil
set: 1,500 rows of 5 features and a target. Both ways index a permutation, which is faster than a DataLoader.
"""

import json
import statistics
import sys
import time

import numpy as np

RUNS = {"gd": (1500, 1.0, 10), "sgd": (1, 0.005, 2), "minibatch 100": (100, 0.4, 2), "minibatch 10": (10, 0.05, 2)}

way, path = sys.argv[1:]
table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
x, y = np.ascontiguousarray(table[:, :-1]), np.ascontiguousarray(table[:, -1])
rng = np.random.default_rng(0)


def numpy_epochs(batch, rate, epochs):
    weight, bias = rng.normal(0, 0.01, x.shape[1]).astype(np.float32), np.float32(0)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            picked = order[start : start + batch]
            rows = x[picked]
            error = rows @ weight + bias - y[picked]
            step = np.float32(rate / len(picked))
            weight -= step * (error @ rows)
            bias -= step * error.sum()
    return ((x @ weight + bias - y) ** 2).mean() / 2


def torch_epochs(batch, rate, epochs):
    features, targets = torch.from_numpy(x), torch.from_numpy(y).reshape(-1, 1)
    weight = (0.01 * torch.randn(x.shape[1], 1)).requires_grad_()
    bias = torch.zeros(1, requires_grad=True)
    for _ in range(epochs):
        for picked in torch.randperm(len(features)).split(batch):
            loss = ((features[picked] @ weight + bias - targets[picked]) ** 2 / 2).mean()
            loss.backward()
            with torch.no_grad():
                for parameter in (weight, bias):
                    parameter -= rate * parameter.grad
                    parameter.grad.zero_()
    with torch.no_grad():
        return ((features @ weight + bias - targets) ** 2 / 2).mean().item()


if way == "torch":
    import torch

    torch.set_num_threads(1)
epochs_of = {"torch": torch_epochs, "numpy": numpy_epochs}[way]
results = {}
for name, (batch, rate, epochs) in RUNS.items():
    epochs_of(batch, rate, 1 if batch == 1 else epochs)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        loss = epochs_of(batch, rate, epochs)
        seconds.append((time.perf_counter() - start) / epochs)
    results[name] = {"secondsPerEpoch": statistics.median(seconds), "loss": float(loss)}
print(json.dumps(results), flush=True)
