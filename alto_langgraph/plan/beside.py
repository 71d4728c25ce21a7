"""Works out which nodes may be at work in one superstep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import product

from alto_langgraph.plan.model import NodePlan, Plan

_MOST_PAIRS = 100_000


def beside(plan: Plan) -> Mapping[str, frozenset[str]]:
    """For each node the nodes whose tasks may share a superstep with one of its tasks; itself, if it may have several.

    Conditional edges are taken to choose any of their targets, and any number of them.
    """
    everyone = frozenset(plan.nodes)
    after = {name: _after(node, everyone) for name, node in plan.nodes.items()}
    pairs: set[tuple[str, str]] = set()
    waiting: list[tuple[str, str]] = []

    def meet(found: Iterable[tuple[str, str]]) -> None:
        for one, other in found:
            pair = (one, other) if one <= other else (other, one)
            if pair not in pairs:
                pairs.add(pair)
                waiting.append(pair)

    entry = plan.entry if plan.entry is not None else everyone
    meet(_siblings(entry & everyone, plan.entry_sends, everyone))
    meet(_deferred(plan, everyone))
    for name, node in plan.nodes.items():
        meet(_siblings(after[name], node.sends, everyone))
    while waiting and len(pairs) < _MOST_PAIRS:
        one, other = waiting.pop()
        meet((a, b) for a, b in product(after[one], after[other]) if a != b or _may_be_sent(a, plan.nodes, one, other))
    out: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        out[one].add(other)
        out[other].add(one)
    return {name: frozenset(out[name]) for name in plan.nodes}


def _after(node: NodePlan, everyone: frozenset[str]) -> frozenset[str]:
    return everyone if node.targets is None else node.targets & everyone


def _siblings(targets: frozenset[str], sends: frozenset[str] | None, everyone: frozenset[str]) -> Iterable[tuple[str, str]]:
    """Pairs among what one task may lead to: different nodes, and one node several times if it is sent to."""
    several = everyone if sends is None else sends
    return ((a, b) for a, b in product(targets, targets) if a < b or (a == b and a in several))


def _deferred(plan: Plan, everyone: frozenset[str]) -> Iterable[tuple[str, str]]:
    """A deferred node runs when nothing but tasks that were sent, and other deferred ones, is left for a superstep."""
    late = [name for name, node in plan.nodes.items() if node.deferred]
    sends = [plan.entry_sends, *(node.sends for node in plan.nodes.values())] if late else []
    sent = frozenset[str]().union(*(everyone if names is None else names & everyone for names in sends))
    return ((a, b) for a, b in product(late, sent.union(late)) if a != b)


def _may_be_sent(name: str, nodes: Mapping[str, NodePlan], *sources: str) -> bool:
    """Two tasks may each send to `name`; two edges into it make one task."""
    return any(nodes[source].sends is None or name in (nodes[source].sends or ()) for source in sources)
