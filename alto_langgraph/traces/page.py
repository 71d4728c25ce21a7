"""Writes a trace as one page that loads nothing: a canvas of lanes, and what there is to say about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces.chain import Step, critical_chain
from alto_langgraph.traces.colours import coloured
from alto_langgraph.traces.lanes import lanes
from alto_langgraph.traces.model import Fragment, Run, Trace
from alto_langgraph.tracing import attributes as names

ROOM = 6_000_000
"""Characters for the attributes of all spans together; of longer values the beginning is shown."""

SHORTEST, LONGEST = 60, 4000
"""Characters of a value that are shown at least and at most."""

OUTCOMES = ("committed", "squashed", "failed", "cached", "interrupted", "cancelled")
ISSUES = ("in_order", "ahead", "speculative")

SHOWN_OTHERWISE = ("openinference.", "langsmith.", "langfuse.", "alto.tag", "alto.node", "alto.step", "alto.issue", "alto.outcome")
"""Beginnings of attributes that the page shows in words of its own, or that are for other viewers."""


def write_page(trace: Trace, path: str | PathLike[str], advice: Iterable[str] = ()) -> None:
    """Writes the page.

    Args:
        trace: What it shows; its longest run.
        path: Where it goes. Folders are made.
        advice: Sentences that stand above the lanes.

    Raises:
        TraceError: it can't be written, or the trace has no run of alto's.
    """
    text = page(trace, advice)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise TraceError(f"The page can't be written to `{path}`: {error.strerror}.") from error


def page(trace: Trace, advice: Iterable[str] = ()) -> str:
    """The page as text.

    Raises:
        TraceError: the trace has no run of alto's.
    """
    run = trace.main
    if run is None:
        raise TraceError(f"Trace {trace.id} has no run of alto's.", hint="`alto trace export` turns it into other formats.")
    chain = critical_chain(run)
    drawn = _Drawing(trace, run, chain.steps)
    facts = {"graph": run.graph or "LangGraph", "id": trace.id, "began": f"{trace.began:%Y-%m-%d %H:%M:%S}", "thread": run.thread}
    return _ENVIRONMENT.get_template("trace.html.j2").render(
        facts=facts,
        seconds=run.seconds,
        outcome=run.outcome,
        counts=_counts(run),
        steps=[(step.fragment.tag, step.fragment.seconds, step.waited, step.release.why) for step in chain.steps[:LONGEST]],
        advice=[_coded(sentence) for sentence in advice],
        data=as_script(drawn.data()),
        script=_asset("trace.js"),
        style=_asset("trace.css"),
    )


def as_script(value: Any) -> Markup:
    """JSON that stays inside its `<script>`: nothing in it ends that, or begins a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _coded(sentence: str) -> Markup:
    """A sentence with names set as code, where it has them in backticks."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(sentence))))


def _counts(run: Run) -> str:
    fragments = [fragment for _, fragment in run.walk()]
    ahead, lost = sum(f.ahead for f in fragments), sum(f.lost for f in fragments)
    calls = sum(len(f.calls) for f in fragments) + len(run.calls)
    return f"{len(fragments)} fragments, {ahead} ahead of their superstep, {lost} thrown away; {calls} calls"


class _Drawing:
    """A run as the script draws it: columns of numbers, times in microseconds from the run's start."""

    def __init__(self, trace: Trace, run: Run, steps: Iterable[Step]) -> None:
        self.run = run
        self.rows = lanes(run)
        self.fragments = sorted(self.rows, key=lambda f: (self.rows[f], f.start))
        self.place = {fragment: number for number, fragment in enumerate(self.fragments)}
        self.colours = coloured(f.node for f in sorted(self.fragments, key=lambda f: f.start))
        self.nodes = {node: number for number, node in enumerate(self.colours)}
        self.critical = {fragment for step in steps for fragment in _with_inside(step)}
        values = sum(len(f.span.attributes) + sum(len(call.span.attributes) for call in f.calls) for f in self.fragments)
        self.longest = min(LONGEST, max(SHORTEST, ROOM // max(1, values)))
        self.keys: dict[str, int] = {}

    def data(self) -> dict[str, Any]:
        rows = [self._row(fragment) for fragment in self.fragments]
        calls = [self._call(number, call) for number, f in enumerate(self.fragments) for call in f.calls]
        return {
            "length": self._micro(max([self.run.end, *(f.end for f in self.fragments)])),
            "lanes": max(self.rows.values(), default=-1) + 1,
            "nodes": [*self.colours],
            "colours": [*self.colours.values()],
            "issues": ISSUES,
            "outcomes": OUTCOMES,
            "fragments": rows,
            "calls": calls,
            "steps": self._steps(),
            "chain": [self.place[f] for f in sorted(self.critical & self.place.keys(), key=lambda f: f.start)],
            "keys": [*self.keys],
        }

    def _micro(self, at: float) -> int:
        return round((at - self.run.start) * 1e6)

    def _row(self, f: Fragment) -> list[Any]:
        committed = None if f.committed is None else self._micro(f.committed)
        told = f.reason or f.kept_back
        return [
            self.rows[f],
            self._micro(f.start),
            self._micro(f.end),
            self.nodes[f.node],
            f.step,
            ISSUES.index(f.issue) if f.issue in ISSUES else 0,
            OUTCOMES.index(f.outcome) if f.outcome in OUTCOMES else 0,
            committed,
            [self.place[one] for one in f.inputs if one in self.place],
            f.tag,
            told[:LONGEST],
            self._details(f.span.attributes),
        ]

    def _call(self, number: int, call: Any) -> list[Any]:
        return [number, self._micro(call.start), self._micro(call.end), call.label, self._details(call.span.attributes)]

    def _details(self, attributes: Any) -> list[Any]:
        """Attributes as key, value, key, value: a key by its number."""
        found: list[Any] = []
        for key, value in attributes.items():
            if not key.startswith(SHOWN_OTHERWISE) and key not in (names.INPUTS, names.REASON, names.KEPT_BACK):
                text = value if isinstance(value, str) else json.dumps(value, default=str)
                found += (self.keys.setdefault(key, len(self.keys)), text if len(text) <= self.longest else f"{text[: self.longest]}…")
        return found

    def _steps(self) -> list[list[int]]:
        """When each superstep of the run began, as its first fragment in order did."""
        first: dict[int, float] = {}
        for fragment in self.run.fragments:
            if fragment.issue == "in_order" and not fragment.lost:
                first[fragment.step] = min(fragment.start, first.get(fragment.step, fragment.start))
        return [[step, self._micro(at)] for step, at in sorted(first.items())]


def _with_inside(step: Step) -> Iterable[Fragment]:
    yield step.fragment
    for inner in step.inside:
        yield from _with_inside(inner)


def _asset(name: str) -> Markup:
    """A file of our own that goes into the page as it is."""
    assert _ENVIRONMENT.loader is not None
    return Markup(_ENVIRONMENT.loader.get_source(_ENVIRONMENT, name)[0])


_ENVIRONMENT = Environment(
    loader=PackageLoader("alto_langgraph.traces", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
