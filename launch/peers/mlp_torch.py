"""A training step in PyTorch: python mlp_torch.py FOLDER [OPTIONS], or, with DistributedDataParallel over gloo,
python -m torch.distributed.run --nproc_per_node P mlp_torch.py FOLDER [OPTIONS].

Batches are taken from one tensor by index: a DataLoader would only slow it down.
"""

import os
import time

import numpy as np
import torch
from torch import distributed, nn

import fashion

options = fashion.arguments()
torch.set_num_threads(options.threads)
torch.manual_seed(0)
rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
if size > 1:
    distributed.init_process_group("gloo")
images, labels = map(torch.from_numpy, fashion.training_set(options.folder))

stages = []
for inputs, outputs in zip(options.dims, options.dims[1:]):
    stages += [nn.Linear(inputs, outputs), nn.ReLU()]
model = nn.Sequential(*stages[:-1])
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
