"""Tells which part of a reduction is closed: all that comes of some of the ancestors below which a run was split."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from alto_langgraph.ancestry import OUTERMOST, Ancestry
from alto_langgraph.engine.task import Task
from alto_langgraph.tags import Tag


class Part(NamedTuple):
    """What of a reduction is closed.

    Args:
        tasks: Finished tasks, ancestor by ancestor.
        first: Whether these are the first ancestors, so that whatever is to come comes behind them.
    """

    tasks: list[Task]
    first: bool


def closed(
    tasks: Collection[Task], ancestry: Ancestry, writes: Callable[[str], bool], *, holes: bool = True, level: int = OUTERMOST
) -> Part:
    """Finished tasks whose ancestor has nothing unfinished below it.

    The ancestors are the tasks of the outermost split, or of one further down. Those that a running task may still split off come behind
    the ones that are there.

    Args:
        tasks: All that are not committed, of the supersteps before the reduction.
        ancestry: Of all of them.
        writes: Whether tasks of a node may write what is reduced.
        holes: Whether ancestors count behind one that is open.
        level: Depth of the ancestors.

    Returns:
        None of them if a task that wasn't split off may still write.
    """
    above = [task for task in tasks if task.unfinished and task.tag.depth < level]
    if any(writes(task.node) for task in above if task.tag.depth < OUTERMOST):
        return Part([], first=True)
    between = [task.tag for task in above if task.tag.depth >= OUTERMOST]
    still_open = [*ancestry.open(level), *between, *(task.tag.child("", len(task.children)) for task in above)]
    first_open = min(still_open, default=None)
    found, first = [], True
    for task in tasks:
        if task.unfinished or not (task.tag.depth < level or ancestry.is_closed(task.tag, level)):
            continue
        if task.tag.depth >= OUTERMOST and first_open is not None:
            ancestor = ancestor_of(task.tag, level)
            behind = not ancestor.is_placed or not ancestor < first_open
            if behind and not holes:
                continue
            first &= not behind
        found.append(task)
    return Part(sorted(found, key=lambda task: (task.tag.depth >= OUTERMOST, ancestor_of(task.tag, level))), first)


def ancestor_of(tag: Tag, level: int) -> Tag:
    """The ancestor of that depth, or the tag itself if it is further up."""
    return Tag(tag.path[:level])
