"""Runs an exported model in onnxruntime on raw columns, and compares what it predicts with distsgd.

    pip install numpy onnx onnxruntime
    python check_onnx.py MODEL.onnx DATA PREDICTIONS.csv [TOLERANCE]

DATA is a table with a header (.csv), or an array (.npy) of inputs. PREDICTIONS.csv is what 'distsgd predict' prints
for it: the numbers, or the class and the probability of each. Exits with 1 if a number differs by more than TOLERANCE
(1e-5) of the largest, or a class differs where the two best are further apart than that.
"""

import csv
import sys

import numpy as np
import onnx
import onnxruntime

sys.dont_write_bytecode = True
from comparison import compare

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(string)": str}


def feeds(session, path):
    """What goes in: a column for each input, or all columns that the model's metadata name side by side."""
    inputs = session.get_inputs()
    if path.endswith(".npy"):
        array = np.load(path)
        shape = [len(array)] + [size for size in inputs[0].shape[1:]]
        return {inputs[0].name: array.reshape(shape).astype(TYPES[inputs[0].type])}
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name, kind):
        texts = [row[name] for row in rows]
        return np.array(texts, object) if kind is str else np.array([float(t or "nan") for t in texts], kind)

    if len(inputs) == 1 and inputs[0].name == "inputs":
        import json

        names = json.loads(session.get_modelmeta().custom_metadata_map["columns"])
        return {"inputs": np.stack([column(n, TYPES[inputs[0].type]) for n in names], 1)}
    return {i.name: column(i.name, TYPES[i.type])[:, None] for i in inputs}


def main(model, data, predictions, tolerance="1e-5"):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    result = dict(zip(names, session.run(names, feeds(session, data))))
    with open(predictions, newline="") as file:
        rows = list(csv.reader(file))[1:]
    first = 1 if "label" in names else 0
    actual = np.array([[float(field) for field in row[first:]] for row in rows])
    expected = result["probabilities" if first else "prediction"]
    if not first:
        compare(actual, expected, float(tolerance))
    classes = np.array([row[0] for row in rows])
    compare(actual, expected, float(tolerance), classes, result["label"].astype(str))


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
