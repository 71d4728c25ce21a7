"""Every benchmark there is, and how one is found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

from benchmarks import (
    analysis,
    apps,
    branches,
    fan_out,
    hidden,
    import_time,
    independent,
    memory,
    no_slack,
    retrieval,
    rounds,
    send_chain,
    shapes,
    steps,
    streams,
)
from benchmarks.declare import Benchmark

GROUPS = (
    apps,
    send_chain,
    branches,
    rounds,
    independent,
    hidden,
    no_slack,
    fan_out,
    steps,
    shapes,
    streams,
    retrieval,
    memory,
    import_time,
    analysis,
)


def catalog() -> list[Benchmark]:
    """Every benchmark, in the report's order."""
    return [benchmark for group in GROUPS for benchmark in group.benchmarks()]


def left_out() -> Mapping[str, str]:
    """Benchmarks that can't run here, and what each lacks."""
    return {**apps.left_out(), **hidden.left_out(), **retrieval.left_out()}


def chosen(names: Sequence[str], quick: bool = False) -> list[Benchmark]:
    """The benchmarks with these names, groups or patterns (`fan_out_*`); all, when there are none.

    Quick leaves out the long ones, unless they are named in full.

    Raises:
        LookupError: a name fits nothing.
    """
    everything = catalog()
    for name in names:
        if not any(_fits(name, benchmark) for benchmark in everything):
            groups = ", ".join(dict.fromkeys(benchmark.group for benchmark in everything))
            raise LookupError(f"No benchmark is called {name!r}. The groups are {groups}; `python -m benchmarks list` names all.")
    named = [b for b in everything if not names or any(_fits(name, b) for name in names)]
    return [b for b in named if b.quick or not quick or b.name in names]


def _fits(name: str, benchmark: Benchmark) -> bool:
    return name == benchmark.group or fnmatch(benchmark.name, name)
