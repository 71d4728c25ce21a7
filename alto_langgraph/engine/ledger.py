"""Who is unfinished, in which superstep, holding what: the book that says what forbids a task to start early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping

from alto_langgraph.engine.joins import Joins
from alto_langgraph.engine.task import Task
from alto_langgraph.plan.model import NOBODY, Join, NodePlan, Plan
from alto_langgraph.plan.passing import Passing

COMING = ("coming",)
"""What blocks a task that must wait for tasks which aren't known yet."""
NEVER = ("never",)
"""What blocks a task that must wait for its own superstep."""

Names = frozenset[str] | None
"""Nodes; None means any node."""


class Ledger:
    """Counts unfinished tasks by (superstep, node), and their mutable operands.

    A task may start early if no unfinished task that commits before it, known already or still to come, may interrupt the run,
    shares a mutable object with it, or is fenced together with it by the plan (DESIGN I2, I3, I5).

    Args:
        plan: What is known of the graph.
        passing: What tasks that read the state may pass.
        keys: All state keys.
        steady: Those state keys whose value only changes when a task writes them.

    `holding` says whether mutable operands matter at all in this graph.
    """

    def __init__(self, plan: Plan, passing: Passing, keys: frozenset[str], steady: frozenset[str]) -> None:
        self._plan, self._passing, self._keys, self._steady = plan, passing, keys, steady
        self._open = -1
        self._unfinished: dict[int, Counter[str]] = {}
        self._triggered: dict[int, set[str]] = {}
        self._pulled: dict[int, set[str]] = {}
        self._holders: dict[int | None, Counter[tuple[int, str]]] = {}
        self._conflicts: dict[tuple[str, str], bool] = {}
        self._coming: dict[int, Names] | None = None
        self.joins = Joins(plan.joins)
        self._joined = {name: _only_joined(node) for name, node in plan.nodes.items()} if plan.joins else {}
        self._deferred = {name for name, node in plan.nodes.items() if node.deferred}
        self._late: set[str] = set()
        self._handlers = {name: frozenset({node.handler}) for name, node in plan.nodes.items() if node.handler is not None}
        self.holding = any(node.mutates for node in plan.nodes.values())

    # ---- booking

    def open(self, step: int, arrived: Mapping[Join, frozenset[str]], deferred: frozenset[str] = NOBODY) -> None:
        """Books that superstep `step` is here: all its tasks are known, who has come to joins before it, and who is deferred."""
        self._open, self._coming = step, None
        self._late |= deferred
        self.joins.open(step, arrived)

    def add(self, task: Task) -> None:
        """Books a task that has become known."""
        counts = self._unfinished.setdefault(task.step, Counter())
        if not counts[task.node]:
            self._coming = None
        counts[task.node] += 1
        if task.pulled:
            self._pulled.setdefault(task.step, set()).add(task.node)
            self._coming = None
        for operand in self._operands(task):
            self._holders.setdefault(operand, Counter())[task.step, task.node] += 1

    def trigger(self, step: int, nodes: frozenset[str]) -> None:
        """Books that edges lead to `nodes` in superstep `step`."""
        triggered = self._triggered.setdefault(step, set())
        if not nodes <= triggered:
            triggered |= nodes
            self._late |= nodes & self._deferred  # such a node may come in any later superstep instead
            self._coming = None

    def arrive(self, step: int, node: str, joins: frozenset[Join]) -> None:
        """Books that a task has come to `joins`."""
        if joins:
            self.joins.arrive(step, node, joins)
            self._coming = None

    def drop(self, task: Task) -> None:
        """Books that a task that an edge was to trigger won't come in its superstep."""
        self._pulled[task.step].discard(task.node)
        self._coming = None

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
            self._coming = None
            yield place
            yield COMING
        for operand in self._operands(task):
            holders = self._holders[operand]
            holders[place] -= 1
            if not holders[place]:
                del holders[place]
                if not holders:
                    del self._holders[operand]
                yield (operand, *place)

    def close(self, step: int) -> None:
        """Forgets the supersteps up to `step`."""
        for book in (self._unfinished, self._triggered, self._pulled):
            for old in [s for s in book if s <= step]:
                del book[old]

    # ---- asking

    def finished(self, step: int) -> bool:
        """Whether every task of superstep `step` is finished."""
        return step not in self._unfinished

    def blocker(self, task: Task) -> Hashable | None:
        """The first thing that forbids `task` to start now; None if nothing does."""
        for step, counts in self._unfinished.items():
            if step < task.step:
                for node in counts:
                    if any(self._stops(task, other, step) for other in self._with_handlers((node,))):
                        return (step, node)
        for step in range(self._open + 1, task.step):
            if any(self._collides(task, node, step) for node in self._named(self._to_come(step))):
                return COMING
        return self._held(task) if self.holding and not task.pulled else None

    def undecided(self, task: Task) -> Hashable | None:
        """The first thing that may still change what `task`'s conditional edges read; None if there is nothing."""
        routes = self._plan.nodes[task.node].routes
        reads = frozenset[str]().union(*(self._keys if r.reads is None else r.reads & self._keys for r in routes)) - task.wrote
        if not reads:
            return None
        if not reads <= self._steady or self._plan.nodes[task.node].changes_state:
            return NEVER  # others look at the state before this superstep is there
        for step, counts in self._unfinished.items():
            if step < task.step:
                for node in counts:
                    if any(self.writes(other) & reads for other in self._with_handlers((node,))):
                        return (step, node)
        for step in range(self._open + 1, task.step):
            if any(self.writes(node) & reads for node in self._named(self._to_come(step))):
                return COMING
        return None

    def writes(self, node: str) -> frozenset[str]:
        """State keys that tasks of a node may write."""
        plan = self._plan.nodes.get(node)
        writes = plan.function.writes if plan else None
        return self._keys if writes is None else writes

    # ---- what isn't known yet

    def _to_come(self, step: int) -> Names:
        """Nodes that may yet turn up in superstep `step`, beside the tasks known there."""
        if self._coming is None or step not in self._coming:
            self._coming = {}
            last = max((*self._unfinished, step, self._open))
            names: Names = frozenset(self._unfinished.get(self._open, ()))
            expected = self.joins.expected()
            for here in range(self._open + 1, last + 1):
                joined = expected.after(here - 1, names) if self.joins else frozenset[str]()
                triggered = self._triggered.get(here, set()) | self._late | joined
                names = self._after(names, triggered, self._pulled.get(here, set()))
                self._coming[here] = names
                if names is not None:
                    names |= frozenset(self._unfinished.get(here, ()))
        return self._coming[step]

    def _after(self, nodes: Names, triggered: set[str], known: set[str]) -> Names:
        """Nodes that may follow `nodes`, besides those `triggered` for certain; not by the edges into those `known` already."""
        if nodes is None:
            return None
        following = triggered - known
        for node in self._with_handlers(nodes):
            plan = self._plan.nodes.get(node)
            targets, sends = (plan.targets, plan.sends) if plan else (None, None)
            if targets is None:
                return None
            targets -= self._joined.get(node, frozenset())
            following |= targets - known | (targets if sends is None else targets & sends)
        return self._with_handlers(following)

    def _with_handlers(self, nodes: Iterable[str]) -> frozenset[str]:
        found = frozenset(nodes)
        return found.union(*(self._handlers[node] for node in found & self._handlers.keys())) if self._handlers else found

    def _named(self, nodes: Names) -> Iterable[str]:
        return self._plan.nodes if nodes is None else nodes

    # ---- pairs

    def _conflict(self, early: str, unfinished: str) -> bool:
        pair = (early, unfinished)
        known = self._conflicts.get(pair)
        if known is None:
            known = self._conflicts[pair] = self._plan.conflict(early, unfinished) is not None
        return known

    def _stops(self, task: Task, other: str, step: int) -> bool:
        """Whether `task` may not start before a task of node `other` in superstep `step` has finished, operands aside."""
        if task.pulled:
            return other in task.awaits or self._passing.obstacle(task.node, other, task.step - step) is not None
        return self._conflict(task.node, other)

    def _collides(self, task: Task, coming: str, step: int) -> bool:
        """Whether `task` may not pass a task of node `coming`, of which nothing else is known."""
        if task.pulled:
            return self._stops(task, coming, step)
        return self._conflict(task.node, coming) or (task.operands != frozenset() and self._either_mutates(task.node, coming))

    def _either_mutates(self, *nodes: str) -> bool:
        plans = [self._plan.nodes.get(node) for node in nodes]
        return any(plan is None or plan.mutates for plan in plans)

    def _held(self, task: Task) -> Hashable | None:
        """The first unfinished holder of one of the task's mutable operands, if either of the two may change it."""
        for operand in self._watched(task):
            for step, node in self._holders.get(operand, ()):
                if step < task.step and self._either_mutates(task.node, *self._with_handlers((node,))):
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
            plan = self._plan.nodes.get(task.node)
            known = None if plan is None or plan.changes_state else task.operands
            yield from (None,) if known is None else known


def _only_joined(node: NodePlan) -> frozenset[str]:
    """Nodes that a task of `node` leads to by joins alone."""
    if node.targets is None or node.pulls is None or node.sends is None:
        return frozenset()
    return node.targets - node.pulls - node.sends - {node.handler}
