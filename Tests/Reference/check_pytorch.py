"""Runs a generated model.py on raw columns, and compares what it predicts with distsgd.

    pip install numpy torch safetensors
    python check_pytorch.py MODEL.py DATA.csv PREDICTIONS.csv COLUMN…

DATA has a header; COLUMN… are those that the model takes, in its order. Exits as check_onnx.py does.
"""

import csv
import runpy
import sys

import numpy as np


def field(text):
    try:
        return float(text)
    except ValueError:
        return text if text else None


def main(model, data, predictions, *columns):
    module = runpy.run_path(model)
    with open(data, newline="") as file:
        rows = [[field(row[name]) for name in columns] for row in csv.DictReader(file)]
    if all(v is None or isinstance(v, float) for row in rows for v in row):
        rows = [[float("nan") if v is None else v for v in row] for row in rows]
    result = module["predict"](rows)
    with open(predictions, newline="") as file:
        actual = list(csv.reader(file))[1:]
    classes, expected = result if isinstance(result, tuple) else (None, result)
    first = 0 if classes is None else 1
    numbers = np.array([[float(f) for f in row[first:]] for row in actual])
    expected = expected.numpy()
    if numbers.shape != expected.shape:
        raise SystemExit(f"predictions of shape {numbers.shape} should have shape {expected.shape}")
    difference = np.abs(numbers - expected).max() / np.abs(expected).max()
    wrong = 0
    if classes is not None:
        best = np.sort(expected, 1)
        clear = best[:, -1] - best[:, -2] > 1e-5
        wrong = sum(a != row[0] for a, row, c in zip(classes, actual, clear) if c)
    print(f"{len(actual)} examples: largest difference {difference:.2e} of the largest; {wrong} classes differ")
    raise SystemExit(0 if difference <= 1e-5 and wrong == 0 else 1)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
