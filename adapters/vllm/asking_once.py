"""Asks once what several ask at the same time, where the answer is the same for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from alto_langgraph.adapters.vllm.ports import Load, Request, Server

_APART = ("logprobs", "top_logprobs", "prompt_logprobs")
"""What a request may ask for that differs with what else the engine computes at the time."""

_OF_ONE = frozenset({"traceparent", "tracestate", "x-request-id"})
"""Headers that say who asks, and change nothing of the answer."""


def is_deterministic(body: Mapping[str, Any]) -> bool:
    """Whether a request has one right answer: no chance in it, or a seed for that."""
    return body.get("temperature") == 0 or body.get("seed") is not None


def name_of(request: Request) -> str | None:
    """What requests have in common that may be asked once; None of one that may not."""
    if not is_deterministic(request.body) or any(request.body.get(key) for key in _APART):
        return None
    try:
        headers = sorted((key.lower(), value) for key, value in request.headers.items() if key.lower() not in _OF_ONE)
        return json.dumps([dict(request.body), headers, request.timeout, request.streamed], sort_keys=True)
    except TypeError:
        return None


class _Asked:
    """An answer that is on its way, and what has come of it."""

    def __init__(self, server: Server, request: Request) -> None:
        self.chunks: list[Mapping[str, Any]] = []
        self.askers = 0
        self.loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._error: BaseException | None = None
        self._reading = asyncio.create_task(self._read(server, request))

    async def _read(self, server: Server, request: Request) -> None:
        try:
            async with aclosing(server.chat(request)) as chunks:
                async for chunk in chunks:
                    self.chunks.append(chunk)
                    self._tell()
        except BaseException as error:
            self._error = error
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self.over = True
            self._tell()

    over = False

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def answer(self) -> AsyncGenerator[Mapping[str, Any]]:
        """From its beginning, whenever one comes to it."""
        place = 0
        while True:
            while place < len(self.chunks):
                place += 1
                yield self.chunks[place - 1]
            if self.over:
                if self._error is not None:
                    raise self._error
                return
            await self._news.wait()

    async def give_up(self) -> None:
        """The last that asked has gone."""
        if not self._reading.done():
            self._reading.cancel()
            await asyncio.wait([self._reading])


class AskingOnce:
    """A server that asks another once for all identical deterministic requests that are in flight together.

    Who comes later gets what has come so far at once. The answer is given up when the last of them has gone. The requests have
    to agree in everything but their priority: where the first was sent as speculative work and a later one is certain, it is sent anew.
    It is sent with the priority of the first that asks. `Scheduled` goes around this one, not inside: it cancels the reading of an
    answer that one asker doesn't want any more, and here several read the same.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked: dict[tuple[str, bool, int], _Asked] = {}
        self.saved = 0
        """Requests that needn't be sent."""

    @property
    def name(self) -> str:
        return self._server.name

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        name = name_of(request)
        if name is None:
            async with aclosing(self._server.chat(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        speculative = request.caller is not None and request.caller.speculative
        key = (name, speculative, id(asyncio.get_running_loop()))
        asked = self._asked.get(key)
        if asked is None or asked.over:
            asked = self._asked[key] = _Asked(self._server, request)
        else:
            self.saved += 1
        asked.askers += 1
        try:
            async with aclosing(asked.answer()) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            asked.askers -= 1
            if not asked.askers:
                if self._asked.get(key) is asked:
                    del self._asked[key]
                await asked.give_up()

    async def embed(self, request: Request) -> list[list[float]]:
        return await self._server.embed(request)

    async def load(self) -> Load:
        return await self._server.load()

    async def close(self) -> None:
        await self._server.close()
