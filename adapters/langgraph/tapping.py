"""Listens to the models that nodes ask, and answers code that is run again in their place.

Put around LangChain's own classes, once, and around the logger: calls made elsewhere go straight on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable

from alto_langgraph.adapters.langgraph.hearing import Ear
from alto_langgraph.adapters.langgraph.tapped import Tapped, may_stream, streams
from alto_langgraph.driver.asked import Asked, asked
from alto_langgraph.driver.producing import ANSWERS, Producer, Request

_HEARD: ContextVar[tuple[BaseChatModel, Request] | None] = ContextVar("alto_heard", default=None)
"""The model call that is on its way, and whose answer is listened to."""

Find = Callable[[Any], Producer | None]


def _tapped(model: BaseChatModel, run_manager: Any, kwargs: dict[str, Any], *, threads: bool) -> Tapped | None:
    """The model to ask instead, where its answer is listened to."""
    heard = _HEARD.get()
    if heard is None or heard[0] is not model:
        return None
    request = heard[1]
    if not (streams(model, run_manager, kwargs, threads=threads) or may_stream(model, request.producer.models, kwargs)):
        return None
    return Tapped(model, Ear(request, kwargs, whole=True))


# ---- around LangChain's methods


def install(find: Find) -> None:
    """Puts itself around the methods by which models and retrievers are asked.

    Args:
        find: The run of a node that a call with this config is part of; None if nobody needs to listen.
    """
    models: tuple[Any, ...] = (BaseChatModel, BaseLLM)
    for cls in (*models, BaseRetriever):
        cls.invoke, cls.ainvoke = _invoke(cls.invoke, find), _ainvoke(cls.ainvoke, find)
    for cls in models:
        cls.stream, cls.astream = _stream(cls.stream, find), _astream(cls.astream, find)
        for name in ("generate", "agenerate"):
            setattr(cls, name, _unanswered(getattr(cls, name)))
    for cls in (Runnable, BaseChatModel):
        for name in _TELLING & vars(cls).keys():
            setattr(cls, name, _unanswered(getattr(cls, name)))
    model: Any = BaseChatModel
    model._generate_with_cache = _generating(model._generate_with_cache)
    model._agenerate_with_cache = _agenerating(model._agenerate_with_cache)
    logging.Logger.handle = _quiet(logging.Logger.handle)  # type: ignore[method-assign]


_TELLING = frozenset({"astream_log", "astream_events", "stream_events"})
"""Methods that tell what happens inside, of which a replay knows nothing."""


def _quiet(handle: Any) -> Any:
    """Code that is run again has logged what it logs, or will."""

    @wraps(handle)
    def handling(self: Any, record: Any) -> Any:
        return handle(self, record) if ANSWERS.get() is None else None

    return handling


def _alike(one: Any, other: Any) -> bool:
    """Whether it is the same one that is asked, or a model that LangChain's cache would take for it."""
    if one is other or type(one) is not type(other):
        return one is other
    if isinstance(one, BaseChatModel):
        return bool(one._get_llm_string() == other._get_llm_string())
    return isinstance(one, BaseLLM) and bool(one.dict() == other.dict())


# whole answers


def _invoke(invoke: Any, find: Find) -> Any:
    @wraps(invoke)
    def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return answers.to(self, (input, kwargs), _alike)
        call = asked() if isinstance(self, BaseChatModel) else None
        if (producer := find(config)) is None:
            return _noted(call, invoke(self, input, config, **kwargs))
        with _heard(producer, self, (input, kwargs), call) as request:
            answer = invoke(self, input, config, **kwargs)
        request.finish(answer)
        return _noted(call, answer)

    return listening


def _ainvoke(ainvoke: Any, find: Find) -> Any:
    @wraps(ainvoke)
    async def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return await answers.ato(self, (input, kwargs), _alike)
        call = asked() if isinstance(self, BaseChatModel) else None
        if (producer := find(config)) is None:
            return _noted(call, await ainvoke(self, input, config, **kwargs))
        with _heard(producer, self, (input, kwargs), call) as request:
            answer = await ainvoke(self, input, config, **kwargs)
        request.finish(answer)
        return _noted(call, answer)

    return listening


@contextmanager
def _heard(producer: Producer, who: Any, what: Any, call: Asked | None = None) -> Iterator[Request]:
    """Around a call: its answer is listened to."""
    request = producer.begin(who, what, call)
    token = _HEARD.set((who, request))
    try:
        yield request
    except BaseException:
        request.fail()
        raise
    finally:
        _HEARD.reset(token)


def _noted(call: Asked | None, answer: Any) -> Any:
    if call is not None:
        call.answered(answer)
    return answer


def _generating(generate: Any) -> Any:
    @wraps(generate)
    def listening(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return generate(_tapped(self, run_manager, kwargs, threads=True) or self, messages, stop, run_manager, **kwargs)

    return listening


def _agenerating(generate: Any) -> Any:
    @wraps(generate)
    async def listening(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return await generate(_tapped(self, run_manager, kwargs, threads=False) or self, messages, stop, run_manager, **kwargs)

    return listening


# answers piece by piece


def _stream(stream: Any, find: Find) -> Any:
    @wraps(stream)
    def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return _pieces(answers.to(self, (_STREAM, input, kwargs), _alike))
        pieces = stream(self, input, config, **kwargs)
        if (producer := find(config)) is None:
            return pieces
        return _passing(pieces, Ear(producer.begin(self, (_STREAM, input, kwargs)), kwargs, whole=False))

    return listening


def _astream(astream: Any, find: Find) -> Any:
    @wraps(astream)
    def listening(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            return _apieces(answers.to(self, (_STREAM, input, kwargs), _alike))
        pieces = astream(self, input, config, **kwargs)
        if (producer := find(config)) is None:
            return pieces
        return _apassing(pieces, Ear(producer.begin(self, (_STREAM, input, kwargs)), kwargs, whole=False))

    return listening


_STREAM = "stream"


def _pieces(pieces: list[Any]) -> Iterator[Any]:
    yield from pieces


async def _apieces(pieces: list[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


def _passing(pieces: Any, ear: Ear) -> Iterator[Any]:
    """The very pieces, which are listened to on their way."""
    with closing(pieces), _until_left(ear):
        for piece in pieces:
            ear.take(piece)
            yield piece


async def _apassing(pieces: Any, ear: Ear) -> AsyncIterator[Any]:
    async with aclosing(pieces):
        with _until_left(ear):
            async for piece in pieces:
                ear.take(piece)
                yield piece


@contextmanager
def _until_left(ear: Ear) -> Iterator[None]:
    """Around an answer that comes piece by piece. Who leaves early has all that is wanted of it."""
    try:
        yield
    except GeneratorExit:
        ear.finish()
        raise
    except BaseException:
        ear.fail()
        raise
    ear.finish()


def _unanswered(ask: Any) -> Any:
    """Code that is run again must not ask in a way that nobody has listened to."""

    @wraps(ask)
    def asking(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (answers := ANSWERS.get()) is not None:
            answers.to(self, None)
        return ask(self, *args, **kwargs)

    return asking
