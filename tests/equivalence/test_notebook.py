"""In a notebook, inside its running event loop, cells come to what they come to under stock, also after one was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat: Any = pytest.importorskip("nbformat")
nbclient: Any = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

IMPORTS = """
import asyncio, operator, os, signal, threading, time
from typing import Annotated
from typing_extensions import TypedDict
from langgraph.graph import START
from langgraph.types import Command, Send
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, observed_by, say
from tests.equivalence.test_event_loops import GIVEN, SIDES, alike, both, build, seen
from tests.equivalence import uneven
from tests.equivalence.uneven import running_ahead
told = Signals()
SIGNALS.set(told)
quiet = asyncio.all_tasks()
"""
AWAIT = "alike(*await both())"
INVOKE = "alike(*(seen(build(side, True), side, GIVEN) for side in SIDES))"
INTERRUPTED = """
class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]

async def asend(state):
    return Command(goto=Send("aearly", 1))

async def aearly(item):
    try:
        say("aearly")
        await asyncio.sleep(60)
    finally:
        say("aearly is over")

async def aslow(state):
    if running_ahead():
        await aheard("aearly")
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(60)

def send(state):
    return Command(goto=Send("early", 1))

def early(item):
    say("early")
    heard("interrupted")
    say("early is over")

def slow(state):
    if running_ahead():
        heard("early")
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    say("interrupted")

def interrupted(side, send, early, slow):
    graph = side(State).add_node(send).add_node(early).add_node(slow)
    return graph.add_edge(START, send.__name__).add_edge(START, slow.__name__).compile()
"""
AWAIT_INTERRUPTED = """
uneven._AHEAD.set({side} == 1)
with observed_by(told):
    await interrupted(SIDES[{side}], asend, aearly, aslow).ainvoke({{}})
"""
INVOKE_INTERRUPTED = """
uneven._AHEAD.set({side} == 1)
with observed_by(told):
    interrupted(SIDES[{side}], send, early, slow).invoke({{}})
"""
LEFT = """
assert told.ahead["aearly"] and told.ahead["early"], told.ahead
assert {"aearly is over", "early is over"} <= set(told.said), told.said
assert not [task for task in asyncio.all_tasks() if task.get_name() in ("aearly", "aslow")]
assert not [thread for thread in threading.enumerate() if thread.name.startswith("alto")]
"""


def errors(*cells: str) -> list[Any]:
    """For each cell the name of the exception that it ended by, if any, and what that said."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    here = Path(__file__).parents[2]
    nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(here)}}).execute()
    outputs = [[output for output in cell.outputs if output.output_type == "error"] for cell in notebook.cells]
    return [(errors[0].ename, errors[0].evalue) if errors else None for errors in outputs]


def test_cells_one_after_another() -> None:
    cells = [IMPORTS, AWAIT, INVOKE, AWAIT]
    assert errors(*cells) == [None] * len(cells)


def test_cells_after_interrupted_ones() -> None:
    ends = [cell.format(side=side) for cell in (AWAIT_INTERRUPTED, INVOKE_INTERRUPTED) for side in (0, 1)]
    found = errors(IMPORTS, INTERRUPTED, *ends, LEFT, AWAIT, INVOKE)
    assert found[2] == found[3] and found[2]
    assert found[4] == found[5] == ("KeyboardInterrupt", "")
    assert found[6:] == [None] * 3
