"""Spans of calls that LangChain has no callbacks for: what classes of embeddings and vector stores are asked."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from alto_langgraph.protocols import Operation, asker, served
from alto_langgraph.tracing.around import Around
from alto_langgraph.tracing.batches import SERVING

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import VectorStore

_EMBEDDING = ("embed_documents", "embed_query")
_SEARCHING = (
    "similarity_search",
    "similarity_search_with_score",
    "similarity_search_with_relevance_scores",
    "similarity_search_by_vector",
    "max_marginal_relevance_search",
    "max_marginal_relevance_search_by_vector",
)
_MODELS = ("model", "model_name", "model_id")


def instrument(*classes: type[Embeddings] | type[VectorStore]) -> None:
    """Has what these classes are asked in nodes of traced runs recorded, as `embeddings` and `retrieval` spans below the fragment.

    Their methods are wrapped, as OpenTelemetry's instrumentations do; outside of traced runs that costs one look. Call it once, before
    graphs are compiled; what is wrapped already stays as it is. A call inside another of the same kind has no span of its own.

    Args:
        classes: Subclasses of LangChain's `Embeddings` and `VectorStore`.

    Raises:
        TypeError: one of them is neither.
    """
    from langchain_core.embeddings import Embeddings  # not sooner: the first traced run loads this room, perhaps on an event loop
    from langchain_core.vectorstores import VectorStore

    for cls in classes:
        if issubclass(cls, Embeddings):
            _wrap(cls, "embeddings", _EMBEDDING)
        elif issubclass(cls, VectorStore):
            _wrap(cls, "retrieval", _SEARCHING)
        else:
            raise TypeError(f"{cls.__name__} is neither LangChain's Embeddings nor a VectorStore.")


def _wrap(cls: type, operation: Operation, methods: tuple[str, ...]) -> None:
    for name in (prefix + method for method in methods for prefix in ("", "a")):
        function = getattr(cls, name)
        if not hasattr(function, "__alto_span__"):
            wrapped = (_awrapped if inspect.iscoroutinefunction(function) else _wrapped)(function, operation)
            wrapped.__alto_span__ = operation  # type: ignore[attr-defined]
            setattr(cls, name, wrapped)


def _wrapped(function: Callable[..., Any], operation: Operation) -> Callable[..., Any]:
    @functools.wraps(function)
    def asked(self: Any, *args: Any, **how: Any) -> Any:
        if (who := _who_asks(operation)) is None:
            return function(self, *args, **how)
        with served(operation, _name_of(self), [who]):
            return function(self, *args, **how)

    return asked


def _awrapped(function: Callable[..., Any], operation: Operation) -> Callable[..., Any]:
    @functools.wraps(function)
    async def asked(self: Any, *args: Any, **how: Any) -> Any:
        if (who := _who_asks(operation)) is None:
            return await function(self, *args, **how)
        with served(operation, _name_of(self), [who]):
            return await function(self, *args, **how)

    return asked


def _who_asks(operation: Operation) -> Any:
    """The span around the call; None if that is of the same kind, or nothing is traced."""
    if SERVING.get() == operation:
        return None
    current = get_current_span()
    return None if isinstance(current, Around) and current.operation == operation else asker()


def _name_of(asked: Any) -> str:
    """The model, if embeddings say which; else the class."""
    named = (getattr(asked, name, None) for name in _MODELS)
    return next((name for name in named if isinstance(name, str) and name), type(asked).__name__)
