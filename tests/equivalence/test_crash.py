"""After a crash everything goes on as under stock; only what had been done ahead, and wasn't saved, is done again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.comparison.plain import plain
from tests.equivalence.dying import BOTH, CONFIG, DEATHS, SCENES, Death, acompiled, compiled, done, working_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes that have died leave."""
    folder = tmp_path_factory.mktemp("left")
    alike = {**os.environ, "PYTHONHASHSEED": "0"}  # LangGraph keeps edges in sets
    subprocess.run([sys.executable, "-m", "tests.equivalence.dying", str(folder)], env=alike, check=True)
    return folder


async def found(death: Death, left: Path, died: str) -> Observation:
    """What a process that would resume finds."""
    with working_in(death.folder(left, died)):
        async with acompiled("stock", death.scene) as graph:
            return Observation((), tuple([plain(state) async for state in graph.aget_state_history(CONFIG)]))


async def resumed(death: Death, left: Path, died: str, side: str, folder: Path) -> tuple[Observation, Counter[str]]:
    """What an app sees of a run under `side` that takes up what `died` has left, and what is done in it."""
    shutil.copytree(death.folder(left, died), folder)
    before = done(folder)
    with working_in(folder):
        if death.how == "async":
            async with acompiled(side, death.scene) as graph:
                return await arecord(graph, None, config=CONFIG), done(folder) - before
        with compiled(side, death.scene) as graph:
            return record(graph, None, sync=True, config=CONFIG), done(folder) - before


def same(stock: Any, alto: Any) -> None:
    apart = difference(stock, alto)
    assert apart is None, str(apart)


@pytest.mark.parametrize("death", DEATHS, ids=str)
async def test_it_goes_on_as_under_stock(death: Death, left: Path, tmp_path: Path) -> None:
    expected, done_again = await resumed(death, left, "stock", "stock", tmp_path / "stock")
    for died, side in (("stock", "alto"), ("alto", "stock"), ("alto", "alto")):
        got, done_there = await resumed(death, left, died, side, tmp_path / f"{died} {side}")
        same(expected, got)
        assert done_there == done_again
    same(await found(death, left, "stock"), await found(death, left, "alto"))
    stock, alto = (done(death.folder(left, died)) for died in BOTH)
    assert alto - stock == Counter(SCENES[death.scene].ahead) and not stock - alto
