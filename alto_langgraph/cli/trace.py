"""`alto trace`: looks at recorded traces without a server."""

from __future__ import annotations

import gc
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from alto_langgraph.cli.console import Console
from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces.advice import advise
from alto_langgraph.traces.chain import critical_chain
from alto_langgraph.traces.exporting import FORMATS
from alto_langgraph.traces.folder import FOLDER, LATEST, find, load
from alto_langgraph.traces.model import Run, Trace
from alto_langgraph.traces.page import write_page
from alto_langgraph.traces.terminal import chain_dict, chain_table, clean, findings_text, seconds, summary, timeline, trace_list

group = typer.Typer(no_args_is_help=True)


Which = Annotated[str, typer.Argument(help="A trace's id (its beginning), a thread id, a file (`file.jsonl:id`), or `latest`.")]
Folder = Annotated[Path, typer.Option("--in", help="Where the traces are: a folder or a file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Format = StrEnum("Format", {name: name for name in FORMATS})  # type: ignore[misc]  # mypy wants its members spelled out
JAEGER = Format("jaeger")


@group.callback()
def without_collector(context: typer.Context) -> None:
    """Look at recorded traces: what ran when, and where the time went."""
    # A large trace is a million small objects that all stay until the command ends: looking for garbage takes more time than the rest.
    if gc.isenabled():
        gc.disable()
        context.call_on_close(gc.enable)


@group.command("list")
def list_traces(
    where: Annotated[Path, typer.Argument(help="A folder or a file.")] = FOLDER,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was recorded, the latest first."""
    found = load(where)
    if as_json:
        typer.echo(json.dumps([summary(trace) for trace in found[:limit]], indent=2))
        return
    console = Console()
    console.print(trace_list(found[:limit]))
    if len(found) > limit:
        console.print(f"and {len(found) - limit} more (--limit)", style="dim")


@group.command()
def show(
    which: Which = LATEST,
    where: Folder = FOLDER,
    html: Annotated[Path | None, typer.Option(help="Write a page with lanes, zoom and search instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Fragments that are shown.")] = 200,
) -> None:
    """Show one trace as a tree and a timeline."""
    trace = find(which, where)
    console = Console()
    if html is not None:
        write_page(trace, html, advise(_main(trace)).lines())
        console.print(f"The page is in {html}.", soft_wrap=True, markup=False, highlight=False)
        return
    run = _main(trace)
    chain = critical_chain(run)
    console.print(_headline(trace, run))
    console.print(timeline(run, (step.fragment for step in chain.steps), console.width, limit))
    console.print("█ in order, ▓ ahead, ▒ speculative, ░ thrown away, ·◆ waits and is committed; bold is the critical path", style="dim")


@group.command("critical-path")
def critical_path(which: Which = LATEST, where: Folder = FOLDER, as_json: AsJson = False) -> None:
    """Show the chain of fragments and waits that the run's time consists of."""
    trace = find(which, where)
    run = _main(trace)
    chain = critical_chain(run)
    if as_json:
        typer.echo(json.dumps({**summary(trace), "rest": chain.rest, "steps": chain_dict(chain.steps)}, indent=2))
        return
    console = Console()
    console.print(_headline(trace, run))
    console.print(chain_table(chain))
    console.print(f"{seconds(chain.rest)} from the last one's end to the run's")


@group.command("advise")
def say_what_would_help(
    which: Which = LATEST,
    where: Folder = FOLDER,
    most: Annotated[int, typer.Option(min=1, help="Changes that are named, each on top of the one before.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Say where the time went, what limited it, and what would help most."""
    trace = find(which, where)
    run = _main(trace)
    found = advise(run, most)
    if as_json:
        typer.echo(json.dumps({"id": trace.id, **found.to_dict()}, indent=2))
        return
    console = Console()
    console.print(_headline(trace, run))
    console.print(findings_text(found))


@group.command()
def export(
    which: Which = LATEST,
    where: Folder = FOLDER,
    to: Annotated[Format, typer.Option(help="Jaeger's JSON (for its upload tab), OTLP JSON, or Chrome's (for Perfetto).")] = JAEGER,
    out: Annotated[Path | None, typer.Option(help="A file. [default: standard output]")] = None,
) -> None:
    """Write one trace in a format that other viewers open."""
    text = json.dumps(FORMATS[str(to)](find(which, where)))
    if out is None:
        typer.echo(text)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TraceError(f"The trace can't be written to `{out}`: {error.strerror}.") from error


def _main(trace: Trace) -> Run:
    if trace.main is None:
        raise TraceError(f"Trace {trace.id} has no run of alto's.", hint="`alto trace export` turns it into other formats.")
    return trace.main


def _headline(trace: Trace, run: Run) -> Text:
    told = summary(trace)
    counts = f"{told['fragments']} fragments, {told['ahead']} ahead, {told['lost']} lost"
    words = f"{told['graph']}: {seconds(run.seconds)}, {run.outcome}, {counts}"
    return Text.assemble((clean(words), "bold"), f"  {trace.id[:8]}")
