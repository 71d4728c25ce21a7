"""Writes a described graph as the Python source of an ordinary LangGraph app, so that it reads, and is analysed, like a user's."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from alto_langgraph.testing.asking_source import HEAD as ASKING
from alto_langgraph.testing.asking_source import asks, bound, models
from alto_langgraph.testing.graph_specs import Choice, Graph, Node
from alto_langgraph.testing.node_source import SHARED, action, function, metadata, options, target
from alto_langgraph.testing.state_source import State

HEAD = """\
import operator
import zlib
from dataclasses import dataclass, field
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import SimpleNamespace
from typing import Annotated

from langchain_core.messages import AIMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.channels import AnyValue, DeltaChannel, EphemeralValue, Topic, UntrackedValue
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.graph import END, START, add_messages
from langgraph.managed import RemainingSteps
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.base import BaseStore
from langgraph.types import CachePolicy, Command, Overwrite, RetryPolicy, Send, StreamWriter, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from alto_langgraph.testing.pause import apause, pause


def number(*parts):
    return zlib.crc32(repr(parts).encode())


def fold(old, new):
    return (old * 31 + new) % 1_000_003


def extend(old, new):
    old.extend(new)
    return old


def merge(old, new):
    return {**old, **new}


def gather(old, writes):
    return [*old, *(item for write in writes for item in write)]


def said(name, n):
    text = f'{name} {n % 61}'
    return [('user', text), {'role': 'user', 'content': text}, AIMessage(text)][n % 3]


def edited(messages, n):
    if not messages:
        return []
    last = messages[-1]
    return [AIMessage(f'{last.content}+', id=last.id) if n % 3 else RemoveMessage(id=last.id)]


def texts(messages):
    return [message.content for message in messages or ()]


def value(state, key, default=None):
    return state.get(key, default) if isinstance(state, dict) else getattr(state, key, default)


def look(state, *keys):
    return [value(state, key) for key in keys]


def everything(state, *but):
    return sorted((key, item) for key, item in state.items() if key not in but)


def packed(**update):
    return update


def logged(function):
    @wraps(function)
    async def acall(*args, **how):
        return await function(*args, **how)

    @wraps(function)
    def call(*args, **how):
        return function(*args, **how)

    return acall if iscoroutinefunction(function) else call


class Pile:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)


class State(TypedDict, total=False):
    seed: int
    last: int
    box: list
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]
    mix: Annotated[int, fold]
    turn: Annotated[int, operator.add]


class Context(TypedDict):
    user: int


class Boom(ValueError):
    pass


"""


def source(graph: Graph) -> str:
    """The module that defines `build(StateGraph, Stock)`, which returns the graph, not yet compiled."""
    return HEAD + (ASKING if asks(graph) else "") + "\n".join(_builder(graph, "build"))


def _builder(graph: Graph, name: str) -> Iterator[str]:
    """A function `name(StateGraph, Stock)`; one for each subgraph inside it."""
    yield f"def {name}(StateGraph, Stock):"
    state = State(graph)
    body: list[str] = SHARED[graph.hides][0].splitlines() if any(node.shared for node in graph.nodes) else []
    body += models(graph) if name == "build" else []
    body += state.source()
    for node in graph.nodes:
        if node.child:
            body += _builder(node.child, f"{node.name}_graph")
            maker = "Stock" if node.stock else "StateGraph"
            body.append(f"{node.name}_child = {node.name}_graph({maker}, Stock).compile(checkpointer={node.child.checkpointer})")
        if not node.child or node.called:
            body += [*bound(node), *function(node, graph)]
        if node.handler:
            body += _handler(node)
        for place, choice in enumerate(node.routes):
            body += _router(f"{node.name}_route{place}", choice, state, state.narrow(node))
    if graph.choice:
        body += _router("entry", graph.choice, state, False)
    context = ", context_schema=Context" if any("context" in node.looks for node in graph.nodes) else ""
    body.append(f"graph = StateGraph({state.name}{context})")
    body += [_add(node, state) for node in graph.nodes]
    body += [f"graph.add_edge(START, {to!r})" for to in graph.entry]
    if graph.choice:
        body.append("graph.add_conditional_edges(START, entry)")
    for node in graph.nodes:
        body += [f"graph.add_edge({node.name!r}, {target(to)})" for to in node.edges]
        body += [f"graph.add_conditional_edges({node.name!r}, {node.name}_route{place})" for place in range(len(node.routes))]
    body += [f"graph.add_edge({list(sources)!r}, {to!r})" for sources, to in graph.joins]
    body.append("return graph")
    yield indent("\n".join(body), "    ")


def _add(node: Node, state: State) -> str:
    """The `add_node` call."""
    details = [
        f"input_schema={node.name}_keys" if state.narrow(node) else "",
        "defer=True" if node.defer else "",
        f"retry_policy=RetryPolicy(initial_interval=0.001, jitter=False, max_attempts={node.tries})" if node.tries > 1 else "",
        "cache_policy=CachePolicy()" if node.cached else "",
        "timeout=60" if node.timeout else "",
        f"error_handler={node.name}_handler" if node.handler else "",
        metadata(node, state),
    ]
    return f"graph.add_node({', '.join([repr(node.name), action(node), *filter(None, details)])})"


def _handler(node: Node) -> Iterator[str]:
    yield f"{'async ' if node.coroutine else ''}def {node.name}_handler(state):"
    update = f"{{'log': ['{node.name} handled']}}"
    yield f"    return {update}" if node.handler == "-" else f"    return Command(update={update}, goto={target(node.handler)})"


def _router(name: str, choice: Choice, state: State, narrow: bool) -> Iterator[str]:
    yield f"def {name}(state):"
    yield from (f"    {line}" for line in state.numbered(name, choice, narrow))
    yield from indent("\n".join(options(choice, state, name, narrow)), "    ").splitlines()
    yield "    return outs"
