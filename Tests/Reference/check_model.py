"""Loads a distsgd model into PyTorch and compares what both predict.

    pip install torch numpy safetensors
    distsgd predict --model FILE.safetensors --data DATA > PREDICTIONS.csv
    python check_model.py FILE.safetensors PREDICTIONS.csv DATA [TOLERANCE]

DATA are the raw inputs, without preprocessing:
    .csv           a header and comma-separated numbers; the columns that the model's metadata name are used
    .npy           shape (examples, inputs), or images of bytes
    IDX, IDX.gz    images of bytes; the model's metadata divide them by 255 as its featureDeviations
PREDICTIONS.csv has a header and a row for every example: the prediction in the target's own units, or the
class and the probability of every class (class,p0,p1,…).

Exits with 1 if a prediction differs by more than TOLERANCE (1e-5) of the largest, or the most probable
class differs where the two best are further apart than that.
"""

import csv
import gzip
import json
import sys

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

sys.dont_write_bytecode = True
from comparison import compare

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def sequential(metadata):
    """The layers that the metadata's `model`, `inputs`, `outputs` and `activation` describe."""
    kind, _, hidden = metadata["model"].partition(":")
    widths = [int(metadata["inputs"]), *(int(w) for w in hidden.split(",") if w), int(metadata["outputs"])]
    if kind not in ("linear", "softmax", "mlp"):
        raise SystemExit(f"unknown model '{metadata['model']}'")
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        if layers:
            layers.append(ACTIVATIONS[metadata.get("activation", "relu")]())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def read_features(path, names):
    """Raw inputs as float64, shape (examples, inputs)."""
    if path.endswith(".csv"):
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        return np.array([[float(row[name]) for name in names] for row in rows])
    if path.endswith(".npy"):
        array = np.load(path)
    else:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            content = file.read()
        if content[:3] != b"\0\0\x08":
            raise SystemExit(f"{path} is not an IDX file of bytes")
        shape = np.frombuffer(content, ">u4", content[3], 4)
        array = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
    return array.reshape(len(array), -1).astype(np.float64)


def main(model_path, predictions_path, data_path, tolerance="1e-5"):
    with safe_open(model_path, "pt") as file:
        metadata = file.metadata()
    model = sequential(metadata)
    model.load_state_dict(load_file(model_path))  # strict: every name and shape must agree

    raw = read_features(data_path, json.loads(metadata["featureNames"]))
    means = np.array(json.loads(metadata["featureMeans"]) or 0.0)
    deviations = np.array(json.loads(metadata["featureDeviations"]) or 1.0)
    with torch.no_grad():
        output = model(torch.tensor((raw - means) / deviations, dtype=torch.float32))
    classifies = metadata["loss"] == "cross-entropy"
    if classifies:
        expected = output.softmax(1).numpy()
    else:
        expected = output.numpy() * float(metadata["targetDeviation"]) + float(metadata["targetMean"])

    actual = np.genfromtxt(predictions_path, delimiter=",", skip_header=1, ndmin=2, dtype=np.float64)
    if classifies:
        classes, actual = actual[:, 0].astype(int), actual[:, 1:]
    if classifies:
        compare(actual, expected, float(tolerance), classes, expected.argmax(1))
    compare(actual, expected, float(tolerance))


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
