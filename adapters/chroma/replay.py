"""Runs langchain-chroma's own sync methods for async callers, without a thread that waits.

A method is run on a store that knows no answers. What it asks first is asked, by async means, and the method runs again with that answer
known, and so on until it gets through. So what a search makes of its arguments and results is langchain-chroma's own code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import langchain_chroma
from langchain_core.embeddings import Embeddings
from langchain_core.runnables.config import run_in_executor

from alto_langgraph.adapters.batching.alike import asynchronous
from alto_langgraph.adapters.chroma.collection import BatchedCollection

Ask = Callable[[], Awaitable[Any]]


class _Unanswered(BaseException):
    """Something is asked whose answer isn't known yet."""

    def __init__(self, ask: Ask, *, last: bool) -> None:
        self.ask, self.last = ask, last


class _Touched(BaseException):
    """All that a write asks is known: now it would write."""


class _Answers:
    """What was asked before, in the order in which each run of the method asks for it again."""

    def __init__(self) -> None:
        self.known: list[Any] = []
        self._place = 0

    def again(self) -> None:
        """The method begins anew."""
        self._place = 0

    def next(self, ask: Ask, *, last: bool = False) -> Any:
        if self._place == len(self.known):
            raise _Unanswered(ask, last=last)
        self._place += 1
        return self.known[self._place - 1]


class _Embeddings:
    """Embeds what is known; has all else of the embeddings."""

    def __init__(self, embeddings: Embeddings, answers: _Answers) -> None:
        self._embeddings, self._answers = embeddings, answers

    def embed_query(self, text: str) -> Any:
        return self._answers.next(lambda: _embedded(self._embeddings, "embed_query", text))

    def embed_documents(self, texts: list[str]) -> Any:
        return self._answers.next(lambda: _embedded(self._embeddings, "embed_documents", texts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embeddings, name)


async def _embedded(embeddings: Embeddings, name: str, what: Any) -> Any:
    """By async code, or where a class has only a refusal for that, by the sync code that langchain-chroma would call."""
    try:
        return await asynchronous(embeddings, f"a{name}")(what)
    except NotImplementedError:
        return await run_in_executor(None, getattr(embeddings, name), what)


class _Found:
    """A collection that finds what is known; has all else of the collection."""

    def __init__(self, collection: BatchedCollection, answers: _Answers) -> None:
        self._collection, self._answers = collection, answers

    def query(self, **kwargs: Any) -> Any:
        return self._answers.next(lambda: self._collection.aquery(**kwargs), last=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


class _Untouched:
    """A collection that isn't to be written to yet."""

    def __getattr__(self, name: str) -> Any:
        raise _Touched


class _Replay(langchain_chroma.Chroma):
    """A store that knows no answers but those it is given."""

    _embedding_function: Any

    def __init__(self, store: langchain_chroma.Chroma, answers: _Answers, collection: Any) -> None:
        self.__dict__.update(store.__dict__)
        self._replayed = collection
        if self._embedding_function is not None:
            self._embedding_function = _Embeddings(self._embedding_function, answers)

    @property
    def _collection(self) -> Any:
        return self._replayed


async def searched(store: Any, method: str, *args: Any, on_thread: bool = False, **kwargs: Any) -> Any:
    """What a search method of langchain-chroma's returns or raises; `on_thread` where it computes much on what was found."""
    answers = _Answers()
    search = getattr(_Replay(store, answers, _Found(store._collection, answers)), method)
    while True:
        try:
            return search(*args, **kwargs)
        except _Unanswered as unanswered:
            ask, last = unanswered.ask, unanswered.last
        answers.known.append(await ask())
        answers.again()
        if last and on_thread:
            return await run_in_executor(None, search, *args, **kwargs)


async def written(store: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """What a method of langchain-chroma's that embeds and then writes returns or raises; it writes on a thread."""
    answers = _Answers()
    write = getattr(_Replay(store, answers, _Untouched()), method)
    while True:
        try:
            return write(*args, **kwargs)
        except _Touched:
            break
        except _Unanswered as unanswered:
            ask = unanswered.ask
        answers.known.append(await ask())
        answers.again()
    answers.again()
    return await run_in_executor(None, getattr(_Replay(store, answers, store._collection), method), *args, **kwargs)
