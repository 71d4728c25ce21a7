"""Writes a described graph as the Python source of an ordinary LangGraph app, so that it reads, and is analysed, like a user's."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out

HEAD = """\
import operator
import zlib
from typing import Annotated

from langgraph.graph import END, START
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

from alto_langgraph.testing.pause import apause, pause


def number(*parts):
    return zlib.crc32(repr(parts).encode())


def fold(old, new):
    return (old * 31 + new) % 1_000_003


class State(TypedDict, total=False):
    seed: int
    last: int
    box: list
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]
    mix: Annotated[int, fold]
    turn: Annotated[int, operator.add]


class Boom(ValueError):
    pass


"""

WRITES = {"log": "[f'{name}:{{n % 97}}']", "total": "n % 5", "mix": "n % 89", "last": "n % 83", "turn": "1", "box": "[n % 79]"}


def source(graph: Graph) -> str:
    """The module that defines `build(StateGraph, Stock)`, which returns the graph, not yet compiled."""
    return HEAD + "\n".join(_builder(graph, "build"))


def _builder(graph: Graph, name: str) -> Iterator[str]:
    """A function `name(StateGraph, Stock)`; one for each subgraph inside it."""
    yield f"def {name}(StateGraph, Stock):"
    body: list[str] = ["shared = []"] if any(node.shared for node in graph.nodes) else []
    for node in graph.nodes:
        if node.child:
            body += _builder(node.child, f"{node.name}_graph")
            maker = "Stock" if node.stock else "StateGraph"
            body.append(f"{node.name}_child = {node.name}_graph({maker}, Stock).compile(checkpointer={node.child.checkpointer})")
        if not node.child or node.called:
            body += _function(node)
        if node.handler:
            body += _handler(node)
        for place, choice in enumerate(node.routes):
            body += _router(f"{node.name}_route{place}", choice)
    if graph.choice:
        body += _router("entry", graph.choice)
    body.append("graph = StateGraph(State)")
    for node in graph.nodes:
        body.append(_add(node))
    body += [f"graph.add_edge(START, {to!r})" for to in graph.entry]
    if graph.choice:
        body.append("graph.add_conditional_edges(START, entry)")
    for node in graph.nodes:
        body += [f"graph.add_edge({node.name!r}, {_target(to)})" for to in node.edges]
        body += [f"graph.add_conditional_edges({node.name!r}, {node.name}_route{place})" for place in range(len(node.routes))]
    body += [f"graph.add_edge({list(sources)!r}, {to!r})" for sources, to in graph.joins]
    body.append("return graph")
    yield indent("\n".join(body), "    ")


def _add(node: Node) -> str:
    """The `add_node` call."""
    action = f"{node.name}_child" if node.child and not node.called else node.name
    options = [
        "defer=True" if node.defer else "",
        f"retry_policy=RetryPolicy(initial_interval=0.001, jitter=False, max_attempts={node.tries})" if node.tries > 1 else "",
        "cache_policy=CachePolicy()" if node.cached else "",
        "timeout=60" if node.timeout else "",
        f"error_handler={node.name}_handler" if node.handler else "",
    ]
    return f"graph.add_node({', '.join([repr(node.name), action, *filter(None, options)])})"


def _function(node: Node) -> Iterator[str]:
    """The node's function."""
    runtime = bool(node.store or node.says or node.tries > 1)
    yield f"{'async ' if node.coroutine else ''}def {node.name}({'state, runtime: Runtime' if runtime else 'state'}):"
    yield f"    n = number({_reads(node.name, node.reads)})"
    if node.pause:
        yield f"    {'await apause' if node.coroutine else 'pause'}(n % {node.pause + 1})"
    if node.error:
        retried = f" and runtime.execution_info.node_attempt < {node.tries}" if node.tries > 1 else ""
        yield f"    if n % {node.error} == 0{retried}:"
        yield f"        raise Boom('{node.name} failed')" if node.tries == 1 else f"        raise ConnectionError('{node.name} failed')"
    if node.asks:
        yield f"    if n % {node.asks} == 0:"
        yield f"        n = number(n, interrupt(f'{node.name} asks {{n % 97}}'))"
    if node.says:
        yield f"    runtime.stream_writer(f'{node.name} says {{n % 97}}')"
    yield from _shared_objects(node)
    if node.child and node.called:
        call = f"await {node.name}_child.ainvoke" if node.coroutine else f"{node.name}_child.invoke"
        yield f"    inner = {call}({{'seed': n % 101, 'box': []}})"
        yield "    n = number(n, inner.get('log'))"
    yield from indent("\n".join(_result(node)), "    ").splitlines()


