"""What is measured: the workloads of ours and of the peers, and which ratio each of them is held to."""

import gzip
import random
import shutil
import sys
import time
import zlib

from . import running
from .running import DISTSGD, PEERS, PYTHON, SCRATCH, SINGLE_COPY, bench, mpirun, objects, training, until_ready, until_training

MLP = "784,256,128,10"
BIG = "784,2048,2048,10"
FASHION = "--data fashion-mnist --last-batch drop --evaluate-every 1000000000"
SMALL = [6, 1000]
LARGE = [65_536, 235_146, 1 << 20, 4 << 20, 16 << 20]
RANKS = [2, 4, 8]
# Name and global batch.
NETS = [("lenet", 32), ("lenet", 128), ("lenet", 512), ("resnet:8", 128)]
ARITHMETICS = {"blas": "", "portable": " --arithmetic portable"}
# What OpenBLAS takes on a processor that it does not know.
PRESCOTT = {"OPENBLAS_CORETYPE": "Prescott"}
# Hosts of a rank each; the model, its global batch, steps and those left out; and how fast links may be.
PLACEMENTS = {"2x1": 2, "4x1": 4}
NETWORKED = {"784-2048-2048-10, B 1024": (BIG, 1024, 30, 10), "784-256-128-10, B 128": (MLP, 128, 120, 40)}
RATES = {"1 Gbit/s": 1e9, "100 Mbit/s": 1e8, "uncapped": None}
CHAPTER = {"gd": "gd", "sgd": "sgd", "batch size 100": "minibatch 100", "batch size 10": "minibatch 10"}


def wire(dims, hosts, bits):
    """Seconds in which a host's link carries what it sends in a step, at `bits` a second; 0 where it has no limit."""
    widths = list(map(int, dims.split(",")))
    parameters = sum((inputs + 1) * outputs for inputs, outputs in zip(widths, widths[1:]))
    return 2 * (hosts - 1) / hosts * 32 * parameters / bits if bits else 0


