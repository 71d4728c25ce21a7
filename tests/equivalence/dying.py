"""Runs that kill their own process: `python -m tests.equivalence.dying FOLDER` leaves what is left of each.

What a node does it writes down in a file, so that it is known when the process is no more. In a process that is to die, some
nodes wait for others first, and one of them is the end, once so much has been saved that other processes see it.
"""

from __future__ import annotations

import asyncio
import contextlib
import operator
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import heard, say, signals

BOTH: dict[str, Any] = {"stock": Stock, "alto": Alto}
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
FOLDER: ContextVar[Path] = ContextVar("folder")


class State(TypedDict, total=False):
    a: int
    b: int
    c: int
    out: Annotated[list[str], operator.add]


@dataclass(frozen=True)
class End:
    """Where and when a process dies.

    Args:
        at: What is done last.
        saved: How many checkpoints, and how many tasks' writes, are on disk then.
        waits: What is to have been done before something else goes on.
    """

    at: str
    saved: tuple[int, int]
    waits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def reached(self, what: str) -> None:
        heard(*self.waits.get(what, ()))
        if what == self.at:
            while saved() != self.saved:
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)


END: ContextVar[End | None] = ContextVar("end", default=None)


def saved() -> tuple[int, int]:
    """How many checkpoints, and how many tasks' writes, another process finds."""
    both = "select (select count(*) from checkpoints), (select count(distinct task_id) from writes)"
    with contextlib.closing(sqlite3.connect(FOLDER.get() / "saved", timeout=5)) as file:
        found: tuple[int, int] = file.execute(both).fetchone()
    return found


def does(what: str) -> None:
    """Something that outlives the process."""
    with open(FOLDER.get() / "done", "a") as done:
        print(what, file=done)
        done.flush()
        os.fsync(done.fileno())
    say(what)
    if (end := END.get()) is not None:
        end.reached(what)


def done(folder: Path) -> Counter[str]:
    """How often each thing was done."""
    return Counter((folder / "done").read_text().split("\n")[:-1])


class Dying(SqliteSaver):
    """Lets a process end between two supersteps."""

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        put = super().put(config, checkpoint, metadata, new_versions)
        if (end := END.get()) is not None:
            end.reached(f"checkpoint {metadata['step']}")
        return put


class ADying(AsyncSqliteSaver):
    """`Dying` for async runs."""

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        put = await super().aput(config, checkpoint, metadata, new_versions)
        if (end := END.get()) is not None:
            await asyncio.to_thread(end.reached, f"checkpoint {metadata['step']}")
        return put


# ---- graphs


def sent(side: Any) -> Any:
    """START -> first (slow, quick) -> second -> third, by Sends; what is quick gets ahead of what is slow."""

    def first(item: str) -> Command[Any]:
        does(f"first {item}")
        return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)])

    def second(item: str) -> Command[Any]:
        does(f"second {item}")
        return Command(update={"out": [f"second {item}"]}, goto=[Send("third", item)])

    def third(item: str) -> State:
        does(f"third {item}")
        return {"out": [f"third {item}"]}

    graph = side(State).add_node("first", first, destinations=("second",)).add_node("second", second, destinations=("third",))
    graph.add_node("third", third)
    return graph.add_conditional_edges(START, lambda state: [Send("first", "slow"), Send("first", "quick")], ["first"])


def past_a_sibling(side: Any) -> Any:
    """`slow` beside quick -> after -> last; `after` needs nothing of it."""

    def slow(state: State) -> State:
        does("slow")
        return {"a": 1}

    def quick(state: State) -> State:
        does("quick")
        return {"b": 2}

    def after(state: State) -> State:
        does("after")
        return {"c": state["b"] + 1}

    def last(state: State) -> State:
        does("last")
        return {"out": [f"{state['a']} {state['c']}"]}

    graph = side(State).add_node("slow", slow).add_node("quick", quick).add_node("after", after).add_node("last", last)
    return graph.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "after").add_edge("after", "last")


def before_what_it_follows(side: Any) -> Any:
    """A chain of independent stages, each said to be repeatable."""

    def slow(state: State) -> State:
        does("slow")
        return {"a": 1}

    def after(state: State) -> State:
        does("after")
        return {"b": 2}

    def last(state: State) -> State:
        does("last")
        return {"c": 3}

    graph = side(State)
    for node in (slow, after, last):
        graph.add_node(node.__name__, node, metadata={"effects": "idempotent"})
    return graph.add_edge(START, "slow").add_edge("slow", "after").add_edge("after", "last")