def _shared_objects(node: Node) -> Iterator[str]:
    """What the node does to objects that others hold too."""
    if node.store == "change":
        yield f"    runtime.store.put(('notes',), f'{node.name}:{{n}}', {{'n': n}})"
    if node.store == "read":
        yield "    n = number(n, sorted(item.key for item in runtime.store.search(('notes',), limit=10_000)))"
    if node.shared == "change":
        yield "    shared.append(n % 97)"
    if node.shared == "read":
        yield "    n = number(n, sorted(shared))"
    if node.box == "change":
        yield "    state['box'].append(n % 97) if 'box' in state else None"
    if node.box == "read":
        yield "    n = number(n, sorted(state.get('box', [])))"


def _result(node: Node) -> Iterator[str]:
    """The statements that return."""
    update = _update(node.name, node.writes)
    if node.parent:
        yield f"return Command(graph=Command.PARENT, update={update}, goto={node.parent!r})"
    elif node.command:
        yield from _outs(node.command)
        yield f"return Command(update={update}, goto=outs)"
    else:
        yield f"return {update}"


def _update(name: str, writes: tuple[str, ...]) -> str:
    return "{" + ", ".join(f"{key!r}: {WRITES[key].format(name=name)}" for key in writes) + "}"


def _handler(node: Node) -> Iterator[str]:
    yield f"{'async ' if node.coroutine else ''}def {node.name}_handler(state):"
    update = f"{{'log': ['{node.name} handled']}}"
    yield f"    return {update}" if node.handler == "-" else f"    return Command(update={update}, goto={_target(node.handler)})"


def _router(name: str, choice: Choice) -> Iterator[str]:
    yield f"def {name}(state):"
    yield f"    n = number({_reads(name, choice.reads)})"
    yield from indent("\n".join(_outs(choice)), "    ").splitlines()
    yield "    return outs"


def _outs(choice: Choice) -> Iterator[str]:
    """Statements that leave in `outs` where to go."""
    if len(choice.options) == 1:
        yield from _option(choice.options[0])
        return
    for place, option in enumerate(choice.options):
        yield f"{'el' if place else ''}if n % {len(choice.options)} == {place}:" if place + 1 < len(choice.options) else "else:"
        yield from indent("\n".join(_option(option)), "    ").splitlines()


def _option(option: tuple[Out, ...]) -> Iterator[str]:
    plain = [_target(out.to) for out in option if out.spread is None and not out.turns]
    yield f"outs = [{', '.join(plain)}]"
    for out in option:
        if out.turns:
            yield f"if state.get('turn', {out.turns}) < {out.turns}:"
            yield f"    outs.append({_target(out.to)})"
        elif out.spread is not None:
            box = ", 'box': box" if out.box else ""
            if out.box:
                yield "box = state.get('box', [])"
            count = f"{out.least} + n % {out.spread + 1}" if out.spread else f"{out.least}"
            yield f"outs += [Send({out.to!r}, {{'seed': n % 1009 + i{box}}}) for i in range({count})]"


def _target(name: str) -> str:
    return "END" if name == "END" else repr(name)


def _reads(name: str, reads: tuple[str, ...]) -> str:
    return ", ".join([repr(name), *(f"state.get({key!r})" for key in reads)])
