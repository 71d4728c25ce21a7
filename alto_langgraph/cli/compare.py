"""`alto compare`: stock LangGraph and alto in turn on one graph and one input; equal first, then how fast."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from alto_langgraph.cli.console import Console
from alto_langgraph.cli.target import load_json, load_target
from alto_langgraph.comparison import MODES, Comparison, compare
from alto_langgraph.comparison.inputs import check_input
from alto_langgraph.comparison.sides import sides
from alto_langgraph.exceptions import TargetError

DIFFERENT = 1
"""Exit code for sides that differ."""

StreamMode = StrEnum("StreamMode", {mode: mode for mode in MODES})  # type: ignore[misc]  # mypy wants its members spelled out


def command(
    target: Annotated[str, typer.Argument(help="`module:attribute` or `file.py:attribute`: a graph, compiled or not, or what makes one.")],
    given: Annotated[str, typer.Option("--input", help="JSON file with the graph's input; - reads standard input.")],
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each side.")] = 5,
    config: Annotated[str | None, typer.Option(help="JSON file with the run config.")] = None,
    stream_mode: Annotated[list[StreamMode] | None, typer.Option(help="What the proof looks at. [default: all]")] = None,
    slots: Annotated[int | None, typer.Option(min=1, help="Tasks that the model server takes at a time. [default: any number]")] = None,
    sync: Annotated[bool, typer.Option("--sync/--async", help="Use invoke and threads, or ainvoke.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a report with both timelines.")] = None,
) -> None:
    """Prove that stock LangGraph and alto answer the same, and measure both."""
    graph, value = load_target(target), load_json(given)
    settings = _settings(config)
    check_input(sides(graph).stock.fresh(), value)
    if html is not None:
        _writable(html)
    modes = [str(mode) for mode in stream_mode or MODES]
    with _progress() as progress:
        bar = progress.add_task("", total=None)
        found = compare(
            graph,
            value,
            runs=runs,
            config=settings,
            stream_mode=modes,
            sync=sync,
            slots=slots,
            progress=lambda what, done, total: progress.update(bar, description=what, completed=done, total=total),
        )
    _show(found, as_json, html)


def _settings(path: str | None) -> dict[str, Any]:
    settings = load_json(path) if path else {}
    if not isinstance(settings, dict):
        raise TargetError(f"`{path}` doesn't hold a run config.", hint='Write an object, such as {"recursion_limit": 50}.')
    return settings


def _writable(html: Path) -> None:
    """Makes sure of the report's place before time is spent."""
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.open("a").close()
    except OSError as error:
        raise TargetError(f"The report can't be written to `{html}`: {error.strerror}.") from error


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(found: Comparison, as_json: bool, html: Path | None) -> None:
    if html is not None:
        found.to_html(html)
    if found.equal and found.observation.error is not None:
        _give_up(found)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        console = Console()
        console.print(found)
        if html is not None:
            console.print(f"The report is in {html}.", soft_wrap=True, markup=False, highlight=False)
    if not found.equal:
        raise typer.Exit(DIFFERENT)


def _give_up(found: Comparison) -> None:
    """The app fails under stock too: there is nothing to measure.

    Raises:
        TargetError: always; says how the app failed, and in which node.
    """
    error = found.observation.error
    assert error is not None
    notes = " ".join(str(note) for note in error.parts["notes"])
    node = re.search(r"task with name '([^']*)'", notes)
    told = f"{error.kind}: {error.parts['text']}".splitlines()[0].rstrip(".")
    hint = "Leave out --sync." if "No synchronous function" in told else "Does the input fit the app?"
    raise TargetError(f"The app itself fails on this input, under stock LangGraph too: {told}.", node=node[1] if node else None, hint=hint)
