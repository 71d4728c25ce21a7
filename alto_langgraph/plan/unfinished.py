"""Works out what may be unfinished still when a task has finished: what the tasks that it leads to would pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from alto_langgraph.plan.model import NodePlan, Plan, Reason
from alto_langgraph.plan.passing import Passing


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
        self._found = self._spread(beside)

    def when_done(self, node: str) -> Mapping[str, int]:
        """Nodes that may be unfinished when a task of `node` has finished; how many supersteps before it, at least. Nearest first."""
        return self._found[node]

    def sent_past(self, target: str, other: str) -> Reason | None:
        """Why a task of `target`, triggered by a `Send`, may not start while one of `other`, or what handles its error, may run."""
        return next((found for name in self._with_handler(other) if (found := self._plan.conflict(target, name))), None)

    def pulled_past(self, target: str, other: str, distance: int) -> Reason | None:
        """The same for one that an edge triggers, `distance` supersteps after the other."""
        far = min(distance, len(self._plan.nodes))  # further than that edges lead nowhere new
        return next((found for name in self._with_handler(other) if (found := self._passing.obstacle(target, name, far))), None)

    def needless(self, target: str, source: str) -> bool:
        """Whether a task of `target` is certain to follow one of `source`, and needn't wait for it."""
        return (target, 1) in self._passing.foreseen(source) and self.pulled_past(target, source, 1) is None

    def _with_handler(self, name: str) -> Iterator[str]:
        yield name
        handler = self._plan.nodes[name].handler if name in self._plan.nodes else None
        if handler is not None:
            yield handler

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
            if self.sent_past(target, other) is None:
                yield target
        reads = self._passing.reads.keys()
        for target in reads if node.pulls is None else reads & node.pulls:
            if self.pulled_past(target, other, distance) is None:
                yield target
