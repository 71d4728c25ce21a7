"""Judges one random graph: what differs between stock LangGraph and alto, and whether stock itself is steady there."""

from __future__ import annotations

import random
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from traceback import extract_stack
from typing import Any

from langgraph.constants import START
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.testing.graph_features import features
from alto_langgraph.testing.graph_runs import Played, Turn, play
from alto_langgraph.testing.graph_specs import Case, Graph, Node
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.traces import counted, faults

OURS = "alto_langgraph.graph:StateGraph"
SLOWEST = 30
"""Seconds after which a case counts as hanging."""
PACES = (lambda ms: 7 - ms if ms < 7 else 0.0, lambda ms: 0.0, lambda ms: ms * 3 % 7)
"""Other times for nodes: where stock's answer changes with them, the case says nothing."""

DRAWN = 15
"""Times that stock is played again with a time drawn for each pause, so that of like tasks now one is the first, now another."""

ON_A_LOOP = 30
"""Times that stock is played again on an event loop, where it may be chance which of two errors comes first."""

ON_THREADS = 60
"""Times that stock is played again on threads, where what depends on who comes first shows only now and then."""

AUDITED = 10
"""Of so many cases, stock is played at another pace for one, whatever came out: to know how many are unsteady."""

TIMES = "times that nodes ran"
LEFT = "left running"

Difference = tuple[str, Any, Any]


class HangError(Exception):
    """A case took longer than any should."""


@dataclass(frozen=True)
class Verdict:
    """What comparing one case came to: where it differs, if it does, and what ran ahead.

    Args:
        seed: Of the case.
        difference: Where both sides differ, though stock is steady there.
        unsteady: Whether they differ only where stock's own answer depends on chance; or the case is too large for stock.
        ahead: How many tasks ran ahead.
        features: What the case has in it.
        audited: Whether stock, played at another pace, showed the same; None if it wasn't.
        hung: Where alto hung, if it did once and not a second time.
    """

    seed: int
    difference: Difference | None = None
    unsteady: bool = False
    ahead: int = 0
    features: tuple[str, ...] = field(default=())
    audited: bool | None = None
    hung: str = ""


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
    _, mine, difference = _compared(case, ours)
    return difference, mine


def _compared(case: Case, ours: Any) -> tuple[Played, Played | None, Difference | None]:
    with _alarm():
        stock = play(case, Stock)
    try:
        with _alarm():
            mine = play(case, ours)
    except HangError as error:
        hung = str(error)
        try:
            with _alarm():
                mine = play(case, ours)
            mine.hung = hung
        except HangError as error:
            return stock, None, ("alto hangs", "ends", f"runs after {SLOWEST} s, at {error}")
    return stock, mine, first_difference(stock.shown, mine.shown) or _misbehaved(case, stock, mine) or _mistraced(case, mine)


def _mistraced(case: Case, mine: Played) -> Difference | None:
    """What is wrong with the traces of a case that is traced, although it shows the same as stock."""
    if wrong := faults(mine.spans):
        return "traces", [], wrong
    turn = mine.turns[0]
    apart = any(node.stock for node in case.graph.all_nodes())
    if not case.traced or "tasks" not in case.modes or apart or turn.kind == "batch" or turn.error or turn.cut_off:
        return None
    told = Counter(
        ("/".join(part.partition(":")[0] for part in event.namespace), event.data["name"])
        for event in turn.arrived
        if event.mode == "tasks" and "result" in event.data and not (event.data["interrupts"] or event.data["error"])
    )
    first = next((span.context.trace_id for span in mine.spans), None)
    found = counted((span for span in mine.spans if span.context.trace_id == first), ("committed",))
    found = Counter({key: count for key, count in found.items() if key[1] != START and (case.subgraphs or not key[0])})
    return first_difference(dict(told), dict(found), "fragments that count")


def _misbehaved(case: Case, stock: Played, mine: Played) -> Difference | None:
    """What alto did wrong although it shows the same as stock."""
    if len(mine.left_running) > len(stock.left_running):
        return LEFT, stock.left_running, mine.left_running
    nodes = [*case.graph.all_nodes()]
    alone = not any(node.child for node in nodes) and "batch" not in case.turns
    if case.concurrency and alone and mine.gauge.most > case.concurrency and not _overlap(case, mine):
        return "nodes at a time", case.concurrency, mine.gauge.most
    if len(mine.unknown) > len(stock.unknown):
        return "names of tasks that nobody was told of", stock.unknown, mine.unknown
    if early := [node.name for node in nodes if node.declared == "external" and mine.ahead[node.name]]:
        return "external nodes that ran ahead", [], early
    counting = {node.name for node in nodes if node.ask and node.ask.counts}
    once = counting | {node.name for node in _unrepeatable(case.graph) if not node.called}
    for place, (theirs, own) in enumerate(zip(stock.turns, mine.turns, strict=True)):
        if theirs.failed or (theirs.error and not alone):
            return None  # what ran ahead of the error is cut off, and from here on it is chance which tasks run again
        if not theirs.cut_off and (difference := first_difference(_runs(theirs, once), _runs(own, once))):
            return f"turn {place} > {TIMES}{difference[0]}", *difference[1:]
    return None


