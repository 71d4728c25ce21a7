"""The state that nodes are given, kept from one superstep to the next and brought up to date with what has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alto_langgraph.adapters.langgraph.seam import proc_input
from alto_langgraph.adapters.langgraph.touched import STEADY, Touched

FEW = 8
"""Below this many keys LangGraph's own way costs as little."""
LONG = 32
"""Supersteps after which a state that no node has asked for is let go when another kind is asked for."""


@dataclass(slots=True)
class _State:
    """A kind of input, by the keys that it has.

    Args:
        values: Those that were there after `at` supersteps, in the order in which the node lists its keys.
        keys: All of them.
        asked: Those whose channels may give something else without being written.
    """

    values: dict[str, Any]
    at: int
    keys: frozenset[str]
    asked: tuple[str, ...]


class States:
    """Makes the input of tasks that edges trigger as LangGraph does, where that is a dict of channels' values.

    The values are those objects that the channels hold, so one that a node changes in place shows the change either way.

    Args:
        touched: What the run's supersteps change; inputs are made from the same channels.
    """

    def __init__(self, touched: Touched) -> None:
        self._touched = touched
        self._states: dict[Any, _State | None] = {}

    def proc_input(self, proc: Any, managed: Any, channels: Mapping[str, Any], **kwargs: Any) -> Any:
        """LangGraph's."""
        kind = proc.input_cache_key
        if kind not in self._states:
            self._states[kind] = self._first(proc, managed, channels, kwargs)
        state = self._states[kind]
        if state is None:
            return proc_input(proc, managed, channels, **kwargs)
        if state.at != self._touched.now and not self._refresh(state, channels):
            state.values = _anew(proc, managed, channels, kwargs)
        state.at = self._touched.now
        return state.values.copy()

    def _first(self, proc: Any, managed: Any, channels: Mapping[str, Any], kwargs: Any) -> _State | None:
        # A mapper makes another object of the values every time, and a key without a channel is a managed value.
        keys = proc.channels
        if type(keys) is not list or len(keys) < FEW or proc.mapper is not None or not all(key in channels for key in keys):
            return None
        self._let_go()
        asked = tuple(key for key in keys if type(channels[key]) not in STEADY)
        return _State(_anew(proc, managed, channels, kwargs), self._touched.now, frozenset(keys), asked)

    def _let_go(self) -> None:
        old = [kind for kind, state in self._states.items() if state is not None and state.at < self._touched.now - LONG]
        for kind in old:
            del self._states[kind]

    def _refresh(self, state: _State, channels: Mapping[str, Any]) -> bool:
        """Takes over what has changed; False if that leaves keys missing, there too long, or out of order."""
        values = state.values
        for key in state.keys.intersection(self._touched.since(state.at)).difference(state.asked):
            if key not in values:
                return False
            values[key] = channels[key].get()
        for key in state.asked:
            if bool(channels[key].is_available()) is not (key in values):
                return False
            if key in values:
                values[key] = channels[key].get()
        return True


def _anew(proc: Any, managed: Any, channels: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = proc_input(proc, managed, channels, **{**kwargs, "input_cache": None})
    return values
