"""How the benchmark starts programs: the same environment for all, one at a time, and what they print as numbers."""

import glob
import json
import os
import pathlib
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "launch" / "peers"
DISTSGD = os.environ.get("DISTSGD", str(ROOT / ".build" / "release" / "distsgd"))
PYTHON = os.environ.get("DISTSGD_PYTHON", "python3")
CORES = len(os.sched_getaffinity(0))
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="distsgd-benchmark-"))

# Nobody's kernels are chosen by hand, nobody starts more threads than it is told to.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
ENVIRONMENT |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
if os.geteuid() == 0:
    ENVIRONMENT |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

# What moves large messages between processes in Open MPI: its choice, and the other one.
SINGLE_COPY = {"as it is": {}, "without single copy": {"OMPI_MCA_btl_vader_single_copy_mechanism": "none"}}


class Failure(Exception):
    """A program that ended badly, and what it said."""


def fail(code, words):
    print(f"benchmark: error: {words}", file=sys.stderr)
    sys.exit(code)


def mpirun(ranks, *command):
    """A core for each rank where there are enough, else no binding: the same for us and for the peers."""
    place = ["--map-by", "core", "--bind-to", "core"] if ranks <= CORES else ["--oversubscribe", "--bind-to", "none"]
    return ["mpirun", "-np", str(ranks), *place, *map(str, command)]


def run(command, environment={}, limit=300):
    """Standard output of a command, which must succeed."""
    outcome = subprocess.run(
        [str(word) for word in command], env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=limit
    )
    if outcome.returncode != 0:
        raise Failure(f"'{' '.join(map(str, command))}' ended with {outcome.returncode}: {outcome.stderr[-2000:]}")
    return outcome.stdout


def objects(command, environment={}):
    """The JSON objects that a command prints, one a line."""
    return [json.loads(line) for line in run(command, environment).splitlines() if line.startswith("{")]


def testbed(placement, rate=None):
    """The words that start a job on hosts of launch/testbed, whose links carry `rate` at most."""
    return [ROOT / "launch" / "testbed", "run", *(["--rate", rate] if rate else []), placement]


def has_testbed():
    return subprocess.run([ROOT / "launch" / "testbed", "check"], env=ENVIRONMENT, capture_output=True).returncode == 0


def training(ranks, arguments, steps, skip, environment={}, start=None):
    """Seconds of a step of a real training run by its own metrics.jsonl, the first `skip` steps left out.

    `start` has the words in front of the options, where it is neither one process nor mpirun.
    """
    folder = tempfile.mkdtemp(dir=SCRATCH)
    options = [*arguments.split(), "--steps", steps, "--log-every", skip, "--quiet", "--output", folder + "/run"]
    program = [DISTSGD, *options]
    command = [*start, *options] if start else program if ranks == 1 else mpirun(ranks, *program)
    run(command, environment | {"DISTSGD": DISTSGD})
    events = [json.loads(line) for line in open(folder + "/run/metrics.jsonl")]
    logged = [event for event in events if event["event"] == "step"]
    shutil.rmtree(folder)
    return (logged[-1]["seconds"] - logged[0]["seconds"]) / (logged[-1]["step"] - logged[0]["step"])


