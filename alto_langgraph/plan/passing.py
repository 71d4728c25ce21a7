"""Tells whether a state-reading task may start while another, which commits before it, is unfinished or still to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alto_langgraph.plan.model import Effects, NodePlan, Plan, Reason

FARTHEST = 16
"""Most supersteps that a task which an edge triggers is started in advance: what it has to be checked against grows with them."""

_MOST_CHAINS = 64

Names = frozenset[str] | None
"""Nodes; None means any node."""


class Passing:
    """What nodes triggered by edges may pass (DESIGN §2 classes b and c, I2 and I5).

    Args:
        plan: What is known of the graph.
        reads: For each node that may be started ahead on the state, the state keys that its input depends on.
        unasked: Whether such a task may start before the one it is certain to follow has finished.
    """

    def __init__(self, plan: Plan, reads: Mapping[str, frozenset[str]], *, unasked: bool = True) -> None:
        self.plan, self.reads, self.unasked = plan, reads, unasked
        self._after: dict[tuple[str, int], Names] = {}
        self._known: dict[tuple[str, str, int], Reason | None] = {}
        self._foreseen: dict[str, tuple[tuple[str, int], ...]] = {}

    def obstacle(self, early: str, other: str, distance: int) -> Reason | None:
        """Why a task of node `early` may not start while one of `other`, `distance` supersteps before it, isn't finished."""
        key = (early, other, distance)
        if key not in self._known:
            self._known[key] = self._judge(early, other, distance)
        return self._known[key]

    def foreseen(self, node: str) -> tuple[tuple[str, int], ...]:
        """Nodes certain to come if a task of `node` ends without an error, that needn't wait for it; with their distances."""
        if node not in self._foreseen:
            self._foreseen[node] = tuple(dict.fromkeys(self._along(node))) if self.unasked and self.reads else ()
        return self._foreseen[node]

    def guessable(self, router: str) -> frozenset[str]:
        """Nodes that `router` may lead to by an edge and needn't, which could run before it has decided."""
        node = self.plan.nodes.get(router)
        if node is None:
            return frozenset()
        possible = self.reads.keys() if node.pulls is None else node.pulls & self.reads.keys()
        return frozenset(name for name in possible - node.certain if self.obstacle(name, router, 1) is None)

    def overtakes(self, beside: Mapping[str, frozenset[str]]) -> bool:
        """Whether anything may start ahead at all.

        Args:
            beside: For each node those that may share a superstep with it.
        """
        return any(map(self.foreseen, self.plan.nodes)) or any(
            self.obstacle(early, other, 1) is None
            for node in self.plan.nodes.values()
            for early in (self.reads.keys() if node.targets is None else node.targets & self.reads.keys())
            for other in beside[node.name]
        )

    def _along(self, node: str) -> Iterable[tuple[str, int]]:
        chains: list[tuple[str, ...]] = [(node,)]
        for distance in range(1, FARTHEST + 1):
            further = [(*chain, end) for chain in chains for end in sorted(self._certain(chain[-1])) if end not in chain]
            chains = further[:_MOST_CHAINS]
            for chain in chains:
                if self._passes(chain):
                    yield chain[-1], distance

    def _certain(self, name: str) -> frozenset[str]:
        node = self.plan.nodes.get(name)
        return node.certain if node is not None else frozenset()

    def _passes(self, chain: tuple[str, ...]) -> bool:
        *before, last = chain
        return last in self.reads and all(self.obstacle(last, other, len(before) - place) is None for place, other in enumerate(before))

    def _judge(self, early: str, other: str, distance: int) -> Reason | None:
        reads, mine, theirs = self.reads.get(early), self.plan.nodes.get(early), self.plan.nodes.get(other)
        if mine is None or theirs is None or reads is None:
            return Reason("unknown", other, f"Nothing is known of `{other}`.")
        return (
            self.plan.conflict(early, other)
            or _touched(early, reads, theirs)
            or _noted(mine, theirs)
            or self._ordered(mine, theirs, distance)
        )

    def _ordered(self, mine: NodePlan, theirs: NodePlan, distance: int) -> Reason | None:
        """The order that edges state may carry more than the state shows, unless both are known not to speak past it."""
        following = self._within(theirs.name, distance)
        if following is not None and mine.name not in following:
            return None
        for node in (theirs, mine):
            if (why := _speaks(node)) is not None:
                sentence = f"`{mine.name}` comes after `{theirs.name}` by edges, and `{node.name}` {why}, which may show in that order."
                return Reason("order", node.name, sentence)
        return None

    def _within(self, name: str, distance: int) -> Names:
        """Nodes that a task of `name` may lead to in at most `distance` supersteps."""
        if distance <= 0:
            return frozenset()
        key = (name, distance)
        if key not in self._after:
            self._after[key] = self._reach(name, distance)
        return self._after[key]

    def _reach(self, name: str, distance: int) -> Names:
        node = self.plan.nodes.get(name)
        if node is None or node.targets is None:
            return None
        reached = set(node.targets)
        for target in node.targets:
            further = self._within(target, distance - 1) if target in self.plan.nodes else frozenset()
            if further is None:
                return None
            reached |= further
        return frozenset(reached)


def _speaks(node: NodePlan) -> str | None:
    """How a node may speak past the state; None if it is known not to."""
    changed = next((use.name for use in node.shares if use.writes), None)
    if changed is not None:
        return f"changes `{changed}`, outside the state"
    return node.function.doing if node.function.effects > Effects.IDEMPOTENT else None


def _noted(mine: NodePlan, theirs: NodePlan) -> Reason | None:
    """An object outside the state shows in which order they have changed it."""
    changed = {use.key for use in theirs.shares if use.writes}
    both = next((use.name for use in mine.shares if use.writes and use.key in changed), None)
    if both is None:
        return None
    return Reason("shared", both, f"`{mine.name}` and `{theirs.name}` both change `{both}`, which shows in what order.")


def _touched(early: str, reads: frozenset[str], theirs: NodePlan) -> Reason | None:
    """What a node may do to the state that another reads."""
    name, writes = theirs.name, theirs.function.writes
    if theirs.mutates:
        return Reason("mutates", name, f"`{name}` may change objects of the state in place, which `{early}` reads.")
    if writes is None:
        sentence = f"`{name}` may write any key of the state, for all its code tells, and `{early}` reads it."
        return Reason("writes", name, sentence) if reads else None
    both = sorted(reads & writes)
    return Reason("writes", name, f"`{early}` reads `{both[0]}`, which `{name}` may write.") if both else None
