"""Compares stock LangGraph and alto on random graphs: `python -m alto_langgraph.testing.fuzz -n 1000`.

On a difference it shrinks the graph and prints a script that shows the difference. It also fails where too few cases ran
anything ahead, as such a run would prove nothing.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Annotated, Any

import typer
from langgraph.graph.state import StateGraph as Stock
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from alto_langgraph.testing.graph_runs import Played, play
from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Graph, Node
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.shrink import shrink

OURS = "alto_langgraph.graph:StateGraph"
LEAST_AHEAD = 0.2
"""Smallest part of the cases that must have run something ahead."""
SLOWEST = 10
"""Seconds after which a case counts as hanging."""
PACES = (lambda ms: 7 - ms, lambda ms: 0.0, lambda ms: ms * 3 % 7)
"""Other times for nodes: where stock's answer changes with them, the case says nothing."""

ON_THREADS = 60
"""Times that stock is played again on threads, where what depends on who comes first shows only now and then."""

Difference = tuple[str, Any, Any]


class HangError(Exception):
    """A case took longer than any should."""


@dataclass(frozen=True)
class Verdict:
    """What comparing one case came to: where it differs, if it does, and what ran ahead."""

    seed: int
    difference: Difference | None = None
    unsteady: bool = False
    ahead: int = 0
    features: tuple[str, ...] = field(default=())


def side(target: str) -> Any:
    """The class that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def first_difference(stock: Any, ours: Any, where: str = "") -> Difference | None:
    """Where the two first differ, and what is there on each side; None if they are equal."""
    if stock == ours:
        return None
    if isinstance(stock, dict) and isinstance(ours, dict):
        for key in [*stock, *ours]:
            if key not in stock or key not in ours or stock[key] != ours[key]:
                return first_difference(stock.get(key, "(nothing)"), ours.get(key, "(nothing)"), f"{where} > {key}")
    if isinstance(stock, list | tuple) and isinstance(ours, list | tuple) and type(stock) is type(ours):
        for place, (mine, theirs) in enumerate(zip(stock, ours, strict=False)):
            if mine != theirs:
                return first_difference(mine, theirs, f"{where}[{place}]")
        return f"{where}, after {min(len(stock), len(ours))} equal items", stock[len(ours) :], ours[len(stock) :]
    return where, stock, ours


def compare(case: Case, ours: Any) -> tuple[Difference | None, Played | None]:
    """Runs both sides. The difference includes what alto alone may do wrong: hang, leave tasks running, exceed a limit."""
    with _alarm():
        stock = play(case, Stock)
    try:
        with _alarm():
            mine = play(case, ours)
    except HangError:
        return ("alto hangs", "ends", f"runs after {SLOWEST} s"), None
    if difference := first_difference(stock.shown, mine.shown):
        return difference, mine
    if len(mine.left_running) > len(stock.left_running):
        return ("left running", stock.left_running, mine.left_running), mine
    plain_nodes = not any(node.child for node in case.graph.nodes)
    if case.concurrency and plain_nodes and mine.gauge.most > case.concurrency:
        return ("nodes at a time", case.concurrency, mine.gauge.most), mine
    return None, mine


def steady(case: Case) -> bool:
    """Whether stock shows the same whatever time nodes take."""
    first = _stock_shows(case)
    again = (float,) * (2 if case.coroutine else ON_THREADS)
    return all(_stock_shows(case, pace) == first for pace in (*PACES, *again))


def _stock_shows(case: Case, pace: Callable[[float], float] = float) -> Any:
    with _alarm():
        return play(case, Stock, pace).shown


@contextmanager
def _alarm() -> Iterator[None]:
    def hang(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SLOWEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(seed: int, target: str = OURS) -> Verdict:
    """Compares the case of this seed."""
    case = draw(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            difference, mine = compare(case, side(target))
            unsteady = difference is not None and not steady(case)
        except HangError:  # a graph that is too large for stock says nothing
            return Verdict(seed, unsteady=True, features=tuple(features(case)))
    return Verdict(seed, None if unsteady else difference, unsteady, sum(mine.ahead.values()) if mine else 0, tuple(features(case)))


def features(case: Case) -> Iterator[str]:
    """Words for what the case has in it."""
    yield "async" if case.coroutine else "sync"
    yield f"saver {case.saver}"
    if case.saver != "none":
        yield f"durability {case.durability}"
    yield from sorted({f"turn {kind}" for kind in case.turns[1:]})
    yield from (f.name for f in fields(Case) if f.name in ("concurrency", "before", "after", "window") and getattr(case, f.name))
    if case.limit < 25:
        yield "recursion limit"
    if case.graph.joins:
        yield "join"
    yield from sorted({word for node in case.graph.all_nodes() for word in _node_features(node)})


def _node_features(node: Node) -> Iterator[str]:
    yield from (
        name
        for name in ("defer", "error", "handler", "asks", "cached", "timeout", "says", "store", "shared", "box", "parent", "stock", "child")
        if getattr(node, name)
    )
    if node.tries > 1:
        yield "retry"
    kind = "command" if node.command else "route"
    for out in (out for choice in node.choices for option in choice.options for out in option):
        yield f"send by {kind}" if out.spread is not None else "loop" if out.turns else f"{kind} to node"


def shrunk(seed: int, target: str, seconds: float = 30) -> Case:
    """The smallest case found that differs as the one of this seed does."""
    ours = side(target)

    def differs(case: Case) -> bool:
        return compare(case, ours)[0] is not None and steady(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return shrink(draw(seed), differs, seconds)


def script(case: Case, target: str, difference: Difference | None) -> str:
    """A script that shows the difference, with the graph's source to read."""
    lines = [f"# {line}" for line in source(case.graph).split("\n\n\n")[-1].splitlines()]
    where, stock, ours = difference or ("", "", "")
    return "\n".join(
        [
            f'"""Differs at {where.strip()}\n\nstock: {str(stock)[:600]}\nalto:  {str(ours)[:600]}\n"""',
            "from alto_langgraph.testing.fuzz import compare, side",
            "from alto_langgraph.testing.graph_specs import Case, Choice, Graph, Node, Out",
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


def _judged(work: tuple[int, str]) -> Verdict:
    seed, target = work
    try:
        return judge(seed, target)
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
) -> None:
    """Compares stock LangGraph and alto on random graphs."""
    logging.disable(logging.WARNING)
    console = Console()
    seeds = [only] if only is not None else list(range(seed, seed + n))
    verdicts: list[Verdict] = []
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[ahead]} ran ahead"))
    context = multiprocessing.get_context("spawn")
    with Progress(*columns, console=console) as progress, context.Pool(min(processes, len(seeds)), maxtasksperchild=2000) as pool:
        task = progress.add_task("random graphs", total=len(seeds), ahead=0)
        for verdict in pool.imap_unordered(_judged, [(s, swap) for s in seeds], chunksize=1 if len(seeds) < 100 else 20):
            verdicts.append(verdict)
            progress.update(task, advance=1, ahead=sum(v.ahead > 0 for v in verdicts))
            if sum(v.difference is not None for v in verdicts) >= most:
                pool.terminate()
                break
    raise typer.Exit(_report(console, verdicts, swap, shrinking, judged_one=only is not None))


