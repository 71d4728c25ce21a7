"""Works out what may be unfinished still when a task has finished: what the tasks that it leads to would pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from alto_langgraph.plan.model import NOBODY, NodePlan, Plan, Reason
from alto_langgraph.plan.passing import Passing

_FARTHEST = 50
"""Most supersteps that are looked at between two tasks."""


class Unfinished:
    """Nodes of which a task may be unfinished when one of another node has finished.

    These are its siblings, and, as a task may have run ahead itself, what it may pass.

    Args:
        plan: What is known of the graph.
        beside: Nodes whose tasks may share a superstep with one of a node's.
        sent: Nodes that may run ahead when a `Send` triggers them.
        passing: What nodes that edges trigger may pass.
    """

    def __init__(self, plan: Plan, beside: Mapping[str, frozenset[str]], sent: frozenset[str], passing: Passing) -> None:
        self._plan, self._sent, self._passing = plan, sent, passing
        self._known: dict[tuple[bool, str, str, int, frozenset[str]], Reason | None] = {}
        self._found = self._spread(beside)

    def when_done(self, node: str) -> Mapping[str, int]:
        """Nodes that may be unfinished when a task of `node` has finished; how many supersteps before it, at least. Nearest first."""
        return self._found[node]

    def sent_past(self, target: str, other: str, distance: int) -> Reason | None:
        """Why a task of `target` that a `Send` triggers may not start while one of `other` is unfinished.

        That one, `distance` supersteps before it, may be in the way itself, or what it may lead to by then.
        """
        return self._past(False, target, other, min(distance, _FARTHEST))

    def pulled_past(self, target: str, other: str, distance: int, awaits: frozenset[str] = NOBODY) -> Reason | None:
        """The same of one that an edge triggers; if a join, once its starts `awaits` have all run."""
        return self._past(True, target, other, min(distance, _FARTHEST), awaits)

    def needless(self, target: str, source: str) -> bool:
        """Whether a task of `target` is certain to follow one of `source`, and needn't wait for it."""
        return (target, 1) in self._passing.foreseen(source) and self.pulled_past(target, source, 1) is None

    def _past(self, pulled: bool, target: str, other: str, distance: int, awaits: frozenset[str] = NOBODY) -> Reason | None:
        key = (pulled, target, other, distance, awaits)
        if key not in self._known:
            self._known[key] = next(self._in_the_way(*key), None)
        return self._known[key]

    def _in_the_way(self, pulled: bool, target: str, other: str, distance: int, awaits: frozenset[str]) -> Iterator[Reason]:
        handler = self._plan.nodes[other].handler
        before = (other,) if handler is None else (other, handler)
        for name in before:
            if name in awaits:
                yield Reason("join", name, f"`{target}` is behind a join that waits for `{name}` too.")
            found = self._passing.obstacle(target, name, distance) if pulled else self._plan.conflict(target, name)
            if found is not None:
                yield found
        for name in before if distance > 1 else ():
            for led in sorted(self._plan.nodes.keys() & _targets(self._plan, name)):
                found = self._past(pulled, target, led, distance - 1, awaits)
                if found is not None:
                    yield found

    def _spread(self, beside: Mapping[str, frozenset[str]]) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {name: {} for name in self._plan.nodes}
        nearest = [(0, name, other) for name, others in beside.items() for other in others]
        for name in self._plan.nodes:
            nearest += [(distance, follower, name) for follower, distance in self._passing.foreseen(name)]
        nearest.sort()
        while nearest:
            distance, name, other = heappop(nearest)
            if other in found[name]:
                continue
            found[name][other] = distance
            for target in self._led_past(self._plan.nodes[name], other, distance + 1):
                heappush(nearest, (distance + 1, target, other))
        return found

    def _led_past(self, node: NodePlan, other: str, distance: int) -> Iterator[str]:
        """Nodes that one leads to whose tasks may start while `other`, `distance` supersteps before them, is unfinished."""
        for target in self._sent if node.sends is None else self._sent & node.sends:
            if self.sent_past(target, other, distance) is None:
                yield target
        reads = self._passing.reads.keys()
        for target in reads if node.pulls is None else reads & node.pulls:
            if self.pulled_past(target, other, distance) is None:
                yield target
        for join in self._plan.joins:
            if node.name in join.starts and join.end in reads and self.pulled_past(join.end, other, distance, join.starts) is None:
                yield join.end


def _targets(plan: Plan, name: str) -> frozenset[str]:
    node = plan.nodes.get(name)
    return frozenset(plan.nodes) if node is None or node.targets is None else node.targets
