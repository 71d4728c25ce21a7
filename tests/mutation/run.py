"""Breaks each invariant on purpose, in a copy of the project, and shows that tests fail then. Fails if a broken copy passes.

python tests/mutation/run.py [I1 I2 ...]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.mutation.mutants import MUTANTS, Mutant  # noqa: E402

PARTS = ("alto_langgraph", "adapters", "tracing", "examples", "tests", "benchmarks", "pyproject.toml", "README.md", "docs")
FAILED = 1
"""How pytest exits if tests ran and some failed; anything else says nothing."""
SECONDS = 300.0
"""A broken copy may also wait for ever; that is found, too."""


def broken(mutant: Mutant, folder: Path) -> None:
    """Makes the change in the copy at `folder`.

    Raises:
        ValueError: the text isn't there once.
    """
    file = folder / mutant.file
    text = file.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file} has {text.count(mutant.old)} times {mutant.old!r}; mutants.py is out of date.")
    file.write_text(text.replace(mutant.old, mutant.new))


def outcome(mutant: Mutant) -> str:
    """What the tests say to the broken copy: the first test that failed, or why that can't be told."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / part, **({"symlinks": True} if source.is_dir() else {}))
        broken(mutant, folder)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *mutant.tests]
        try:
            ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return "hangs"
    failed = [line.split()[1] for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    if ended.returncode == FAILED and failed:
        return failed[0]
    return "" if ended.returncode == 0 else f"error: {ended.stdout[-300:]}"


def main(*wanted: str) -> int:
    """Tries all mutants, or those of the invariants named; returns the exit code."""
    console, survivors = Console(width=160), 0
    for mutant in track([m for m in MUTANTS if not wanted or m.breaks in wanted], "breaking", console=console):
        found = outcome(mutant)
        survivors += not found or found.startswith("error")
        console.print(f"{mutant.breaks} {mutant.what}: {found or 'NOTHING NOTICES'}", markup=False)
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
