"""One task that runs ahead of its superstep: what it may not do yet waits, what it says is held."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.driver.asked import Asked

CURRENT: ContextVar[Early | None] = ContextVar("alto_early", default=None)
"""The early run whose code is executing here, or None in code that runs in order."""


UNPLACED = "it asks for its tag, and nobody knows its place yet"


class Retreat(BaseException):
    """Raised inside an early run that would pass a fence; the task then runs again, in order.

    Not an `Exception`: neither the node's own handlers nor retry policies may catch it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Sink(Protocol):
    """Takes events for a stream."""

    def deliver(self, item: Any, outer: Early | None) -> None:
        """Passes `item` on, as said by code running in `outer`."""


class Early:
    """An early run.

    Args:
        tag: The task.
        node: Its node.
        step: The superstep it commits in.
        outer: The early run that the run of this graph is itself part of, if any.
        live: Events go out at once instead of being held.
        on_route: Told when the node has returned and its conditional edges want to read the state.
    """

    def __init__(self, tag: Tag, node: str, step: int, *, outer: Early | None, live: bool, on_route: Callable[[Early], None]) -> None:
        self.tag, self.node, self.step, self.outer, self.live = tag, node, step, outer, live
        self.future: Any = None
        self.issued: tuple[float, tuple[Tag, ...]] | None = None
        self.inside: list[asyncio.Task[Any]] = []
        self.task: Any = None
        self.view: Any = None
        self.assumed: dict[str, Any] = {}
        self.reads: frozenset[str] = frozenset()
        self.borrowed: frozenset[int] = frozenset()
        self.asked: list[Asked] = []
        self.blind = False
        self.real: Callable[[Tag], Tag | None] = _itself
        self.known_as: Tag | None = None
        self.adopted = self.released = False
        self.awaited = False
        self.abandoned = False
        self.told = False
        self.fence: str | None = None
        self.rename: Callable[[Any], Any] | None = None
        self.leave: Callable[[], None] = _nothing
        self._closing: list[Callable[[], None]] = []
        self._on_route = on_route
        self._passage: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._held: list[tuple[Sink, Any]] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Early {self.tag} for superstep {self.step}, {'adopted' if self.adopted else 'ahead'}>"

    @property
    def shown(self) -> Tag | None:
        """What the app's code calls the task; None as long as its place isn't known."""
        self.known_as = self.known_as or self.real(self.tag)
        return self.known_as

    def show(self) -> None:
        """The app's code is about to see what the task is called.

        Raises:
            Retreat: its place isn't known yet, or that of a run that it is part of.
        """
        early: Early | None = self
        while early is not None:
            if early.shown is None:
                early.retreat(UNPLACED)
            early = early.outer

    # ---- events

    def hold(self, sink: Sink, item: Any) -> bool:
        """Keeps `item` for later; False if it should go on now."""
        with self._lock:
            if self.released or self.live:
                return False
            self._held.append((sink, item))
            return True

    def adopt(self, rename: Callable[[Any], Any] | None) -> None:
        """Takes the names the superstep gives; what waited for leave passes. `release` follows."""
        self.rename = rename
        self.adopted = True
        self.leave()
        self.let_pass()

    def release(self) -> None:
        """Lets out what was held, in order, under the names the superstep gives, and from now on all else at once."""
        with self._lock:
            held, self._held = self._held, []
            for sink, item in held:
                sink.deliver(item if self.rename is None else self.rename(item), self.outer)
            self.released = True

    # ---- fences inside the run

    def retreat(self, reason: str) -> NoReturn:
        """Gives the run up at a fence. It counts as given up even if the node catches what this raises.

        Raises:
            Retreat: always.
        """
        self.fence = self.fence or reason
        raise Retreat(reason)

    def let_pass(self) -> None:
        """Opens the passage: nothing that commits before this task can change what it reads any more."""
        if not self._passage.done():
            self._passage.set_result(None)

    def close(self, reason: str) -> None:
        """Forgets the run; a thread that waits at its passage wakes up and gives up."""
        with self._lock:
            self.abandoned = True
            closing, self._closing = self._closing, []
        self.leave()
        if not self._passage.done():
            self._passage.set_exception(Retreat(reason))
        for call in closing:
            with suppress(Exception):  # what another room asked for never stops a run
                call()

    def on_close(self, call: Callable[[], None]) -> None:
        """Has something called when the run is forgotten; at once if it has been."""
        with self._lock:
            if not self.abandoned:
                self._closing.append(call)
                return
        call()

    def wait(self) -> None:
        """Blocks a worker thread until the passage opens.

        Raises:
            Retreat: the run was cancelled, or this is an event loop's own thread, which mustn't block.
        """
        if not self._passage.done():
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                pass
            else:
                self.retreat("it would block the event loop")
        self._passage.result()

    @property
    def passed(self) -> bool:
        """Whether the passage is open."""
        return self._passage.done()

    async def passage(self) -> None:
        """Waits until the passage opens."""
        if not self._passage.done():
            await asyncio.shield(asyncio.wrap_future(self._passage))

    def reach_route(self) -> None:
        """Says that the node has returned; follow with `wait` or `passage`."""
        if not self._passage.done():
            self._on_route(self)


def _itself(tag: Tag) -> Tag | None:
    """Tasks are called what they are, unless their place is yet to be found."""
    return tag


def _nothing() -> None:
    """Early runs of a run without a limit have no places to leave."""
