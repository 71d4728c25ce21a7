"""A model that waits, in the middle of its answer, until somebody works on the first part of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

PATIENCE = 10
LINES = "one about apples\ntwo about pears\nthree about plums"
JSON = json.dumps({"thought": "hm", "items": ["one about apples", "two about pears", "three about plums"]})


class Writer(BaseChatModel):
    """Writes word by word; `waits` before the last word until somebody lets it, or the one it is made `like`, go on.

    Or it lets the event loop turn so many `turns`, in which others can begin with the first words.
    """

    says: str = LINES
    waits: bool = False
    fails: bool = False
    turns: int = 0
    like: Any = None
    _go_on: threading.Event = PrivateAttr(default_factory=threading.Event)
    _asked: list[str] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "writer"

    def _words(self, messages: Any) -> list[str]:
        prompt = str(messages[-1].content)
        self._asked.append(prompt)
        text = JSON if "json" in prompt else self.says if "plan" in prompt else f"text on {prompt}"
        return text.replace(" ", " \0").split("\0")

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        words = self._words(messages)
        if self.waits and len(words) > 5:
            raise TimeoutError("nobody listens, so nobody could work on the first part")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="".join(words)))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        *words, last = self._words(messages)
        for word in words:
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        if self.fails and len(words) > 5:
            raise ValueError("broke off")
        if self.waits and len(words) > 5 and not self._awaited.wait(PATIENCE):
            raise TimeoutError("nobody worked on the first part")
        yield ChatGenerationChunk(message=AIMessageChunk(content=last))

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        *words, last = self._words(messages)
        for word in words:
            await asyncio.sleep(0)
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        if self.fails and len(words) > 5:
            raise ValueError("broke off")
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.waits and len(words) > 5 and not await asyncio.to_thread(self._awaited.wait, PATIENCE):
            raise TimeoutError("nobody worked on the first part")
        yield ChatGenerationChunk(message=AIMessageChunk(content=last))

    @property
    def _awaited(self) -> threading.Event:
        event: threading.Event = self._go_on if self.like is None else self.like._go_on
        return event

    def go_on(self) -> None:
        self._go_on.set()
