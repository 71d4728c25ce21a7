"""Runs LangGraph's own unit tests with alto's `StateGraph` in place of stock's; fails on a test that only stock passes.

The tests come from langgraph's source distribution on the package index, for the installed version; nothing of it is committed.

    python tests/conformance/run.py [--swap module:attribute] [--fresh] [tests ...]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "conformance"
OURS = "alto_langgraph.graph:StateGraph"
LEAST_BUILT = 2_000
"""Fewest tests that must have built a graph of ours (stock: 2,202 of them build one)."""
FLAKY: tuple[str, ...] = ()
"""Beginnings of node ids that stock itself sometimes fails; these are given a second chance."""


@dataclass(frozen=True)
class Record:
    """What the tests did in one run: outcome, graphs built and failure text by node id."""

    outcomes: dict[str, str]
    built: dict[str, int]
    messages: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Record:
        return cls(**json.loads(path.read_text()))

    def named(self, outcome: str) -> set[str]:
        return {test for test, its in self.outcomes.items() if its == outcome}


def sources(langgraph: str) -> Path:
    """The unpacked source distribution of this version, without its `langgraph/` folder, which would hide the installed one."""
    folder = CACHE / f"langgraph-{langgraph}"
    if (folder / "tests").is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"langgraph-{langgraph}.tar.gz"
    if not archive.exists():
        wanted = ["--no-deps", "--no-binary", "langgraph", f"langgraph=={langgraph}", "--dest", str(CACHE)]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *wanted], check=True)
    with tarfile.open(archive) as packed:
        packed.extractall(CACHE, filter="data")
    shutil.rmtree(folder / "langgraph")
    return folder


def environment() -> str:
    """A short name for what is installed: stock's outcomes are kept per name."""
    installed = sorted({f"{d.name}=={d.version}" for d in distributions() if not d.name.startswith("alto")})
    return hashlib.sha256("\n".join([sys.version, *installed]).encode()).hexdigest()[:12]


def run(folder: Path, record: Path, swap: str, arguments: list[str], workers: int) -> Record:
    """Runs the tests in `folder`, stock where `swap` is empty."""
    record.unlink(missing_ok=True)
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    variables = {"NO_DOCKER": "true", "CONFORMANCE_SWAP": swap, "CONFORMANCE_RECORD": str(record), "PYTHONPATH": path}
    parallel = ["-n", str(workers), "--dist", "worksteal"] if workers > 1 else []
    quiet = [
        "-q",
        "--no-header",
        "--tb=short",
        "-p",
        "plugin",
        "-p",
        "no:cacheprovider",
        "--disable-warnings",
        "--durations=0",
        "-o",
        "addopts=",
    ]
    command = [sys.executable, "-m", "pytest", *quiet, *parallel, *(arguments or ["tests"])]
    log = record.with_suffix(".log")
    with log.open("w") as out:
        subprocess.run(command, cwd=folder, env=os.environ | variables, stdout=out, stderr=subprocess.STDOUT, check=False)
    if not record.exists():
        print(log.read_text()[-4000:], file=sys.stderr)
        raise SystemExit("conformance: pytest did not get as far as running tests.")
    return Record.read(record)


def second_chance(tests: set[str], folder: Path, swap: str) -> set[str]:
    """Those of `tests` that pass when the ones known to be flaky run once more, alone."""
    flaky = sorted(test for test in tests if test.startswith(FLAKY))
    if not FLAKY or not flaky:
        return set()
    return run(folder, CACHE / "again.json", swap, flaky, 1).named("passed")


def report(stock: Record, ours: Record, again: set[str], counting: bool) -> int:
    """Prints the summary; returns the exit code."""
    newly = sorted((stock.named("passed") - ours.named("passed")) - again)
    both = stock.named("passed") & (ours.named("passed") | again)
    built = sum(count > 0 for count in ours.built.values())
    print(f"{len(both)} tests pass under both; {built} tests built {sum(ours.built.values())} graphs of the swapped class.")
    if broken := stock.named("failed"):
        print(f"{len(broken)} fail under stock as installed here and are not judged.")
    if again:
        print(f"{len(again)} flaky tests passed when run again: {', '.join(sorted(again))}")
    for test in newly:
        print(f"\nNEWLY FAILING {test} ({ours.outcomes.get(test, 'not run')})\n{ours.messages.get(test, '')[-1500:]}")
    if newly:
        print(f"\n{len(newly)} tests pass under stock and not under the swap:", *newly, sep="\n  ")
    few = counting and built < LEAST_BUILT
    if few:
        print(f"Only {built} tests built a graph of the swapped class; at least {LEAST_BUILT} must, or the swap proves nothing.")
    return 1 if newly or few else 0


def parse() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swap", default=OURS, help="module:attribute of the class to put in")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="run stock again even if its outcomes are known")
    parser.add_argument("tests", nargs="*", help="only these files or node ids, relative to the distribution")
    return parser.parse_args()


def main() -> int:
    options = parse()
    folder = sources(version("langgraph"))
    known = CACHE / f"stock-{version('langgraph')}-{environment()}.json"
    if options.fresh or not known.exists():
        print("Running the tests under stock ...", flush=True)
        run(folder, CACHE / "stock.json", "", [], options.workers)
        (CACHE / "stock.json").rename(known)
    stock = Record.read(known)
    print(f"Running the tests under {options.swap} ...", flush=True)
    ours = run(folder, CACHE / "swapped.json", options.swap, options.tests, options.workers)
    if options.tests:
        stock = Record({test: its for test, its in stock.outcomes.items() if test in ours.outcomes}, stock.built, stock.messages)
    again = second_chance(stock.named("passed") & ours.named("failed"), folder, options.swap)
    return report(stock, ours, again, counting=not options.tests)


if __name__ == "__main__":
    raise SystemExit(main())
