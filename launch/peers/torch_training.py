"""Trains a model of PyTorch as long as the options say, alone or, under torch.distributed.run, with DistributedDataParallel
over gloo, and prints how long a step takes.

Batches are taken from one tensor by index: a DataLoader would only slow it down.
"""

import os
import time

import numpy as np
import torch
from torch import distributed, nn

import fashion


def train(make_model, shape=()):
    """`make_model` is called with the options; each example has the shape that is given, or is a row of pixels."""
    options = fashion.arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if size > 1:
        distributed.init_process_group("gloo")
    images, labels = map(torch.from_numpy, fashion.training_set(options.folder))
    if shape:
        images = images.reshape(-1, *shape)
    model = make_model(options)
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
