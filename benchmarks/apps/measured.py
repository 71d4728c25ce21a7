"""An application as a benchmark: stock as written, stock by an expert, and alto as written, in turn."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from benchmarks.accounts import came_to, so_far
from benchmarks.answers import Answers, plain
from benchmarks.apps.declare import Application
from benchmarks.apps.metered import Meter, metered
from benchmarks.apps.runs import Running, on_a_loop
from benchmarks.declare import Sample, Target
from benchmarks.foretold import IDEAL, bounds
from benchmarks.graphs import EXPERT
from benchmarks.sides import side

FIRST, ABOVE, TOKENS = "first fragment", "above the ideal", "tokens"
"""Metrics: seconds to the first fragment, seconds above the ideal schedule, tokens of prompts and answers."""
AHEAD = "alto, told ahead"
"""The lane that runs by `astream_fragments`; all others run by `astream` with `updates`."""


@dataclass(frozen=True, eq=False)
class AppBenchmark:
    """Measures an application on its paced double.

    Every sample's answer must be the first one's, and of stock and alto all updates.

    Args:
        app: The application.
        scarce: Whether on the smaller server.
        scale: A factor on the double's times.
        tiny: Whether by its short turns.
    """

    app: Application
    scarce: bool = False
    scale: float = 1.0
    tiny: bool = False
    group: str = "apps"
    unit: str = "s"
    per: int = 1
    budget: float = 45.0
    least: int = 5
    warm: bool = True
    _meters: dict[str, Meter] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"app_{self.app.name}{'_scarce' if self.scarce else ''}"

    @property
    def slots(self) -> int:
        """Calls that the model server takes at a time."""
        return self.app.scarce if self.scarce else self.app.slots

    @property
    def quick(self) -> bool:
        """The smaller server's is left out."""
        return not self.scarce

    @property
    def what(self) -> str:
        return f"{self.app.what}; a server of {self.slots} slots"

    @property
    def targets(self) -> tuple[Target, ...]:
        """Near to the ideal, never slower than the expert's, and the first fragment soon; the rest is shown."""
        soon = Target(self.app.first_target, of=AHEAD, metric=FIRST), Target(None, of=AHEAD, against=EXPERT, metric=FIRST)
        return (
            Target(0.15, metric=ABOVE),
            Target(1.0, against=EXPERT),
            *(soon if self.app.first else ()),
            Target(None),
            Target(None, against=IDEAL),
            Target(None, of="stock", against=IDEAL),
            Target(None, of=EXPERT, against=IDEAL),
            Target(None, metric=TOKENS),
        )

    @cached_property
    def bounds(self) -> Mapping[str, float]:
        """The ideal schedule, and the least that stock as written can take, in seconds, foretold from what a run ends with."""
        with asyncio.Runner() as runner:
            state = runner.run(self._final(self.app.as_written(metered(self.app.double(), self.slots, 0.0))))
        return bounds(self.app.foretold(metered(self.app.double(), self.slots, self.scale), state), self.slots)

    @contextmanager
    def open(self, alto: str) -> Iterator[Mapping[str, Callable[[], Sample]]]:
        """Compiles all lanes' graphs.

        Raises:
            DifferentAnswersError: lanes don't end with the same answer, or later, a sample doesn't tell what the ones before it told.
        """
        answers, best = Answers(self.name), self.bounds[IDEAL]
        with asyncio.Runner() as runner, warnings.catch_warnings():
            warnings.simplefilter("error")  # alto that stepped back to stock mustn't pass for alto that is as fast
            lanes = {lane: self._lane(lane, alto) for lane in ("stock", EXPERT, "alto", *((AHEAD,) if self.app.first else ()))}
            for lane, running in lanes.items():
                answers.check("answer", lane, self.app.answer(runner.run(self._final(running.graph))))
            yield {lane: partial(self._take, lane, running, runner, answers, best) for lane, running in lanes.items()}

    def _lane(self, lane: str, alto: str) -> Running:
        model = metered(self.app.double(), self.slots, self.scale)
        self._meters[lane] = model.meter
        graph = self.app.expert(model) if lane == EXPERT else self.app.as_written(model)
        if lane in ("alto", AHEAD):
            graph = side(alto).optimize(graph)
        ahead = lane == AHEAD and hasattr(graph, "astream_fragments")
        return Running(graph, self._turns, self.app.first, self.app.first_turn, ahead)

    @property
    def _turns(self) -> Any:
        return self.app.tiny if self.tiny else self.app.turns

    async def _final(self, graph: Any) -> Any:
        """The state after the last turn."""
        state, config = None, {"configurable": {"thread_id": "compared"}, "recursion_limit": 10_000}
        for turn in self._turns:
            state = await graph.ainvoke(turn, config)
        return state

    def _take(self, lane: str, running: Running, runner: asyncio.Runner, answers: Answers, best: float) -> Sample:
        gc.collect()
        before, meter = so_far(running.graph), self._meters[lane]
        tokens, cpu = meter.total, time.process_time()
        told = on_a_loop(running, runner)
        cpu = time.process_time() - cpu
        sample = {"wall": told.seconds, "cpu": cpu, ABOVE: told.seconds - best, TOKENS: float(meter.total - tokens)}
        if told.first is not None:
            sample[FIRST] = told.first
        answers.check("last update", lane, plain(told.last))
        if lane != EXPERT:
            answers.check("updates", lane, told.everything())
        return {**sample, **came_to(before, so_far(running.graph))}
