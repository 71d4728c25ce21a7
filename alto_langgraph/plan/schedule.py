"""Says how soon recorded work could have been done: by its dependencies alone, by supersteps, and with few slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush

from alto_langgraph.tags import Tag


@dataclass(frozen=True, slots=True)
class Work:
    """One recorded task.

    Args:
        tag: Its name, unique among the tasks given together.
        node: Node it ran.
        step: Superstep it committed in.
        seconds: How long it ran.
        parents: Tasks whose results it needed; those that weren't recorded are ignored.
        slotted: Whether it holds one of the slots (of a model server, say) while it runs.
    """

    tag: Tag
    node: str
    step: int
    seconds: float
    parents: tuple[Tag, ...] = ()
    slotted: bool = True


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of tasks, each needing the one before, and the seconds they take together."""

    seconds: float
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """When a task runs in a schedule, in seconds from its start; `slot` is None for a task that needs none."""

    tag: Tag
    start: float
    end: float
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When every task runs, in order of their starts, and the seconds until the last one ends."""

    makespan: float
    intervals: tuple[Interval, ...]


def critical_path(tasks: Iterable[Work]) -> Path:
    """The longest chain of dependent tasks: no scheduler can be faster.

    Raises:
        ValueError: tasks depend on each other in a circle, or two have one tag.
    """
    dag = _Dag.of(tasks)
    rest = dag.remaining()
    tag = max(rest, key=lambda t: rest[t], default=None)
    seconds = rest[tag] if tag is not None else 0.0
    way: list[Tag] = []
    while tag is not None:
        way.append(tag)
        tag = max(dag.children[tag], key=lambda t: rest[t], default=None)
    return Path(seconds, tuple(way))


def superstep_bound(tasks: Iterable[Work]) -> float:
    """The sum of the slowest task of each superstep, in seconds: the least that stock LangGraph can take."""
    slowest: dict[int, float] = defaultdict(float)
    for task in tasks:
        slowest[task.step] = max(slowest[task.step], task.seconds)
    return sum(slowest.values())


def lower_bound(tasks: Iterable[Work], slots: int | None = None) -> float:
    """Seconds below which no schedule goes: the critical path, or the work there is for each slot. It may be out of reach."""
    tasks = list(tasks)
    work = sum(task.seconds for task in tasks if task.slotted)
    return max(critical_path(tasks).seconds, work / slots if slots else 0.0)


def ideal_schedule(tasks: Iterable[Work], slots: int | None = None) -> Schedule:
    """A list schedule that knows every time beforehand.

    No slot is idle while a task that needs one could run, and of those the one with the longest remaining path goes first.

    Args:
        tasks: What to run.
        slots: How many slotted tasks may run at a time; None for any number.

    Raises:
        ValueError: as `critical_path`, or there is less than one slot.
    """
    if slots is not None and slots < 1:
        raise ValueError(f"There must be at least one slot, not {slots}.")
    return _Scheduler(_Dag.of(tasks), slots).run()


class _Dag:
    """Recorded tasks with their dependencies in both directions, and an order in which parents come first."""

    def __init__(self, tasks: Mapping[Tag, Work]) -> None:
        self.tasks = tasks
        self.parents = {tag: {p for p in task.parents if p in tasks} for tag, task in tasks.items()}
        self.children: dict[Tag, list[Tag]] = {tag: [] for tag in tasks}
        for tag, parents in self.parents.items():
            for parent in parents:
                self.children[parent].append(tag)
        try:
            self.order: Sequence[Tag] = tuple(TopologicalSorter(self.parents).static_order())
        except CycleError as error:
            raise ValueError(f"Tasks depend on each other in a circle: {' > '.join(map(str, error.args[1]))}.") from None

    @classmethod
    def of(cls, tasks: Iterable[Work]) -> _Dag:
        named: dict[Tag, Work] = {}
        for task in tasks:
            if named.setdefault(task.tag, task) is not task:
                raise ValueError(f"Two tasks are called {task.tag}.")
        return cls(named)

    def remaining(self) -> dict[Tag, float]:
        """For each task the seconds of the longest chain that begins with it."""
        rest: dict[Tag, float] = {}
        for tag in reversed(self.order):
            rest[tag] = self.tasks[tag].seconds + max((rest[child] for child in self.children[tag]), default=0.0)
        return rest


class _Scheduler:
    """Runs a simulated clock from one end of a task to the next."""

    def __init__(self, dag: _Dag, slots: int | None) -> None:
        self.dag, self.slots = dag, slots
        self.rest = dag.remaining()
        self.place = {tag: number for number, tag in enumerate(dag.order)}
        self.missing = {tag: len(parents) for tag, parents in dag.parents.items()}
        self.free = list(range(slots or 0))
        self.ready: list[tuple[float, int, Tag]] = []
        self.running: list[tuple[float, int, Interval]] = []
        self.done: list[Interval] = []

    def run(self) -> Schedule:
        for tag in self.dag.order:
            if not self.missing[tag]:
                self._offer(tag, 0.0)
        self._fill(0.0)
        while self.running:
            now = self.running[0][0]
            while self.running and self.running[0][0] <= now:
                self._finish(heappop(self.running)[2])
            self._fill(now)
        intervals = sorted(self.done, key=lambda interval: (interval.start, self.place[interval.tag]))
        return Schedule(max((interval.end for interval in intervals), default=0.0), tuple(intervals))

    def _offer(self, tag: Tag, now: float) -> None:
        if self.slots is None or not self.dag.tasks[tag].slotted:
            self._start(tag, now, None)
        else:
            heappush(self.ready, (-self.rest[tag], self.place[tag], tag))

    def _fill(self, now: float) -> None:
        heapify(self.free)
        while self.ready and self.free:
            self._start(heappop(self.ready)[2], now, heappop(self.free))

    def _start(self, tag: Tag, now: float, slot: int | None) -> None:
        interval = Interval(tag, now, now + self.dag.tasks[tag].seconds, slot)
        heappush(self.running, (interval.end, self.place[tag], interval))

    def _finish(self, interval: Interval) -> None:
        self.done.append(interval)
        if interval.slot is not None:
            self.free.append(interval.slot)
        for child in self.dag.children[interval.tag]:
            self.missing[child] -= 1
            if not self.missing[child]:
                self._offer(child, interval.end)
