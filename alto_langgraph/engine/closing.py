"""Tells which part of a reduction is closed: all that comes of some of the ancestors below which a run was split."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from alto_langgraph.engine.task import Task
from alto_langgraph.tags import Tag

Place = tuple[tuple[int, str], ...]


class Part(NamedTuple):
    """What of a reduction is closed.

    Args:
        tasks: Finished tasks, ancestor by ancestor.
        first: Whether these are the first ancestors, so that whatever is to come comes behind them.
    """

    tasks: list[Task]
    first: bool


def closed(tasks: Collection[Task], writes: Callable[[str], bool], *, holes: bool = True) -> Part:
    """Finished tasks whose ancestor has nothing unfinished below it.

    The ancestors are the tasks of the outermost split. Those that a running task may still split off come behind the ones that are there.

    Args:
        tasks: All that are not committed, of the supersteps before the reduction.
        writes: Whether tasks of a node may write what is reduced.
        holes: Whether ancestors count behind one that is open.

    Returns:
        None of them if a task that wasn't split off may still write.
    """
    unfinished = [task for task in tasks if task.unfinished]
    if any(task.tag.depth < 2 and writes(task.node) for task in unfinished):
        return Part([], first=True)
    still_open = {_ancestor(task.tag) for task in unfinished if task.tag.depth > 1}
    coming = [(*_ancestor(task.tag), (len(task.children), "")) for task in unfinished if task.tag.depth < 2]
    first_open = min((*still_open, *coming), default=None)
    found, first = [], True
    for task in tasks:
        if task.unfinished:
            continue
        here = _ancestor(task.tag)
        if task.tag.depth > 1 and first_open is not None and (here > first_open or not Tag(task.tag.path[:2]).is_placed):
            if not holes or here in still_open:
                continue
            first = False
        elif here in still_open:
            continue
        found.append(task)
    return Part(sorted(found, key=lambda task: (task.tag.depth > 1, _ancestor(task.tag))), first)


def _ancestor(tag: Tag) -> Place:
    """Sorts ancestors as tags do."""
    return tuple((index, split) for split, index in tag.path[:2])
