"""Compares stock LangGraph and alto on one app and one input: equal first, then how fast."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from alto_langgraph.comparison.difference import difference
from alto_langgraph.comparison.recording import MODES, in_plain_thread
from alto_langgraph.comparison.result import Comparison
from alto_langgraph.comparison.sides import Side, Sides, sides
from alto_langgraph.comparison.timing import Given, Run, Runs, Times
from alto_langgraph.exceptions import OptionsError

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.graph import OptionsLike

Progress = Callable[[str, int, int], None]
"""Hears what is done next, how many runs are done, and how many there will be."""


def compare(
    target: Any,
    inputs: Any,
    *,
    then: Sequence[Any] = (),
    runs: int = 5,
    options: OptionsLike = None,
    config: dict[str, Any] | None = None,
    stream_mode: str | Sequence[str] = MODES,
    sync: bool = False,
    checkpointer: Any = None,
    slots: int | None = None,
    slotted: Sequence[str] | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> Comparison:
    """Runs `target` under stock LangGraph and under alto, proves that an app can't tell them apart, then times both in turn.

    Args:
        target: A `StateGraph` (LangGraph's or alto's), a compiled graph, or a function without arguments that returns either;
            a function is called for each run, so runs share nothing.
        inputs: Input of the graph. With `then`, of the first turn.
        then: Inputs of further turns of the same thread, as for `record`.
        runs: Timed runs of each side.
        options: Alto's options.
        config: Run config. Each run gets a thread of its own.
        stream_mode: What the proof looks at besides final state, exception, interrupts and checkpoints.
        sync: Whether to use `invoke` (threads) instead of `ainvoke`.
        checkpointer: A saver or a function that makes one; None keeps what the graph has.
        slots: How many tasks the model server takes at a time, for the ideal schedule; None for any number.
        slotted: Names of the nodes that need a slot; None for all.
        progress: Hears before each run.
        how: Whatever else `invoke` takes: `context`, `durability`, ...

    Returns:
        Both sides' times and timelines if they are equal; else the first difference, and no times. A run that ends by an exception
        isn't timed either.

    Raises:
        TargetError: `target` is no graph.
        OptionsError: a bad option, or `runs` or `slots` below one.
    """
    for name, number in (("runs", runs), ("slots", slots)):
        if number is not None and number < 1:
            raise OptionsError(f"`{name}` must be at least 1, not {number}.")
    both = sides(target, options, checkpointer)
    given = Given(inputs, tuple(then), dict(config or {}), sync, how)
    return in_plain_thread(lambda: _Comparing(both, given, runs, progress).run(stream_mode, slots, slotted))


class _Comparing:
    def __init__(self, both: Sides, given: Given, runs: int, progress: Progress | None) -> None:
        self.both, self.given, self.runs = both, given, runs
        self.progress, self.done, self.total = progress, 0, 2 + 2 * runs + 2

    def run(self, stream_mode: str | Sequence[str], slots: int | None, slotted: Sequence[str] | None) -> Comparison:
        with asyncio.Runner() as loop:
            runner = Runs(self.given, loop)
            stock, alto = (
                runner.observe(side, stream_mode=stream_mode) for side in self._announced("proof", self.both.stock, self.both.alto)
            )
            found = difference(stock, alto)
            if found or stock.error:
                return Comparison(stock, found)
            pairs = [self._pair(runner, number) for number in range(self.runs)]
            in_order, ahead = (runner.once(side, watched=True) for side in self._announced("timeline", self.both.in_order, self.both.alto))
        plain = [run for pair in pairs for run in pair]
        return Comparison(
            observation=stock,
            difference=next(filter(None, (difference(plain[0].answer, run.answer) for run in (*plain, in_order, ahead))), None),
            stock=Times(tuple(run.seconds for run, _ in pairs)),
            alto=Times(tuple(run.seconds for _, run in pairs)),
            stock_timeline=in_order.timeline,
            alto_timeline=ahead.timeline.named_like(in_order.timeline),
            ahead=ahead.ahead,
            slots=slots,
            slotted=None if slotted is None else tuple(slotted),
            explanation=self.both.alto.fresh().explain(),
        )

    def _pair(self, runner: Runs, number: int) -> tuple[Run, Run]:
        """Every second pair in the other order, so that a machine getting slower or faster favours nobody."""
        order = [self.both.stock, self.both.alto][:: -1 if number % 2 else 1]
        made = {side.name: runner.once(side) for side in self._announced(f"run {number + 1}", *order)}
        return made["stock"], made["alto"]

    def _announced(self, what: str, *order: Side) -> Iterator[Side]:
        for side in order:
            if self.progress:
                self.progress(f"{what}, {side.name}", self.done, self.total)
            yield side
            self.done += 1
