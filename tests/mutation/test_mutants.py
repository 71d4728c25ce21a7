"""The list of mutants fits the code and the page that shows it; that tests find them is `make mutation`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.breaks} {mutant.what}")
def test_what_it_changes_is_there_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert all((ROOT / test).exists() for test in mutant.tests)


def test_every_invariant_is_broken() -> None:
    assert {mutant.breaks for mutant in MUTANTS} == {f"I{number}" for number in range(1, 9)}


def test_the_page_lists_them() -> None:
    page = (ROOT / "docs" / "testing.md").read_text()
    rows = [f"| {m.breaks} | {m.what} | {', '.join(f'`{test}`' for test in m.tests)} |" for m in MUTANTS]
    assert "\n".join(rows) in page
