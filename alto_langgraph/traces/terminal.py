"""Shows traces in a terminal: a list of them, one as tree and timeline, its critical path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from alto_langgraph.traces.chain import Chain, Step
from alto_langgraph.traces.findings import Findings
from alto_langgraph.traces.lanes import tag_order
from alto_langgraph.traces.model import Fragment, Run, Trace

MARKS = {"in_order": "█", "ahead": "▓", "speculative": "▒"}
LOST, HELD, COMMITTED = "░", "·", "◆"

WHY = {
    "start": "the run's start",
    "needs": "{by}, which it needs",
    "part": "a part of what {by} was answered",
    "superstep": "its superstep, held up by {by}",
    "held": "{by}, which it may not pass",
}


def clean(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in text)


def seconds(value: float) -> str:
    """A time for people."""
    return f"{value:.3f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"


def trace_list(found: Sequence[Trace]) -> Table:
    """One row per trace, as they come."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("id", "began", "graph", "time", "fragments", "ahead", "lost", "ended"):
        table.add_column(name, justify="right" if name in ("time", "fragments", "ahead", "lost") else "left", no_wrap=True)
    for trace in found:
        row = summary(trace)
        cells = [row["id"][:8], f"{trace.began:%m-%d %H:%M:%S}", row["graph"], seconds(row["seconds"])]
        cells += [str(row[key]) for key in ("fragments", "ahead", "lost", "outcome")]
        table.add_row(*(Text(clean(cell)) for cell in cells))
    return table


def summary(trace: Trace) -> dict[str, Any]:
    """A trace in a few figures, for JSON; times in seconds."""
    run = trace.main
    return {
        "id": trace.id,
        "began": trace.began.isoformat(),
        "graph": (run.graph or "LangGraph") if run else "",
        "thread": run.thread if run else "",
        "seconds": run.seconds if run else trace.seconds,
        "runs": len(trace.runs),
        "spans": len(trace.spans),
        "fragments": len(trace.fragments),
        "ahead": sum(fragment.ahead for fragment in trace.fragments),
        "lost": sum(fragment.lost for fragment in trace.fragments),
        "errors": trace.errors,
        "outcome": run.outcome if run else "no run of alto's",
    }


def timeline(run: Run, critical: Iterable[Fragment] = (), width: int = 100, limit: int = 200) -> Table:
    """A run as a tree of fragments, each with its place in time.

    Args:
        run: What it shows.
        critical: Fragments to mark.
        width: Characters of the terminal.
        limit: Rows at most.
    """
    marked = set(critical)
    fragments = [fragment for _, fragment in run.walk()]
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    names = max(20, min(44, width // 3))
    room = max(20, width - names - 26)
    scale = room / (max([run.end, *(f.committed or f.end for f in fragments)]) - run.start or 1.0)
    for number, (depth, fragment) in enumerate(_tree(run)):
        if number == limit:
            table.add_row(Text(f"and {len(fragments) - limit} more (--limit)", style="dim"))
            break
        style = "bold red" if fragment.outcome == "failed" else "bold" if fragment in marked else "dim" if fragment.lost else ""
        name = clean(fragment.tag.rpartition("/")[2] if depth else fragment.tag)
        shown = Text("  " * min(depth, 12) + name, style=style)
        shown.truncate(names, overflow="ellipsis", pad=True)
        word = fragment.outcome if fragment.outcome != "committed" else "" if fragment.issue == "in_order" else fragment.issue
        table.add_row(
            shown, _bar(fragment, run.start, scale, room, marked), Text(seconds(fragment.seconds)), Text(clean(word), style=style)
        )
    return table


def _tree(run: Run) -> Iterator[tuple[int, Fragment]]:
    """Fragments in order of their starts, behind each what came of it or ran inside it, with how many it is below."""
    below: dict[int, list[Fragment]] = defaultdict(list)
    roots: list[Fragment] = []
    for _, fragment in run.walk():
        below[id(fragment)] += (inner for run in fragment.runs for inner in run.fragments if inner.parent is None)
        (roots if fragment.parent is None else below[id(fragment.parent)]).append(fragment)
    inside = {id(inner) for those in below.values() for inner in those}
    waiting = [(0, f) for f in sorted((f for f in roots if id(f) not in inside), key=lambda f: f.start, reverse=True)]
    while waiting:
        depth, fragment = waiting.pop()
        yield depth, fragment
        waiting += ((depth + 1, f) for f in sorted(below[id(fragment)], key=tag_order, reverse=True))


def _bar(fragment: Fragment, origin: float, scale: float, room: int, marked: set[Fragment]) -> Text:
    start = min(room - 1, int((fragment.start - origin) * scale))
    end = max(start + 1, min(room, round((fragment.end - origin) * scale)))
    mark = LOST if fragment.lost else MARKS.get(fragment.issue, "█")
    bar = Text(" " * start)
    bar.append(mark * (end - start), style="red" if fragment.outcome == "failed" else "yellow" if fragment in marked else "cyan")
    if fragment.committed is not None:
        held = min(room, round((fragment.committed - origin) * scale)) - end
        if held > 0:
            bar.append(HELD * (held - 1) + COMMITTED, style="dim")
    return bar


def chain_table(chain: Chain) -> Table:
    """The critical path: how long each fragment ran, with how much of it in calls, and what it had waited for."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("fragment", "ran", "in calls", "waited", "for"):
        table.add_column(name, justify="right" if name in ("ran", "in calls", "waited") else "left")
    for depth, step in _steps(chain.steps):
        by = clean(step.release.by.tag) if step.release.by is not None else ""
        table.add_row(
            Text("  " * depth + clean(step.fragment.tag)),
            seconds(step.fragment.seconds),
            seconds(in_calls(step.fragment)) if step.fragment.calls else "",
            seconds(step.waited),
            Text(WHY[step.release.why].format(by=by)),
        )
    return table


def _steps(steps: Iterable[Step], depth: int = 0) -> Iterator[tuple[int, Step]]:
    for step in steps:
        yield depth, step
        yield from _steps(step.inside, depth + 1)


def in_calls(fragment: Fragment) -> float:
    """Seconds of a fragment in which at least one of its calls was open."""
    total, until = 0.0, fragment.start
    for call in fragment.calls:
        total += max(0.0, min(call.end, fragment.end) - max(call.start, until))
        until = max(until, call.end)
    return total


def findings_text(found: Findings) -> Text:
    """Where the time went and what would help, in lines."""
    took, spent, verdict, *_ = found.lines()
    text = Text.assemble(clean(took), "\n", clean(spent), "\n", (clean(verdict), "bold"))
    for number, one in enumerate(found.advice):
        text.append(f"\n{'on top of that: ' if number else ''}{clean(str(one))}", style="green")
        if one.why:
            text.append(f"\n  {clean(one.why)}", style="dim")
    return text


def chain_dict(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The same for JSON; times in seconds."""
    return [
        {
            "tag": step.fragment.tag,
            "node": step.fragment.node,
            "start": step.fragment.start,
            "seconds": step.fragment.seconds,
            "in_calls": in_calls(step.fragment),
            "waited": step.waited,
            "why": step.release.why,
            "by": step.release.by.tag if step.release.by is not None else None,
            "inside": chain_dict(step.inside),
        }
        for step in steps
    ]
