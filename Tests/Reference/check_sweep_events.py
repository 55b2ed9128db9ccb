#!/usr/bin/env python3
"""Reads a sweep's event files with TensorBoard's own reader and compares them with its trials.jsonl.

    check_sweep_events.py SWEEP    ends with 1 where a curve or a setting is another one

Needs tensorboard and numpy.
"""
import json
import sys

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def content(reader, tag):
    return plugin_data_pb2.HParamsPluginData.FromString(reader.SummaryMetadata("_hparams_/" + tag).plugin_data.content)


def main(folder):
    wrong, count = [], 0
    root = EventAccumulator(f"{folder}/tensorboard", size_guidance={"scalars": 0})
    root.Reload()
    experiment = content(root, "experiment").experiment
    names = {info.name for info in experiment.hparam_infos}
    for line in open(f"{folder}/trials.jsonl"):
        trial = json.loads(line)
        reader = EventAccumulator(f"{folder}/tensorboard/{trial['trial']:04}", size_guidance={"scalars": 0})
        reader.Reload()
        place = "validation" if "validationLoss" in trial else "training"
        for name, values in trial["curve"].items():
            if name in ("examples", "seconds"): continue
            wanted = list(zip(trial["curve"]["examples"], map(numpy.float32, values)))
            found = [(e.step, numpy.float32(e.value)) for e in reader.Scalars(f"{place}/{name}")] if wanted else []
            if found != wanted: wrong.append(f"{trial['name']}: {name} {found} for {wanted}")
            count += len(found)
        settings = content(reader, "session_start_info").session_start_info.hparams
        if set(settings) != names: wrong.append(f"{trial['name']}: {set(settings)} for {names}")
        if "seed" in settings and settings["seed"].number_value != float(trial["seed"]): wrong.append(f"{trial['name']}: seed")
        status = content(reader, "session_end_info").session_end_info.status
        if status != (2 if trial["loss"] is None else 1): wrong.append(f"{trial['name']}: status {status}")
    for line in wrong: print(line)
    print(f"{count} scalars, {len(names)} settings")
    return 1 if wrong or not count else 0


sys.exit(main(sys.argv[1]))
