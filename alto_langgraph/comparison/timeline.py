"""Turns the facts of observed runs into timelines, and into work that can be scheduled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from alto_langgraph.plan.schedule import Work
from alto_langgraph.protocols import Fact, StepOpened, TaskFinished, TaskSquashed, TaskStarted
from alto_langgraph.tags import Tag

START = "__start__"


class Facts:
    """An observer that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Fact] = []

    def observe(self, fact: Fact) -> None:
        """Keeps one fact."""
        self.heard.append(fact)


@dataclass(frozen=True, slots=True)
class Bar:
    """One run of a task's node, in seconds from the start of the run.

    Args:
        tag: The task.
        node: Its node.
        step: Superstep it commits in.
        start: When it began.
        end: When it returned, raised or was cancelled.
        ahead: It began before its superstep.
        parents: Tasks whose results it needed.
        lost: It was squashed or cancelled, so its result was never used.
    """

    tag: Tag
    node: str
    step: int
    start: float
    end: float
    ahead: bool = False
    parents: tuple[Tag, ...] = ()
    lost: bool = False

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Timeline:
    """What ran when in one run of the root graph; a subgraph is one bar.

    Args:
        bars: In order of their starts.
        barriers: When each superstep opened, in seconds.
        seconds: How long the run took.
        supersteps: Tasks of each superstep, in LangGraph's order.
    """

    bars: tuple[Bar, ...]
    barriers: tuple[float, ...]
    seconds: float
    supersteps: tuple[tuple[Tag, ...], ...] = ()

    def named_like(self, other: Timeline) -> Timeline:
        """The same timeline, its tasks under the names they have in `other`: a task is known by its place in its superstep."""
        pairs = zip(self.supersteps, other.supersteps, strict=False)
        names = {mine: theirs for row, like in pairs if len(row) == len(like) for mine, theirs in zip(row, like, strict=True)}
        return replace(self, bars=tuple(replace(bar, tag=names.get(bar.tag, bar.tag)) for bar in self.bars))


def timeline(turns: Sequence[tuple[Sequence[Fact], float, float]]) -> Timeline:
    """The timeline of a run from, for each of its turns, the facts and when it began and ended (`perf_counter()` seconds).

    Turns stand one behind the other, without the time between them.
    """
    bars: list[Bar] = []
    opened: list[tuple[float, tuple[Tag, ...]]] = []
    elapsed = 0.0
    for number, (facts, begun, ended) in enumerate(turns):
        offset = elapsed - begun
        root = [fact for fact in facts if not fact.namespace]
        bars += _bars(root, offset, ended, number)
        steps = [fact for fact in root if isinstance(fact, StepOpened)]
        opened += [(fact.at + offset, tuple(_ofturn_of(tag, number) for tag in fact.tags)) for fact in steps]
        elapsed += ended - begun
    barriers, supersteps = zip(*opened, strict=True) if opened else ((), ())
    return Timeline(tuple(sorted(bars, key=lambda bar: bar.start)), barriers, elapsed, supersteps)


def _bars(facts: Iterable[Fact], offset: float, ended: float, turn: int) -> Iterable[Bar]:
    running: dict[Tag, TaskStarted] = {}
    done: list[Bar] = []
    squashed: dict[Tag, float] = {}
    for fact in facts:
        match fact:
            case TaskStarted():
                running[fact.tag] = fact
            case TaskSquashed():
                squashed[fact.tag] = fact.at + offset
            case TaskFinished() if (start := running.pop(fact.tag, None)) is not None:
                done.append(_bar(start, fact.at, offset, turn, lost=fact.outcome == "cancelled"))
    done += [_bar(start, ended, offset, turn, lost=True) for start in running.values()]
    lost_before = {_ofturn_of(tag, turn): at for tag, at in squashed.items()}
    return [bar if bar.start >= lost_before.get(bar.tag, bar.start) else replace(bar, lost=True) for bar in done]


def _bar(start: TaskStarted, end: float, offset: float, turn: int, *, lost: bool) -> Bar:
    parents = tuple(_ofturn_of(tag, turn) for tag in start.parents)
    return Bar(_ofturn_of(start.tag, turn), start.node, start.step, start.at + offset, end + offset, start.ahead, parents, lost)


def _ofturn_of(tag: Tag, turn: int) -> Tag:
    """Keeps tasks of different turns apart, which may have one tag."""
    return Tag((("turn", turn), *tag.path)) if turn else tag


def work(timeline: Timeline, slotted: Iterable[str] | None = None, other: Timeline | None = None) -> list[Work]:
    """The tasks of a timeline, each with its time and what it needed; a later turn needs all of the turn before it.

    A recorded time holds what the task waited for the event loop, a thread or a server besides, and that differs from run to
    run; so with two timelines a task's time is the shorter of the two.

    Args:
        timeline: Of a run in order, whose tasks wait for nobody but each other.
        slotted: Nodes that need a slot; None for all but the input's own.
        other: Of another run, its tasks under the same names.
    """
    again = {bar.tag: bar.seconds for bar in other.bars if not bar.lost} if other else {}
    nodes = None if slotted is None else frozenset(slotted)
    bars = {bar.tag: bar for bar in timeline.bars if not bar.lost}
    barriers: dict[int, Tag] = {}
    found: list[Work] = []
    turns = sorted({turn_of(tag) for tag in bars})
    for before, turn in pairwise(turns):
        barriers[turn] = Tag((("turn", turn),))
        earlier = tuple(tag for tag in bars if turn_of(tag) == before)
        found.append(Work(barriers[turn], "", -1, 0.0, earlier, slotted=False))
    for bar in bars.values():
        turn = turn_of(bar.tag)
        parents = bar.parents or ((barriers[turn],) if turn in barriers else ())
        needs_slot = bar.node != START if nodes is None else bar.node in nodes
        found.append(
            Work(bar.tag, bar.node, bar.step + turn * 1_000_000, min(bar.seconds, again.get(bar.tag, bar.seconds)), parents, needs_slot)
        )
    return found


def turn_of(tag: Tag) -> int:
    """The turn of a timeline that a task belongs to, from 0."""
    return tag.path[0][1] if tag.path and tag.path[0][0] == "turn" else 0