@dataclass(frozen=True)
class Scene:
    """A graph, where stock and alto die at what corresponds, and what alto has done by then that stock hasn't."""

    graph: Callable[[Any], Any]
    stock: End
    alto: End
    ahead: tuple[str, ...]


QUICK = ("second quick", "third quick")
SCENES = {
    "beside what was sent": Scene(
        sent,
        End("first slow", (2, 2)),
        End("first slow", (2, 2), {"first slow": QUICK}),
        QUICK,
    ),
    "inside what was sent": Scene(
        sent,
        End("first slow", (2, 2)),
        End("second quick", (2, 2), {"first slow": ("the end",)}),
        QUICK[:1],
    ),
    "beside what was adopted": Scene(
        sent,
        End("second slow", (3, 4)),
        End("second slow", (3, 4), {"first slow": QUICK}),
        QUICK[1:],
    ),
    "between two supersteps": Scene(
        sent,
        End("checkpoint 1", (3, 3)),
        End("checkpoint 1", (3, 3), {"first slow": QUICK}),
        QUICK,
    ),
    "beside what passed it": Scene(
        past_a_sibling,
        End("slow", (2, 2)),
        End("slow", (2, 2), {"slow": ("after",)}),
        ("after",),
    ),
    "inside what passes another": Scene(
        past_a_sibling,
        End("slow", (2, 2)),
        End("after", (2, 2), {"slow": ("the end",)}),
        ("after",),
    ),
    "before what was foreseen": Scene(
        before_what_it_follows,
        End("slow", (2, 1)),
        End("slow", (2, 1), {"slow": ("after", "last")}),
        ("after", "last"),
    ),
}


# ---- the process that dies


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Where nodes write down what they do."""
    token = FOLDER.set(folder)
    try:
        with signals():
            yield
    finally:
        FOLDER.reset(token)


@contextmanager
def compiled(side: str, scene: str) -> Iterator[Any]:
    """The graph with what was saved in the folder, for sync runs."""
    with SqliteSaver.from_conn_string(str(FOLDER.get() / "saved")) as saver:
        yield SCENES[scene].graph(BOTH[side]).compile(checkpointer=Dying(saver.conn))


@asynccontextmanager
async def acompiled(side: str, scene: str) -> AsyncIterator[Any]:
    """`compiled` for async runs."""
    async with AsyncSqliteSaver.from_conn_string(str(FOLDER.get() / "saved")) as saver:
        yield SCENES[scene].graph(BOTH[side]).compile(checkpointer=ADying(saver.conn))


async def arun(side: str, scene: str, durability: Any) -> None:
    async with acompiled(side, scene) as graph:
        await graph.ainvoke({}, CONFIG, durability=durability)


@dataclass(frozen=True)
class Death:
    """One process that dies, and the folder that it leaves."""

    scene: str
    durability: Any
    how: str

    def __str__(self) -> str:
        return f"{self.scene}, saved {self.durability}, run {self.how}"

    def folder(self, all: Path, side: str) -> Path:
        return all / f"{self}, {side}"

    def die(self, all: Path, side: str) -> None:
        """Runs until the end, in a process of its own."""
        folder = self.folder(all, side)
        folder.mkdir()
        if pid := os.fork():
            _, status = os.waitpid(pid, 0)
            assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"{self} lived on under {side}"
            return
        signal.alarm(60)
        END.set(getattr(SCENES[self.scene], side))
        try:
            self.run(folder, side)
        finally:
            os._exit(1)

    def run(self, folder: Path, side: str) -> None:
        with working_in(folder):
            if self.how == "async":
                asyncio.run(arun(side, self.scene, self.durability))
            else:
                with compiled(side, self.scene) as graph:
                    graph.invoke({}, CONFIG, durability=self.durability)


DEATHS = [
    Death(scene, durability, how)
    for scene in SCENES
    for durability in ("sync", "async")
    for how in ("sync", "async")
    if (scene, durability) != ("between two supersteps", "async")  # the next one's tasks don't wait for its checkpoint then
]


if __name__ == "__main__":
    for death in DEATHS:
        for side in BOTH:
            death.die(Path(sys.argv[1]), side)
