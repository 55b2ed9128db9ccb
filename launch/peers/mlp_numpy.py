"""A training step in NumPy, data parallel with mpi4py: mpirun -np P python mlp_numpy.py FOLDER [OPTIONS].

All gradients are views of one array, so that one in-place Allreduce adds them up.
"""

import time

import numpy as np
from mpi4py import MPI

import fashion

options = fashion.arguments()
world = MPI.COMM_WORLD
images, labels = fashion.training_set(options.folder)
rng = np.random.default_rng(0)  # the same numbers on every rank
dims = options.dims
sizes = [(i + 1) * o for i, o in zip(dims, dims[1:])]
parameters = np.empty(sum(sizes), np.float32)
gradients = np.empty_like(parameters)


def layers(arena):
    """(weight (inputs, outputs), bias (outputs)) of each layer, as views."""
    views, start = [], 0
    for inputs, outputs, size in zip(dims, dims[1:], sizes):
        part = arena[start : start + size]
        views.append((part[: inputs * outputs].reshape(inputs, outputs), part[inputs * outputs :]))
        start += size
    return views


model, slopes = layers(parameters), layers(gradients)
for (weight, bias), inputs in zip(model, dims):
    weight[:] = rng.uniform(-1, 1, weight.shape) / np.sqrt(inputs)
    bias[:] = rng.uniform(-1, 1, bias.shape) / np.sqrt(inputs)

rows = np.arange(options.batch // world.size)
outputs = [np.empty((len(rows), width), np.float32) for width in dims[1:]]
errors = [np.empty_like(output) for output in outputs]
rate, mean = np.float32(0.1), np.float32(1 / options.batch)


def step(x, y):
    """One update from this rank's rows; returns their summed loss."""
    inputs = [x] + outputs[:-1]
    for (weight, bias), value, output in zip(model, inputs, outputs):
        np.matmul(value, weight, out=output)
        output += bias
        if output is not outputs[-1]:
            np.maximum(output, 0, out=output)
    logits, error = outputs[-1], errors[-1]
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=error)
    total = error.sum(axis=1, keepdims=True)
    loss = np.log(total).sum() - logits[rows, y].sum()
    error *= mean / total
    error[rows, y] -= mean
    for k in reversed(range(len(model))):
        np.matmul(inputs[k].T, errors[k], out=slopes[k][0])
        np.sum(errors[k], axis=0, out=slopes[k][1])
        if k > 0:
            np.matmul(errors[k], model[k][0].T, out=errors[k - 1])
            errors[k - 1] *= inputs[k] > 0
    if world.size > 1:
        world.Allreduce(MPI.IN_PLACE, gradients)
    np.multiply(gradients, rate, out=gradients)
    np.subtract(parameters, gradients, out=parameters)
    return loss


for number, picked in fashion.batches(options, len(images), rng, world.rank, world.size):
    if number == options.skip:
        world.Barrier()
        start = time.perf_counter()
    loss = step(images[picked], labels[picked])
world.Barrier()
seconds = time.perf_counter() - start
loss = world.allreduce(loss) / options.batch
if world.rank == 0:
    fashion.report(seconds, options, loss)
