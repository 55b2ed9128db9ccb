"""The tables of docs/performance.md, as Markdown."""

import re

from .running import bench, memory
from .workloads import ARITHMETICS, LARGE, RANKS, SMALL

PHASES = ["load", "forward", "backward", "wait", "reduce", "update", "other"]
IMAGES = "--data fashion-mnist --model"
MLP_PARAMETERS = 235_146
# Name, ranks, model and global batch.
WORKS = [
    ("784-256-128-10, B 128, 1 process", 1, "mlp:256,128", 128), ("the same, 2 ranks", 2, "mlp:256,128", 128),
    ("the same, 8 ranks", 8, "mlp:256,128", 128),
    ("784-2048-2048-10, B 1024, 1 process", 1, "mlp:2048,2048", 1024), ("the same, 2 ranks", 2, "mlp:2048,2048", 1024),
]
# Of the portable arithmetic's step over its operations at the peak.
PEAK_BOUNDS = {
    (1, "mlp:256,128"): 1.15, (2, "mlp:256,128"): 1.2, (8, "mlp:256,128"): 1.3, (1, "mlp:2048,2048"): 1.1,
    (2, "mlp:2048,2048"): 1.1,
}


def markdown(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def digits(value):
    """About three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def time(seconds):
    return f"{digits(seconds * 1e3)} ms" if seconds >= 1e-3 else f"{digits(seconds * 1e6)} µs"


def machine(rooflines, rounds, neighbours):
    caches = ", ".join(f"L{c['level']} {c['bytes'] / 1024:,.0f} KiB" for c in rooflines["caches"])
    memory = rooflines["bandwidth"][-1]
    return (
        f"{rooflines['model']}, {rooflines['cores']} cores, {rooflines['vectors']}, {caches}. OpenBLAS kernel "
        f"{rooflines['kernel']}: at most {digits(rooflines['peakGflops']['maximum'])} GFLOP/s on one core and "
        f"{digits(rooflines['peakGflopsAllCores']['maximum'])} on all. Memory: {digits(memory['triadGBs']['maximum'])} GB/s "
        f"(triad, one core). Medians of {rounds} round{'s' if rounds > 1 else ''}.{neighbours.words()}"
    )


def bounds(workloads):
    rows = []
    for work, against, ours, theirs, bound, floor in workloads.bounds():
        if ours is None:
            continue
        if theirs is None:
            rows.append([work, against, time(ours), "not measured", "", "", f"≤ {bound}", ""])
        else:
            met = "yes" if ours / theirs <= bound else "**no**"
            least = "" if floor is None or floor == theirs else f"{floor / theirs:.3g}"
            rows.append([work, against, time(ours), time(theirs), f"{ours / theirs:.3g}", least, f"≤ {bound}", met])
    return markdown(["work", "against", "ours", "theirs", "ratio", "of the products alone", "bound", "met"], rows)


def reduction(workloads):
    of = workloads.samples.median
    rows = []
    for ranks in RANKS:
        for floats in SMALL + LARGE:
            ours, mpi, copy = of(("ours", ranks, floats)), workloads.mpi(ranks, floats), of(("copy", ranks, floats))
            if ours is None:
                continue
            bus = 8e-9 * floats * (ranks - 1) / ranks
            rows.append([
                ranks, f"{floats:,}", time(ours), time(mpi), time(copy), f"{ours / mpi:.2f}",
                digits(4e-9 * floats / ours), digits(bus / ours), digits(bus / mpi),
            ])
    head = ["ranks", "floats", "reduction and update", "MPI_Allreduce", "copy", "ratio", "GB/s", "bus GB/s", "MPI's bus GB/s"]
    return markdown(head, rows)


def written(ranks=2):
    found = bench(ranks, "allreduce --gradients written --rounds 5")
    rows = [
        [f"{row['floats']:,}", time(row["seconds"]["median"]), time(row["mpiSeconds"]["median"]), f"{row['ratio']:.2f}"]
        for row in found["sizes"]
    ]
    return markdown(["floats", "reduction and update", "MPI_Allreduce", "ratio"], rows)


def start(workloads):
    of = workloads.samples.median
    mpi = of("MPI_Init 8")
    rows = [["one process, the chapter's data", time(of("start")), "≤ 20 ms"]]
    if of("start, images") is not None:
        rows.append(["one process, Fashion-MNIST from its gzip files", time(of("start, images")), "≤ 300 ms"])
    rows += [
        ["8 ranks: a C program, until all have left MPI_Init", time(mpi), ""],
        ["8 ranks, the chapter's data", time(of("start 8")), f"{digits((of('start 8') - mpi) * 1e3)} ms more"],
    ]
    if of("start 8, images") is not None:
        rows.append(["8 ranks, Fashion-MNIST", time(of("start 8, images")), f"{digits((of('start 8, images') - mpi) * 1e3)} ms more"])
    return markdown(["until the first step", "time", ""], rows)


def reading(workloads):
    of = lambda name: workloads.samples.median(f"MB/s, {name}")
    names = {
        "csv": ("`.csv`, numbers of five decimals", "1", None),
        "texts": ("`.csv`, three of ten columns texts", "1", ("csv", "of the numbers' rate, ≥ 0.6")),
        "csv.gz": ("`.csv.gz`, the numbers, as they were", "2", ("zlib", "of zlib's alone")),
        "npz": ("`.npz`, single precision", "1", None),
    }
    rows = [
        [text, cores, f"{digits(of(name))} MB/s", f"{of(name) / of(against[0]):.2f} {against[1]}" if against else ""]
        for name, (text, cores, against) in names.items() if of(name) is not None
    ]
    return markdown(["file", "cores", "read, checked and standardised", ""], rows)


def gather():
    rows = [
        [f"{row['examples']:,}", row["inputs"], "bytes" if row["bytes"] else "floats", digits(row["gather"]["median"]),
         digits(row["copy"]["median"]), f"{100 * row['gather']['median'] / row['copy']['median']:.0f} %"]
        for row in bench(1, "gather")["rows"]
    ]
    return markdown(["examples", "inputs", "from", "gather, GB/s", "copy, GB/s", "of copy"], rows)


class Steps:
    """`bench step` over ranks, batches, models and shards; each combination is measured once."""

    def __init__(self, neighbours):
        self.neighbours = neighbours
        self.known = {}

    def of(self, ranks, model="mlp:256,128", batch=128, shards=None, arithmetic="blas"):
        """A shard a rank, if no number is given; 0: as many as the program takes."""
        shards = ranks if shards is None else shards
        key = (ranks, model, batch, shards, arithmetic)
        if key not in self.known:
            arguments = f"step {IMAGES} {model} --global-batch {batch} --arithmetic {arithmetic}"
            arguments += f" --shards {shards}" if shards else ""
            self.known[key] = (
                bench(ranks, arguments) if ranks == 1 else self.neighbours.together(lambda: bench(ranks, arguments))
            )
        return self.known[key]

    def figures(self, found):
        step, products = found["stepSeconds"]["median"], found["sgemmSeconds"]["median"]
        return [time(step), time(products), f"{step / products:.2f}", f"{found['examplesPerSecond']:,.0f}", digits(found["gflops"])]

    FIGURES = ["step", "bare sgemm", "step / sgemm", "examples/s", "GFLOP/s"]

    def phases(self):
        rows = []
        for name, ranks, model, batch in WORKS:
            for arithmetic in ARITHMETICS:
                found = self.of(ranks, model, batch, shards=0, arithmetic=arithmetic)
                seconds = {row["phase"]: row["meanSeconds"] for row in found["phases"]}
                step = time(found["stepSeconds"]["median"])
                rows.append([name, arithmetic, step] + [time(seconds[phase]) for phase in PHASES])
        return markdown(["work", "arithmetic", "step"] + PHASES, rows)

    def ranks(self):
        rows = [[ranks] + self.figures(self.of(ranks)) for ranks in (1, 2, 4, 8)]
        return markdown(["ranks"] + self.FIGURES, rows)

    def batches(self):
        rows = [[batch] + self.figures(self.of(2, batch=batch)) for batch in (16, 64, 128, 512, 2048)]
        return markdown(["global batch"] + self.FIGURES, rows)

    def models(self):
        models = ["mlp:64", "mlp:256,128", "mlp:1024,1024", "mlp:2048,2048"]
        rows = []
        for model in models:
            found = self.of(2, model, 1024 if model == models[-1] else 128)
            rows.append([f"`{model}`", f"{found['parameters']:,}", found["globalBatch"]] + self.figures(found))
        return markdown(["model", "parameters", "global batch"] + self.FIGURES, rows)

    def shards(self):
        rows = []
        for shards in (2, 4, 8, 16):
            found = self.of(1, shards=shards)
            one, step = found["fewestShardsStepSeconds"]["median"], found["stepSeconds"]["median"]
            rows.append([shards, time(step), time(one), f"{step / one:.2f}", time(found["sgemmSeconds"]["median"])])
        return markdown(["shards", "step", "with `--shards 1`", "ratio", "sgemm calls shard by shard"], rows)

    def floors(self, rooflines):
        """Operations at the peak of the cores used, and the bytes that must move over the bandwidth of memory."""
        bandwidth = max(rooflines["bandwidth"][-1][kind]["maximum"] for kind in ("readGBs", "copyGBs", "triadGBs"))
        rows = []
        for name, ranks, model, batch in WORKS:
            for arithmetic in ARITHMETICS:
                found = self.of(ranks, model, batch, shards=0, arithmetic=arithmetic)
                step, peak = found["stepSeconds"]["median"], found["peakSeconds"]["median"]
                # Parameters read twice and written once, each rank's gradient written and read, the images as bytes.
                bytes_moved = 4 * found["parameters"] * (3 + 2 * ranks) + 784 * batch
                bound = PEAK_BOUNDS[ranks, model] if arithmetic == "portable" else None
                rows.append([
                    name, arithmetic, f"{found['gflops'] * step * 1e3:,.0f} M", time(peak), f"{bytes_moved / 1e6:.1f} MB",
                    time(bytes_moved / bandwidth * 1e-9), time(step), f"{step / peak:.2f}", f"≤ {bound}" if bound else "",
                    "" if bound is None else "yes" if step / peak <= bound else "**no**",
                ])
        head = [
            "work", "arithmetic", "operations", "at the peak", "bytes", "from memory", "step", "step / at the peak", "bound", "met",
        ]
        return markdown(head, rows)


def memory_of_job():
    ranks, images, limit = 8, 60_000 * (784 + 4), 25 << 20
    found = memory(ranks, "--data fashion-mnist --model mlp:256,128 --epochs 3")
    bound = images + 2 * 4 * MLP_PARAMETERS + ranks * limit
    row = [f"{ranks} ranks, 784-256-128-10", f"{found / 1e6:,.0f} MB", f"{bound / 1e6:,.0f} MB", "yes" if found < bound else "**no**"]
    return markdown(["job", "sum of Pss", "data once, parameters twice, 25 MiB a rank", "less"], [row])


def put(page, tables):
    """The page's text with each table between its markers; a table that was not made leaves the old one."""
    for name, table in tables.items():
        pattern = rf"(<!-- benchmark: {re.escape(name)} -->\n).*?(<!-- end -->)"
        page, count = re.subn(pattern, lambda found: f"{found[1]}\n{table}\n\n{found[2]}", page, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"benchmark: error: docs/performance.md has {count} places for the table '{name}'")
    return page
