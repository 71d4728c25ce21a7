"""Benchmarks that need a fresh process for every sample: each lane is a command that prints its figures as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.declare import Sample, Target

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class ProbeBenchmark:
    """A fresh process per sample.

    Args:
        name: Unique; `group` is the file it is declared in.
        what: One sentence for the report.
        arguments: `arguments(side name)` follows the interpreter on the command line; the process prints one JSON object
            of figures by metric.
        targets: Judged in the report.
        unit: Of every figure: seconds (`s`) or bytes (`B`).
        budget: Seconds of measuring in a full run.
        least: Rounds run even if the budget is spent.
        warm: Every lane runs once before it counts, for what the file system caches.
    """

    name: str
    group: str
    what: str
    arguments: Callable[[str], list[str]]
    targets: tuple[Target, ...]
    unit: str
    budget: float
    least: int = 5
    warm: bool = True
    quick: bool = True
    per: int = 1
    bounds: Mapping[str, float] = field(default_factory=dict)

    @contextmanager
    def open(self, alto: str) -> Iterator[Mapping[str, Callable[[], Sample]]]:
        """A callable per lane that starts one process."""
        yield {"stock": partial(self.probe, "stock"), "alto": partial(self.probe, alto)}

    def probe(self, side: str) -> Sample:
        """Starts one process and reads its figures.

        Raises:
            RuntimeError: the process failed; its own words are in the message.
        """
        # Both sides read compiled modules from the second start on, as installed packages do.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        ended = subprocess.run([sys.executable, *self.arguments(side)], cwd=ROOT, capture_output=True, text=True, env=env)
        if ended.returncode:
            raise RuntimeError(f"{self.name}, {side}: {ended.stderr.strip()}")
        figures: dict[str, float] = json.loads(ended.stdout)
        return figures
