"""Names the tasks of a run: a task by its superstep, or by the `Send` that made it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.lineage import Lineage, named
from alto_langgraph.adapters.langgraph.seam import PUSH, TASKS
from alto_langgraph.tags import Tag


class Naming:
    """Tags of the open superstep's tasks, and the packets of those to come.

    `tags` are by task id; `sends` by the tag of the task that each will become.
    """

    def __init__(self) -> None:
        self.tags: Mapping[str, Tag] = {}
        self.sends: dict[Tag, Send] = {}
        self._packets: dict[int, deque[Tag]] = {}
        self._places: dict[Tag, tuple[Any, ...]] = {}

    def place(self, tag: Tag) -> tuple[Any, ...]:
        """Sorts the tasks of one superstep as LangGraph does: those behind edges by name, then Sends as their producers wrote them."""
        if (known := self._places.get(tag)) is not None:
            return known
        name, index = tag.path[-1]
        return (1, self.place(tag.parent), index) if tag.parent and tag.parent.path else (0, name)

    def opened(self, tasks: Iterable[PregelExecutableTask], channels: Mapping[str, Any], step: int, lineage: Lineage | None = None) -> None:
        """Names a superstep's tasks: a Send is known by its packet, which is the very object its producer wrote, or by its place."""
        row = channels[TASKS].get() if channels[TASKS].is_available() else ()
        tasks = list(tasks)
        self.tags = {task.id: self._tag(task, row, step, lineage) for task in tasks}
        self._places = {self.tags[task.id]: (int(task.path[0] == PUSH), task.path[1]) for task in tasks}

    def _tag(self, task: PregelExecutableTask, row: Sequence[Send], step: int, lineage: Lineage | None) -> Tag:
        if task.path[0] != PUSH:
            return named(task.path, task.name, step, None)
        index: Any = task.path[1]
        packet = id(row[index])
        tags = self._packets.get(packet) or deque[Tag]()
        if len(tags) == 1:
            tag = tags[0]
        else:  # nobody saw it being written, or it was written more than once
            tag = named(task.path, task.name, step, lineage)
            if tag not in tags:
                return tag if tag not in self.sends else named(task.path, task.name, step, None)
        self._forget(tag, packet)
        self.sends.pop(tag, None)
        return tag

    def _forget(self, tag: Tag, packet: int) -> None:
        tags = self._packets.get(packet)
        if tags is None:  # not sent yet
            return
        tags.remove(tag)
        if not tags:
            del self._packets[packet]

    def children(self, tag: Tag, writes: Iterable[tuple[str, Any]]) -> Iterator[tuple[Tag, Send]]:
        """The Sends among a task's writes, and what they are called."""
        for index, send in enumerate(sends_of(writes)):
            child = tag.child(send.node, index)
            if child not in self.sends:
                self.sends[child] = send
                self._packets.setdefault(id(send), deque()).append(child)
            yield child, send

    def confirm(self, child: Tag, send: Send) -> None:
        """The task that was known before it was sent is sent as `send`."""
        self.sends[child] = send
        self._packets.setdefault(id(send), deque()).append(child)

    def disown(self, tag: Tag) -> None:
        """Forgets the Sends of a task that runs again."""
        for child in [child for child in self.sends if child in tag and child != tag]:
            self._forget(child, id(self.sends.pop(child)))

    def clear(self) -> None:
        """Forgets what is to come; whatever is left was sent to nodes that LangGraph doesn't know."""
        self.sends.clear()
        self._packets.clear()


def sends_of(writes: Iterable[tuple[str, Any]]) -> list[Send]:
    """The Sends among a task's writes, in order."""
    return [value for channel, value in writes if channel == TASKS and isinstance(value, Send)]
