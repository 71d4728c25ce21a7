"""Compares stock LangGraph and alto on random graphs: `python -m alto_langgraph.testing.fuzz -n 1000`.

On a difference it shrinks the graph and prints a script that shows the difference. It also fails where too few cases ran
anything ahead, as such a run would prove nothing.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import warnings
from collections import Counter
from dataclasses import fields, replace
from typing import Annotated, Any

import typer
from rich.columns import Columns
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from alto_langgraph.testing.graph_features import features
from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Graph, Node
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.shrink import shrink
from alto_langgraph.testing.verdicts import OURS, Difference, Verdict, compare, first_difference, judge, settled, side, steady

__all__ = ["compare", "features", "first_difference", "judge", "main", "script", "settled", "short", "shrunk", "side", "steady"]

LEAST_AHEAD = 0.2
"""Smallest part of the cases with Sends that must have run something ahead."""


def shrunk(seed: int, target: str, seconds: float = 30, asking: bool = False, traced: bool = False) -> Case:
    """The smallest case found that differs as the one of this seed does."""
    ours = side(target)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return shrink(replace(draw(seed, asking), traced=traced), lambda case: settled(case, ours)[0] is not None, seconds)


def script(case: Case, target: str, difference: Difference | None) -> str:
    """A script that shows the difference, with the graph's source to read."""
    lines = [f"# {line}" for line in source(case.graph).split("\n\n\n")[-1].splitlines()]
    where, stock, ours = difference or ("", "", "")
    return "\n".join(
        [
            f'"""Differs at {where.strip()}\n\nstock: {str(stock)[:600]}\nalto:  {str(ours)[:600]}\n"""',
            "from alto_langgraph.testing.fuzz import compare, side",
            "from alto_langgraph.testing.graph_specs import Ask, Case, Choice, Graph, Key, Node, Out",
            "",
            *lines,
            "",
            f"case = {short(case)}",
            f"print(*compare(case, side({target!r}))[0] or ['equal'], sep='\\n')",
        ]
    )


def short(value: Any) -> str:
    """The repr of a described thing, without fields left at their defaults."""
    if isinstance(value, Case | Graph | Node) or hasattr(value, "__dataclass_fields__"):
        given = [f"{f.name}={short(getattr(value, f.name))}" for f in fields(value) if getattr(value, f.name) != f.default]
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(short, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def _deaf() -> None:
    """Leaves Ctrl-C, which a terminal sends to every process, to the one that reports, and says nothing itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.ERROR)


def _judged(work: tuple[int, str, bool, bool]) -> Verdict:
    seed, target, asking, traced = work
    try:
        return judge(seed, target, asking, traced)
    except Exception as error:
        return Verdict(seed, ("the comparison itself", "", f"{type(error).__name__}: {error}"))


def main(
    n: Annotated[int, typer.Option("-n", help="How many random graphs.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the first one.")] = 0,
    only: Annotated[int | None, typer.Option(help="Only this seed, shrunk and printed.")] = None,
    swap: Annotated[str, typer.Option(help="module:attribute of the class to compare with stock.")] = OURS,
    processes: Annotated[int, typer.Option(help="Processes at work.")] = 2,
    most: Annotated[int, typer.Option(help="Stop after this many differences.")] = 5,
    shrinking: Annotated[float, typer.Option(help="Seconds spent on making a difference small.")] = 30,
    asks: Annotated[bool, typer.Option("--asks", help="Only graphs with nodes that ask a streaming model.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Trace alto's runs, and look whether their traces are well-formed.")] = False,
) -> None:
    """Compares stock LangGraph and alto on random graphs."""
    logging.disable(logging.ERROR)  # what fails on threads, LangGraph logs
    console = Console()
    seeds = [only] if only is not None else list(range(seed, seed + n))
    verdicts: list[Verdict] = []
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[ahead]} ran ahead"))
    context = multiprocessing.get_context("spawn")
    with Progress(*columns, console=console) as progress, context.Pool(min(processes, len(seeds)), _deaf, maxtasksperchild=2000) as pool:
        task = progress.add_task("random graphs", total=len(seeds), ahead=0)
        ahead = differing = 0
        # What was judged is reported even where somebody stops the run.
        with contextlib.suppress(KeyboardInterrupt):
            for verdict in pool.imap_unordered(_judged, [(s, swap, asks, trace) for s in seeds], chunksize=1 if len(seeds) < 100 else 20):
                verdicts.append(verdict)
                ahead += verdict.ahead > 0
                progress.update(task, advance=1, ahead=ahead)
                if verdict.difference:
                    differing += 1
                    console.print(f"seed {verdict.seed} differs at {verdict.difference[0].strip()}", markup=False, highlight=False)
                if differing >= most:
                    break
        pool.terminate()
    raise typer.Exit(_report(console, verdicts, swap, shrinking, asks, trace, judged_one=only is not None))


def _report(console: Console, verdicts: list[Verdict], swap: str, shrinking: float, asks: bool, trace: bool, judged_one: bool) -> int:
    for verdict in (v for v in verdicts if v.difference):
        case = shrunk(verdict.seed, swap, shrinking, asks, trace)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            difference = settled(case, side(swap))[0] or verdict.difference
        console.rule(f"seed {verdict.seed}")
        console.print(script(case, swap, difference), markup=False, highlight=False, soft_wrap=True)
    for verdict in (v for v in verdicts if v.hung):
        console.print(f"seed {verdict.seed} hung once, and not when played again, at {verdict.hung}", markup=False, highlight=False)
    _print_coverage(console, verdicts)
    sending = [v for v in verdicts if "no sends" not in v.features]
    if any(v.difference for v in verdicts):
        return 1
    least = LEAST_AHEAD / 2 if asks else LEAST_AHEAD  # many an answer has no parts, or one
    if not judged_one and sum(v.ahead > 0 for v in sending) < least * len(sending):
        console.print(f"Fewer than {least:.0%} of the graphs with Sends ran anything ahead: this proves nothing about running ahead.")
        return 1
    return 0


def _print_coverage(console: Console, verdicts: list[Verdict]) -> None:
    """How often each feature was there, how often something ran ahead then, and how often stock was unsteady."""
    names = sorted({name for verdict in verdicts for name in verdict.features})
    rows = [("all", verdicts), *((name, [v for v in verdicts if name in v.features]) for name in names)]
    height = -(-len(rows) // 3)
    tables = []
    for place in range(0, len(rows), height):
        table = Table("feature", "graphs", "ahead", "unsteady", box=None, header_style="bold")
        for name, those in rows[place : place + height]:
            table.add_row(name, str(len(those)), str(sum(v.ahead > 0 for v in those)), str(sum(v.unsteady for v in those) or ""))
        tables.append(table)
    console.print(Columns(tables))
    ahead, audited = [v for v in verdicts if v.ahead], Counter(v.audited for v in verdicts)
    console.print(
        f"{len(verdicts)} graphs: {sum(v.difference is not None for v in verdicts)} differ. "
        f"{len(ahead)} ({len(ahead) / len(verdicts):.0%}) ran something ahead ({sum(v.ahead for v in ahead)} tasks), "
        f"{sum('no sends' in v.features for v in ahead)} of them without Sends. "
        f"{sum(v.unsteady for v in verdicts)} say nothing, as they differ only where stock's own answer depends on nodes' times; "
        f"of {audited[True] + audited[False]} played twice by stock whatever came out, {audited[False]} were unsteady."
    )


if __name__ == "__main__":
    for ending in (signal.SIGINT, signal.SIGTERM):  # shells have what they start in the background ignore the first
        signal.signal(ending, signal.default_int_handler)
    typer.run(main)
