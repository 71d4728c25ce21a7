"""Counts who has come to each join, superstep by superstep: when it triggers the node behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from alto_langgraph.plan.model import Join

Names = frozenset[str] | None
"""Nodes; None means any node."""


class Joins:
    """Arrivals at joins that the loop hasn't committed.

    A join triggers the node behind it when every start of it has run since it last did (LangGraph's `NamedBarrierValue`).

    Args:
        joins: The graph's.
    """

    def __init__(self, joins: Iterable[Join]) -> None:
        self._joins = tuple(joins)
        self._committed: Mapping[Join, frozenset[str]] = {}
        self._arrived: dict[Join, dict[int, set[str]]] = {}

    def __bool__(self) -> bool:
        return bool(self._joins)

    def open(self, step: int, arrived: Mapping[Join, frozenset[str]]) -> None:
        """Books who has come before superstep `step`, to joins that not all have come to."""
        self._committed = arrived
        for steps in self._arrived.values():
            for old in [s for s in steps if s < step]:
                del steps[old]

    def arrive(self, step: int, node: str, joins: Iterable[Join]) -> None:
        """Books that a task of superstep `step` has come to `joins`."""
        for join in joins:
            self._arrived.setdefault(join, {}).setdefault(step, set()).add(node)

    def withdraw(self, step: int, node: str) -> None:
        """Books that what a task had come to doesn't count."""
        for steps in self._arrived.values():
            steps.get(step, set()).discard(node)

    def complete(self, join: Join) -> Iterator[int]:
        """Supersteps at whose end all have come, as far as is known."""
        seen = set(self._committed.get(join, ()))
        for step, names in sorted(self._arrived.get(join, {}).items()):
            seen |= names
            if seen >= join.starts:
                yield step
                seen = set()

    def is_due(self, node: str, step: int) -> bool:
        """Whether a join, as far as is known, triggers `node` in superstep `step`."""
        return any(step - 1 in self.complete(join) for join in self._joins if join.end == node)

    def expected(self) -> Expected:
        """Who may yet be triggered by joins, to be asked superstep by superstep."""
        return Expected(self)


class Expected:
    """One pass over the supersteps from the open one on."""

    def __init__(self, joins: Joins) -> None:
        self._possible = {join: set(joins._committed.get(join, ())) for join in joins._joins}
        self._arrived = joins._arrived
        self._unsure: set[Join] = set()

    def after(self, step: int, unfinished: Names) -> frozenset[str]:
        """Nodes that joins may trigger in the superstep after `step`, in which tasks of `unfinished` may yet come to them."""
        return frozenset(join.end for join, possible in self._possible.items() if self._may_complete(join, possible, step, unfinished))

    def _may_complete(self, join: Join, possible: set[str], step: int, unfinished: Names) -> bool:
        arrived = self._arrived.get(join, {}).get(step, set())
        arriving = join.starts if unfinished is None else join.starts & unfinished
        possible |= arrived | arriving
        if arriving:
            self._unsure.add(join)
        if not (arrived or arriving) or not possible >= join.starts:
            return False
        if join not in self._unsure:
            possible.clear()  # it is complete for certain, and begins anew
        return True
