"""What an app can see of a run, as values that can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from alto_langgraph.comparison.plain import Bag, Thing


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a run streamed.

    Args:
        steps: Which superstep it belongs to, counted from 0 within its graph, with those of the graphs around it before it.
        namespace: The subgraph it came from, as LangGraph names it; empty at the root.
        mode: LangGraph's stream mode.
        lane: Whose events within the superstep come in a certain order: a task, a message, the loop itself.
        payload: What was streamed, plain.
    """

    steps: tuple[int, ...]
    namespace: tuple[str, ...]
    mode: str
    lane: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One input and what came of it.

    Args:
        events: In order of arrival.
        output: Last state streamed at the root, plain; None if none was.
        interrupts: What the turn waits for.
        error: The exception it ended by.
        state: `get_state()` with subgraphs afterwards, plain; None without a checkpointer.
        raced: The turn ended by an exception while more than one task ran, so what its last superstep shows depends on time.
        caught: Namespaces of subgraphs of which the same is true, though the exception ended only them.
    """

    events: tuple[Event, ...]
    output: Any
    interrupts: Bag
    error: Thing | None
    state: Any
    raced: bool
    caught: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything an app can see of a run of one or more turns on one thread.

    Args:
        turns: In order.
        history: `get_state_history()`, plain, newest first; empty without a checkpointer.
        stored: What the checkpointer holds, pending writes included, by checkpoint namespace, newest first.
    """

    turns: tuple[Turn, ...]
    history: tuple[Any, ...] = ()
    stored: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def output(self) -> Any:
        """The last turn's final state, plain."""
        return self.turns[-1].output

    @property
    def error(self) -> Thing | None:
        """The exception by which the last turn ended, plain."""
        return self.turns[-1].error

    def sections(self) -> Iterator[Section]:
        """What is compared, part by part; within a part the order of records has no meaning.

        The last superstep of a turn that raced to an exception is left out, and where the next turn takes it up again: which
        siblings had got how far, wrote what, and are run again, is a matter of time under stock too.
        """
        resumes = False
        for number, turn in enumerate(self.turns):
            yield from _turn_sections(f"turn {number}" if len(self.turns) > 1 else "", turn, resumes)
            resumes = turn.raced
        yield from self._checkpoint_sections()

    def _checkpoint_sections(self) -> Iterator[Section]:
        contested = _Contested.of(self)
        for place, snapshot in enumerate(reversed(self.history)):
            yield Section(f"checkpoint {place} of the history", (Record("", contested.settled(snapshot)),))
        by_depth: dict[int, list[Record]] = defaultdict(list)
        for namespace, rows in self.stored.items():
            if not contested.covers(namespace):
                depth = namespace.count("|") + bool(namespace)
                by_depth[depth].append(Record(namespace, (namespace, [contested.settled(row) for row in reversed(rows)])))
        for depth, records in sorted(by_depth.items()):
            yield Section("stored checkpoints" + (f" of subgraphs, level {depth}" if depth else ""), tuple(records))


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of a section: whose it is, for the reader, and what it says."""

    label: str
    tree: Any


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an observation; both sides must have the same records under the same title, in any order.

    Args:
        title: For the reader, and to find the other side's.
        records: What must be equal.
        linked: Whether its ids must link the same places, too.
    """

    title: str
    records: tuple[Record, ...]
    linked: bool = True


TAKEN_UP = 2
"""Last superstep, by `Event.steps`, in which a turn does what the one before it left: those of the input and its checkpoint come first."""


def _turn_sections(prefix: str, turn: Turn, resumes: bool) -> Iterator[Section]:
    def titled(title: str) -> str:
        return f"{prefix}, {title}" if prefix else title

    # Several siblings may fail alike, and time decides whose exception it is: so no link to its task.
    yield Section(titled("exception"), (Record("", turn.error),), linked=not turn.raced)
    first = TAKEN_UP + 1 if resumes else 0
    last = turn.events[-1].steps[0] if turn.raced and turn.events else float("inf")
    events = [event for event in turn.events if first <= event.steps[0] != last]
    for steps, group in groupby(sorted(events, key=_subgraphs_first), key=lambda event: event.steps):
        yield Section(titled("superstep " + ".".join(map(str, steps))), tuple(_lanes(list(group))))
    if not turn.raced:
        yield Section(titled("interrupts"), (Record("", turn.interrupts),))
        yield Section(titled("output"), (Record("", turn.output),))
        yield Section(titled("state"), (Record("", turn.state),))


def _subgraphs_first(event: Event) -> tuple[float, ...]:
    """What a subgraph did comes before the superstep of its parent, which only shows the outcome."""
    return (*event.steps, float("inf"))


def _lanes(events: Sequence[Event]) -> Iterator[Record]:
    lanes: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for number, event in enumerate(events):
        lanes[event.namespace, event.mode, event.lane or number].append(event.payload)
    for (namespace, mode, _), payloads in lanes.items():
        label = f"{mode} of {'|'.join(namespace)}" if namespace else mode
        yield Record(label, (namespace, mode, payloads))


@dataclass(frozen=True, slots=True)
class _Contested:
    """Checkpoints in front of a superstep that raced to an exception, and the tasks of that superstep."""

    checkpoints: frozenset[str]
    tasks: frozenset[str]
    caught: frozenset[str]

    @classmethod
    def of(cls, observation: Observation) -> _Contested:
        states = [state for turn in observation.turns if turn.raced for state in _heads(turn)]
        tasks = {f"{task['name']}:{task['id']}" for state in states for task in map(_parts, _parts(state)["tasks"])}
        caught = frozenset(namespace for turn in observation.turns for namespace in turn.caught)
        return cls(frozenset(map(_checkpoint_id, states)), frozenset(tasks), caught)

    def covers(self, namespace: str) -> bool:
        return namespace.split("|")[0] in self.tasks or namespace in self.caught

    def settled(self, row: Thing) -> Thing:
        """A snapshot or stored checkpoint without what raced."""
        if _checkpoint_id(row) not in self.checkpoints:
            return row
        raced = {"pending_writes", "tasks", "interrupts", "next"}
        return Thing(row.kind, {name: part for name, part in row.parts.items() if name not in raced})


def _heads(turn: Turn) -> Iterator[Any]:
    """The checkpoint a turn ended at: as `get_state` tells it, and as it was streamed, for `get_state` may fail as the turn did."""
    if turn.state is not None and "tasks" in turn.state.parts:
        yield turn.state
    streamed = (event.payload for event in reversed(turn.events) if event.mode == "checkpoints" and not event.namespace)
    yield from islice(streamed, 1)


def _parts(row: Any) -> dict[Any, Any]:
    parts: dict[Any, Any] = row.parts if isinstance(row, Thing) else row
    return parts


def _checkpoint_id(row: Any) -> str:
    return str(_parts(row).get("config", {}).get("configurable", {}).get("checkpoint_id", ""))
