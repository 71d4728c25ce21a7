"""Collects what reading a function brings to light."""

from __future__ import annotations

from collections.abc import Iterable

from alto_langgraph.plan.model import CallablePlan, Effects, SharedUse
from alto_langgraph.plan.values import OPERAND


class Report:
    """What has been found so far. It only ever grows, so the order of reading doesn't matter."""

    def __init__(self) -> None:
        self.reads: set[str] | None = set()
        self.effects = Effects.PURE
        self.pauses = self.identity = self.store = self.mutates = self.subgraph = False
        self.goes: frozenset[str] | None = frozenset()
        self.sends: frozenset[str] | None = frozenset()
        self.goes_up: frozenset[str] | None = frozenset()
        self.names: dict[int, str] = {}
        self.uses: dict[int, tuple[bool, bool]] = {}
        self.evidence: dict[str, None] = {}

    def note(self, text: str) -> None:
        """Remembers why something was concluded, for `explain`."""
        self.evidence[text] = None

    def read_key(self, key: str) -> None:
        """The state's `key` is looked at."""
        if self.reads is not None:
            self.reads.add(key)

    def read_all(self) -> None:
        """The state is looked at in a way that doesn't tell which keys."""
        self.reads = None

    def reach(self, effects: Effects, why: str) -> None:
        """Something with these effects is called."""
        if effects > self.effects:
            self.effects = effects
            self.note(f"calls {why}")

    def mutate(self, keys: Iterable[int], why: str) -> None:
        """Objects with these keys are changed in place."""
        for key in keys:
            if key == OPERAND:
                self.mutates = True
                self.note(f"changes an operand in place ({why})")
            elif key > OPERAND:
                self.use(key, writes=True)

    def touch(self, keys: Iterable[int]) -> None:
        """The contents of objects with these keys are looked at."""
        for key in keys:
            if key > OPERAND:
                self.use(key, reads=True)

    def use(self, key: int, *, reads: bool = False, writes: bool = False) -> None:
        """An object outside the state is looked at or changed."""
        before = self.uses.get(key, (False, False))
        self.uses[key] = (before[0] or reads, before[1] or writes)

    def absorb(self, plan: CallablePlan, name: str, *, operands: bool) -> None:
        """What another callable touches is touched here too.

        Args:
            plan: Of that callable.
            name: What it is called here.
            operands: Whether it gets something of this one's operands.
        """
        if plan.effects > Effects.PURE:
            self.reach(plan.effects, next((e.removeprefix("calls ") for e in plan.evidence if e.startswith("calls ")), f"`{name}`"))
        self.pauses |= plan.may_interrupt
        self.identity |= plan.sees_identity
        self.store |= plan.uses_store
        self.subgraph |= plan.subgraph
        if operands and plan.mutates:
            self.mutate((OPERAND,), f"inside `{name}`")
        for use in plan.shares:
            self.names.setdefault(use.key, use.name)
            self.use(use.key, reads=use.reads, writes=use.writes)

    def plan(self, writes: frozenset[str] | None, returns: frozenset[str] | None) -> CallablePlan:
        """The findings as a value."""
        return CallablePlan(
            reads=None if self.reads is None else frozenset(self.reads),
            writes=writes,
            effects=self.effects,
            may_interrupt=self.pauses,
            sees_identity=self.identity,
            uses_store=self.store,
            mutates=self.mutates,
            shares=tuple(SharedUse(key, self.names.get(key, "?"), r, w) for key, (r, w) in self.uses.items() if r or w),
            evidence=("source", *self.evidence),
            goes=self.goes,
            sends=self.sends,
            subgraph=self.subgraph,
            returns=returns,
            goes_up=self.goes_up,
        )
