"""Tells which part of a reduction is closed: all that comes of some of the ancestors below which a run was split."""

from __future__ import annotations

from collections.abc import Callable, Collection

from alto_langgraph.engine.task import Task
from alto_langgraph.tags import Tag

Place = tuple[tuple[int, str], ...]


def closed(tasks: Collection[Task], writes: Callable[[str], bool]) -> list[Task]:
    """Finished tasks whose ancestor, and every one before it, has nothing unfinished below it; ancestor by ancestor.

    The ancestors are the tasks of the outermost split. Those that a running task may still split off come behind the ones that are there.

    Args:
        tasks: All that are not committed, of the supersteps before the reduction.
        writes: Whether tasks of a node may write what is reduced.

    Returns:
        None of them if a task that wasn't split off may still write.
    """
    first_open: Place | None = None
    for task in tasks:
        if not task.unfinished:
            continue
        here = _ancestor(task.tag)
        if task.tag.depth < 2:
            if writes(task.node):
                return []
            here = (*here, (len(task.children), ""))
        if first_open is None or here < first_open:
            first_open = here
    done = (task for task in tasks if not task.unfinished)
    found = [task for task in done if first_open is None or task.tag.depth < 2 or _ancestor(task.tag) < first_open]
    return sorted(found, key=lambda task: (task.tag.depth > 1, _ancestor(task.tag)))


def _ancestor(tag: Tag) -> Place:
    """Sorts ancestors as tags do."""
    return tuple((index, split) for split, index in tag.path[:2])
