"""Watches which keys of the state a node reads, where its code names them only as it runs.

A node gets a dict that notes what it is asked for. Code written in C may look past the methods of such a dict, so it is only given to
nodes that are known to use the state by its keys alone (`plan/named.py`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from langchain_core.runnables import Runnable

from alto_langgraph.adapters.langgraph.seam import RunnableSeq
from alto_langgraph.adapters.langgraph.seam_graph import RunnableCallable
from alto_langgraph.driver.early import CURRENT, Early


class ObservedState(dict[str, Any]):
    """The state as a node sees it, and notes of what it looks at.

    Args:
        state: What the node is given.
        watched: The keys that count: those of the state. Others are never there.
        early: The early run that looks at it, which gives up where it asks for what it doesn't rest on; None in order.
    """

    __slots__ = ("early", "seen", "watched")

    seen: set[str] | None
    """Keys that it was asked for; None for "all"."""

    def __init__(self, state: Mapping[str, Any], watched: frozenset[str], early: Early | None = None) -> None:
        super().__init__(state)
        self.watched, self.early, self.seen = watched, early, set()

    def look(self, key: object) -> None:
        """Notes that the node asks for `key`.

        Raises:
            Retreat: an early run didn't expect that.
        """
        if type(key) is not str:  # it may say itself which keys it is equal to
            self.look_anywhere()
        elif key in self.watched:
            if self.seen is not None:
                self.seen.add(key)
            if self.early is not None and key not in self.early.reads:
                self.early.retreat(f"it reads `{key}`, which no run of it had read")

    def look_anywhere(self) -> None:
        """Notes that the node looks at the state without naming a key.

        Raises:
            Retreat: an early run doesn't rest on all of it.
        """
        self.seen = None
        if self.early is not None and not self.watched <= self.early.reads:
            self.early.retreat("it looks at the whole state, which no run of it had done")

    def __getitem__(self, key: str) -> Any:
        self.look(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None, /) -> Any:
        self.look(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.look(key)
        return super().__contains__(key)

    def __getstate__(self) -> Any:
        self.look_anywhere()
        return dict.copy(self)

    def __reduce__(self) -> Any:
        self.look_anywhere()
        return dict, (dict.copy(self),)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def _anywhere(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def look(self: ObservedState, *args: Any, **kwargs: Any) -> Any:
        self.look_anywhere()
        return method(self, *args, **kwargs)

    look.__name__ = name
    return look


WHOLE = (
    "__delitem__", "__eq__", "__format__", "__ge__", "__gt__", "__ior__", "__iter__", "__le__", "__len__", "__lt__", "__ne__",
    "__or__", "__repr__", "__reversed__", "__ror__", "__setitem__", "__sizeof__", "__str__", "clear", "copy", "items",
    "keys", "pop", "popitem", "setdefault", "update", "values",
)  # fmt: skip
"""Methods that tell more of the state than one key of it, or change it."""

for _name in WHOLE:
    setattr(ObservedState, _name, _anywhere(_name))


class Note(Protocol):
    """Takes note of what a run of a node has read: keys, or None for "all"."""

    def __call__(self, keys: set[str] | None, /) -> None: ...


def observing(proc: Runnable[Any, Any] | None, watched: frozenset[str], note: Note, *, ahead: bool) -> Runnable[Any, Any] | None:
    """A twin of a node's runnable that watches what its function reads; None if it isn't laid out as LangGraph's are.

    Args:
        proc: The node's function and its writers.
        watched: State keys that its input has.
        note: Told of each run what it has read.
        ahead: It is for early runs.
    """
    if type(proc) is not RunnableSeq or type(proc.steps[0]) is not RunnableCallable or proc.steps[0].explode_args:
        return None
    twin, first = copy.copy(proc), copy.copy(proc.steps[0])
    watch = _Watch(watched, note, ahead)
    first.func = first.func and watch.sync(first.func)
    first.afunc = first.afunc and watch.coroutine(first.afunc)
    twin.steps = [first, *proc.steps[1:]]
    return twin


class _Watch:
    def __init__(self, watched: frozenset[str], note: Note, ahead: bool) -> None:
        self.watched, self.note, self.ahead = watched, note, ahead

    def view(self, state: Any) -> ObservedState:
        return ObservedState(state, self.watched, CURRENT.get() if self.ahead else None)

    def sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def observed(state: Any, *args: Any, **kwargs: Any) -> Any:
            view = self.view(state)
            try:
                return _checked(function(view, *args, **kwargs), view)
            finally:
                self.note(view.seen)

        return observed

    def coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def observed(state: Any, *args: Any, **kwargs: Any) -> Any:
            view = self.view(state)
            try:
                return _checked(await function(view, *args, **kwargs), view)
            finally:
                self.note(view.seen)

        return observed


def _checked(result: Any, view: ObservedState) -> Any:
    """The node's result. LangGraph would invoke a runnable with the state."""
    if isinstance(result, Runnable):
        view.look_anywhere()
    return result
