"""Compares what distsgd predicts with what another program does; see check_model.py and check_onnx.py."""

import numpy as np


def compare(actual, expected, tolerance, classes=None, right=None):
    """Tells the largest difference, and ends the program: with 1 if a number differs by more than `tolerance` of the
    largest, or one of `classes` from that of `right` where the two best are further apart than that.

    actual, expected: shape (examples, outputs). classes, right: shape (examples), or None for numbers.
    """
    if actual.shape != expected.shape:
        raise SystemExit(f"predictions of shape {actual.shape} should have shape {expected.shape}")
    difference = np.abs(actual - expected).max() / np.abs(expected).max()
    print(f"{len(actual)} examples, {expected.shape[1]} outputs: largest difference {difference:.2e} of the largest")
    failed = not difference <= tolerance  # also where it is NaN
    if classes is not None:
        best = np.sort(expected, 1)
        clear = best[:, -1] - best[:, -2] > tolerance
        wrong = int((classes != right)[clear].sum())
        print(f"{wrong} classes differ")
        failed = failed or wrong > 0
    raise SystemExit(1 if failed else 0)
