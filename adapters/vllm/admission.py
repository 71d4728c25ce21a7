"""Keeps requests waiting in front of a server, in the order of their priorities, so that it works on few of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Any

from alto_langgraph.adapters.vllm.ports import Load, Request, Server


class Admission:
    """A server that passes on so many requests at a time. Of those that wait the smallest priority comes first, of equal ones the first.

    Args:
        server: The server.
        most: How many.
    """

    def __init__(self, server: Server, most: int) -> None:
        self._server, self._free = server, most
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    @property
    def name(self) -> str:
        return self._server.name

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        async with self._place(request.priority), aclosing(self._server.chat(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def embed(self, request: Request) -> list[list[float]]:
        async with self._place(request.priority):
            return await self._server.embed(request)

    async def load(self) -> Load:
        """That of the server, and what waits here."""
        load = await self._server.load()
        return Load(load.running, load.waiting + sum(not turn.done() for *_, turn in self._waiting))

    async def close(self) -> None:
        await self._server.close()

    @asynccontextmanager
    async def _place(self, priority: int) -> AsyncGenerator[None]:
        await self._enter(priority)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, priority: int) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come just before
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            turn = heappop(self._waiting)[-1]
            if not turn.done():  # who has given up is still there
                turn.set_result(None)
                return
        self._free += 1
