"""Finds nodes behind one that asks a model which only compute from its answer: a part of it goes through them to what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alto_langgraph.plan.model import NOBODY, Effects, NodePlan, Plan, Reason
from alto_langgraph.plan.values import names_of

MOST = 8
"""Most of them in a row."""


def asks(node: NodePlan) -> bool:
    """Whether a node may ask a model."""
    return node.function.effects > Effects.PURE or node.function.streams is not None


class Relays:
    """Of a graph: hooks behind an agent's model, code that takes an answer apart in a node of its own.

    Args:
        plan: What is known of the graph.
        why_not: Why a node's code can't be run again on a part of an answer.
    """

    def __init__(self, plan: Plan, why_not: Callable[[NodePlan], Iterator[Reason]]) -> None:
        self._plan, self._why_not = plan, why_not
        self._behind: dict[str, frozenset[str]] = {}
        self._may: dict[str, bool] = {}

    def behind(self, name: str) -> frozenset[str]:
        """Nodes that a part of what `name` is answered may go through; none if nothing behind it would send anything."""
        if name not in self._behind:
            self._behind[name] = self._leading(self._reached(name)) if asks(self._plan.nodes[name]) else NOBODY
        return self._behind[name]

    def sends(self, node: NodePlan) -> frozenset[str] | None:
        """Nodes that `node`, or if it sends nothing those behind it, may send to; None for any."""
        sends = node.sends
        for name in self.behind(node.name) if sends == NOBODY else ():
            sends = names_of(sends, self._plan.nodes[name].sends)
        return sends

    def before(self, name: str) -> frozenset[str]:
        """Nodes from which a part of an answer may go through the node `name`."""
        return frozenset(other for other in self._plan.nodes if name in self.behind(other))

    def to_blame(self, name: str) -> Iterator[Reason]:
        """Why a part of what `name` is answered goes no further: what nodes behind it do that would send something.

        One that asks somebody itself isn't blamed: what it sends depends on that answer.
        """
        reached = self._reached(name)
        followers = NOBODY.union(*map(self._followers, (name, *reached))) - {name}
        for follower in sorted(self._leading(reached | followers) - reached):
            yield from self._why_not(self._plan.nodes[follower])

    def _reached(self, name: str) -> frozenset[str]:
        found, last = NOBODY, frozenset({name})
        for _ in range(MOST):
            followers = NOBODY.union(*map(self._followers, last)) - found - {name}
            last = frozenset(filter(self._may_relay, followers))
            found |= last
        return found

    def _leading(self, names: frozenset[str]) -> frozenset[str]:
        """Those of `names` that send something, or lead to such a one among them."""
        found = frozenset(name for name in names if self._plan.nodes[name].sends)
        while more := frozenset(name for name in names - found if self._followers(name) & found):
            found |= more
        return found

    def _followers(self, name: str) -> frozenset[str]:
        """Nodes that edges may trigger behind a node, as far as its code names them. What runs tools is left to real calls."""
        node = self._plan.nodes[name]
        named = (node.certain | (node.pulls or NOBODY)) & self._plan.nodes.keys()
        return frozenset(other for other in named if not (self._plan.nodes[other].kinds or self._plan.nodes[other].deferred))

    def _may_relay(self, name: str) -> bool:
        if name not in self._may:
            node = self._plan.nodes[name]
            computes = node.function.effects is Effects.PURE or node.function.sources.effects == "declared"
            self._may[name] = computes and node.function.streams is not False and not any(self._why_not(node))
        return self._may[name]
