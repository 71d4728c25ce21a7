"""Names the tasks of a run: a task by its superstep, or by the `Send` that made it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.lineage import Lineage, named
from alto_langgraph.adapters.langgraph.seam import PUSH, TASKS
from alto_langgraph.adapters.langgraph.shadow import UnforeseenError
from alto_langgraph.tags import Tag


class Naming:
    """Tags of the open superstep's tasks, and the packets of those to come.

    `tags` are by task id; `sends` by the tag of the task that each will become. A task that will be sent in a place that nobody knows yet
    keeps a negative one as its name; `real` tells what the app calls it.
    """

    def __init__(self) -> None:
        self.tags: dict[str, Tag] = {}
        self.sends: dict[Tag, Send] = {}
        self._packets: dict[int, deque[Tag]] = {}
        self._places: dict[Tag, tuple[Any, ...]] = {}
        self._numbers = count(1)
        self._found: dict[int, int] = {}
        self._likely: dict[int, int] = {}
        self._renamed: dict[Tag, Tag] = {}

    def place(self, tag: Tag, *, likely: bool = False) -> tuple[Any, ...]:
        """Sorts the tasks of one superstep as LangGraph does: those behind edges by name, then Sends as their producers wrote them.

        Args:
            tag: The task.
            likely: Of a place that nobody knows yet, where it will probably be.

        Raises:
            UnforeseenError: nobody knows its place yet.
        """
        if (known := self._places.get(tag)) is not None:
            return known
        name, index = tag.path[-1]
        if not (tag.parent and tag.parent.path):
            return (0, name)
        if index < 0:
            found = self._found.get(index, self._likely.get(index) if likely else None)
            if found is None:
                raise UnforeseenError(f"nobody knows yet in which place {tag} will be")
            index = found
        return (1, self.place(tag.parent, likely=likely), index)

    def unplaced(self, tag: Tag, node: str) -> Tag:
        """A name for a task that `tag` will send in a place that nobody knows yet."""
        return tag.child(node, -next(self._numbers))

    def expect(self, child: Tag, place: int) -> None:
        """Where such a task will probably be."""
        if (number := child.path[-1][1]) < 0:
            self._likely[number] = place

    def real(self, tag: Tag) -> Tag | None:
        """What the app calls a task; None if that isn't known yet."""
        if tag.is_placed:
            return tag
        path = [(split, index if index >= 0 else self._found.get(index, -1)) for split, index in tag.path]
        return Tag(tuple(path)) if all(index >= 0 for _, index in path) else None

    def opened(self, tasks: Iterable[PregelExecutableTask], channels: Mapping[str, Any], step: int, lineage: Lineage | None = None) -> None:
        """Names a superstep's tasks: a Send is known by its packet, which is the very object its producer wrote, or by its place."""
        row = channels[TASKS].get() if channels[TASKS].is_available() else ()
        tasks = list(tasks)
        self.tags = {task.id: self._tag(task, row, step, lineage) for task in tasks}
        self._places = {self.tags[task.id]: (int(task.path[0] == PUSH), task.path[1]) for task in tasks}
        if self._found or self._likely:
            self._forget_numbers()

    def add(self, task: PregelExecutableTask, step: int, lineage: Lineage | None) -> Tag:
        """Names a task that has joined the open superstep."""
        tag = self.tags[task.id] = named(task.path, task.name, step, lineage)
        return tag

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
            tag = next((known for known in tags if self.real(known) == tag), tag)
            if tag not in tags:
                return tag if tag not in self.sends else named(task.path, task.name, step, None)
        self._forget(tag, packet)
        self.sends.pop(tag, None)
        return tag

    def _forget_numbers(self) -> None:
        """Of tasks whose supersteps are over, and of which nothing is to come."""
        used = {index for tag in (*self.sends, *self.tags.values()) for _, index in tag.path if index < 0}
        self._found = {number: place for number, place in self._found.items() if number in used}
        self._likely = {number: place for number, place in self._likely.items() if number in used}
        self._renamed = {tag: child for tag, child in self._renamed.items() if child in self.sends}

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
            child = self._renamed.get(child, child)
            if child not in self.sends:
                self.sends[child] = send
                self._packets.setdefault(id(send), deque()).append(child)
            yield child, send

    def confirm(self, child: Tag, send: Send, tag: Tag, place: int) -> None:
        """The task that was known before `tag` sent it is sent as `send`, in that place."""
        self.sends[child] = send
        if (number := child.path[-1][1]) < 0:
            self._found[number] = place
            self._renamed[tag.child(send.node, place)] = child
        self._packets.setdefault(id(send), deque()).append(child)

    def disown(self, tag: Tag) -> None:
        """Forgets the Sends of a task that runs again."""
        for child in [child for child in self.sends if child in tag and child != tag]:
            self._forget(child, id(self.sends.pop(child)))
        self._renamed = {real: child for real, child in self._renamed.items() if child not in tag} if self._renamed else {}

    def clear(self) -> None:
        """Forgets what is to come; whatever is left was sent to nodes that LangGraph doesn't know."""
        self.sends.clear()
        self._packets.clear()


def sends_of(writes: Iterable[tuple[str, Any]]) -> list[Send]:
    """The Sends among a task's writes, in order."""
    return [value for channel, value in writes if channel == TASKS and isinstance(value, Send)]