class Workloads:
    """Everything that is run in rounds. `samples` has seconds by name; names of ours begin with `ours`."""

    def __init__(self, quick):
        self.quick = quick
        self.samples = running.Samples()
        self.folder = running.fashion_mnist()
        self.has_numpy = running.has_modules("numpy", "mpi4py")
        self.has_torch = running.has_modules("numpy", "torch")
        self.has_jax = running.has_modules("numpy", "jax")
        self.has_hosts = running.has_testbed()
        self.sgemm = running.compiled("gcc", "sgemm", "openblas")
        self.allreduce = running.compiled("mpicc", "allreduce")
        self.init = running.compiled("mpicc", "init")
        self.neighbours = running.Neighbours(self.allreduce)

    def missing(self):
        """Peers that are not installed, by name."""
        peers = {"NumPy with mpi4py": self.has_numpy, "PyTorch": self.has_torch, "JAX": self.has_jax}
        return [name for name, there in peers.items() if not there]

    def peer(self, name, command, environment={}, is_near=False):
        """The slowest process counts, where several of them print."""

        def measure():
            return max(line["secondsPerStep"] for line in objects(command, environment))

        try:
            self.samples.add(name, self.neighbours.together(measure) if is_near else measure())
        except running.Failure as failure:
            # A peer that fails now and then is measured in the other rounds.
            print(f"benchmark: warning: {name} is left out of this round: {str(failure)[:300]}", file=sys.stderr, flush=True)

    def ours(self, name, ranks, arguments, steps, skip, is_near=False, environment={}):
        """By BLAS and by our own kernels: `name`, and `name, portable`."""
        for arithmetic, words in ARITHMETICS.items():
            def measure():
                return training(ranks, arguments + words, steps, skip, environment)

            end = "" if arithmetic == "blas" else f", {arithmetic}"
            self.samples.add(f"ours, {name}{end}", self.neighbours.together(measure) if is_near else measure())

    def mlp(self):
        """784-256-128-10 on Fashion-MNIST, 128 images a step."""
        images = FASHION + " --model mlp:256,128 --global-batch 128"
        self.ours("mlp 1", 1, images, 468, 36)
        self.ours("mlp 1, 1 shard", 1, images + " --shards 1", 468, 36)
        self.ours("mlp 1, Prescott", 1, images, 144, 36, environment=PRESCOTT)
        self.peer("sgemm 128", [self.sgemm, MLP, 128])
        if self.has_numpy:
            self.peer("numpy 1", mpirun(1, PYTHON, PEERS / "mlp_numpy.py", self.folder))
        if self.has_jax:
            self.peer("jax 1", ["taskset", "-c", "0", PYTHON, PEERS / "mlp_jax.py", self.folder])
        if self.has_torch:
            self.peer("torch 1", [PYTHON, PEERS / "mlp_torch.py", self.folder])
        self.ours("mlp 2", 2, images, 468, 36, is_near=True)
        self.peer("sgemm 64", mpirun(2, self.sgemm, MLP, 64))
        if self.has_numpy:
            self.peer("numpy 2", mpirun(2, PYTHON, PEERS / "mlp_numpy.py", self.folder), is_near=True)
        if self.has_torch:
            self.peer("ddp 2", self.torchrun(2, "--steps", "200"))
        self.ours("mlp 8", 8, images, 468, 36, is_near=True)
        self.peer("sgemm 4 × 16", mpirun(2, self.sgemm, MLP, 16, 4))
        if self.has_numpy:
            self.peer("numpy 8", mpirun(8, PYTHON, PEERS / "mlp_numpy.py", self.folder), is_near=True)
        if self.has_torch and not self.quick:
            self.peer("ddp 8", self.torchrun(8, "--steps", "150"))

    def torchrun(self, ranks, *options, program="mlp_torch.py"):
        module = ["-m", "torch.distributed.run", "--nproc_per_node", ranks]
        return [PYTHON, *module, PEERS / program, self.folder, *options]

    def nets(self):
        """Nets of convolutions on Fashion-MNIST, in one process and, LeNet, in two."""
        for net, batch in NETS:
            steps, skip = (24, 4) if net != "lenet" else (12_800 // batch, 3_200 // batch)
            images = f"{FASHION} --model {net} --global-batch {batch}"
            self.ours(f"{net} {batch}", 1, images, steps, skip)
            for arithmetic, words in ARITHMETICS.items():
                found = bench(1, f"step --data fashion-mnist --rounds 5 --model {net} --global-batch {batch}{words}")
                self.samples.add(f"peak, {net} {batch}, {arithmetic}", found["peakSeconds"]["median"])
            if self.has_torch:
                options = ["--net", net, "--batch", batch, "--steps", steps, "--skip", skip]
                self.peer(f"torch {net} {batch}", [PYTHON, PEERS / "nets_torch.py", self.folder, *options])
        self.ours("lenet 128, 2 ranks", 2, f"{FASHION} --model lenet --global-batch 128", 100, 25, is_near=True)
        if self.has_torch:
            options = ["--net", "lenet", "--batch", 128, "--steps", 100, "--skip", 25]
            self.peer("ddp lenet 128", self.torchrun(2, *options, program="nets_torch.py"))

    def big(self):
        """784-2048-2048-10, 1,024 images a step."""
        images = FASHION + " --model mlp:2048,2048 --global-batch 1024"
        options = [self.folder, "--dims", BIG, "--batch", "1024", "--steps", "32", "--skip", "8"]
        self.ours("big 2", 2, images, 32, 8)
        self.peer("sgemm 512", mpirun(2, self.sgemm, BIG, 512))
        if self.has_torch:
            threads = {"OMP_NUM_THREADS": "2"}
            self.peer("torch 2 threads", [PYTHON, PEERS / "mlp_torch.py", *options, "--threads", "2"], threads)
        if self.has_numpy:
            self.peer("numpy big 2", mpirun(2, PYTHON, PEERS / "mlp_numpy.py", *options))

    def servers(self):
        """The same models on hosts of launch/testbed: by BLAS, beside PyTorch DDP on hosts of the same kind."""
        for model, (dims, batch, *counts) in NETWORKED.items():
            words = f"{FASHION} --model mlp:{','.join(dims.split(',')[1:-1])} --global-batch {batch}"
            for placement, hosts in PLACEMENTS.items():
                self.samples.add(f"alone, {model}, {placement}", training(hosts, words, *counts))
                for rate, bits in RATES.items():
                    name = f"{model}, {placement}, {rate}"
                    # Of steps that take seconds, eight are timed.
                    steps, skip = (12, 4) if wire(dims, hosts, bits) > 1 else counts
                    start = running.testbed(placement, bits and f"{bits / 1e6:.0f}mbit")
                    self.samples.add(f"ours, {name}", training(hosts, words, steps, skip, start=start))
                    if self.has_torch:
                        options = [self.folder, "--dims", dims, "--batch", batch, "--steps", steps, "--skip", skip]
                        self.peer(f"ddp, {name}", [*start, *options], {"DISTSGD": str(PEERS / "ddp.sh"), "PYTHON": PYTHON})

    def server_bounds(self):
        """(work, against, ours, theirs, bound, None), seconds: neither arithmetic nor wire can be beaten, only hidden."""
        of = self.samples.median
        rows = []
        for model, (dims, *_) in NETWORKED.items():
            for placement, hosts in PLACEMENTS.items():
                alone = of(f"alone, {model}, {placement}")
                for rate, bits in RATES.items():
                    name = f"{model}, {placement}, {rate}"
                    ours, ddp = of(f"ours, {name}"), of(f"ddp, {name}")
                    if ours is None:
                        continue
                    sent = wire(dims, hosts, bits)
                    if bits:
                        larger = "the wire alone" if sent > alone else "the arithmetic alone"
                        rows.append((name, larger, ours, max(sent, alone), 1.1, None))
                    alike = bits and 0.5 < sent / alone < 2
                    rows.append((name, "PyTorch DDP over gloo", ours, ddp, 0.8 if alike else 1 if bits else 0.3, None))
        return rows

    def airfoil(self):
        """The chapter's four runs, in one process: seconds of an epoch."""
        table = SCRATCH / "table.csv"
        if not table.exists():
            table.write_text(linear_table())
        for arithmetic in ARITHMETICS:
            words = ["--arithmetic", arithmetic, "--output", SCRATCH / "chapter", "--json"]
            for line in objects([DISTSGD, "chapter", "--data", table, *words]):
                end = "" if arithmetic == "blas" else f", {arithmetic}"
                self.samples.add(f"ours, {line['name']}{end}", line["secondsPerEpoch"])
        for way in ["torch"] * self.has_torch + ["numpy"] * self.has_numpy:
            (runs,) = objects([PYTHON, PEERS / "airfoil.py", way, table])
            for name, theirs in CHAPTER.items():
                self.samples.add(f"{way}, {name}", runs[theirs]["secondsPerEpoch"])

    def small_job(self):
        """The chapter's model on 8 ranks: a step, and the least that a job without shared memory must do in it."""
        self.ours("airfoil 8", 8, "--global-batch 128 --evaluate-every 1000000000", 12_000, 2_000)
        for name, setting in SINGLE_COPY.items():
            (line,) = objects(mpirun(8, self.allreduce, 6), setting)
            self.samples.add(f"MPI_Allreduce of 6 floats, {name}", line["seconds"])

    def reduction(self):
        """Reduction and update against MPI_Allreduce, in one process and in a C program, in both its settings."""
        rounds = 3 if self.quick else 5
        sizes = [6, 1000, 65_536, 235_146, 1 << 20, 16 << 20] if self.quick else SMALL + LARGE
        for ranks in RANKS:
            for name, setting in SINGLE_COPY.items():
                found = bench(ranks, f"allreduce --rounds {rounds} --sizes {','.join(map(str, sizes))}", setting)
                for row in found["sizes"]:
                    self.samples.add(("ours", ranks, row["floats"]), row["seconds"]["median"])
                    self.samples.add((name, ranks, row["floats"]), row["mpiSeconds"]["median"])
                    self.samples.add(("copy", ranks, row["floats"]), row["copySeconds"]["median"])
                for line in objects(mpirun(ranks, self.allreduce, *sizes), setting):
                    self.samples.add((name + ", C", ranks, line["floats"]), line["seconds"])

    def start(self):
        """From the start of a job to its first step, and how fast files are read on the way."""
        self.samples.add("start", until_training(1, ""))
        self.samples.add("start 8", until_training(8, ""))
        self.samples.add("MPI_Init 8", until_ready(8, self.init))
        if self.folder:
            self.samples.add("start, images", until_training(1, "--data fashion-mnist"))
            self.samples.add("start 8, images", until_training(8, "--data fashion-mnist"))
        for name, (path, size, cores) in table_files().items():
            seconds = until_training(1, f"--data {path}", prefix=["taskset", "-c", cores]) - self.samples.last("start")
            self.samples.add(f"MB/s, {name}", size / 1e6 / seconds)
            if name == "csv.gz":
                self.samples.add("MB/s, zlib", size / 1e6 / inflating(path))

    def mpi(self, ranks, floats):
        """The best that MPI_Allreduce did, of its settings and of both programs: medians of the rounds."""
        names = [name + end for name in SINGLE_COPY for end in ("", ", C")]
        medians = [self.samples.median((name, ranks, floats)) for name in names]
        return min((m for m in medians if m is not None), default=None)

    def best_small_allreduce(self):
        medians = [self.samples.median(f"MPI_Allreduce of 6 floats, {name}") for name in SINGLE_COPY]
        return min((m for m in medians if m is not None), default=None)

    def sections(self):
        images = {"mlp": self.mlp, "big": self.big, "nets": self.nets} if self.folder else {}
        images |= {"servers": self.servers} if self.folder and self.has_hosts else {}
        return images | {
            "airfoil": self.airfoil, "small-job": self.small_job, "reduction": self.reduction, "start": self.start,
        }

    def bounds(self):
        """Every ratio that is promised: (work, against, ours, theirs, bound, floor), seconds; None where not measured.

        The floor is what the bare sgemm calls of the work take.
        """
        of = self.samples.median
        rows = []

        def held(work, ours, *against, floor=None):
            rows.extend(
                (work, name, of(f"ours, {ours}"), of(theirs), bound, of(floor)) for name, theirs, bound in against
            )

        def both(work, ours, *against, floor, blas):
            """The same opponents for both arithmetics; the portable one is also held to what BLAS takes."""
            held(work, ours, *against, floor=floor)
            held(f"{work}, portable", f"{ours}, portable", ("by BLAS", f"ours, {ours}", blas), *against, floor=floor)

        both(
            "784-256-128-10, B 128, 1 process", "mlp 1", ("bare sgemm calls", "sgemm 128", 1.1),
            ("PyTorch, 1 thread", "torch 1", 0.45), ("JAX, 1 core", "jax 1", 0.9),
            ("NumPy with mpi4py, 1 rank", "numpy 1", 0.9), floor="sgemm 128", blas=1.03,
        )
        both(
            "the same, 2 ranks", "mlp 2", ("bare sgemm calls, 64 rows", "sgemm 64", 1.15),
            ("NumPy with mpi4py, 2 ranks", "numpy 2", 0.65), ("PyTorch DDP, 2 ranks", "ddp 2", 0.11),
            floor="sgemm 64", blas=1.03,
        )
        both(
            "the same, 8 ranks", "mlp 8", ("4 × bare sgemm calls, 16 rows", "sgemm 4 × 16", 1.5),
            ("NumPy with mpi4py, 8 ranks", "numpy 8", 0.4), ("PyTorch DDP, 8 ranks", "ddp 8", 0.03),
            floor="sgemm 4 × 16", blas=0.83,
        )
        both(
            "784-2048-2048-10, B 1024, 2 ranks", "big 2", ("bare sgemm calls, 512 rows", "sgemm 512", 1.1),
            ("PyTorch, 2 threads", "torch 2 threads", 0.5), ("NumPy with mpi4py, 2 ranks", "numpy big 2", 0.9),
            floor="sgemm 512", blas=1.03,
        )
        held(
            "784-256-128-10, B 128, 1 process, portable", "mlp 1, Prescott, portable",
            ("by BLAS with its kernel for Prescott", "ours, mlp 1, Prescott", 0.33),
        )
        for net, batch in NETS:
            name, limits = f"{net} {batch}", (0.5, 2) if net == "lenet" else (1, None)
            for end in ("", ", portable"):
                peak = ("its operations at the peak", f"peak, {name}, {'portable' if end else 'blas'}", limits[1])
                torch = ("PyTorch, 1 thread", f"torch {name}", limits[0])
                held(f"{net}, B {batch}, 1 process{end}", f"{name}{end}", torch, *([peak] if limits[1] else []))
        for end in ("", ", portable"):
            held(f"lenet, B 128, 2 ranks{end}", f"lenet 128, 2 ranks{end}", ("PyTorch DDP, 2 ranks", "ddp lenet 128", 0.6))
        for name in CHAPTER:
            bound = 0.1 if name == "gd" else 0.01
            against = ("PyTorch from scratch", f"torch, {name}", bound), ("NumPy", f"numpy, {name}", 0.1)
            held(f"the chapter's {name}, an epoch", name, *against)
            held(f"the chapter's {name}, an epoch, portable", f"{name}, portable", *against)
        rows.append((
            "the chapter's model, B 128, 8 ranks", "MPI_Allreduce of 6 floats", of("ours, airfoil 8"),
            self.best_small_allreduce(), 1.5, None,
        ))
        for ranks in RANKS:
            for sizes, bound in [(LARGE, 0.3), (SMALL, 1)]:
                for floats in sizes:
                    ours = of(("ours", ranks, floats))
                    if ours is not None:
                        work = f"reduction and update of {floats:,} floats, {ranks} ranks"
                        rows.append((work, "MPI_Allreduce alone", ours, self.mpi(ranks, floats), bound, None))
        for end in ("", ", portable"):
            held(f"784-256-128-10, B 128, 8 shards{end}", f"mlp 1{end}", ("--shards 1", f"ours, mlp 1, 1 shard{end}", 1.05))
        return rows + self.server_bounds()


def table_files():
    """Files by their kind, with the bytes of what is in them and the cores to read them on: 2,000,000 rows of ten columns."""
    numbers, texts, array = SCRATCH / "numbers.csv", SCRATCH / "texts.csv", SCRATCH / "numbers.npz"
    packed = SCRATCH / "numbers.csv.gz"
    if not numbers.exists():
        draw = random.Random(1)
        kinds = [["north", "south", "east", "west"], ["red", "green", "blue", "yellow", "black", "white"],
                 ["private", "self-employed", "local government", "without pay", "other"]]

        def table(columns):
            rows = "".join(",".join(column() for column in columns) + "\n" for _ in range(20_000))
            return "a,b,c,d,e,f,g,h,i,j\n" + 100 * rows

        number = lambda: f"{draw.gauss(0, 1):.5f}"
        numbers.write_text(table(10 * [number]))
        texts.write_text(table([number] * 3 + [lambda kind=kind: draw.choice(kind) for kind in kinds] + [number] * 4))
        with numbers.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
    if not array.exists() and running.has_modules("numpy"):
        make = "import numpy as n, sys; x = n.loadtxt(sys.argv[1], n.float32, delimiter=',', skiprows=1, max_rows=20000); x = n.tile(x, (400, 1)); n.savez(sys.argv[2], x=x[:, :9], y=x[:, 9].copy())"
        running.run([PYTHON, "-c", make, numbers, array])
    files = {"csv": (numbers, numbers, "0"), "texts": (texts, texts, "0"), "csv.gz": (packed, numbers, "0,1")}
    files |= {"npz": (array, array, "0")} if array.exists() else {}
    return {name: (path, contents.stat().st_size, cores) for name, (path, contents, cores) in files.items()}


def inflating(path):
    """Seconds that zlib alone takes to decompress a file, in pieces that nobody keeps."""
    packed = path.read_bytes()
    start = time.monotonic()
    stream = zlib.decompressobj(wbits=31)
    for place in range(0, len(packed), 1 << 14):
        stream.decompress(packed[place:place + (1 << 14)])
    return time.monotonic() - start


def linear_table():
    """1,500 rows like the airfoil set's: five standard normal columns and a target that follows them."""
    draw = random.Random(0).gauss
    lines = ["a,b,c,d,e,target"]
    for _ in range(1500):
        row = [draw(0, 1) for _ in range(5)]
        target = sum(x / (2 + k) for k, x in enumerate(row)) + draw(0, 0.7)
        lines.append(",".join(f"{number:.6f}" for number in [*row, target]))
    return "\n".join(lines) + "\n"
