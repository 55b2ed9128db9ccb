#!/usr/bin/env python3
"""Kills training jobs at random moments, resumes them at random numbers of ranks, and compares what comes out with
runs that nobody touched.

    Tests/kill_drill.py [--kills 200] [--seed S] [--only WORDS] [--program .build/release/distsgd]

A kill is a SIGKILL of a random rank or of mpirun, at a random time after training began, or at the moment when a
checkpoint is being written. After a run's last kill it is resumed once more and may end. Then every event of its
metrics.jsonl but times and memory must be that of the untouched run, in number, order and digits, and so must the
parameters' hash. A job that has not ended 30 s after its kill, or left a process behind, is a failure too.
"""

import argparse
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 30  # seconds

# Shards and what is trained: parameters that every rank keeps (linear), and that a server keeps once (mlp); and with
# them the state of an optimizer.
JOBS = [
    (8, "--data synthetic:20000,100 --global-batch 5000 --lr 0.1 --epochs 300 --log-every 1"),
    (3, "--global-batch 50 --epochs 1500 --validation 0.2 --evaluate-every 700 --log-every 37"),
    (8, "--data synthetic:2000,50 --model mlp:256,128 --global-batch 32 --lr 0.001 --epochs 30 --log-every 1"),
    (5, "--data synthetic:1500,40 --model mlp:700,300 --global-batch 30 --lr 0.001 --steps 730 --log-every 3"),
    (8, "--data synthetic:2000,50 --model 'dense:128 gelu residual(dense:128 tanh dropout:0.3 dense:128) dense' "
        "--optimizer adam --schedule cosine --global-batch 32 --epochs 15 --log-every 1"),
    (6, "--model 'dense:16 gelu dropout:0.2 residual(dense:16 tanh dense:16) dense' --loss huber:delta=0.5 "
        "--optimizer adamw --lr 0.002 --schedule cosine:floor=0.1 --global-batch 50 --epochs 60 --log-every 7"),
    (4, "--data synthetic:2000,50 --model mlp:256,128 --optimizer sgd:momentum=0.9,nesterov --global-batch 32 "
        "--lr 0.0001 --epochs 20 --log-every 1"),
]

ENVIRONMENT = dict(
    os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
    OMPI_MCA_hwloc_base_binding_policy="none", OMPI_MCA_mpi_yield_when_idle="1",
    OMPI_MCA_btl_vader_single_copy_mechanism="none", OPENBLAS_NUM_THREADS="1")


class Failure(Exception):
    pass


def events(path):
    """The complete lines of a metrics.jsonl but the first, without times and memory."""
    with open(path) as file:
        lines = [line for line in file if line.endswith("\n")]
    parsed = [json.loads(line) for line in lines]
    return [{key: value for key, value in event.items() if not key.startswith(("seconds", "memory"))} for event in parsed[1:]]


