#!/usr/bin/env python3
"""Pages as people see them: makes runs, draws their pages in headless Chromium at three widths, in light and in dark,
and fails where something overlaps, is cut off, is wider than the screen, or can hardly be read.

    Tests/Screenshots/screenshots.py [--output DIR] [--program PATH] [PAGE.html …]

Without pages it makes them: a chapter run, 8 ranks on Fashion-MNIST, two runs compared, a sweep. Pictures are left in
DIR (default: a new folder below the system's temporary one) to be looked at; the repository keeps none.
Needs Chromium (Debian: apt-get install chromium) and, for Fashion-MNIST, its files (dataset-fashion-mnist).
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, find_chromium  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = [420, 1000, 1600]
SCHEMES = ["light", "dark"]


def environment():
    """What Open MPI needs as root and with more ranks than cores."""
    more = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
            "OMPI_MCA_mpi_yield_when_idle": "1"}
    return {**os.environ, **more}


def make_pages(program, folder):
    """Runs the program as a user would, and returns the pages that it leaves."""
    def run(*words, ranks=1):
        words = [str(word) for word in words]
        launcher = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
        outcome = subprocess.run([*launcher, program, *words], env=environment(), cwd=folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if outcome.returncode != 0:
            sys.exit(f"screenshots: error: distsgd {' '.join(words)}: exit {outcome.returncode}\n{outcome.stdout}")

    pages = []
    run("chapter", "--output", "chapter")
    run("report", "chapter", "--output", "chapter-report.html")
    pages += ["chapter/chapter.html", "chapter-report.html"]
    picture = ["--data", "fashion-mnist", "--validation", "test", "--quiet"]
    run(*picture, "--examples", 20000, "--model", "mlp:256,128", "--epochs", 3, "--log-every", 1, "--evaluate-every", 5000,
        "--inject", "slow:rank=2,factor=3", "--output", "fashion", ranks=8)
    run("report", "fashion")
    pages.append("fashion/report.html")
    for name, rate in [("plain", 0.1), ("momentum", 0.02)]:
        optimizer = "sgd:momentum=0.9" if name == "momentum" else "sgd"
        run(*picture, "--examples", 10000, "--model", "mlp:128", "--epochs", 4, "--optimizer", optimizer,
            "--learning-rate", rate, "--log-every", 5, "--evaluate-every", 2000, "--output", name, ranks=2)
    run("report", "plain", "momentum", "--output", "compared.html")
    pages.append("compared.html")
    run("sweep", "--output", "sweep")
    run("report", "sweep")
    pages += ["sweep/sweep.html", "sweep/report.html"]
    return [folder / page for page in pages]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--program", default=str(ROOT / ".build/release/distsgd"))
    parser.add_argument("pages", nargs="*", type=Path)
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("screenshots: error: there is no Chromium; install it, on Debian by apt-get install chromium")
    output = arguments.output or Path(tempfile.mkdtemp(prefix="distsgd-screenshots-"))
    output.mkdir(parents=True, exist_ok=True)
    if arguments.pages:
        pages = [page.resolve() for page in arguments.pages]
    else:
        if shutil.which(arguments.program) is None:
            sys.exit(f"screenshots: error: {arguments.program} is not there; build it, or name it by --program")
        runs = output / "runs"
        shutil.rmtree(runs, ignore_errors=True)
        runs.mkdir()
        pages = make_pages(arguments.program, runs.resolve())
    findings = 0
    with Browser(chromium) as browser:
        for page in pages:
            name = f"{page.parent.name}-{page.stem}" if page.parent.name else page.stem
            for width in WIDTHS:
                for scheme in SCHEMES:
                    found = browser.look(page, width, scheme, output / f"{name}-{width}-{scheme}.png")
                    findings += len(found)
                    for line in found[:20]:
                        print(f"{page.name} at {width} px, {scheme}: {line}")
                    if len(found) > 20:
                        print(f"{page.name} at {width} px, {scheme}: and {len(found) - 20} more")
    print(json.dumps({"pages": len(pages), "pictures": len(pages) * len(WIDTHS) * len(SCHEMES), "findings": findings}))
    print(f"look at them: {output}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
