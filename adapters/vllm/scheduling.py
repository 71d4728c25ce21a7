"""Sends each request with the priority that a policy gives it, and gives up what nobody wants any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

from alto_langgraph.adapters.vllm.policy import Policy
from alto_langgraph.adapters.vllm.ports import Load, Request, Server
from alto_langgraph.protocols import Caller, caller


class Scheduled:
    """A server that orders requests by a policy; it has to run with `--scheduling-policy priority`.

    Args:
        server: The server.
        policy: Tells priorities, and is told what was served.
    """

    def __init__(self, server: Server, policy: Policy) -> None:
        self._server, self.policy = server, policy
        self._runs: set[str] = set()

    @property
    def name(self) -> str:
        return self._server.name

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        who = request.caller or caller()
        request = replace(request, caller=who, priority=self._priority(who))
        wanted = _Wanted(who)
        usage: Mapping[str, Any] = {}
        try:
            async with aclosing(self._server.chat(request)) as chunks:
                async for chunk in chunks:
                    usage = chunk.get("usage") or usage
                    yield chunk
        finally:
            wanted.over = True
            self.policy.served(who, int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))

    def _priority(self, who: Caller | None) -> int:
        if who is not None and who.run not in self._runs:
            self._runs.add(who.run)
            who.on_end(partial(self._ended, who.run))
        return self.policy.priority(who, perf_counter())

    def _ended(self, run: str) -> None:
        self._runs.discard(run)
        self.policy.ended(run)

    async def embed(self, request: Request) -> list[list[float]]:
        who = request.caller or caller()
        request = replace(request, caller=who, priority=self._priority(who))
        try:
            return await self._server.embed(request)
        finally:
            self.policy.served(who, sum(len(text) for text in request.body["input"]) // 4, 0)  # about four letters a token

    async def load(self) -> Load:
        return await self._server.load()

    async def close(self) -> None:
        await self._server.close()


class _Wanted:
    """Cancels the task that reads an answer when nobody wants what it comes to: on threads nobody else does."""

    def __init__(self, who: Caller | None) -> None:
        self.over = False
        if who is not None and (who.ahead or who.speculative):
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            who.on_unwanted(self._tell)

    def _tell(self) -> None:
        if not self.over and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._give_up)

    def _give_up(self) -> None:
        if not self.over and self._task is not None:
            self._task.cancel()
