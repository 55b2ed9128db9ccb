#!/usr/bin/env python3
"""What `distsgd plan` predicts, beside what runs take: a report, no test, for timings decide none.

    Tests/Plan/check.py [--rounds 5] [--seconds 4] [--models small,fashion,wide] [--rate 1gbit | --no-testbed] [--program FILE]

Each round plans and at once trains, model by model, at 1 and 2 ranks, and on hosts of launch/testbed at 2x1 and 2x2 (with
links of --rate, where that launch/testbed can limit them). So what disturbs the machine disturbs both. The medians of the
rounds are compared. The plan of two ranks predicts one and two, that of 2x2 predicts both placements; a plan of one rank, and
one of 2x1, predict what they have not measured. A run takes about --seconds; its step is told by its own timings.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FASHION = Path("/usr/share/datasets/fashion-mnist").exists() or "DISTSGD_DATA" in os.environ
IMAGES = ["--data", "fashion-mnist"] if FASHION else ["--data", "synthetic:60000,784", "--standardize"]
MODELS = {
  "small": ["--data", "synthetic:200000,20", "--standardize", "--model", "linear"],
  "fashion": [*IMAGES, "--model", "mlp:256,128"],
  "wide": [*IMAGES, "--model", "mlp:2048,2048", "--global-batch", "1024", "--log-every", "2"],
}
# All else is as a user has it: these only let root, and a machine of one core, start a job.
SETTINGS = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def run(words, program):
  done = subprocess.run(words, env={**SETTINGS, **os.environ, "DISTSGD": program}, capture_output=True, text=True, timeout=600)
  if done.returncode: sys.exit(f"{' '.join(words)}\nended with {done.returncode}: {done.stderr.strip()[-2000:]}")
  return done.stdout


def launch(shape, program, rate):
  """The words that start a job of SERVERS x RANKS."""
  servers, ranks = shape
  if servers == 1: return ["mpirun", "-np", str(ranks), program] if ranks > 1 else [program]
  return [str(ROOT / "launch/testbed"), "run", *(["--rate", rate] if rate else []), f"{servers}x{ranks}"]


def predictions(shape, options, program, rate):
  words = launch(shape, program, rate) + ["plan", *options, "--json"]
  if shape == (1, 1): words += ["--ranks", "1"]
  if shape[0] > 1: words += ["--servers", "1,2", "--local-ranks", "1,2"]
  else: words += ["--local-ranks", "1,2"]
  found = json.loads([line for line in run(words, program).splitlines() if line.startswith("{")][-1])
  batch = found["measured"]["globalBatch"]
  return {(p["servers"], p["ranks"]): p["stepSeconds"] for p in found["predictions"] if p["globalBatch"] == batch}


def measured(shape, options, steps, program, rate):
  with tempfile.TemporaryDirectory() as folder:
    run(launch(shape, program, rate) + [*options, "--steps", str(steps), "--evaluate-every", "1000000000", "--quiet",
                                        "--output", folder + "/run"], program)
    events = [json.loads(line) for line in open(folder + "/run/metrics.jsonl")]
  told = [event for event in events if event["event"] == "step"]
  first, last = told[0], told[-1]
  batch = next(event for event in events if event["event"] == "run")["globalBatch"]
  return (last["seconds"] - first["seconds"]) / (last["examples"] - first["examples"]) * batch


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument("--rounds", type=int, default=5)
  parser.add_argument("--seconds", type=float, default=4)
  parser.add_argument("--models", default=",".join(MODELS))
  parser.add_argument("--rate", default="1gbit")
  parser.add_argument("--no-testbed", action="store_true")
  parser.add_argument("--program", default=str(ROOT / ".build/release/distsgd"))
  asked = parser.parse_args()
  shapes = [(1, 1), (1, 2)] if asked.no_testbed else [(1, 1), (1, 2), (2, 1), (2, 2)]
  rate = asked.rate
  if not asked.no_testbed and "--rate" not in (ROOT / "launch/testbed").read_text():
    print("this launch/testbed has no --rate: links are not limited")
    rate = None
  # Which plan predicts which shapes: of the same job, and of a smaller one that has not measured them.
  plans = {(1, 2): [(1, 1), (1, 2)], (1, 1): [(1, 2)]}
  if not asked.no_testbed: plans |= {(2, 2): [(2, 1), (2, 2)], (2, 1): [(2, 2)]}
  print(f"{'model':8}  {'shape':>5}  {'plan of':>7}  {'predicted':>10}  {'measured':>10}  ratio   (medians of {asked.rounds})")
  worst = 1.0
  for name in asked.models.split(","):
    options, told, took = MODELS[name], {}, {shape: [] for shape in shapes}
    for _ in range(asked.rounds):
      for of, wanted in plans.items():
        found = predictions(of, options, asked.program, rate)
        for shape in wanted: told.setdefault((of, shape), []).append(found[shape])
        steps = max(8, round(asked.seconds / found[of]))
        took[of].append(measured(of, options, steps, asked.program, rate))
    for (of, shape), seconds in sorted(told.items(), key=lambda one: (one[0][1], one[0][0] != one[0][1])):
      predicted, real = statistics.median(seconds), statistics.median(took[shape])
      ratio = predicted / real
      if of[0] * of[1] >= shape[0] * shape[1]: worst = max(worst, ratio, 1 / ratio)
      shown = lambda pair: "x".join(map(str, pair))
      print(f"{name:8}  {shown(shape):>5}  {shown(of):>7}  {predicted * 1e3:7.3f} ms  {real * 1e3:7.3f} ms  {ratio:5.2f}", flush=True)
  print(f"predicted by a plan on as many ranks: at most {100 * (worst - 1):.0f} % off")


if __name__ == "__main__": main()