def _overlap(case: Case, played: Played) -> bool:
    """Whether turns may have overlapped: a node on a thread goes on when its run has failed, or was left, on an event loop."""
    threads = case.coroutine and not all(node.coroutine for node in case.graph.all_nodes())
    return threads and any(turn.failed or turn.cut_off for turn in played.turns[:-1])


def _unrepeatable(graph: Graph) -> Iterator[Node]:
    """Nodes that nobody has declared to be repeatable: neither them nor the node whose subgraph they are in."""
    for node in graph.nodes:
        says_so = node.declared not in ("", "keys", "external") or (node.ask and node.ask.streams == "yes")
        if not says_so:
            yield node
            if node.child:
                yield from _unrepeatable(node.child)


def _runs(turn: Turn, nodes: set[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(turn.runs.items()) if number and name in nodes}


def settled(case: Case, ours: Any) -> tuple[Difference | None, Played | None, bool]:
    """As `compare`, but leaves out what stock itself shows now so, now so; the last is whether it left out anything."""
    stock, mine, difference = _compared(case, ours)
    if difference is None or mine is None:
        return difference, mine, False
    if difference[0] == LEFT and _leaves_as_much(case, mine):
        return None, mine, True
    if TIMES in difference[0] and any(_misbehaved(case, stock, again) for again in _played_again(case)):
        return None, mine, True
    theirs, own = parts(stock.shown), parts(mine.shown)
    differing = {where for where in theirs.keys() | own.keys() if theirs.get(where) != own.get(where)}
    for again in _replayed(case):
        unsettled = {where for where in theirs.keys() | again.keys() if theirs.get(where) != again.get(where)}
        differing -= unsettled
        if unsettled and not differing:
            return None, mine, True
    where = min(differing, default=None)
    return (difference if where is None else first_difference({where: theirs.get(where)}, {where: own.get(where)})), mine, False


def _leaves_as_much(case: Case, mine: Played) -> bool:
    """Whether stock leaves as much running now and then: what a node began itself, and didn't wait for when something else failed.

    How many nodes fail before the run ends, so that each leaves something, depends on their times.
    """
    return any(len(again.left_running) >= len(mine.left_running) for again in _played_again(case))


def parts(shown: dict[str, Any]) -> dict[str, Any]:
    """What a run showed, in parts of which one may be chance and another not."""
    found = {}
    for name, value in shown.items():
        if not isinstance(value, dict):
            found[name] = value
            continue
        found |= {f"{name} > {key}": part for key, part in value.items() if key != "events"}
        found |= {f"{name} > events > {space}": events for space, events in value["events"].items()}
    return found


def steady(case: Case) -> bool:
    """Whether stock shows the same whatever time nodes take."""
    with _alarm():
        first = parts(play(case, Stock).shown)
    return all(again == first for again in _replayed(case))


def _replayed(case: Case) -> Iterator[dict[str, Any]]:
    return (parts(played.shown) for played in _played_again(case))


def _played_again(case: Case) -> Iterator[Played]:
    again: tuple[Callable[[float], float], ...] = (float,) * (ON_A_LOOP if case.coroutine else ON_THREADS)
    for pace in (*PACES, *map(_drawn, range(DRAWN)), *again):
        with _alarm():
            played = play(case, Stock, pace)
        yield played


def _drawn(seed: int) -> Callable[[float], float]:
    draws = random.Random(seed)
    return lambda ms: draws.uniform(0.0, 7.0)


@contextmanager
def _alarm() -> Iterator[None]:
    def hang(*_: object) -> None:
        raise HangError(" < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_stack()[-2:-8:-1]))

    before = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, SLOWEST, SLOWEST)  # again and again: what a destructor raises is lost
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(seed: int, target: str = OURS, asking: bool = False, traced: bool = False) -> Verdict:
    """Compares the case of this seed; the graph has a node that asks a model if `asking`, and alto's runs are `traced` if they should."""
    case = replace(draw(seed, asking), traced=traced)
    words = tuple(features(case))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            difference, mine, unsteady = settled(case, side(target))
            audited = _same_at_another_pace(case) if seed % AUDITED == 0 else None
        except HangError:  # a graph that is too large for stock says nothing
            return Verdict(seed, unsteady=True, features=words)
    ahead, hung = (sum(mine.ahead.values()), mine.hung) if mine else (0, "")
    return Verdict(seed, difference, unsteady, ahead, words, audited, hung)


def _same_at_another_pace(case: Case) -> bool:
    return play(case, Stock).shown == play(case, Stock, PACES[0]).shown
