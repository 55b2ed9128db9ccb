"""Writes inputs.json: smoothed labels and weights of classes as PyTorch has them, and mixup's draws, made anew.

    pip install torch numpy; python make_inputs.py

The losses are in float64. Philox and the draws of Beta(alpha, alpha) are written here as docs/reference.md has them, with NumPy's
logarithm and cosine, and not taken from distsgd.
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn import functional as F


def philox(counter, key):
    c, (k0, k1), mask = list(counter), key, 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & mask, (p0 >> 32) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return c


class Draws:
    """Purpose 9, mixup, of one seed and epoch."""

    def __init__(self, seed, epoch):
        self.key, self.epoch = (seed & 0xFFFFFFFF, seed >> 32), epoch

    def words(self, stream, index):
        return philox([index & 0xFFFFFFFF, index >> 32, self.epoch, 9 | stream << 8], self.key)

    def bits(self, stream, index):
        w = self.words(stream, index)
        return w[0] | w[1] << 32

    def uniform(self, stream, index):
        return ((self.bits(stream, index) >> 11) + 1) * 2.0**-53

    def normal(self, stream, index):
        w = self.words(stream, index)
        u = ((w[0] | (w[1] & 0x1FFFFF) << 32) + 1) * 2.0**-53
        v = (w[2] | (w[3] & 0x1FFFFF) << 32) * 2.0**-53
        return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)

    def log_gamma(self, which, index, alpha):
        d = (alpha + 1 if alpha < 1 else alpha) - 1 / 3
        c = 1 / np.sqrt(9 * d)
        boost = np.log(self.uniform(1 + which, index)) / alpha if alpha < 1 else 0
        stream = 3 + 2 * which
        while True:
            x = self.normal(stream, index)
            v = (1 + c * x) ** 3
            if v > 0 and np.log(self.uniform(stream + 1, index)) < 0.5 * x * x + d - d * v + d * np.log(v):
                return np.log(d * v) + boost
            stream += 4

    def share(self, index, alpha):
        return 1 / (1 + np.exp(self.log_gamma(1, index, alpha) - self.log_gamma(0, index, alpha)))

    def partner(self, index, start, count):
        return start + (self.bits(0, index) * count >> 64)


def losses():
    r = np.random.default_rng(13)
    for smoothing in (0, 0.1, 1):
        for weighted in (False, True):
            z = torch.tensor(3 * r.standard_normal((7, 5)), requires_grad=True)
            labels = torch.tensor(r.integers(0, 5, 7))
            weights = torch.tensor(np.round(r.random(5) * 4, 2)) if weighted else None
            loss = F.cross_entropy(z, labels, weight=weights, label_smoothing=smoothing)
            loss.backward()
            yield {
                "smoothing": smoothing, "weights": weights.tolist() if weighted else None, "z": z.flatten().tolist(),
                "labels": labels.tolist(), "loss": loss.item(), "gradient": z.grad.flatten().tolist(),
            }


def mixtures():
    for alpha in (0.05, 0.2, 1, 3):
        draws = Draws(2**40 + 7, 3)
        yield {
            "alpha": alpha, "partners": [draws.partner(i, 64, 40) for i in range(64, 104)],
            "shares": [float(draws.share(i, alpha)) for i in range(64, 104)],
        }


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("inputs.json")
    path.write_text(json.dumps({"losses": list(losses()), "mixtures": list(mixtures())}) + "\n")
