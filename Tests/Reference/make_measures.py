"""Writes measures.json: predictions, and what scikit-learn measures of them.

    pip install numpy scikit-learn
    python make_measures.py > measures.json
"""

import json
import sys

import numpy as np
from sklearn import metrics


def drawn_weights(random, rows):
    """Some whole, some not, some 0."""
    return np.float32(np.where(random.random(rows) < 0.2, 0, np.round(random.exponential(2, rows), 2)))


def classes(random, rows, count, decimals, weighted=False):
    """Probabilities with ties, for `count` classes of which not all are predicted."""
    z = random.normal(size=(rows, count)) + (np.arange(count) == 0)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    labels = np.array([random.choice(count, p=row) for row in p])
    p = np.float32(np.round(p, decimals))
    if count == 2:
        p[:, 0] = 1 - p[:, 1]
    predicted = p.argmax(1)
    everything = list(range(count))
    weights = drawn_weights(random, rows).astype(float) if weighted else None
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=everything, zero_division=0, sample_weight=weights
    )
    case = {
        "classes": count,
        "predictions": p.astype(float).ravel().tolist(),
        "labels": labels.tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "macroF1": metrics.f1_score(labels, predicted, average="macro", zero_division=0, sample_weight=weights),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=everything, sample_weight=weights)
        .ravel()
        .tolist(),
        # Without the clipping and the normalising of log_loss.
        "logLoss": float(np.average(-np.log(p[np.arange(rows), labels].astype(float)), weights=weights)),
    }
    if weighted:
        case["weights"] = weights.tolist()
    if count > 5:
        case["top5"] = float(metrics.top_k_accuracy_score(labels, p, k=5, labels=everything, sample_weight=weights))
    if count == 2:
        case["auc"] = float(metrics.roc_auc_score(labels, p[:, 1], sample_weight=weights))
    return case


def numbers(random, rows, targets, weighted=False):
    deviations = [30.5, 0.002][:targets]
    y = np.float32(random.normal(size=(rows, targets)))
    predictions = np.float32(y + random.normal(size=(rows, targets)) * 0.4)
    weights = drawn_weights(random, rows).astype(float) if weighted else None
    raw, guessed = y.astype(float) * deviations, predictions.astype(float) * deviations
    rmse = np.sqrt(metrics.mean_squared_error(raw, guessed, multioutput="raw_values", sample_weight=weights))
    mae = metrics.mean_absolute_error(raw, guessed, multioutput="raw_values", sample_weight=weights)
    r2 = metrics.r2_score(raw, guessed, multioutput="raw_values", sample_weight=weights)
    case = {
        "deviations": deviations,
        "predictions": predictions.astype(float).ravel().tolist(),
        "values": y.astype(float).ravel().tolist(),
        "rmse": rmse.tolist(),
        "mae": mae.tolist(),
        "r2": r2.tolist(),
    }
    if weighted:
        case["weights"] = weights.tolist()
    return case


random = np.random.default_rng(7)
json.dump(
    {
        "classes": [classes(random, 41, 2, 2), classes(random, 30, 3, 3), classes(random, 60, 8, 5)],
        "numbers": [numbers(random, 25, 1), numbers(random, 25, 2)],
        "weightedClasses": [classes(random, 60, 2, 2, True), classes(random, 70, 3, 3, True), classes(random, 90, 8, 5, True)],
        "weightedNumbers": [numbers(random, 40, 1, True), numbers(random, 40, 2, True)],
    },
    sys.stdout,
)
print()
