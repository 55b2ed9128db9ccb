#!/usr/bin/env python3
"""Reads a run's event files with TensorBoard's own reader and compares them with the run's other files.

    check_tensorboard.py RUN    ends with 1 where a number of metrics.jsonl is missing or another one, where there is a step
                                that the run does not have (any more), or a histogram that is not the model's

Needs tensorboard and numpy.
"""
import json
import struct
import sys

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

ALL = {"scalars": 0, "histograms": 0, "tensors": 0, "compressedHistograms": 0}
DERIVED = ("step/examplesPerSecond", "phase/")


def main(run):
    events = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    reader = EventAccumulator(run, size_guidance=ALL)
    reader.Reload()
    wanted, step = {}, 0
    for event in events:
        if event["event"] == "run": continue
        step = event.get("step", step)
        place = event.get("set", event["event"])
        for name, value in event.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or name == "step": continue
            wanted.setdefault(f"{place}/{name}", []).append((step, numpy.float32(value)))
    tags = reader.Tags()
    found = {tag: [(e.step, numpy.float32(e.value)) for e in reader.Scalars(tag)] for tag in tags["scalars"]}
    wrong = [f"no {tag}" for tag in wanted if tag not in found]
    for tag, values in found.items():
        if tag.startswith(DERIVED): wanted[tag] = [v for v in values if v[0] <= step and numpy.isfinite(v[1])]
        if values != wanted.get(tag): wrong.append(f"{tag}: {values[:8]} for {wanted.get(tag, [])[:8]}")
    epochs = [event["step"] for event in events if event["event"] == "epoch"]
    arrays = tensors(f"{run}/model.safetensors")
    histograms, squares = 0, 0.0
    for tag in tags["histograms"]:
        entries = reader.Histograms(tag)
        # One process tells nothing of ranks; of a job before it that had several, nothing is left.
        if not entries and tag.startswith("rank"): continue
        histograms += len(entries)
        if [e.step for e in entries] != epochs: wrong.append(f"{tag}: steps {[e.step for e in entries]} for {epochs}")
        last = entries[-1].histogram_value
        if sum(last.bucket) != last.num: wrong.append(f"{tag}: {sum(last.bucket)} of {last.num} in buckets")
        group, name = tag.split("/", 1)
        if group in ("weights", "gradients") and last.num != arrays[name].size: wrong.append(f"{tag}: {last.num} numbers")
        if group == "gradients": squares += last.sum_squares
        if group == "weights":
            array = arrays[name].astype(numpy.float64)
            for mine, theirs in ((last.min, array.min()), (last.max, array.max()), (last.sum, array.sum())):
                if not numpy.isclose(mine, theirs, rtol=1e-9, atol=1e-12): wrong.append(f"{tag}: {mine} for {theirs}")
    # A gradient that was not changed has the norm that was measured, if its step was told.
    norms = [e["gradientNorm"] for e in events if e["event"] == "step" and e["step"] == epochs[-1]]
    isClipped = events[0].get("clipNorm") is not None or events[0].get("clipValue") is not None
    isChecked = bool(norms and squares and not isClipped)
    if isChecked and not numpy.isclose(squares ** 0.5, norms[0], rtol=1e-5):
        wrong.append(f"a gradient of norm {squares ** 0.5} for {norms[0]}")
    checked = ", the gradient's norm" if isChecked else ""
    texts = reader.Tensors("run/settings")
    if b"globalBatch" not in texts[0].tensor_proto.string_val[0]: wrong.append("no settings")
    content = reader.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    if start.hparams["global-batch"].number_value != events[0]["globalBatch"]: wrong.append("no hyperparameters")
    for line in wrong: print(line)
    print(f"{sum(map(len, found.values()))} scalars of {len(found)} tags, {histograms} histograms{checked}")
    return 1 if wrong else 0


def tensors(path):
    """The arrays of a safetensors file."""
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return {
        name: numpy.frombuffer(data[8 + size:][slice(*entry["data_offsets"])], "<f4")
        for name, entry in header.items() if name != "__metadata__"
    }


sys.exit(main(sys.argv[1]))
