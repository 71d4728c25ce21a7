"""Sorts what a run streams into supersteps, and within them into lanes whose order is certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alto_langgraph.comparison.observation import Event
from alto_langgraph.comparison.plain import plain

INTERRUPT = "__interrupt__"


class Place:
    """How far one (sub)graph has come."""

    def __init__(self, parent: Place | None) -> None:
        self.parent = parent
        self.ordinal = 0
        self.label: Any = None
        self.closed = False
        self.asked = False
        self.started: dict[int, set[str]] = {}

    @property
    def steps(self) -> tuple[int, ...]:
        """Ordinals of the supersteps around and here, outermost first."""
        return (*(self.parent.steps if self.parent else ()), self.ordinal)

    def advance(self) -> None:
        """Goes to the next superstep."""
        self.ordinal += 1
        self.closed = self.asked = False


class Recorder:
    """Takes a run's chunks one by one.

    LangGraph numbers its supersteps in `debug` events only. Where that mode is on, a `tasks` or `checkpoints` event waits for the
    `debug` event that follows it with the same payload. Where it is off, a superstep ends with its `values` or `checkpoints`.
    """

    def __init__(self, modes: str | Sequence[str], subgraphs: bool) -> None:
        self.single = modes if isinstance(modes, str) else None
        self.modes = {modes} if isinstance(modes, str) else set(modes)
        self.subgraphs = subgraphs
        self.events: list[tuple[Place, int, Event]] = []
        self.waiting: dict[tuple[str, ...], list[int]] = {}
        self.places: dict[tuple[str, ...], Place] = {}
        self.output: Any = None
        self.interrupts: list[Any] = []
        self.error: Exception | None = None

    def add(self, chunk: Any) -> None:
        """Takes one chunk, as `stream` yields it with these modes."""
        namespace, rest = chunk if self.subgraphs and self.single else (chunk[0], chunk[1:]) if self.subgraphs else ((), chunk)
        mode, payload = (self.single, rest) if self.single else rest
        made = plain(payload)
        if not namespace:
            self._note(mode, payload, made)
        place = self._place(namespace)
        self._step(place, mode, payload)
        event = Event(place.steps, namespace, mode, _lane(mode, payload), made)
        self.events.append((place, place.ordinal, event))
        if mode in ("tasks", "checkpoints") and "debug" in self.modes:
            self.waiting.setdefault(namespace, []).append(len(self.events) - 1)
        elif mode == "debug":
            self._settle(namespace, place)

    def finish(self) -> tuple[Event, ...]:
        """All events but those that raced inside a subgraph whose exception was caught; a lone task's `custom` events keep their order."""
        caught = {(namespace, self.places[namespace].ordinal) for namespace in self.caught}
        return tuple(
            Event(e.steps, e.namespace, e.mode, e.lane or ("alone" if _tasks(place, step) == 1 else ""), e.payload)
            for place, step, e in self.events
            if not any((e.namespace[:depth], e.steps[depth]) in caught for depth in range(1, len(e.namespace) + 1))
        )

    @property
    def caught(self) -> tuple[tuple[str, ...], ...]:
        """Subgraphs that ended by an exception while more than one of their tasks ran."""
        return tuple(
            namespace
            for namespace, place in self.places.items()
            if namespace and not place.closed and not place.asked and _tasks(place, place.ordinal) > 1
        )

    @property
    def raced(self) -> bool:
        """Whether several tasks may have run in a last superstep that didn't end, in the root or in a subgraph of it."""
        if not self.modes & {"debug", "tasks"} or not self.events:
            return True
        root = self.places.get(())
        if root is not None and root.closed:
            return False
        last = self.events[-1][2].steps[0]
        return any(_tasks(place, step) > 1 for place, step, e in self.events if e.steps[0] == last)

    def _note(self, mode: str, payload: Any, made: Any) -> None:
        """Keeps the root's last state and the interrupts it streams, in whatever order siblings raise them."""
        asked = isinstance(payload, dict) and INTERRUPT in payload
        if mode == "updates" and asked:
            self.interrupts.extend(payload[INTERRUPT])
        if mode == "values" and not (asked and len(payload) == 1):
            self.output = {key: value for key, value in made.items() if key != INTERRUPT} if asked else made

    def _place(self, namespace: tuple[str, ...]) -> Place:
        if namespace not in self.places:
            parent = self._place(namespace[:-1]) if namespace else None
            self.places[namespace] = Place(parent)
        return self.places[namespace]

    def _step(self, place: Place, mode: str, payload: Any) -> None:
        """Goes to another superstep if this event proves it, and notes what starts in it."""
        if mode == "debug":
            if place.label != payload["step"]:
                place.advance()
                place.label = payload["step"]
            mode, payload = payload["type"], payload["payload"]
        elif "debug" not in self.modes and place.closed and not _closes(mode, payload):
            place.advance()
        place.closed = place.closed or _closes(mode, payload)
        place.asked = place.asked or (mode in ("updates", "values") and isinstance(payload, dict) and INTERRUPT in payload)
        if mode == "task" or (mode == "tasks" and "debug" not in self.modes and "triggers" in payload):
            place.started.setdefault(place.ordinal, set()).add(payload["id"])

    def _settle(self, namespace: tuple[str, ...], place: Place) -> None:
        for number in self.waiting.pop(namespace, ()):
            _, _, e = self.events[number]
            self.events[number] = (place, place.ordinal, Event(place.steps, e.namespace, e.mode, e.lane, e.payload))


def _closes(mode: str, payload: Any) -> bool:
    return mode == "checkpoints" or (mode == "values" and not (isinstance(payload, dict) and INTERRUPT in payload))


def _tasks(place: Place, step: int) -> int:
    """How many tasks were seen to start."""
    return len(place.started.get(step, ()))


def _lane(mode: str, payload: Any) -> str:
    """Whose events come in a certain order; "" if nobody's."""
    if mode == "messages":
        message, metadata = payload
        return f"{metadata.get('langgraph_checkpoint_ns')} {getattr(message, 'id', None)}"
    if mode == "debug":
        return "checkpoint" if payload["type"] == "checkpoint" else str(payload["payload"]["id"])
    if mode == "tasks":
        return str(payload["id"])
    if mode == "checkpoints" or _closes(mode, payload):
        return mode
    return ""
