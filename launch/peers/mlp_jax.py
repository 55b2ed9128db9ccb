"""A training step in JAX, compiled whole, on the cores that the process may use: taskset -c 0 python mlp_jax.py FOLDER."""

import time

import jax
import jax.numpy as jnp
import numpy as np

import fashion

options = fashion.arguments()
images, labels = fashion.training_set(options.folder)
labels = labels.astype(np.int32)
rng = np.random.default_rng(0)
shapes = list(zip(options.dims, options.dims[1:]))


def drawn(*shape, inputs):
    return (rng.uniform(-1, 1, shape) / np.sqrt(inputs)).astype(np.float32)


parameters = [(drawn(i, o, inputs=i), drawn(o, inputs=i)) for i, o in shapes]


def mean_loss(parameters, x, y):
    for weight, bias in parameters[:-1]:
        x = jnp.maximum(x @ weight + bias, 0)
    weight, bias = parameters[-1]
    scores = jax.nn.log_softmax(x @ weight + bias)
    return -scores[jnp.arange(len(y)), y].mean()


def update(parameters, x, y):
    loss, slopes = jax.value_and_grad(mean_loss)(parameters, x, y)
    return jax.tree.map(lambda value, slope: value - 0.1 * slope, parameters, slopes), loss


update = jax.jit(update, donate_argnums=0)
parameters = jax.device_put(parameters)
for number, picked in fashion.batches(options, len(images), rng):
    if number == options.skip:
        jax.block_until_ready(parameters)
        start = time.perf_counter()
    # NumPy gathers faster than XLA does on a CPU.
    parameters, loss = update(parameters, images[picked], labels[picked])
jax.block_until_ready(parameters)
fashion.report(time.perf_counter() - start, options, loss)
