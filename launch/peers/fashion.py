"""What the peer programs share: the work they are given, Fashion-MNIST, and the line that they print."""

import argparse
import gzip
import json
import pathlib

import numpy as np


def arguments():
    """--dims WIDTHS --batch B --steps T --skip S [--threads N]: an MLP, and how long it is trained."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path, help="holds the four IDX files")
    parser.add_argument("--dims", default="784,256,128,10")
    parser.add_argument("--net", default="lenet", help="of nets_torch.py: lenet, or resnet:DEPTH")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=468, help="of which the first --skip are not timed")
    parser.add_argument("--skip", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.dims = [int(width) for width in options.dims.split(",")]
    return options


def training_set(folder):
    """Images as float32 in [0, 1], shape (60000, 784), and labels as int64."""

    def bytes_of(kind, header):
        path = folder / f"train-{kind}-ubyte"
        data = path.read_bytes() if path.exists() else gzip.decompress((folder / f"{path.name}.gz").read_bytes())
        return np.frombuffer(data, np.uint8, offset=header)

    images = bytes_of("images-idx3", 16).reshape(-1, 784)
    return images.astype(np.float32) / np.float32(255), bytes_of("labels-idx1", 8).astype(np.int64)


def batches(options, count, rng, rank=0, size=1):
    """Indices of this process's share of every batch, in a new random order every epoch."""
    share = options.batch // size
    per_epoch = count // options.batch
    for step in range(options.steps):
        if step % per_epoch == 0:
            order = rng.permutation(count)
        start = step % per_epoch * options.batch + rank * share
        yield step, order[start : start + share]


def report(seconds, options, loss):
    """`loss` is that of the last batch: a peer that does not learn is no peer."""
    steps = options.steps - options.skip
    print(json.dumps({"secondsPerStep": seconds / steps, "steps": steps, "loss": float(loss)}), flush=True)
