"""Asks a chat model to stream what it would have answered in one go, where nobody can tell, so that it can be listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from inspect import getattr_static
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from alto_langgraph.adapters.langgraph.hearing import Ear
from alto_langgraph.driver.producing import Models


class Tapped:
    """A chat model, as LangChain's code sees it that asks it: streams what it would have answered in one go, and listens.

    Nobody else hears that it streams: callbacks are told of tokens where they would have been anyway.
    """

    def __init__(self, model: BaseChatModel, ear: Ear) -> None:
        self._model, self._ear = model, ear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        chunks = [*self._stream(messages, stop=stop, **kwargs)]
        return _together(chunks) if chunks else self._model._generate(messages, stop=stop, run_manager=run_manager, **kwargs)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        chunks = [chunk async for chunk in self._astream(messages, stop=stop, **kwargs)]
        if chunks:
            return _together(chunks)
        return await self._model._agenerate(messages, stop=stop, run_manager=run_manager, **kwargs)

    def _stream(self, messages: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in self._model._stream(messages, **kwargs):
            self._ear.take(chunk.message)
            yield chunk

    async def _astream(self, messages: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        stream: Any = self._model._astream(messages, **kwargs)
        async with aclosing(stream):
            async for chunk in stream:
                self._ear.take(chunk.message)
                yield chunk


def _together(chunks: list[ChatGenerationChunk]) -> ChatResult:
    last = chunks[-1].message
    if isinstance(last, AIMessageChunk) and not getattr(last, "chunk_position", "last"):
        chunks.append(
            ChatGenerationChunk(message=AIMessageChunk(content="" if isinstance(last.content, str) else [], chunk_position="last"))
        )
    return generate_from_stream(iter(chunks))


def streams(model: BaseChatModel, run_manager: Any, kwargs: dict[str, Any], *, threads: bool) -> bool:
    """Whether the model streams anyway: somebody listens to its tokens, or it always does."""
    return model._should_stream(async_api=not threads, run_manager=run_manager, **kwargs)


def may_stream(model: BaseChatModel, models: Models, kwargs: dict[str, Any]) -> bool:
    """Whether a model may be asked to stream what it would have answered in one go.

    With "agreeing" only if that changes nothing but the time at which parts of its answer are there, as far as that can be told: its
    author wrote both ways of asking it. LangChain's integrations put other metadata into what they stream, and its fakes other contents.
    """
    disabled = getattr(model, "_streaming_disabled", None)  # younger than the oldest LangChain that goes with LangGraph
    able = _can_stream(type(model)) if models == "any" else _agrees(type(model))
    return able and not (disabled(**kwargs) if disabled is not None else model.disable_streaming)


_homes: dict[type, frozenset[str]] = {}


def _homes_of(cls: type) -> frozenset[str]:
    """Modules in which a model's class, or a base of it, is told how to stream."""
    if cls not in _homes:
        own = (getattr_static(cls, name) for name in ("_stream", "_astream"))
        _homes[cls] = frozenset(getattr(method, "__module__", "") for method in own) - {BaseChatModel.__module__}
    return _homes[cls]


def _can_stream(cls: type) -> bool:
    """Whether a model knows how to stream."""
    return bool(_homes_of(cls))


def _agrees(cls: type) -> bool:
    """Whether a model's streamed answers are the same as its others, as far as its class tells."""
    homes = _homes_of(cls)
    return bool(homes) and not any(home.startswith("langchain") for home in homes)
