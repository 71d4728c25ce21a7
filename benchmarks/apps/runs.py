"""Runs an application once, from its first turn to its last, and notes when its first fragment is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.answers import plain

RECURSION_LIMIT = 10_000
INTERRUPT = "__interrupt__"
_threads = count()


@dataclass(slots=True)
class Told:
    """What a run told.

    Args:
        updates: The root graph's committed updates, plain.
        first: Seconds until the first fragment, None if there was none.
        seconds: All turns together.
    """

    updates: list[Any] = field(default_factory=list)
    first: float | None = None
    seconds: float = 0.0

    def everything(self) -> list[str]:
        """The updates in an order that doesn't depend on time: within a superstep they come as they are done."""
        return sorted(map(repr, self.updates))

    @property
    def last(self) -> Any:
        """What the last update says."""
        return next(iter(self.updates[-1].values()))


@dataclass(frozen=True, slots=True)
class Running:
    """A lane's graph with the turns of a run.

    Args:
        graph: Compiled, of either side.
        turns: Inputs.
        first: Nodes whose first update is the first fragment.
        first_turn: The turn from whose start the time to that is counted.
        ahead: Runs by `astream_fragments`, which tells of fragments before they are committed.
    """

    graph: Any
    turns: Sequence[Any]
    first: frozenset[str]
    first_turn: int = 0
    ahead: bool = False

    async def once(self) -> Told:
        """Runs all turns on a thread of their own, and forgets what a checkpointer has kept of them."""
        thread, told = str(next(_threads)), Told()
        config = {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}
        began = counted = time.perf_counter()
        for place, turn in enumerate(self.turns):
            counted = time.perf_counter() if place == self.first_turn else counted
            async for node, update, committed in self._events(turn, config):
                if told.first is None and node in self.first and any((update or {}).values()):  # what says nothing isn't one
                    told.first = time.perf_counter() - counted
                if committed:
                    told.updates.append({node: update})
        told.seconds = time.perf_counter() - began
        told.updates = [plain(update) for update in told.updates]
        if saver := self.graph.checkpointer:
            await saver.adelete_thread(thread)
        return told

    async def _events(self, turn: Any, config: Any) -> AsyncIterator[tuple[str, Any, bool]]:
        """Node, update, and whether it is committed and the root graph's own; subgraphs' nodes have other names."""
        if self.ahead:
            own = {*self.graph.nodes, INTERRUPT}
            async for _, node, update, committed in self.graph.astream_fragments(turn, config, subgraphs=True):
                if committed is not None:
                    yield node, update, committed and node in own
            return
        async for namespace, updates in self.graph.astream(turn, config, stream_mode="updates", subgraphs=True):
            for node, update in updates.items():
                yield node, update, not namespace


def on_a_loop(running: Running, runner: asyncio.Runner) -> Told:
    """One run, by an event loop that is used again."""
    return runner.get_loop().run_until_complete(running.once())
