"""Listens to the models that nodes ask, and answers code that is run again in their place.

Put around LangChain's own classes, once, and around the logger: calls made elsewhere go straight on.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from contextvars import ContextVar
from functools import wraps
from inspect import getattr_static
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever

from alto_langgraph.driver.producing import ANSWERS, Producer, Request
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.parts.message import CallDelta, GrowingMessage

_HEARD: ContextVar[tuple[BaseChatModel, Request] | None] = ContextVar("alto_heard", default=None)
"""The model call that is on its way, and whose answer is listened to."""

Find = Callable[[], Producer | None]


class Tapped:
    """A chat model, as LangChain's code sees it that asks it: streams what it would have answered in one go, and listens.

    Nobody else hears that it streams: callbacks are told of tokens where they would have been anyway.
    """

    def __init__(self, model: BaseChatModel, request: Request, *, forced: bool) -> None:
        self._model, self._request, self._forced = model, request, forced
        self._growing, self._deaf = GrowingMessage(), False

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
            self.take(chunk.message)
            yield chunk

    async def _astream(self, messages: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        stream: Any = self._model._astream(messages, **kwargs)
        async with aclosing(stream):
            async for chunk in stream:
                self.take(chunk.message)
                yield chunk

    def take(self, message: Any) -> None:
        """Listens to the next piece of the answer. The app gets it, whatever comes of that."""
        if self._deaf:
            return
        try:
            self._take(message)
        except Exception as error:
            self._deaf = True
            warnings.warn(f"alto stops listening to an answer, after an error of its own: {error!r}", AltoWarning, stacklevel=2)

    def _take(self, message: Any) -> None:
        pieces = getattr(message, "tool_call_chunks", ())
        calls = [CallDelta(c.get("index") or 0, c.get("name"), c.get("id"), c.get("args") or "") for c in pieces]
        if self._growing.feed(str(message.text), calls):
            self._say()

    def _say(self) -> None:
        partial = self._growing.partial()
        calls = (*partial.calls, partial.growing) if self._forced and partial.growing else partial.calls
        made = [{"name": call.name, "args": call.args, "id": call.id, "type": "tool_call"} for call in calls]
        answer = AIMessage(content=partial.text.text, tool_calls=made)
        self._request.hear(answer, tentative=not (made or partial.text.closed))


def _together(chunks: list[ChatGenerationChunk]) -> ChatResult:
    last = chunks[-1].message
    if isinstance(last, AIMessageChunk) and not getattr(last, "chunk_position", "last"):
        chunks.append(
            ChatGenerationChunk(message=AIMessageChunk(content="" if isinstance(last.content, str) else [], chunk_position="last"))
        )
    return generate_from_stream(iter(chunks))


def _tapped(model: BaseChatModel, kwargs: dict[str, Any]) -> Tapped | None:
    """The model to ask instead, where its answer is listened to."""
    heard = _HEARD.get()
    if heard is None or heard[0] is not model or not _may_stream(model, kwargs):
        return None
    forced = kwargs.get("tool_choice") not in (None, "auto", "none") and len(kwargs.get("tools") or ()) == 1
    return Tapped(model, heard[1], forced=forced)  # one tool that has to be called is a form to fill in, not a call to make


def _may_stream(model: BaseChatModel, kwargs: dict[str, Any]) -> bool:
    """Whether asking the model to stream changes nothing but the time at which parts of its answer are there.

    A model that streams anyway, or whose author wrote both ways of asking it. LangChain's integrations put other metadata into what
    they stream, and its fakes other contents.
    """
    disabled = getattr(model, "_streaming_disabled", None)  # younger than the oldest LangChain that goes with LangGraph
    return agrees(type(model)) and not (disabled(**kwargs) if disabled is not None else model.disable_streaming)


_agreeing: dict[type, bool] = {}


def agrees(cls: type) -> bool:
    """Whether a model's streamed answers are the same as its others, as far as its class tells."""
    if cls not in _agreeing:
        own = (getattr_static(cls, name) for name in ("_stream", "_astream"))
        homes = {getattr(method, "__module__", "") for method in own} - {BaseChatModel.__module__}
        _agreeing[cls] = bool(homes) and not any(home.startswith("langchain") for home in homes)
    return _agreeing[cls]


# ---- around LangChain's methods


def install(find: Find) -> None:
    """Puts itself around the methods by which models and retrievers are asked.

    Args:
        find: The run of a node that the calling code is part of; None if nobody needs to listen.
    """
    for cls in (BaseChatModel, BaseRetriever):
        cls.invoke = _invoke(cls.invoke, find)  # type: ignore[method-assign]
        cls.ainvoke = _ainvoke(cls.ainvoke, find)  # type: ignore[method-assign]
    model: Any = BaseChatModel
    model._generate_with_cache = _generating(model._generate_with_cache)
    model._agenerate_with_cache = _agenerating(model._agenerate_with_cache)
    model.stream, model.astream = _unanswered(model.stream), _unanswered(model.astream)
    logging.Logger.handle = _quiet(logging.Logger.handle)  # type: ignore[method-assign]


def _quiet(handle: Any) -> Any:
    """Code that is run again has logged what it logs, or will."""

    @wraps(handle)
    def handling(self: Any, record: Any) -> Any:
        return handle(self, record) if ANSWERS.get() is None else None

    return handling


def _invoke(invoke: Any, find: Find) -> Any:
    @wraps(invoke)
    def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return answers.to(self, (input, kwargs))
        if (producer := find()) is None:
            return invoke(self, input, config, **kwargs)
        request = producer.begin(self, (input, kwargs))
        token = _HEARD.set((self, request))
        try:
            answer = invoke(self, input, config, **kwargs)
        finally:
            _HEARD.reset(token)
        request.finish(answer)
        return answer

    return listening


def _ainvoke(ainvoke: Any, find: Find) -> Any:
    @wraps(ainvoke)
    async def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return answers.to(self, (input, kwargs))
        if (producer := find()) is None:
            return await ainvoke(self, input, config, **kwargs)
        request = producer.begin(self, (input, kwargs))
        token = _HEARD.set((self, request))
        try:
            answer = await ainvoke(self, input, config, **kwargs)
        finally:
            _HEARD.reset(token)
        request.finish(answer)
        return answer

    return listening


def _generating(generate: Any) -> Any:
    @wraps(generate)
    def listening(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return generate(_tapped(self, kwargs) or self, messages, stop, run_manager, **kwargs)

    return listening


def _agenerating(generate: Any) -> Any:
    @wraps(generate)
    async def listening(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return await generate(_tapped(self, kwargs) or self, messages, stop, run_manager, **kwargs)

    return listening


def _unanswered(stream: Any) -> Any:
    """Code that is run again must not ask in a way that nobody has listened to."""

    @wraps(stream)
    def asking(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            answers.to(self, None)
        return stream(self, input, config, **kwargs)

    return asking
