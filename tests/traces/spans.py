"""Spans for tests, as alto's recorder names them, and any that hypothesis can think of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alto_langgraph.traces.building import traces
from alto_langgraph.traces.model import Trace
from alto_langgraph.traces.request import request
from alto_langgraph.traces.span import Event, Link, Span
from alto_langgraph.tracing import attributes as names

ORIGIN = 1_764_600_000 * 10**9
EXAMPLE = Path(__file__).parents[1] / "tracing" / "example.jsonl"


class Recorded:
    """Makes the spans of one trace; times in seconds from its start."""

    def __init__(self, end: float = 10.0, number: int = 1, **run: Any) -> None:
        self.trace_id = f"{number:032x}"
        self.spans: list[Span] = []
        self.root = self.span("invoke_workflow g", "", 0.0, end, {names.GRAPH: "g", names.OUTCOME: "completed", **run})

    def span(
        self,
        name: str,
        parent: str,
        start: float,
        end: float,
        attributes: dict[str, Any],
        links: Iterable[str] = (),
        events: Iterable[tuple[str, float]] = (),
    ) -> str:
        id = f"{len(self.spans) + 1:016x}"
        self.spans.append(
            Span(
                self.trace_id,
                id,
                parent,
                name,
                ORIGIN + round(start * 1e9),
                ORIGIN + round(end * 1e9),
                attributes=attributes,
                links=tuple(Link(self.trace_id, link, {names.LINK: "input"}) for link in links),
                events=tuple(Event(event, ORIGIN + round(at * 1e9)) for event, at in events),
                scope=names.SCOPE,
            )
        )
        return id

    def fragment(
        self, tag: str, start: float, end: float, *, step: int = 1, parent: str = "", inputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        node = tag.rpartition("/")[2].partition("[")[0]
        issue, outcome = attributes.pop("issue", "in_order"), attributes.pop("outcome", "committed")
        held = {names.TAG: tag, names.NODE: node, names.STEP: step, names.ISSUE: issue, names.OUTCOME: outcome}
        held |= {getattr(names, key): value for key, value in attributes.items()}
        return self.span(f"fragment {node}", parent or self.root, start, end, held, inputs, [(names.COMMITTED, end)])

    def chat(self, parent: str, start: float, end: float, model: str = "m", **attributes: Any) -> str:
        return self.span(f"chat {model}", parent, start, end, {names.OPERATION: "chat", names.MODEL: model, **attributes})

    def trace(self) -> Trace:
        return traces(self.spans)[0]

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(request(self.spans)) + "\n")
        return path


ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For tests that take any spans: the machine may be slow."""

TEXTS = st.text(max_size=12) | st.sampled_from(["</script>", "<!--", "\x1b[2J", "\u2028", "a/b[0]", "${x}", "{{ x }}"])
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=3,
)
OWN = st.sampled_from(sorted(names.TABLE))
ATTRIBUTES = st.dictionaries(OWN | TEXTS, VALUES, max_size=4)
IDS = st.sampled_from([f"{number:016x}" for number in range(1, 9)])
TIMES = st.integers(0, 2**62)


@st.composite
def any_span(draw: st.DrawFn) -> Span:
    """A span of one of two traces: parents and links may lead nowhere, or in a circle."""
    start = draw(TIMES)
    return Span(
        trace=draw(st.sampled_from(["a" * 32, "b" * 32])),
        id=draw(IDS),
        parent=draw(IDS | st.just("")),
        name=draw(TEXTS),
        start=start,
        end=start + draw(st.integers(0, 2**40)),
        kind=draw(st.integers(0, 5)),
        attributes=draw(ATTRIBUTES),
        events=tuple(draw(st.lists(st.builds(Event, TEXTS, TIMES, ATTRIBUTES), max_size=2))),
        links=tuple(draw(st.lists(st.builds(Link, st.just("a" * 32), IDS, ATTRIBUTES), max_size=3))),
        status=draw(st.integers(0, 2)),
        message=draw(TEXTS),
        resource=draw(st.dictionaries(st.just(names.SERVICE), TEXTS, max_size=1)),
        scope=draw(TEXTS),
        state=draw(TEXTS),
    )


SPANS = st.lists(any_span(), min_size=1, max_size=8)
