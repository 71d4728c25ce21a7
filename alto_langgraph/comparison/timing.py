"""Runs both sides in turn and keeps how long each run took and what it answered."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from alto_langgraph.comparison.accounting import ran_ahead
from alto_langgraph.comparison.observation import Observation, Turn
from alto_langgraph.comparison.plain import Thing, bag, exception, plain
from alto_langgraph.comparison.recording import arecord, copied, record, with_thread
from alto_langgraph.comparison.sides import Side
from alto_langgraph.comparison.timeline import Facts, Timeline, timeline
from alto_langgraph.protocols import RanAhead, observed_by


@dataclass(frozen=True, slots=True)
class Times:
    """Times of several runs of one side, in seconds, in the order they were taken."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """What a quarter and three quarters of the runs took at most."""
        return quartiles(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """The times and what they come to, for JSON."""
        low, high = self.quartiles
        return {"median": self.median, "quartiles": [low, high], "runs": list(self.seconds)}


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; of a single value, that value."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


@dataclass(frozen=True, slots=True)
class Given:
    """What every run of a comparison is given.

    Args:
        input: Input of the first turn.
        then: Inputs of further turns, as for `record`.
        config: Run config; each run gets a thread of its own.
        sync: Whether to use `invoke` (threads) instead of `ainvoke`.
        how: Whatever else `invoke` takes.
    """

    input: Any
    then: tuple[Any, ...]
    config: dict[str, Any]
    sync: bool
    how: dict[str, Any]

    def turns(self) -> Iterable[Any]:
        """Inputs of all turns."""
        return (self.input, *self.then)

    def fresh_config(self, side: Side) -> dict[str, Any]:
        """A config with a new thread."""
        configurable = {key: value for key, value in self.config.get("configurable", {}).items() if key != "thread_id"}
        return side.config(with_thread({**self.config, "configurable": configurable}))


@dataclass(frozen=True, slots=True)
class Run:
    """One plain run: how long its turns took together, and what it answered."""

    seconds: float
    answer: Observation
    timeline: Timeline
    ahead: RanAhead


class Runs:
    """Runs sides, all on one event loop."""

    def __init__(self, given: Given, loop: asyncio.Runner) -> None:
        self.given, self.loop = given, loop

    def observe(self, side: Side, **how: Any) -> Observation:
        """One run with all that can be seen of it."""
        given = self.given
        graph, config = side.fresh(), given.fresh_config(side)
        how = {**given.how, **how}
        if given.sync:
            return record(graph, given.input, then=given.then, sync=True, config=config, **how)
        return self.loop.run(arecord(graph, given.input, then=given.then, config=config, **how))

    def once(self, side: Side, *, watched: bool = False) -> Run:
        """One plain run; `watched` fills its timeline, which costs the run a little time."""
        graph, config = side.fresh(), self.given.fresh_config(side)
        turns: list[Turn] = []
        told: list[tuple[list[Any], float, float]] = []
        waiting: tuple[Any, ...] = ()
        gc.collect()
        for given in self.given.turns():
            ready = copied(given(waiting) if callable(given) else given)
            facts = Facts()
            begun = perf_counter()
            answer, error = self._invoke(graph, ready, config, facts if watched else None)
            told.append((facts.heard, begun, perf_counter()))
            waiting = answer.get("__interrupt__", ()) if isinstance(answer, dict) else ()
            turns.append(_turn(answer, waiting, error))
        ahead = ran_ahead(fact for facts, _, _ in told for fact in facts)
        return Run(sum(ended - begun for _, begun, ended in told), Observation(tuple(turns)), timeline(told), ahead)

    def _invoke(self, graph: Any, ready: Any, config: Any, facts: Facts | None) -> tuple[Any, Exception | None]:
        how = self.given.how
        try:
            if self.given.sync:
                with watching(facts):
                    return graph.invoke(ready, config, **how), None
            # Not by the runner: what that does about Ctrl-C ends in a text of the whole answer, which takes time.
            return self.loop.get_loop().run_until_complete(_ainvoke(graph, ready, config, how, facts)), None
        except Exception as error:
            return None, error


async def _ainvoke(graph: Any, ready: Any, config: Any, how: dict[str, Any], facts: Facts | None) -> Any:
    with watching(facts):
        return await graph.ainvoke(ready, config, **how)


def watching(facts: Facts | None) -> AbstractContextManager[None]:
    """Lets `facts` hear the runs inside the block, if there is anybody to hear."""
    return nullcontext() if facts is None else observed_by(facts)


def _turn(answer: Any, waiting: Sequence[Any], error: Exception | None) -> Turn:
    output = plain(answer)
    if isinstance(output, dict):
        output.pop("__interrupt__", None)
    told: Thing | None = exception(error) if error else None
    return Turn((), output, bag(waiting), told, None, raced=error is not None)
