"""A chat model that calls tools as it is told to, piece by piece, and the agents that ask it."""

from __future__ import annotations

import asyncio
import json
import threading
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import create_react_agent
from pydantic import PrivateAttr

PATIENCE = 10
CALLED = threading.Event()
"""Some tool has been called."""

Calls = Sequence[tuple[str, Any]]
"""Tools with their arguments, or with the text that stands where they should."""


class Caller(BaseChatModel):
    """Answers with one entry of `script` after the other: a text, or calls. It writes these in pieces.

    `waits` before the last piece of its first calls until a tool has been called, which under the barrier would be for ever.
    """

    script: list[Any]
    waits: bool = False
    _asked: list[Any] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "caller"

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _pieces(self, messages: Any) -> list[AIMessageChunk]:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        answer = self.script[min(turn, len(self.script) - 1)]
        if isinstance(answer, str):
            return [AIMessageChunk(content=word) for word in answer.replace(" ", " \0").split("\0")]
        pieces = []
        for index, (name, args) in enumerate(answer):
            text = args if isinstance(args, str) else json.dumps(args)
            half = len(text) // 2
            for part in ({"name": name, "id": f"call-{turn}-{index}", "args": ""}, {"args": text[:half]}, {"args": text[half:]}):
                chunk: Any = {"name": None, "id": None, **part, "index": index, "type": "tool_call_chunk"}
                pieces.append(AIMessageChunk(content="", tool_call_chunks=[chunk]))
        return pieces

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        whole = self._pieces(messages)[0]
        for piece in self._pieces(messages)[1:]:
            whole = whole + piece
        message = AIMessage(
            content=whole.content,
            tool_calls=whole.tool_calls,
            invalid_tool_calls=whole.invalid_tool_calls,
            response_metadata={"by": "caller"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _last(self) -> ChatGenerationChunk:
        return ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata={"by": "caller"}, chunk_position="last"))

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        *pieces, last = self._pieces(messages)
        for piece in pieces:
            yield self._told(piece, run_manager)
        if self.waits and last.tool_call_chunks and not CALLED.wait(PATIENCE):
            raise TimeoutError("no tool was called")
        yield self._told(last, run_manager)
        yield self._last()

    def _told(self, piece: AIMessageChunk, run_manager: Any) -> ChatGenerationChunk:
        chunk = ChatGenerationChunk(message=piece)
        if run_manager:
            run_manager.on_llm_new_token(str(piece.text), chunk=chunk)
        return chunk

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        *pieces, last = self._pieces(messages)
        for piece in [*pieces, last]:
            await asyncio.sleep(0)
            if piece is last and self.waits and last.tool_call_chunks and not await asyncio.to_thread(CALLED.wait, PATIENCE):
                raise TimeoutError("no tool was called")
            chunk = ChatGenerationChunk(message=piece)
            if run_manager:
                await run_manager.on_llm_new_token(str(piece.text), chunk=chunk)
            yield chunk
        yield self._last()


def reacting(model: Any, tools: Any, *, system_prompt: Any = None, **how: Any) -> Any:
    """LangGraph's prebuilt agent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return create_react_agent(model, tools, prompt=system_prompt, **how)


def created(model: Any, tools: Any, **how: Any) -> Any:
    """LangChain's agent."""
    return create_agent(model, tools, **how)


AGENTS = [reacting, created]
