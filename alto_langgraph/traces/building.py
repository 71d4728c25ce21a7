"""Puts the spans of a trace together: which fragment belongs to which run, what it needed, and what it asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from alto_langgraph.traces.model import Call, Fragment, Run, Trace
from alto_langgraph.traces.span import ERROR, Span
from alto_langgraph.tracing import attributes as names

T = TypeVar("T")

CALLS = frozenset({names.CHAT_SPAN, names.COMPLETION_SPAN, names.EMBEDDINGS_SPAN, names.RETRIEVAL_SPAN, names.TOOL_SPAN})
NAMED_BY = (names.MODEL, names.TOOL, names.DATA_SOURCE)
QUEUED_BY_SERVER = "gen_ai.latency.time_in_queue"
"""What vLLM's own span says of the request that it is part of, in seconds."""


def traces(spans: Iterable[Span]) -> list[Trace]:
    """The traces that these spans make up, the latest first.

    A span that is there twice counts once, as it was recorded last. Spans of other instrumentations are kept, and passed on the way
    from a call to its fragment.
    """
    found: dict[str, dict[str, Span]] = defaultdict(dict)
    for span in spans:
        found[span.trace][span.id] = span
    made = [_Building(trace, by_id).trace() for trace, by_id in found.items()]
    return sorted(made, key=lambda trace: trace.start, reverse=True)


