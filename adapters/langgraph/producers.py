"""The runs of nodes whose answers are listened to, for one run of one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.replaying import Replays, Stopping, Writes, of_run
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.producing import Models, Producer

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing


Tell = Callable[[PregelExecutableTask, Early | None, Replays, Sequence[Send], tuple[str, ...]], None]
Onward = Callable[[PregelExecutableTask, Early | None, tuple[str, ...], Sequence[Writes]], tuple[PregelExecutableTask, Any] | None]


class Producers:
    """Keeps them until they are over.

    Args:
        loop: The run.
        models: Which models may be asked to stream.
        stopping: Stops their replays.
    """

    def __init__(self, loop: Committing, models: Models, stopping: Stopping) -> None:
        self._loop, self._models, self._stopping = loop, models, stopping
        self._running: dict[tuple[str, Any], tuple[Producer, Replays]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def of(self, task: PregelExecutableTask, early: Early | None, attempt: Any, tell: Tell, onward: Onward | None) -> Producer | None:
        """A task's run, in one attempt of it; None if nobody will adopt it. The others as for `Replays`, of this task."""
        known = self._running.get((task.id, attempt))
        if known is not None:
            return known[0]
        if early is not None and early.abandoned:
            return None
        behind = None if onward is None else partial(onward, task, early)
        replays = Replays(self._loop, task.name, of_run(task, early), partial(tell, task, early), behind)
        producer = Producer(replays, self._models)
        self._running[task.id, attempt] = producer, replays
        return producer

    def over(self, task: PregelExecutableTask) -> None:
        """A task's run is over: nobody listens any more."""
        for key in [key for key in self._running if key[0] == task.id]:
            self._stopping.stop(self._running.pop(key)[1])

    def stop(self) -> None:
        """The run of the graph is over."""
        for _, replays in self._running.values():
            self._stopping.stop(replays)
        self._running = {}