def seconds_until(command, sign, environment={}):
    """Seconds from the start of a command to the moment when `sign()` is true of what it has done; it is let end."""
    start = time.monotonic()
    job = subprocess.Popen(
        list(map(str, command)), env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    while not sign(job) and job.poll() is None:
        time.sleep(0.0002)
    seconds = time.monotonic() - start
    job.communicate(timeout=300)
    if job.returncode != 0:
        raise Failure(f"'{' '.join(map(str, command))}' ended with {job.returncode}")
    return seconds


def until_training(ranks, arguments, prefix=()):
    """Seconds until a job has read its data and is about to make its first step: then it writes its `run` event."""
    folder = tempfile.mkdtemp(dir=SCRATCH)
    metrics = folder + "/run/metrics.jsonl"
    program = [DISTSGD, *arguments.split(), "--steps", "1", "--quiet", "--output", folder + "/run"]

    def has_begun(_):
        try:
            return os.stat(metrics).st_size > 0
        except OSError:
            return False

    seconds = seconds_until([*prefix, *program] if ranks == 1 else mpirun(ranks, *program), has_begun)
    shutil.rmtree(folder)
    return seconds


def until_ready(ranks, program):
    """Seconds until a program under mpirun prints its first line."""
    return seconds_until(mpirun(ranks, program), lambda job: select.select([job.stdout], [], [], 0)[0])


def bench(ranks, arguments, environment={}):
    """The JSON object of a `distsgd bench`."""
    program = [DISTSGD, "bench", *arguments.split(), "--json"]
    return objects(program if ranks == 1 else mpirun(ranks, *program), environment)[0]


def memory(ranks, arguments):
    """Most bytes of Pss, summed over the ranks, of a job that trains."""
    folder = tempfile.mkdtemp(dir=SCRATCH)
    metrics = folder + "/run/metrics.jsonl"
    job = subprocess.Popen(
        mpirun(ranks, DISTSGD, *arguments.split(), "--log-every", "1", "--quiet", "--output", folder + "/run"),
        env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    most = 0
    while job.poll() is None:
        time.sleep(0.05)
        if os.path.exists(metrics) and '"event":"step"' in open(metrics).read():
            most = max(most, sum(map(proportional_set_size, children(job.pid))))
    if job.returncode != 0 or most == 0:
        raise Failure(f"the job whose memory was to be measured ended with {job.returncode} after {most} bytes")
    shutil.rmtree(folder)
    return most


def children(parent):
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            if int(open(stat).read().rpartition(")")[2].split()[1]) == parent:
                yield stat.removesuffix("stat")
        except OSError:
            pass  # it has ended


def proportional_set_size(process):
    try:
        lines = open(process + "smaps_rollup").read().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def has_modules(*names):
    check = f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(n) for n in {names!r}))"
    try:
        return subprocess.run([PYTHON, "-c", check], env=ENVIRONMENT).returncode == 0
    except OSError:
        return False


def compiled(compiler, name, *packages):
    """The path of a peer written in C, compiled."""
    flags = run(["pkg-config", "--cflags", "--libs", *packages]).split() if packages else []
    run([compiler, "-O2", PEERS / f"{name}.c", "-o", SCRATCH / name, *flags])
    return SCRATCH / name


def fashion_mnist():
    """The folder with the IDX files, as distsgd looks for them; None where there is none."""
    data = os.environ.get("DISTSGD_DATA")
    folders = [data, data + "/fashion-mnist"] if data else []
    for folder in [*folders, "/usr/share/datasets/fashion-mnist"]:
        if glob.glob(folder + "/train-images-idx3-ubyte*"):
            return folder
    return None


class Neighbours:
    """Tells whether the cores are near each other.

    A virtual machine's cores may share a cache for some seconds and not the next ones, as its host moves them about: then
    all that passes between them takes three times as long, a barrier and MPI_Allreduce as much as ours. Runs of ranks
    that share their work are compared in the same state only: the near one.
    """

    TRIES = 15
    FAR = 1.7  # times the shortest MPI_Allreduce of 6 floats seen

    def __init__(self, allreduce):
        self.allreduce = allreduce
        self.shortest = float("inf")
        self.near = self.far = 0
        for _ in range(8 if CORES > 1 else 0):
            self.latency()

    def latency(self):
        (line,) = objects(mpirun(2, self.allreduce, 6))
        self.shortest = min(self.shortest, line["seconds"])
        return line["seconds"]

    def together(self, measure):
        """What `measure` returns when the cores are near before and after it; after some tries, whatever it returns."""
        if CORES < 2:
            return measure()
        for _ in range(self.TRIES):
            before, result, after = self.latency(), measure(), self.latency()
            if max(before, after) < self.FAR * self.shortest:
                self.near += 1
                return result
            self.far += 1
        return result

    def words(self):
        if self.far == 0:
            return ""
        return (
            f" Of {self.near + self.far} runs of several ranks, {self.far} were made while the cores were far from each other "
            f"and were put aside where a near one followed within {self.TRIES} tries."
        )


class Samples:
    """Seconds by name, a sample a round."""

    def __init__(self):
        self.values = {}

    def add(self, name, seconds):
        self.values.setdefault(name, []).append(seconds)

    def last(self, name):
        return self.values[name][-1]

    def median(self, name):
        """None where it was not measured."""
        return statistics.median(self.values[name]) if name in self.values else None
