"""Trains by the distsgd that is named and in NumPy's float64, and compares the losses of 24 steps.

    pip install numpy; python check_updates.py [DISTSGD [RANKS,…]]

The network, its gradient, clipping and the updates are written out here, from the formulas alone: an mlp of sigmoids on
classes, sequential batches of 64 of 500 examples, the last of an epoch shorter. Exits 0 where every loss is within 1e-4
of the expected one, relatively.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

EXAMPLES, INPUTS, WIDTHS, CLASSES, BATCH, STEPS = 500, 30, (40, 20), 7, 64, 24
JOBS = [
    ("--optimizer sgd --momentum 0.9", 0.1),
    ("--optimizer adam --weight-decay 0.01 --clip-norm 1", 0.01),
    ("--optimizer adam --weight-decay 0.01 --clip-norm 0.05", 0.01),
    ("--optimizer sgd --momentum 0.9 --nesterov --clip-norm 0.1", 0.1),
]


def save(path, tensors):
    """A safetensors file."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = array.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def gradient(parameters, x, labels):
    """The mean loss over a batch and its gradient."""
    values = [x]
    for k in range(0, len(parameters), 2):
        z = values[-1] @ parameters[k].T + parameters[k + 1]
        values.append(z if k == len(parameters) - 2 else 1 / (1 + np.exp(-z)))
    z = values[-1]
    shifted = z - z.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    d = np.exp(logs)
    d[rows, labels] -= 1
    d /= len(x)
    gradients = []
    for k in range(len(parameters) - 2, -1, -2):
        a = values[k // 2]
        gradients = [d.T @ a, d.sum(axis=0)] + gradients
        if k:
            d = (d @ parameters[k]) * a * (1 - a)
    return -logs[rows, labels].mean(), gradients


def reference(words, rate, parameters, x, labels):
    words = words.split()
    value = {flag: float(words[words.index(flag) + 1]) for flag in ("--momentum", "--weight-decay", "--clip-norm")
             if flag in words}
    parameters = [p.astype(np.float64) for p in parameters]
    m, v = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    losses, norms, clipped = [], [], 0
    start = 0
    for t in range(1, STEPS + 1):
        end = min(start + BATCH, EXAMPLES)
        loss, g = gradient(parameters, x[start:end], labels[start:end])
        start = 0 if end == EXAMPLES else end
        losses.append(loss)
        norm = np.sqrt(sum((a * a).sum() for a in g))
        norms.append(norm)
        if "--clip-norm" in value:
            factor = min(1.0, value["--clip-norm"] / (norm + 1e-6))
            clipped += factor < 1
            g = [factor * a for a in g]
        for i, p in enumerate(parameters):
            h = g[i] + value.get("--weight-decay", 0) * p
            if "adam" in words:
                m[i] = 0.9 * m[i] + 0.1 * h
                v[i] = 0.999 * v[i] + 0.001 * h * h
                p -= rate * (m[i] / (1 - 0.9**t)) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
            else:
                m[i] = value["--momentum"] * m[i] + h
                p -= rate * (h + value["--momentum"] * m[i] if "--nesterov" in words else m[i])
    return np.array(losses), np.array(norms), clipped


def main(program=".build/release/distsgd", ranks="1,2,3,8"):
    random = np.random.default_rng(5)
    x = random.standard_normal((EXAMPLES, INPUTS)).astype("<f4")
    labels = (x[:, :CLASSES] + 0.5 * random.standard_normal((EXAMPLES, CLASSES))).argmax(axis=1).astype(np.uint8)
    sizes = (INPUTS, *WIDTHS, CLASSES)
    parameters = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        bound = 1 / np.sqrt(inputs)
        parameters += [random.uniform(-bound, bound, (outputs, inputs)).astype("<f4"),
                       random.uniform(-bound, bound, outputs).astype("<f4")]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", labels)
        save(folder / "start.safetensors", {f"{k // 2 * 2}.{'bias' if k % 2 else 'weight'}": p
                                            for k, p in enumerate(parameters)})
        text = " sigmoid ".join(f"dense:{width}" for width in WIDTHS) + " sigmoid dense"
        for words, rate in JOBS:
            expected, norms, clipped = reference(words, rate, parameters, x.astype(np.float64), labels)
            for count in ranks.split(","):
                for shards in ("8", "13"):
                    run = folder / f"run-{words}-{count}-{shards}".replace(" ", "")
                    command = [] if count == "1" else ["mpirun", "-np", count]
                    command += [program, "--data", f"{folder}/x.npy,{folder}/y.npy", "--model", text, "--initialize",
                                f"{folder}/start.safetensors", "--sampling", "sequential", "--global-batch", str(BATCH),
                                "--steps", str(STEPS), "--lr", str(rate), "--shards", shards, "--log-every", "1",
                                "--no-standardize", "--quiet", "--output", str(run), *words.split()]
                    done = subprocess.run(command, capture_output=True, text=True)
                    if done.returncode != 0:
                        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
                    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
                    steps = [step for step in steps if step["event"] == "step"]
                    losses = np.array([step["loss"] for step in steps])
                    difference = np.abs(losses / expected - 1).max()
                    ofNorms = np.abs(np.array([step["gradientNorm"] for step in steps]) / norms - 1).max()
                    worst = max(worst, difference, ofNorms)
                    print(f"{words}, {count} ranks, {shards} shards: losses differ by {difference:.1e}, norms by "
                          f"{ofNorms:.1e}; {clipped} of {STEPS} clipped, loss {losses[0]:.3f} to {losses[-1]:.3f}")
    raise SystemExit(0 if worst <= 1e-4 else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
