"""One thread with an event loop, on which all that talks to engines lives; callers come from any thread and any event loop."""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing.util  # noqa: F401 - what that does at exit, ending engines, shall come after what is done here
import os
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Hashable
from contextlib import aclosing, suppress
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from alto_langgraph.adapters.vllm.ports import Server
from alto_langgraph.exceptions import ServerError

T = TypeVar("T")


class ServingLoop:
    """An event loop on a thread of its own.

    Engines and connections belong to one event loop, while apps have many: `asyncio.run` makes one each time, and sync nodes have
    none. What one asks here runs with the asker's context variables, and is cancelled when the asker is.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._servers: dict[Hashable, Server] = {}
        self._lock = Lock()
        self._thread = Thread(target=self._loop.run_forever, name="alto-serving", daemon=True)
        self._thread.start()

    @property
    def here(self) -> bool:
        """Whether its thread is in this process: after a fork it is only in the parent."""
        return self._pid == os.getpid()

    # ---- one answer

    async def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine comes to."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def ask_sync(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The same for those who have no event loop."""
        asked = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return asked.result()
        finally:
            asked.cancel()  # where an interrupt from the keyboard ends the waiting

    # ---- an answer in pieces

    async def stream(self, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """What an asynchronous generator yields; closing this one closes that one."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # nobody listens any more where the loop is closed
                loop.call_soon_threadsafe(news.set)

        flow = _Flow[T](self._loop, items, wake)
        try:
            while not flow.ended:
                await news.wait()
                news.clear()
                for item in flow.take():
                    yield item
        finally:
            flow.stop()

    def stream_sync(self, items: AsyncGenerator[T]) -> Generator[T]:
        """The same for those who have no event loop."""
        news = Event()
        flow = _Flow[T](self._loop, items, news.set)
        try:
            while not flow.ended:
                news.wait()
                news.clear()
                yield from flow.take()
        finally:
            flow.stop()

    # ---- what lives here

    def shared(self, key: Hashable, connect: Callable[[], Server]) -> Server:
        """The server that all who give the same key have in common."""
        with self._lock:
            if key not in self._servers:
                self._servers[key] = connect()
            return self._servers[key]

    def close(self) -> None:
        """Closes all servers, and ends the thread."""
        if not self.here or self._loop.is_closed():
            return
        for server in self._servers.values():
            with suppress(Exception):  # the others have to be closed all the same
                self.ask_sync(server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()


class _Flow(Generic[T]):
    """Items on their way from one thread to another. However many come at a time, the other one is woken once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, items: AsyncGenerator[T], wake: Callable[[], None]) -> None:
        self._items: deque[T] = deque()
        self._wake = wake
        self._woken = self._over = self.ended = False
        self._error: BaseException | None = None
        self._reading = asyncio.run_coroutine_threadsafe(self._read(items), loop)

    async def _read(self, items: AsyncGenerator[T]) -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    self._items.append(item)
                    self._tell()
        except asyncio.CancelledError:
            self._error = ServerError("A request was given up, as nobody wants its answer any more.", elsewhere=False)
            raise
        except BaseException as error:
            self._error = error
        finally:
            self._over = True
            self._tell()

    def _tell(self) -> None:
        if not self._woken:
            self._woken = True
            self._wake()

    def take(self) -> Generator[T]:
        """What has come.

        Raises:
            BaseException: what the other side has ended with.
        """
        self._woken = False  # before looking: who comes later wakes again
        over = self._over
        while self._items:
            yield self._items.popleft()
        if over:
            self.ended = True
            if self._error is not None:
                raise self._error

    def stop(self) -> None:
        """Nobody takes any more."""
        self._reading.cancel()


_serving: ServingLoop | None = None
_lock = Lock()


def serving() -> ServingLoop:
    """The process's own; a process that was forked has another than its parent."""
    global _serving
    with _lock:
        if _serving is None or not _serving.here:
            _serving = ServingLoop()
            weakref.finalize(_serving, str)  # finalizers, vLLM's among them, run at exit before what is registered before the first one
            atexit.register(_serving.close)
        return _serving