def children(process):
    try:
        with open(f"/proc/{process}/task/{process}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:  # it has ended
        return []


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # there is no such process, or it went while we looked
        return False


class Run:
    def __init__(self, program, shards, arguments, folder):
        self.program, self.shards, self.folder = program, shards, folder
        self.arguments = shlex.split(arguments) + ["--shards", str(shards), "--log-hashes", "--quiet"]
        self.every = random.choice(["1", "1", "7", "0.02s", "1epoch"])
        self.log = folder + ".log"

    def start(self, ranks):
        """A job of so many ranks: new, or resumed."""
        if os.path.exists(self.folder):
            words = ["--resume", self.folder, "--quiet"]
        else:
            words = self.arguments + ["--checkpoint-every", self.every, "--output", self.folder]
        launch = [] if ranks == 1 and random.random() < 0.5 else ["mpirun", "-np", str(ranks)]
        with open(self.log, "w") as log:
            job = subprocess.Popen(launch + [self.program] + words, env=ENVIRONMENT, stdout=log, stderr=log)
        job.is_mpi = bool(launch)
        return job

    def has_checkpoint(self):
        try:
            return any(name.endswith(".safetensors") for name in os.listdir(self.folder + "/checkpoints"))
        except FileNotFoundError:
            return False

    def is_writing(self):
        try:
            return any(".tmp-" in name for name in os.listdir(self.folder + "/checkpoints"))
        except FileNotFoundError:
            return False

    def size(self):
        try:
            return os.path.getsize(self.folder + "/metrics.jsonl")
        except FileNotFoundError:
            return 0

    def said(self):
        with open(self.log) as log:
            return log.read()[-2000:]


def kill_somebody(run, job, ranks, counts):
    """Kills at a random moment. Returns false when the job was done before."""
    deadline = time.monotonic() + LIMIT
    size = run.size()
    while run.size() == size and job.poll() is None:  # training has begun, or goes on
        if time.monotonic() > deadline:
            raise Failure("the job does not begin")
        time.sleep(0.001)
    wants_write = random.random() < 0.5
    pause = time.monotonic() + random.random() ** 2 * 0.6
    while time.monotonic() < pause and job.poll() is None:
        time.sleep(0.001)
    if wants_write:
        pause = time.monotonic() + 1
        while not run.is_writing() and time.monotonic() < pause and job.poll() is None:
            pass
    if job.poll() is not None:
        return False
    processes = children(job.pid) if job.is_mpi else [job.pid]
    if job.is_mpi and random.random() < 0.2:
        victim, name = job.pid, "mpirun"
    else:
        # Rank 0 is the one that writes.
        victim = processes[0] if wants_write and processes else random.choice(processes or [job.pid])
        name = "rank"
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:  # the job was just done
        job.wait(timeout=LIMIT)
        return False
    killed = time.monotonic()
    while any(map(is_alive, processes)) or job.poll() is None:
        if time.monotonic() > killed + LIMIT:
            raise Failure(f"the job has not ended {LIMIT} s after its {name} was killed")
        time.sleep(0.002)
    counts["slowest end"] = max(counts["slowest end"], time.monotonic() - killed)
    counts["kills of mpirun" if name == "mpirun" else "kills of a rank"] += 1
    counts["kills that left half a checkpoint"] += run.is_writing()
    return True


def check_steps(run, every):
    """The lines that are there have every step once."""
    steps = [event["step"] for event in events(run.folder + "/metrics.jsonl") if event["event"] == "step"]
    if steps != list(range(every, every * len(steps) + 1, every)):
        raise Failure("metrics.jsonl has a gap or a doubled step after a kill")


def drill(run, reference, kills, counts):
    """Kills one run so often, and lets it end. Returns the kills that were made."""
    every = int(run.arguments[run.arguments.index("--log-every") + 1])
    done = 0
    while done < kills:
        ranks = random.randint(1, run.shards)
        if os.path.exists(run.folder) and not run.has_checkpoint():
            shutil.rmtree(run.folder)
            counts["starts from the beginning"] += 1
        job = run.start(ranks)
        if not kill_somebody(run, job, ranks, counts):
            if job.returncode != 0:
                raise Failure(f"exit {job.returncode} at {ranks} ranks: {run.said()}")
            break
        done += 1
        if os.path.exists(run.folder + "/metrics.jsonl"):
            check_steps(run, every)
    if os.path.exists(run.folder) and not run.has_checkpoint():
        shutil.rmtree(run.folder)
    ranks = random.randint(1, run.shards)
    job = run.start(ranks)
    try:
        code = job.wait(timeout=4 * LIMIT)
    except subprocess.TimeoutExpired:
        raise Failure("the job does not end")
    if code != 0:
        raise Failure(f"exit {code} at {ranks} ranks: {run.said()}")
    found = events(run.folder + "/metrics.jsonl")
    if found != reference:
        place = next((i for i, (a, b) in enumerate(zip(found, reference)) if a != b), min(len(found), len(reference)))
        raise Failure(f"metrics.jsonl differs at event {place + 2}: {found[place:place + 1]}, "
                      f"expected {reference[place:place + 1]}")
    if run.is_writing():
        raise Failure("a temporary file is left")
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", default="", help="only those jobs whose arguments have this in them")
    parser.add_argument("--program", default=root + "/.build/release/distsgd")
    options = parser.parse_args()
    random.seed(options.seed)
    counts = dict.fromkeys(
        ["kills of a rank", "kills of mpirun", "kills that left half a checkpoint", "starts from the beginning"], 0)
    counts["slowest end"] = 0.0
    runs = kills = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        references = []
        jobs = [job for job in JOBS if options.only in job[1]]
        for number, (shards, arguments) in enumerate(jobs):
            run = Run(options.program, shards, arguments, f"{folder}/reference{number}")
            if run.start(1).wait(timeout=4 * LIMIT) != 0:
                sys.exit(f"kill drill: the untouched run fails: {run.said()}")
            references.append(events(run.folder + "/metrics.jsonl"))
        while kills < options.kills:
            number = runs % len(jobs)
            run = Run(options.program, *jobs[number], f"{folder}/run{runs}")
            try:
                kills += drill(run, references[number], min(random.randint(1, 6), options.kills - kills), counts)
            except Failure as failure:
                kept = tempfile.mkdtemp(prefix="kill-drill-")
                shutil.move(run.folder, kept)
                sys.exit(f"kill drill: FAILED after {kills} kills, seed {options.seed}, {jobs[number]}: {failure}; "
                         f"its files are in {kept}")
            shutil.rmtree(run.folder)
            runs += 1
    print(f"kill drill: {kills} kills in {runs} runs, every end as if nobody had touched it "
          f"({time.monotonic() - start:.0f} s, seed {options.seed})")
    for name, count in counts.items():
        print(f"  {name}: {count:.2f} s" if isinstance(count, float) else f"  {name}: {count}")


if __name__ == "__main__":
    main()
