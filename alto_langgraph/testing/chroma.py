"""Gives nodes of a random graph a real Chroma collection, embedded, that they share past the state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any
from uuid import uuid4

OPENED: ContextVar[list[str]] = ContextVar("opened_collections")
"""Names of the collections of the run in progress."""


@contextmanager
def deleted_collections() -> Iterator[None]:
    """Deletes, at the end of the block, the collections opened in it."""
    names: list[str] = []
    token = OPENED.set(names)
    try:
        yield
    finally:
        OPENED.reset(token)
        for name in names:
            _client().delete_collection(name)


def opened_collection() -> Any:
    """A new, empty collection of a name of its own, for embeddings that are given. Without chromadb a ModuleNotFoundError."""
    collection = _client().create_collection(f"random-{uuid4().hex}", embedding_function=None)
    OPENED.get([]).append(collection.name)
    return collection


def _client() -> Any:
    chromadb = import_module("chromadb")
    return chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
