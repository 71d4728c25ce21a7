"""A process that is killed just before or after anything is saved leaves a run that goes on to stock's answer and history."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.comparison.plain import Thing
from tests.adapters.signals import signals
from tests.faults.app import INPUT, built, struck_by
from tests.faults.dying import CONFIG, DEATHS, EVERY, QUIET, Death

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork, and no SIGKILL")


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes leave."""
    folder = tmp_path_factory.mktemp("left")
    subprocess.run([sys.executable, "-m", "tests.faults.dying", str(folder)], env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)
    return folder


def rows(seen: Observation) -> list[Thing]:
    """The history, oldest first, without tasks: those of a superstep that was cut off say so."""
    return [Thing(row.kind, {key: row.parts[key] for key in row.parts.keys() - {"tasks"}}) for row in reversed(seen.history)]


def same_rows(stock: list[Thing], alto: list[Thing]) -> None:
    apart = difference(Observation((), tuple(reversed(stock))), Observation((), tuple(reversed(alto))))
    assert apart is None, str(apart)


async def whole(sync: bool) -> Observation:
    """A run of stock's that nobody kills."""
    graph = built("stock", QUIET, sync=sync, saver=InMemorySaver())
    with struck_by(QUIET, "stock"), signals():
        return record(graph, INPUT, sync=True, config=CONFIG) if sync else await arecord(graph, INPUT, config=CONFIG)


async def found(death: Death, folder: Path, side: str) -> tuple[Observation, Observation]:
    """What the next process finds, and what it shows that goes on under `side`."""
    file = str(folder / "saved")
    with struck_by(QUIET, "stock"), signals():  # where a run goes on nobody waits for what is ahead
        if death.sync:
            with SqliteSaver.from_conn_string(file) as saver:
                graph = built(side, QUIET, sync=True, saver=saver)
                history = tuple(graph.get_state_history(CONFIG))
                return _plain(history), record(graph, None if history else INPUT, sync=True, config=CONFIG)
        async with AsyncSqliteSaver.from_conn_string(file) as saver:
            graph = built(side, QUIET, sync=False, saver=saver)
            history = tuple([state async for state in graph.aget_state_history(CONFIG)])
            return _plain(history), await arecord(graph, None if history else INPUT, config=CONFIG)


def _plain(history: tuple[Any, ...]) -> Observation:
    from alto_langgraph.comparison.plain import plain

    return Observation((), tuple(map(plain, history)))


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("kill", EVERY, ids=lambda kill: kill.name)
async def test_killed_at_any_moment(kill: Any, sync: bool, left: Path) -> None:
    expected = await whole(sync)
    killed = 0
    for death in (death for death in DEATHS if (death.kill, death.sync) == (kill, sync)):
        folder = left / str(death)
        code, said = int((folder / "code").read_text()), (folder / "err").read_text()
        assert code in (-kill, 0) and not said, f"{death}: {code}, {said}"
        killed += code == -kill
        before, after = await found(death, folder, "alto")
        same_rows(rows(expected)[: len(before.history)], rows(before))
        same_rows(rows(expected), rows(after))
        assert after.turns[-1].error is None
    assert killed > 20 // EVERY[kill] and code == 0, "some moments were missed"
