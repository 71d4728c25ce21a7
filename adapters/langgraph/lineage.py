"""Remembers which tasks wrote the Sends that a superstep runs, so that a task can be named whenever somebody asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from time import perf_counter
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.seam import PUSH, TASKS, PregelLoop, task_path_str
from alto_langgraph.tags import Tag

Path = tuple[Any, ...]
"""LangGraph's task path."""

_UNKNOWN = "send"
"""Split of a Send that nobody saw being written: the run began with it."""
_HANDLER = "node_error_handler"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Who wrote the Sends of one superstep.

    Args:
        step: The superstep that they run in.
        nodes: The node of each, in LangGraph's order.
        writers: Paths and nodes of the tasks that wrote them, in the order in which LangGraph takes their writes.
        firsts: For each writer the place of its first one.
        before: The same of the superstep before, if that had Sends too; so the chain is as long as the longest tag, and ends where
            a superstep has none.
    """

    step: int
    nodes: tuple[str, ...]
    writers: tuple[tuple[Path, str], ...]
    firsts: tuple[int, ...]
    before: Lineage | None

    @classmethod
    def of(cls, before: Lineage | None, tasks: Iterable[PregelExecutableTask], row: Sequence[Send], step: int) -> Lineage | None:
        """What is known of the Sends in `row`, if `tasks` have written them."""
        counted = ((task, sum(channel == TASKS for channel, _ in task.writes)) for task in tasks)
        wrote = sorted((known for known in counted if known[1]), key=lambda known: task_path_str(known[0].path))
        *firsts, total = accumulate((count for _, count in wrote), initial=0)
        if total != len(row) or not all(isinstance(send, Send) for send in row):
            return None
        writers = tuple((task.path, task.name) for task, _ in wrote)
        return cls(step, tuple(send.node for send in row), writers, tuple(firsts), before.at(step - 1) if before else None)

    def at(self, step: int) -> Lineage | None:
        """That of this or an earlier superstep, if it is still known."""
        found: Lineage | None = self
        while found is not None and found.step > step:
            found = found.before
        return found if found is not None and found.step == step else None

    def tag(self, index: int) -> Tag:
        """The tag of the `index`-th Send."""
        levels: list[tuple[str, int]] = []
        here: Lineage | None = self
        path, node, step = (PUSH, index), self.nodes[index], self.step
        while here is not None and _is_send(path):
            index = path[1]
            writer = bisect_right(here.firsts, index) - 1
            levels.append((here.nodes[index], index - here.firsts[writer]))
            (path, node), step, here = here.writers[writer], here.step - 1, here.before
        return Tag((*named(path, node, step, here).path, *reversed(levels)))


def _is_send(path: Path) -> bool:
    return path[0] == PUSH and isinstance(path[1], int) and _HANDLER not in path


def named(path: Path, node: str, step: int, lineage: Lineage | None) -> Tag:
    """The tag of a task.

    Args:
        path: LangGraph's path of it.
        node: Its node.
        step: Its superstep.
        lineage: Of the Sends of that superstep.
    """
    if _HANDLER in path:  # below the task whose error it handles
        return named(path[: path.index(_HANDLER)], _UNKNOWN, step, lineage).child(node, 0)
    if path[0] != PUSH:
        return Tag(((path[1], step),))
    if isinstance(path[1], tuple):  # a `@task`, below the one that calls it
        return named(path[1], _UNKNOWN, step, lineage).child(node, path[2])
    if lineage is None or lineage.step != step:
        return Tag(((node, step), (_UNKNOWN, path[1])))
    return lineage.tag(path[1])


LOOPS: WeakValueDictionary[int, Relating] = WeakValueDictionary()
"""Loops at work by the identity of their channels, to which the config of each of their tasks refers."""


class Relating(PregelLoop):
    """A loop that can name its tasks."""

    stack: Any
    lineage: Lineage | None = None
    """Of the open superstep's Sends; None if it has none, or if the run began with them."""
    _listed = _over = False
    _known_as: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.outside = var_child_runnable_config.get()
        self.began = perf_counter()
        super().__init__(*args, **kwargs)

    @property
    def known_as(self) -> str:
        """A name of its own, made up when somebody asks."""
        if self._known_as is None:
            self._known_as = uuid4().hex
        return self._known_as

    def on_end(self, call: Callable[[], None]) -> None:
        """Has something called when the run is left; at once if it has been."""
        if not self._over:
            self.stack.callback(self._end_for, call)
        else:
            call()

    def _end_for(self, call: Callable[[], None]) -> None:
        self._over = True
        with suppress(Exception):  # what another room asked for never stops a run
            call()

    def tick(self) -> bool:
        if not self._listed:
            self._listed = True
            LOOPS[id(self.channels)] = self
        return super().tick()

    def after_tick(self) -> None:
        super().after_tick()
        row = getattr(self.channels.get(TASKS), "values", None)
        self.lineage = Lineage.of(self.lineage, self.tasks.values(), row, self.step) if row else None
