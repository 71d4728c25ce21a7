"""Who is unfinished, in which superstep, holding what: the book that says what forbids a task to start early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator

from alto_langgraph.engine.task import Task
from alto_langgraph.plan.model import CallablePlan, Plan


class Ledger:
    """Counts unfinished tasks by (superstep, node), and their mutable operands.

    A task may start early if no unfinished task that commits before it may interrupt the run, shares a mutable object
    with it, or is fenced together with it by the plan (DESIGN I2, I3, I5).

    Args:
        plan: What is known of the graph.
        keys: All state keys.
        steady: Those state keys whose value only changes when a task writes them.

    `holding` says whether mutable operands matter at all in this graph.
    """

    def __init__(self, plan: Plan, keys: frozenset[str], steady: frozenset[str]) -> None:
        self._plan, self._keys, self._steady = plan, keys, steady
        self._unfinished: dict[int, Counter[str]] = {}
        self._uncommitted: dict[int, set[str]] = {}
        self._holders: dict[int | None, Counter[tuple[int, str]]] = {}
        self._conflicts: dict[tuple[str, str], bool] = {}
        self.holding = any(node.mutates for node in plan.nodes.values())

    def add(self, task: Task) -> None:
        """Books a task that has become known."""
        self._unfinished.setdefault(task.step, Counter())[task.node] += 1
        self._uncommitted.setdefault(task.step, set()).add(task.node)
        for operand in self._operands(task):
            self._holders.setdefault(operand, Counter())[task.step, task.node] += 1

    def settle(self, task: Task) -> Iterator[Hashable]:
        """Books that a task is finished (or gone); yields the blockers that are lifted by it."""
        if not task.unfinished:
            return
        task.unfinished = False
        place = (task.step, task.node)
        counts = self._unfinished[task.step]
        counts[task.node] -= 1
        if not counts[task.node]:
            del counts[task.node]
            if not counts:
                del self._unfinished[task.step]
            yield place
        for operand in self._operands(task):
            holders = self._holders[operand]
            holders[place] -= 1
            if not holders[place]:
                del holders[place]
                if not holders:
                    del self._holders[operand]
                yield (operand, *place)

    def finished(self, step: int) -> bool:
        """Whether every task of superstep `step` is finished."""
        return step not in self._unfinished

    def close(self, step: int) -> None:
        """Forgets the supersteps up to `step`."""
        for book in (self._unfinished, self._uncommitted):
            for old in [s for s in book if s <= step]:
                del book[old]

    def blocker(self, task: Task) -> Hashable | None:
        """The first thing that forbids `task` to start now; None if nothing does."""
        for step, counts in self._unfinished.items():
            if step < task.step:
                for node in counts:
                    if self._conflict(task.node, node):
                        return (step, node)
        return self._held(task) if self.holding else None

    def determines_routes(self, task: Task) -> bool:
        """Whether nothing uncommitted before `task` can write what its conditional edges read."""
        routes = self._plan.nodes[task.node].routes
        return all(self._determined(route, task.step) for route in routes)

    def _determined(self, route: CallablePlan, step: int) -> bool:
        if route.reads is None:
            return False
        reads = route.reads & self._keys
        if not reads:
            return True
        before = {node for s, nodes in self._uncommitted.items() if s < step for node in nodes}
        return reads <= self._steady and not any(self._writes(node) & reads for node in before)

    def _writes(self, node: str) -> frozenset[str]:
        plan = self._plan.nodes.get(node)
        writes = plan.function.writes if plan else None
        return self._keys if writes is None else writes

    def _conflict(self, early: str, unfinished: str) -> bool:
        pair = (early, unfinished)
        known = self._conflicts.get(pair)
        if known is None:
            known = self._conflicts[pair] = self._plan.conflict(early, unfinished) is not None
        return known

    def _held(self, task: Task) -> Hashable | None:
        """The first unfinished holder of one of the task's mutable operands, if either of the two may change it."""
        mine = self._plan.nodes.get(task.node)
        for operand in self._watched(task):
            for step, node in self._holders.get(operand, ()):
                theirs = self._plan.nodes.get(node)
                if step < task.step and (mine is None or theirs is None or mine.mutates or theirs.mutates):
                    return (operand, step, node)
        return None

    def _watched(self, task: Task) -> Iterator[int | None]:
        if task.operands is None:
            yield from list(self._holders)
        elif task.operands:
            yield from task.operands
            yield None  # holders whose operands can't be told

    def _operands(self, task: Task) -> Iterator[int | None]:
        if self.holding:
            yield from (None,) if task.operands is None else task.operands
