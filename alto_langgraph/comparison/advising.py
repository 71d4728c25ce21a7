"""Says where the time of a compared run went: its timeline as a trace has it, for `traces.advice`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alto_langgraph.comparison.timeline import Bar, Timeline, turn_of
from alto_langgraph.traces.advice import advise
from alto_langgraph.traces.findings import Findings
from alto_langgraph.traces.model import Call, Fragment, Run
from alto_langgraph.traces.span import Span

if TYPE_CHECKING:
    from alto_langgraph.plan.explain import Explanation

SERVER = "model server"
"""What those nodes ask that need a slot, where somebody says how many there are."""


def findings(timeline: Timeline, explanation: Explanation | None, slots: int | None, slotted: Iterable[str] | None) -> Findings:
    """Where the time of a run went and what would help, as far as its timeline tells: a subgraph is one task, calls aren't seen.

    Args:
        timeline: Of the run.
        explanation: Of its graph: what keeps its nodes from starting earlier.
        slots: How many tasks the model server takes at a time, if that is known.
        slotted: Names of the nodes that need one; None for all.
    """
    told = {node.name: node for node in explanation.nodes} if explanation is not None else {}
    asking = None if slotted is None else frozenset(slotted)
    fragments: list[Fragment] = []
    by_tag: dict[object, Fragment] = {}
    for bar in timeline.bars:
        fragment = _fragment(bar)
        if (node := told.get(bar.node)) is not None:
            fragment.effects = node.effects
            fragment.kept_back = "" if bar.ahead else " ".join(reason.sentence for reason in (*node.reasons, *node.waits))
        if slots and node is not None and (asking is None or bar.node in asking):
            server, _, name = SERVER.partition(" ")
            fragment.calls.append(Call(fragment.span, server, name, bar.start, bar.end))
        fragments.append(fragment)
        if not bar.lost:
            by_tag[bar.tag] = fragment
    for bar, fragment in zip(timeline.bars, fragments, strict=True):
        fragment.inputs += (by_tag[tag] for tag in bar.parents if tag in by_tag and by_tag[tag] is not fragment)
    run = Run(None, "", "completed", 0.0, timeline.seconds, fragments=fragments)
    return advise(run, places={SERVER: slots} if slots else {})


def _fragment(bar: Bar) -> Fragment:
    span = Span("", "", "", f"fragment {bar.node}", round(bar.start * 1e9), round(bar.end * 1e9))
    issue, outcome = "ahead" if bar.ahead else "in_order", "squashed" if bar.lost else "committed"
    step = bar.step + turn_of(bar.tag) * 1_000_000
    return Fragment(span, str(bar.tag), bar.node, step, issue, outcome, bar.start, bar.end)
