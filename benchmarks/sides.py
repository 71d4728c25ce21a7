"""The two sides of every benchmark: stock LangGraph and alto, each as the class that builds the graph."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.graph import StateGraph as StockStateGraph


@dataclass(frozen=True, slots=True)
class Side:
    """One way to run a LangGraph app.

    Args:
        name: `stock`, `alto` or `null`.
        StateGraph: The class that builds graphs on this side.
        optimize: What this side does to a compiled graph that somebody else built.
    """

    name: str
    StateGraph: Any
    optimize: Callable[[Any], Any] = lambda compiled: compiled


class NullStateGraph(StockStateGraph):  # type: ignore[type-arg]
    """Stock under another name: put in alto's place it shows how far from 1.0 noise alone carries a ratio."""


def side(name: str) -> Side:
    """The side called `name`; alto is imported only when asked for, so a profile of stock stays clean of it.

    Raises:
        KeyError: there is no such side.
    """
    if name == "alto":
        alto = importlib.import_module("alto_langgraph")
        return Side("alto", importlib.import_module("alto_langgraph.graph").StateGraph, alto.optimize)
    return {"stock": Side("stock", StockStateGraph), "null": Side("null", NullStateGraph)}[name]
