"""What was asked, and whose answer it is: a thread's that waits, or an event loop's that goes on meanwhile."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from typing import Any

from alto_langgraph.protocols import asker

Answered = tuple["Ask", Any, BaseException | None]


class Ask:
    """One thing that was asked.

    Args:
        item: What.
        weight: How much of a batch's size it takes.
        future: Of a thread, or of the event loop `loop`.
        loop: None for a thread.
        at: When it was asked, in `time.monotonic()` seconds.
    """

    __slots__ = ("asker", "at", "context", "future", "item", "loop", "weight")

    def __init__(self, item: Any, weight: float, future: Any, loop: asyncio.AbstractEventLoop | None, at: float) -> None:
        self.item, self.weight, self.future, self.loop, self.at = item, weight, future, loop, at
        self.context: Context = copy_context()
        self.asker = asker()

    @property
    def wanted(self) -> bool:
        """Whoever asked hasn't been cancelled since."""
        return not self.future.done()


def on_thread(item: Any, weight: float, at: float) -> Ask:
    """Asked by a thread."""
    return Ask(item, weight, Future(), None, at)


def on_loop(item: Any, weight: float, at: float) -> Ask:
    """Asked by code of the running event loop."""
    loop = asyncio.get_running_loop()
    return Ask(item, weight, loop.create_future(), loop, at)


def tell(answered: Iterable[Answered]) -> None:
    """Hands answers over from a thread; each event loop is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Answered]] = {}
    for each in answered:
        if (loop := each[0].loop) is None:
            settle([each])
        else:
            by_loop.setdefault(loop, []).append(each)
    for loop, theirs in by_loop.items():
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(settle, theirs)
            except RuntimeError:
                continue  # closed meanwhile: nobody waits there any more


def settle(answered: Sequence[Answered]) -> None:
    """Hands answers over on the event loop that they are for."""
    for ask, answer, error in answered:
        if not ask.wanted:
            continue
        if error is None:
            ask.future.set_result(answer)
        else:
            ask.future.set_exception(error)


def failed(asks: Sequence[Ask], error: BaseException) -> list[Answered]:
    """The same error for each of several, in an object of its own: tracebacks grow where one is raised."""
    if isinstance(error, StopIteration):  # which no future takes
        error, error.__cause__ = RuntimeError(f"A call ended with {error!r}."), error
    return [(ask, None, error if place == 0 else _twin(error)) for place, ask in enumerate(asks)]


def _twin(error: BaseException) -> BaseException:
    try:
        twin = copy.copy(error)
    except Exception:  # an exception whose constructor wants more than its message
        return error
    twin.__cause__, twin.__suppress_context__ = error.__cause__, error.__suppress_context__
    return twin.with_traceback(error.__traceback__)
