#!/usr/bin/env python3
"""Is the bill right? Jobs with a slow rank, and without, against an account of their meetings from outside.

    Tests/Timings/bill.py CASE [RUNS]      CASE: slow | nice | quota | nobody | crowded; 20 runs, if it is not said

    slow     rank 2 of 3 sleeps twice as long as it computes (--inject slow:rank=2,factor=3)
    nice     rank 2 of 3 runs under nice 10, beside one other program on each core
    quota    rank 2 of 3 has a twentieth of a core (a control group with cpu.cfs_quota_us, or cpu.max; needs root)
    nobody   2 ranks, as many as this machine has cores, or fewer
    crowded  4 ranks on 2 cores

The truth: Tests/Timings/meetings.c, loaded before each rank, writes down when the rank falls asleep at the barrier, and
when it wakes the others: then it was the last, and late by the time since the last of the others fell asleep. The sum of
rank 2's delays over the job's time, which timings.csv tells, is its share. The bill must name rank 2 alone, with that
share within 2 points, and nobody in `nobody` and `crowded`. Prints a line a run; ends with 1 where a run is wrong.
"""
import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("DISTSGD", str(ROOT / ".build/release/distsgd"))
JOB = ["--data", "fashion-mnist", "--model", "mlp:512,256", "--global-batch", "192", "--shards", "12", "--steps", "250",
       "--evaluate-every", "1000000000"]
ENVIRONMENT = {
  "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
  "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1", "OPENBLAS_NUM_THREADS": "1",
}


def account(path):
  """When a rank fell asleep in each meeting, and when it woke the others, in nanoseconds."""
  asleep, woke = {}, {}
  for line in open(path):
    kind, meeting, time = line.split()
    (woke if kind == "w" else asleep).setdefault(int(meeting), int(time))
  return asleep, woke


def delay(folder, ranks, late):
  """Seconds by which rank `late` came later than all others, over all meetings that it opened."""
  accounts = [account(folder / f"meetings.{rank}") for rank in range(ranks)]
  total = 0
  for meeting, opening in accounts[late][1].items():
    # Who has not fallen asleep came at this moment.
    others = [accounts[rank][0].get(meeting, opening) for rank in range(ranks) if rank != late]
    total += max(0, opening - max(others))
  return total * 1e-9


def job_seconds(folder):
  rows = list(csv.DictReader(open(folder / "timings.csv")))
  return sum(float(row["seconds"]) for row in rows) / len({row["rank"] for row in rows})


def lasts(folder):
  """Of each rank: in how much of the steps it was last, and how much of all delays it has, in percent."""
  rows = list(csv.DictReader(open(folder / "ranks.csv")))
  ranks = sorted({int(row["rank"]) for row in rows})
  def total(name, rank): return sum(float(row[name]) for row in rows if int(row["rank"]) == rank)
  late = sum(total("late_seconds", rank) for rank in ranks) or 1
  return " ".join(f"{100 * total('last_steps', r) / total('steps', r):.0f}/{100 * total('late_seconds', r) / late:.0f}"
                  for r in ranks)


def quota_group():
  """A control group of a twentieth of a core, and the command that puts its shell into it."""
  one = Path("/sys/fs/cgroup/cpu/distsgd-bill")
  two = Path("/sys/fs/cgroup/distsgd-bill")
  if one.parent.is_dir():
    one.mkdir(exist_ok=True)
    (one / "cpu.cfs_period_us").write_text("20000")
    (one / "cpu.cfs_quota_us").write_text("1000")
    return one, "cpu.cfs_quota_us"
  two.mkdir(exist_ok=True)
  (two / "cpu.max").write_text("1000 20000")
  return two, "cpu.max"


def run(case, folder, library):
  ranks = {"nobody": min(2, os.cpu_count()), "crowded": 4}.get(case, 3)
  job = list(JOB) + (["--inject", "slow:rank=2,factor=3"] if case == "slow" else [])
  # What each rank does before it becomes the program.
  first, group, load = "", None, []
  if case == "nice":
    first = 'if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then renice -n 10 $$ >/dev/null; fi; '
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
  if case == "quota":
    group, _ = quota_group()
    first = f'if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then echo $$ > {group}/cgroup.procs; fi; '
  command = first + f'LD_PRELOAD={library} exec "$0" "$@"'
  environment = {**os.environ, **ENVIRONMENT, "MEETINGS": str(folder / "meetings")}
  try:
    done = subprocess.run(
      ["mpirun", "-np", str(ranks), "sh", "-c", command, PROGRAM, *job, "--output", str(folder / "run")],
      env=environment, capture_output=True, text=True)
  finally:
    for process in load:
      process.kill()
      process.wait()
    if group: group.rmdir()
  if done.returncode != 0: sys.exit(f"the job ended with {done.returncode}:\n{done.stdout}{done.stderr}")
  lines = [line for line in done.stdout.splitlines() if line.startswith("time:")]
  named = [(set(map(int, re.findall(r"\d+", match[1]))), float(match[2])) for line in lines
           for match in re.finditer(r"ranks? ([\d, ]+) .*took ([\d.]+) % of the job", line) if "no rank" not in line]
  seconds = job_seconds(folder / "run")
  if case in ("nobody", "crowded"):
    return not named, f"{seconds:.2f} s, last/late {lasts(folder / 'run')}: {' '.join(lines)}"
  truth = 100 * delay(folder, ranks, 2) / seconds
  right = len(named) == 1 and named[0][0] == {2} and abs(named[0][1] - truth) <= 2
  return right, f"{seconds:.2f} s, last/late {lasts(folder / 'run')}, truth {truth:.1f} %: {' '.join(lines)}"


def main():
  case = sys.argv[1] if len(sys.argv) > 1 else ""
  if case not in ("slow", "nice", "quota", "nobody", "crowded"): sys.exit(__doc__)
  runs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
  wrong = 0
  with tempfile.TemporaryDirectory() as name:
    library = Path(name) / "meetings.so"
    subprocess.run(
      ["cc", "-O2", "-shared", "-fPIC", "-o", library, ROOT / "Tests/Timings/meetings.c", "-ldl"], check=True)
    for number in range(runs):
      folder = Path(name) / str(number)
      folder.mkdir()
      right, words = run(case, folder, library)
      wrong += not right
      print(f"{case} {number + 1}, load {os.getloadavg()[0]:.1f}: {'right' if right else 'WRONG'}: {words}", flush=True)
  print(f"{case}: {runs - wrong} of {runs} runs right")
  sys.exit(1 if wrong else 0)


main()
