"""Makes the callback managers of a task in one go where no handler listens; LangChain's own way otherwise.

LangChain makes a manager empty and then adds handlers, tags and metadata one after the other, merging each time. Without handlers
there is nothing to tell, and what comes out is known beforehand: objects of the same class with the same attributes.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks.manager import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainRun,
    CallbackManager,
    CallbackManagerForChainRun,
)
from langchain_core.utils.uuid import uuid7

_CHILD: dict[type, Any] = {CallbackManagerForChainRun: CallbackManager, AsyncCallbackManagerForChainRun: AsyncCallbackManager}
_RUN: dict[type, Any] = {child: run for run, child in _CHILD.items()}
_VERSIONS = "lc_versions"
"""The one key of metadata that LangChain merges key by key."""


def child(run: Any, tag: str) -> Any:
    """`run.get_child(tag)`: the manager of what a run calls."""
    make, tags, metadata = _CHILD.get(type(run)), run.inheritable_tags, run.inheritable_metadata
    if make is None or run.inheritable_handlers or tag in tags or _VERSIONS in metadata:
        return run.get_child(tag)
    return make(
        handlers=[],
        parent_run_id=run.run_id,
        tags=[*tags, tag],
        inheritable_tags=tags.copy(),
        metadata={**metadata},
        inheritable_metadata={**metadata},
    )


def started(config: Any, kind: Any) -> Any:
    """The run manager of a chain that starts with `config`, as `on_chain_start` gives it; None if a handler may have to hear of it.

    Args:
        config: The chain's config; loses its `run_id`, and its manager learns its tags and metadata, as LangGraph has it.
        kind: The class of the manager that the config must have.
    """
    manager, metadata = config.get("callbacks"), config.get("metadata") or {}
    if type(manager) is not kind or manager.handlers or kind not in _RUN or type(metadata) is not dict:
        return None
    if _VERSIONS in metadata or _VERSIONS in manager.metadata:
        return None
    if tags := config.get("tags"):
        manager.add_tags(tags)
    if metadata:
        manager.metadata = {**manager.metadata, **metadata}
        manager.inheritable_metadata = {**manager.inheritable_metadata, **metadata}
    return _RUN[kind](
        run_id=config.pop("run_id", None) or uuid7(),
        handlers=manager.handlers,
        inheritable_handlers=manager.inheritable_handlers,
        parent_run_id=manager.parent_run_id,
        tags=manager.tags,
        inheritable_tags=manager.inheritable_tags,
        metadata=manager.metadata,
        inheritable_metadata=manager.inheritable_metadata,
    )


def hears_inputs(manager: Any) -> bool:
    """Whether a handler is told what the nodes of a run are given; LangGraph's own only look for messages there."""
    handlers = getattr(manager, "inheritable_handlers", ())
    return any(not handler.ignore_chain and not type(handler).__module__.startswith("langgraph.") for handler in handlers)


class Quiet:
    """Stands where LangGraph's loop has the run manager of the graph, which it asks only for a child per task."""

    def __init__(self, run: Any) -> None:
        self._run = run

    @property
    def inheritable_handlers(self) -> Any:
        return self._run.inheritable_handlers

    def get_child(self, tag: str) -> Any:
        return child(self._run, tag)


def _as_langchain(kind: Any) -> bool:
    run = kind(run_id=UUID(int=0), handlers=[], inheritable_handlers=[], inheritable_tags=["a"], inheritable_metadata={"b": 1})
    return bool(vars(child(run, "c")) == vars(run.get_child("c")))


if not all(map(_as_langchain, _CHILD)):  # pragma: no cover - only with a LangChain whose managers are other ones
    _CHILD.clear()
    _RUN.clear()
