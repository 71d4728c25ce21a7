"""Benchmarks of alto beside stock LangGraph; without a command, names and options go to `run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from benchmarks import suite
from benchmarks.catalog import catalog, chosen, left_out
from benchmarks.graphs import GraphBenchmark
from benchmarks.profiling import profile as print_profile
from benchmarks.tables import missed, table

HERE = Path(__file__).parent
RESULTS, NULL = HERE / "results.json", HERE / "null.json"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(width=None if sys.stdout.isatty() else 190)


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Names, groups or patterns; all when left out.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer sizes and rounds.")] = False,
    json_to: Annotated[Path | None, typer.Option("--json", help="File to keep every sample in.")] = None,
    null: Annotated[bool, typer.Option(help="Stock on both sides: shows the noise.")] = False,
    check: Annotated[bool, typer.Option(help="Exit with 1 when a target is missed.")] = False,
) -> None:
    """Runs benchmarks, both sides in turn."""
    results = {"left_out": left_out(), **suite.run(_chosen(names or [], quick), quick, "null" if null else "alto", console)}
    if json_to:
        json_to.write_text(suite.to_json(results))
    console.print(table(results["benchmarks"]))
    _say_left_out()
    if check and missed(results["benchmarks"]):
        raise typer.Exit(1)


@app.command()
def profile(
    name: str,
    side: Annotated[str, typer.Option(help="Lane: stock, alto, ...")] = "alto",
    runs: Annotated[int, typer.Option(help="Runs profiled.")] = 3,
    sort: Annotated[str, typer.Option(help="Order: tottime, cumtime, ncalls.")] = "tottime",
    out: Annotated[Path | None, typer.Option(help="File for a profile viewer.")] = None,
    gc: Annotated[bool, typer.Option(help="Garbage collector on.")] = True,
) -> None:
    """Prints where one side of a benchmark spends its time."""
    benchmark = _chosen([name], False)[0]
    if not isinstance(benchmark, GraphBenchmark):
        _refuse(f"{name} doesn't run a graph in this process; there is nothing to profile.")
    try:
        print_profile(benchmark, side, runs, sort, out, gc)
    except LookupError as error:
        _refuse(error.args[0])


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="What a run kept with --json.")] = RESULTS,
    null: Annotated[Path, typer.Option(help="The same of a --null run, for the noise; left out where there is none.")] = NULL,
    out: Annotated[Path, typer.Option(help="Markdown file; pictures go beside it.")] = HERE / "RESULTS.md",
) -> None:
    """Writes RESULTS.md from what runs kept."""
    if not results.exists():
        _refuse(f"{results} isn't there; `python -m benchmarks --json {results}` makes it.")
    from benchmarks.report import write  # matplotlib would weigh on the garbage collector in a run

    write(results, null if null.exists() else None, out)


@app.command()
def merge(
    newer: Annotated[list[Path], typer.Argument(help="What runs of some benchmarks kept with --json.")],
    results: Annotated[Path, typer.Option(help="Where their samples go, in the place of older ones.")] = RESULTS,
) -> None:
    """Takes newer samples of some benchmarks into what a whole run kept."""
    if lacking := [path for path in (results, *newer) if not path.exists()]:
        _refuse(f"{lacking[0]} isn't there; `python -m benchmarks --json {lacking[0]}` makes it.")
    kept = json.loads(results.read_text())
    for path in newer:
        kept = suite.merged(kept, json.loads(path.read_text()))
    results.write_text(suite.to_json(kept))


@app.command("list")
def list_all() -> None:
    """Lists the benchmarks."""
    for benchmark in catalog():
        console.print(f"[bold]{benchmark.name}[/]  {benchmark.what}")
    _say_left_out()


def _say_left_out() -> None:
    for name, lack in left_out().items():
        console.print(f"[dim]{name} is left out: {lack}.[/]")


def _chosen(names: list[str], quick: bool) -> list[Any]:
    try:
        return chosen(names, quick)
    except LookupError as error:
        _refuse(error.args[0])


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def main(arguments: list[str]) -> None:
    """`run` is what is meant when no command is named."""
    named = arguments and (arguments[0] in {"run", "report", "merge", "profile", "list", "--help"})
    app(arguments if named else ["run", *arguments], prog_name="python -m benchmarks")


if __name__ == "__main__":
    main(sys.argv[1:])
