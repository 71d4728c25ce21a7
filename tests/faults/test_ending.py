"""Interpreters that shut down while runs are on, signals that ask a process to end, and forks: as under stock, and at an end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.app import BOTH
from tests.faults.dying import LONGEST
from tests.faults.ending import SCENES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
SAID = {
    "before_a_thread_is_done": re.compile(r"\['first slow'.*'fifth third of 6 fourth of 2 None'\]\n|RuntimeError\n"),
    "with_a_task_left": re.compile("ended\n"),
    "interrupted": re.compile("interrupted\n"),
    "interrupted_on_threads": re.compile("interrupted\n"),
    "told_to_end": re.compile(r"cancelled \[\]\n"),
    "forked_by_a_node": re.compile(r"True\n\{'items': \[\], 'out': \['5'\], 'c': 'c'\}\n"),
    "by_multiprocessing": re.compile("True\n0\n"),
}
"""What a process says, where it isn't for the interpreter to decide."""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes leave."""
    folder = tmp_path_factory.mktemp("left")
    subprocess.run([sys.executable, "-m", "tests.faults.ending", str(folder)], env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)
    return folder


@pytest.mark.parametrize("scene", SCENES)
def test_as_under_stock(scene: str, left: Path) -> None:
    stock, alto = ({name: (left / f"{scene} {side}" / name).read_text() for name in ("code", "out", "err")} for side in BOTH)
    assert alto == stock
    assert int(alto["code"]) == (7 if scene == "told_to_end_on_threads" else 0)
    assert alto["err"] == ""
    if scene in SAID:
        assert SAID[scene].fullmatch(alto["out"])
    assert float((left / f"{scene} alto" / "seconds").read_text()) < LONGEST / 2
