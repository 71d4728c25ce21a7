"""A disk that is full: the run fails as stock's, what is on it stays whole, and once there is room it goes on to stock's answer."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.graph import START
from tests.adapters.signals import aheard, heard, say, signals
from tests.faults.app import ALTO, BOTH, Fault, struck_by
from tests.faults.left import nothing_left

HOW: dict[str, Any] = {"config": {"configurable": {"thread_id": "t"}}, "durability": "sync"}
LARGE = 200_000
"""Characters that a node writes: more than a full disk has room for."""


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]


def built(side: str, saver: Any, *, sync: bool) -> Any:
    """`slow` beside quick -> early, which writes much -> after."""

    async def aslow(state: State) -> State:
        if ALTO.get():
            await aheard("early")
            await asyncio.sleep(0.02)
        return {"out": ["slow"]}

    def slow(state: State) -> State:
        if ALTO.get():
            heard("early")
        return {"out": ["slow"]}

    def quick(state: State) -> Command[Any]:
        return Command(update={"out": ["quick"]}, goto=Send("early", "it"))

    def early(item: str) -> State:
        say("early")
        return {"out": ["x" * LARGE]}

    graph = BOTH[side](State).add_node("slow", slow if sync else aslow).add_node("quick", quick, destinations=("early",))
    graph.add_node("early", early).add_node("after", lambda state: {"out": [str(len(state["out"]))]}).add_edge("early", "after")
    return graph.add_edge(START, "slow").add_edge(START, "quick").compile(checkpointer=saver)


def seen(side: str, file: Path, *, sync: bool) -> Observation:
    """A run on a full disk, then one with room."""
    full, roomy = "pragma max_page_count = 20", "pragma max_page_count = 100000"
    if sync:
        with SqliteSaver.from_conn_string(str(file)) as saver:
            saver.setup()
            saver.conn.execute(full)
            graph = built(side, saver, sync=True)
            return record(graph, {}, then=(lambda waiting: saver.conn.execute(roomy) and None,), sync=True, **HOW)

    async def run() -> Observation:
        async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
            await saver.setup()
            await saver.conn.execute(full)
            graph = built(side, saver, sync=False)
            failed = await arecord(graph, {}, **HOW)
            await saver.conn.execute(roomy)
            went_on = await arecord(graph, None, **HOW)
            return Observation((*failed.turns, *went_on.turns), went_on.history, went_on.stored)

    return asyncio.run(run())


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_a_full_database(sync: bool, tmp_path: Path) -> None:
    found = {}
    for side in BOTH:
        with struck_by(Fault("nowhere", "raise"), side), signals() as told, nothing_left():
            found[side] = seen(side, tmp_path / side, sync=sync)
    assert told.ahead["early"] == 1
    failed, went_on = found["alto"].turns
    assert failed.error is not None and "database or disk is full" in failed.error.parts["text"]
    assert went_on.error is None and went_on.output["out"][-1] == "3"
    apart = difference(found["stock"], found["alto"])
    assert apart is None, str(apart)
    for side in BOTH:
        with sqlite3.connect(tmp_path / side) as file:
            assert file.execute("pragma integrity_check").fetchone() == ("ok",)
        file.close()


SCRIPT = """
import resource, signal, sys
from tests.faults.test_disk import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
side, file, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with struck_by(Fault("nowhere", "raise"), side), signals(), SqliteSaver.from_conn_string(str(file)) as saver:
    saver.setup()
    graph = built(side, saver, sync=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    seen = record(graph, {}, sync=True, **HOW)
    print(seen.error.parts["text"] if seen.error else seen.output["out"][-1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no RLIMIT_FSIZE")
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    said = {}
    for side in BOTH:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, side, str(tmp_path / side), str(LARGE)], capture_output=True, text=True, check=False
        )
        said[side] = done.stdout
        assert done.returncode == 0, done.stderr
    assert said["alto"] == said["stock"] != ""
    assert "3" not in said["alto"]
    with SqliteSaver.from_conn_string(str(tmp_path / "alto")) as saver, struck_by(Fault("nowhere", "raise"), "alto"), signals():
        went_on = record(built("alto", saver, sync=True), None, sync=True, **HOW)
    assert went_on.error is None and went_on.output["out"][-1] == "3"