class _Building:
    def __init__(self, trace: str, spans: Mapping[str, Span]) -> None:
        self.id, self.spans = trace, spans
        self.ordered = tuple(sorted(spans.values(), key=lambda span: (span.start, -span.end)))
        self.origin = self.ordered[0].start
        self.fragments: dict[str, Fragment] = {}
        self.runs: dict[str, Run] = {}
        self.roots: list[Run] = []

    def trace(self) -> Trace:
        for span in self.ordered:
            if names.NODE in span.attributes:
                self.fragments[span.id] = self._fragment(span)
            elif names.GRAPH in span.attributes:
                self.runs[span.id] = self._run(span)
        self._place_runs()
        self._place_fragments()
        self._place_calls()
        for run in {id(run): run for run in (*self.roots, *self.runs.values())}.values():
            self._join_inputs(run)
        return Trace(self.id, self.ordered, tuple(sorted(self.roots, key=lambda run: run.start)))

    def _seconds(self, at: int) -> float:
        return (at - self.origin) / 1e9

    def _fragment(self, span: Span) -> Fragment:
        held = span.attributes
        node, outcome = str(held[names.NODE]), str(held.get(names.OUTCOME) or ("failed" if span.status == ERROR else "committed"))
        return Fragment(
            span,
            tag=str(held.get(names.TAG) or node),
            node=node,
            step=_number(held, names.STEP, int, 0),
            issue=str(held.get(names.ISSUE) or "in_order"),
            outcome=outcome,
            start=self._seconds(span.start),
            end=self._seconds(span.end),
            committed=next((self._seconds(event.at) for event in span.events if event.name == names.COMMITTED), None),
            queued=max(0.0, _number(held, names.QUEUED, float, 0.0)),
            reason=str(held.get(names.REASON) or ""),
            kept_back=str(held.get(names.KEPT_BACK) or ""),
            effects=str(held.get(names.EFFECTS) or ""),
            attempts=_number(held, names.ATTEMPT, int, 1),
        )

    def _run(self, span: Span) -> Run:
        held = span.attributes
        return Run(
            span,
            graph=str(held[names.GRAPH]),
            outcome=str(held.get(names.OUTCOME) or "completed"),
            start=self._seconds(span.start),
            end=self._seconds(span.end),
            thread=str(held.get(names.THREAD) or held.get(names.SESSION) or ""),
            window=_number(held, names.WINDOW, int, None),
            max_concurrency=_number(held, names.CONCURRENCY, int, None),
        )

    def _above(self, among: Mapping[str, T]) -> dict[str, T | None]:
        """For each span what the nearest span above it stands for that is `among` these."""
        found: dict[str, T | None] = {}
        for span in self.ordered:
            way: list[Span] = []
            at: Span | None = span
            while at is not None and at.id not in found:
                way.append(at)
                found[at.id] = None  # until it is known: parents may go in a circle
                at = self.spans.get(at.parent)
            nearest = None if at is None else among.get(at.id) or found[at.id]
            for below in reversed(way):
                found[below.id] = nearest
                nearest = among.get(below.id) or nearest
        return found

    def _place_runs(self) -> None:
        above = self._above(self.fragments)
        for id, run in self.runs.items():
            owner = above[id]
            (self.roots if owner is None else owner.runs).append(run)

    def _place_fragments(self) -> None:
        """Puts each fragment into its run; those of a run whose span isn't there yet go into one that stands for it."""
        home, producers = self._above(self.runs), self._above(self.fragments)
        orphans = [fragment for id, fragment in self.fragments.items() if home[id] is None]
        for id, fragment in self.fragments.items():
            if (run := home[id]) is not None:
                run.fragments.append(fragment)
            if (producer := producers[id]) is not None and home[producer.span.id] is run:
                fragment.parent = producer
        if orphans:
            start, end = min(f.start for f in orphans), max(f.end for f in orphans)
            self.roots.append(Run(None, "", "unfinished", start, end, fragments=orphans))

    def _place_calls(self) -> None:
        owners: dict[str, Fragment | Run] = {**self.fragments, **self.runs}
        calls = {span.id: span for span in self.ordered if str(span.attributes.get(names.OPERATION)) in CALLS and span.id not in owners}
        above, within, queued = self._above(owners), self._above({**calls, **owners}), self._told_by_servers()
        for id, span in calls.items():
            if (owner := above[id]) is not None:
                owner.calls.append(self._call(span, queued.get(id), inner=isinstance(within[id], Span)))

    def _told_by_servers(self) -> dict[str, float]:
        """For spans, how long the server that answered them says that they waited."""
        found: dict[str, float] = {}
        for span in self.ordered:
            waited = _number(span.attributes, QUEUED_BY_SERVER, float, None)
            if waited is not None:
                found[span.id] = found[span.parent] = max(0.0, waited)
        return found

    def _call(self, span: Span, queued: float | None, *, inner: bool) -> Call:
        held = span.attributes
        return Call(
            span,
            kind=str(held[names.OPERATION]),
            name=str(next((held[key] for key in NAMED_BY if held.get(key)), span.name)),
            start=self._seconds(span.start),
            end=self._seconds(span.end),
            input_tokens=_number(held, names.INPUT_TOKENS, int, None),
            output_tokens=_number(held, names.OUTPUT_TOKENS, int, None),
            first_chunk=_number(held, names.FIRST_CHUNK_AFTER, float, None),
            queued=queued,
            inner=inner,
        )

    def _join_inputs(self, run: Run) -> None:
        """What each fragment needed: its links, what its attributes name (some exporters drop links), or else what produced it."""
        by_tag = {fragment.tag: fragment for fragment in run.fragments if not fragment.lost}
        for fragment in run.fragments:
            linked = (self.fragments.get(link.span) for link in fragment.span.links if link.attributes.get(names.LINK, "input") == "input")
            told = fragment.span.attributes.get(names.INPUTS)
            tagged = (by_tag.get(str(tag)) for tag in told) if isinstance(told, list) else ()
            found = {one.span.id: one for one in (*linked, *tagged) if one is not None and one is not fragment}
            if not found and fragment.parent is not None:
                found[fragment.parent.span.id] = fragment.parent
            fragment.inputs.extend(found.values())


def _number(held: Mapping[str, Any], key: str, kind: type[T], otherwise: Any) -> Any:
    """An attribute's number, or `otherwise`: nobody checks what others put into a span."""
    value = held.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return otherwise
    try:
        return kind(value)  # type: ignore[call-arg]
    except (ValueError, OverflowError):
        return otherwise
