"""The tasks that the engine knows, by name and by superstep, and which of them wait for a reduction."""

from __future__ import annotations

from collections.abc import Callable

from alto_langgraph.ancestry import Ancestry
from alto_langgraph.engine.closing import Part, closed
from alto_langgraph.engine.task import Phase, Task
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag


class Roster:
    """Of one run.

    Args:
        gathering: Nodes that may send something on a part of what edges lead to them with.
    """

    def __init__(self, gathering: frozenset[str]) -> None:
        self.tasks: dict[Tag, Task] = {}
        self.steps: dict[int, dict[Tag, Task]] = {}
        self.ancestry = Ancestry()
        self._gathering = gathering
        self._gathered: dict[Tag, Task] = {}

    def know(self, task: Task) -> None:
        """A task has become known, and isn't finished."""
        self.tasks[task.tag] = task
        self.steps.setdefault(task.step, {})[task.tag] = task
        self.ancestry.begin(task.tag)
        if task.pulled and not task.expected and task.node in self._gathering:
            self._gathered[task.tag] = task

    def forget(self, task: Task) -> None:
        """It is committed, or gone."""
        del self.tasks[task.tag]
        self._gathered.pop(task.tag, None)
        tasks = self.steps[task.step]
        del tasks[task.tag]
        if not tasks:
            del self.steps[task.step]

    def known(self, tag: Tag) -> Task:
        """The task of that name.

        Raises:
            IllegalTransitionError: there is none.
        """
        try:
            return self.tasks[tag]
        except KeyError:
            raise IllegalTransitionError(f"Task {tag} isn't known.") from None

    def of(self, step: int) -> list[Task]:
        """Those of a superstep."""
        return list(self.steps.get(step, {}).values())

    # ---- what waits for reductions

    @property
    def gathered(self) -> list[Task]:
        """Tasks that edges are to trigger, haven't started, and may send something on a part of what they wait for."""
        return [task for task in self._gathered.values() if self.waits(task)]

    def gathering(self, tag: Tag) -> Task | None:
        """One of them."""
        task = self._gathered.get(tag)
        return task if task is not None and self.waits(task) else None

    def relays(self, tag: Tag) -> None:
        """A task sends on parts of an answer: so not on those of a reduction."""
        self._gathered.pop(tag, None)

    def waits(self, task: Task) -> bool:
        """Whether an edge is to trigger it, and it hasn't started."""
        return task.pulled and task.phase in (Phase.WAITING, Phase.READY)

    def closed(self, task: Task, writes: Callable[[str], bool], *, holes: bool, level: int) -> Part:
        """The part of what `task` waits for that is closed; the rest as for `closing.closed`."""
        return closed(self._before(task), self.ancestry, writes, holes=holes, level=level)

    def deepest(self, task: Task) -> int:
        """How far down the run is split before `task`."""
        return max((other.tag.depth for other in self._before(task)), default=0)

    def _before(self, task: Task) -> list[Task]:
        return [other for step, tasks in self.steps.items() if step < task.step for other in tasks.values()]
