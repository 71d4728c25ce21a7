"""`alto explain`: says what may run ahead in a graph, and what may not and why."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from alto_langgraph.cli.target import load_target
from alto_langgraph.exceptions import TargetError


def command(
    target: Annotated[
        str, typer.Argument(help="The compiled graph, or its builder: `package.module:attribute` or `path/file.py:attribute`.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
) -> None:
    """Say for each node and edge of a graph whether it may run ahead, and if not, why."""
    from alto_langgraph.adapters.langgraph.lowering import lower
    from alto_langgraph.plan.explain import explain

    graph = _graph(target)
    explanation = explain(lower(graph), getattr(graph, "alto_options", None))
    if as_json:
        typer.echo(json.dumps(explanation.to_dict(), indent=2))
    elif as_mermaid:
        typer.echo(explanation.mermaid(), nl=False)
    else:
        from alto_langgraph.cli.console import Console

        Console().print(explanation)


def _graph(target: str) -> Any:
    from langgraph.graph import StateGraph
    from langgraph.pregel import Pregel

    found = load_target(target)
    if isinstance(found, StateGraph):
        found = found.compile()
    elif not isinstance(found, Pregel) and callable(found):
        found = _made_by(found, target)
    if not isinstance(found, Pregel):
        raise TargetError(
            f"`{target}` is no LangGraph graph but a value of type {type(found).__name__}.", hint="Name a compiled graph or a StateGraph."
        )
    return found


def _made_by(factory: Any, target: str) -> Any:
    """What a function without arguments returns, as LangGraph's own server takes graphs."""
    from langgraph.graph import StateGraph

    try:
        made = factory()
    except TypeError as error:
        raise TargetError(f"`{target}` can't be called without arguments: {error}.", hint="Name the graph itself.") from error
    return made.compile() if isinstance(made, StateGraph) else made