def _report(console: Console, verdicts: list[Verdict], swap: str, shrinking: float, judged_one: bool) -> int:
    for verdict in (v for v in verdicts if v.difference):
        case = shrunk(verdict.seed, swap, shrinking)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            difference = compare(case, side(swap))[0] or verdict.difference
        console.rule(f"seed {verdict.seed}")
        console.print(script(case, swap, difference), markup=False, highlight=False, soft_wrap=True)
    different, unsteady = sum(v.difference is not None for v in verdicts), sum(v.unsteady for v in verdicts)
    ahead = [v for v in verdicts if v.ahead]
    console.print(
        f"{len(verdicts)} graphs: {different} differ, {len(ahead)} ({len(ahead) / len(verdicts):.0%}) ran something ahead "
        f"({sum(v.ahead for v in ahead)} tasks), {unsteady} say nothing as stock's own answer depends on nodes' times."
    )
    counts = Counter(feature for verdict in ahead for feature in verdict.features)
    every = Counter(feature for verdict in verdicts for feature in verdict.features)
    console.print("Ran ahead, of all with the feature: " + ", ".join(f"{name} {counts[name]}/{every[name]}" for name in sorted(every)))
    if different:
        return 1
    if not judged_one and len(ahead) < LEAST_AHEAD * len(verdicts):
        console.print(f"Fewer than {LEAST_AHEAD:.0%} of the graphs ran anything ahead: this proves nothing about running ahead.")
        return 1
    return 0


if __name__ == "__main__":
    typer.run(main)
