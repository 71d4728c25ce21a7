"""Builds the two sides of a comparison from whatever a user has: a builder, a compiled graph or a function that makes one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.cache.memory import InMemoryCache
from langgraph.graph.state import StateGraph as StockStateGraph
from langgraph.pregel import Pregel

from alto_langgraph.adapters.langgraph.graph import Optimized, optimize
from alto_langgraph.exceptions import TargetError
from alto_langgraph.options import AltoOptions
from alto_langgraph.protocols import OPTIONS_KEY

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.graph import OptionsLike


@dataclass(frozen=True, slots=True)
class Side:
    """One way to run a graph.

    Args:
        name: `stock` or `alto`.
        fresh: Makes a graph on which no other run has left a trace, as far as that can be had.
        options: What a run's `configurable` carries for alto; None for nothing.
    """

    name: str
    fresh: Callable[[], Any]
    options: AltoOptions | None = None

    def config(self, config: dict[str, Any]) -> dict[str, Any]:
        """A run's config on this side; it reaches graphs that nodes call, too."""
        if self.options is None:
            return config
        return {**config, "configurable": {**config["configurable"], OPTIONS_KEY: self.options.model_dump()}}


@dataclass(frozen=True, slots=True)
class Sides:
    """Stock LangGraph and alto on one app, and alto in order, which shows stock's supersteps to an observer."""

    stock: Side
    alto: Side
    in_order: Side


def sides(target: Any, options: OptionsLike = None, checkpointer: Any = None) -> Sides:
    """Both sides of `target`.

    Args:
        target: A `StateGraph` (LangGraph's or alto's), a compiled graph, or a function without arguments that returns either.
        options: Alto's options; None leaves a compiled alto graph its own.
        checkpointer: A saver, or a function that makes one for each graph; None keeps what the graph has.

    Raises:
        TargetError: it is none of these.
        OptionsError: a bad option.
    """
    _check(target)
    chosen = None if options is None else AltoOptions.of(options)
    off, in_order = AltoOptions(enabled=False), AltoOptions(enabled=True, window=0)
    return Sides(
        stock=Side("stock", lambda: _stock(_compiled(target, checkpointer)), off),
        alto=Side("alto", lambda: _alto(_compiled(target, checkpointer), chosen)),
        in_order=Side("in order", lambda: _alto(_compiled(target, checkpointer), in_order), in_order),
    )


def _check(target: Any) -> None:
    if not isinstance(target, StockStateGraph | Pregel) and not callable(target):
        kind = type(target).__name__
        raise TargetError(
            f"A {kind} can't be compared.", hint="Give a StateGraph, a compiled graph, or a function without arguments that returns one."
        )


def _compiled(target: Any, checkpointer: Any) -> Any:
    """A compiled graph with stores, caches and checkpointer of its own."""
    if isinstance(target, Pregel):
        graph: Any = copy.copy(target)
        graph.__dict__.pop("alto_staging", None)
    elif isinstance(target, StockStateGraph):
        graph = target.compile()
    else:
        made = _called(target)
        _check(made)
        return _compiled(made, checkpointer)
    if checkpointer is not None:
        graph.checkpointer = checkpointer() if callable(checkpointer) else checkpointer
    graph.store = _own_store(graph.store)
    if isinstance(graph.cache, InMemoryCache):
        graph.cache = InMemoryCache(serde=graph.cache.serde)
    return graph


def _called(factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except TypeError as error:
        raise TargetError(f"`{getattr(factory, '__name__', factory)}` can't be called without arguments: {error}.") from error


def _own_store(store: Any) -> Any:
    try:
        return copy.deepcopy(store)
    except Exception:
        return store


def _stock(graph: Any) -> Any:
    """LangGraph's own class again, down to the graphs that are nodes."""
    if isinstance(graph, Optimized):
        graph = copy.copy(graph)
        graph.__class__ = next(cls for cls in type(graph).__mro__ if not issubclass(cls, Optimized))
    nodes = {name: _stock_node(node) for name, node in graph.nodes.items()}
    if any(nodes[name] is not node for name, node in graph.nodes.items()):
        graph = copy.copy(graph)
        graph.nodes = nodes
    return graph


def _stock_node(node: Any) -> Any:
    if not isinstance(node.bound, Optimized):
        return node
    inner = _stock(node.bound)
    return node.copy({"bound": inner, "subgraphs": [inner if graph is node.bound else graph for graph in node.subgraphs]})


def _alto(graph: Any, options: AltoOptions | None) -> Any:
    if options is None:
        return graph if isinstance(graph, Optimized) else optimize(graph, AltoOptions(enabled=True))
    return optimize(graph, options)
