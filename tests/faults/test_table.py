"""The page of the fault matrix and the tests say the same."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.test_stages import AWAITED, PLACES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE))
FUNCTION = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def functions(file: Path) -> set[tuple[str, str]]:
    return {(str(file.relative_to(ROOT)), name) for name in FUNCTION.findall(file.read_text(encoding="utf-8"))}


def test_every_test_is_in_the_table() -> None:
    assert set().union(*map(functions, Path(__file__).parent.glob("test_*.py"))) <= NAMED
    assert set().union(*(functions(ROOT / file) for file in {file for file, _ in NAMED})) >= NAMED


def test_the_stages_are_those_of_the_tests() -> None:
    rows = re.findall(r"^\| `([\w ]+)`[^|]*\| (\w+)[^|]*\| (\w+)[^|]*\| (\w+)[^|]*\|$", PAGE, re.MULTILINE)
    assert {row[0] for row in rows} == set(PLACES)
    assert {row[0] for row in rows if row[3] == "yes"} == set(AWAITED)
    assert all(row[1] == row[2] == "yes" for row in rows)
