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
        heads: Tasks of whose results the head was enough, each with the seconds after its start at which that head was there.
    """

    tag: Tag
    node: str
    step: int
    seconds: float
    parents: tuple[Tag, ...] = ()
    slotted: bool = True
    heads: tuple[tuple[Tag, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of tasks, each needing the one before or its head, and the seconds from the first one's start to the last one's end."""

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
        tag = dag.next(tag, rest)
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
        self.parents = {tag: {p for p in (*task.parents, *dict(task.heads)) if p in tasks} for tag, task in tasks.items()}
        self.children: dict[Tag, dict[Tag, float]] = {tag: {} for tag in tasks}
        """For each task those that need it, with the seconds from its start on after which it no longer holds them up."""
        for tag, parents in self.parents.items():
            heads = dict(tasks[tag].heads)
            for parent in parents:
                whole = tasks[parent].seconds
                self.children[parent][tag] = whole if parent in tasks[tag].parents else min(heads[parent], whole)
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
            rest[tag] = max(self.tasks[tag].seconds, *(after + rest[child] for child, after in self.children[tag].items()), 0.0)
        return rest

    def next(self, tag: Tag, rest: Mapping[Tag, float]) -> Tag | None:
        """The task that follows on the longest chain; None where no chain goes on beyond the task's own end."""
        children = self.children[tag]
        child = max(children, key=lambda c: children[c] + rest[c], default=None)
        return child if child is not None and children[child] + rest[child] >= self.tasks[tag].seconds else None


class _Scheduler:
    """Runs a simulated clock from one event to the next: a task ends, or has got as far as another one needs it."""

    def __init__(self, dag: _Dag, slots: int | None) -> None:
        self.dag, self.slots = dag, slots
        self.rest = dag.remaining()
        self.place = {tag: number for number, tag in enumerate(dag.order)}
        self.missing = {tag: len(parents) for tag, parents in dag.parents.items()}
        self.free = list(range(slots or 0))
        self.ready: list[tuple[float, int, Tag]] = []
        self.events: list[tuple[float, int, int, Interval, Tag | None]] = []
        """When, the task's place, the place of the one it lets go on, its interval and that one; at a task's end -1 and None."""
        self.done: list[Interval] = []

    def run(self) -> Schedule:
        for tag in self.dag.order:
            if not self.missing[tag]:
                self._offer(tag, 0.0)
        self._fill(0.0)
        while self.events:
            now = self.events[0][0]
            while self.events and self.events[0][0] <= now:
                self._happen(*heappop(self.events))
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
        task, place = self.dag.tasks[tag], self.place[tag]
        interval = Interval(tag, now, now + task.seconds, slot)
        heappush(self.events, (interval.end, place, -1, interval, None))
        for child, after in self.dag.children[tag].items():
            heappush(self.events, (now + after, place, self.place[child], interval, child))

    def _happen(self, now: float, place: int, beside: int, interval: Interval, child: Tag | None) -> None:
        if child is None:
            self.done.append(interval)
            if interval.slot is not None:
                self.free.append(interval.slot)
            return
        self.missing[child] -= 1
        if not self.missing[child]:
            self._offer(child, now)
