"""Servers in memory, which answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

from alto_langgraph.adapters.vllm.ports import Load, Request
from alto_langgraph.exceptions import ServerError


def body(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


class Answering:
    """Says `answer` word by word; `breaks` off after so many, or is `silent` then; waits for `gate` before the second."""

    def __init__(self, name: str, answer: str = "one two three", *, breaks: int | None = None, silent: bool = False) -> None:
        self.name, self.answer, self.breaks, self.silent = name, answer, breaks, silent
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[Request] = []
        self.open = self.busy = 0

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        self.asked.append(request)
        self.open += 1
        try:
            words = self.answer.split()
            for place, word in enumerate(words):
                if place == self.breaks:
                    if self.silent:
                        await asyncio.Event().wait()
                    raise ServerError(f"{self.name} is gone.")
                if place:
                    await self.gate.wait()
                yield {"choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]}
            yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            yield {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(words)}}
        finally:
            self.open -= 1

    async def embed(self, request: Request) -> list[list[float]]:
        if self.breaks == 0:
            raise ServerError(f"{self.name} is gone.")
        return [[float(len(text))] for text in request.body["input"]]

    async def load(self) -> Load:
        if self.breaks is not None:
            raise ServerError(f"{self.name} is gone.")
        return Load(self.busy, 0)

    async def close(self) -> None:
        pass


async def heard(server: Any, request: Request) -> str:
    """The text of an answer."""
    return text_of([chunk async for chunk in server.chat(request)])


def text_of(chunks: Iterable[Mapping[str, Any]]) -> str:
    """All that was said in these."""
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
