"""Collects what reading a function brings to light."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from alto_langgraph.plan.marks import ASKS, DRAWS
from alto_langgraph.plan.model import CallablePlan, Effects, SharedUse
from alto_langgraph.plan.operands import ANYWHERE, OPERAND, key_under, of_operand
from alto_langgraph.plan.values import names_of

NOWHERE: frozenset[str] = frozenset()


class Report:
    """What has been found so far. It only ever grows, so the order of reading doesn't matter."""

    def __init__(self) -> None:
        self.reads: set[str] | None = set()
        self.changes: set[str] | None = set()
        self.pushes: frozenset[str] | None = NOWHERE
        self.effects = Effects.PURE
        self.pauses = self.identity = self.store = self.mutates = self.subgraph = False
        self.sees_names = False
        self.goes: frozenset[str] | None = NOWHERE
        self.sends: frozenset[str] | None = NOWHERE
        self.goes_up: frozenset[str] | None = NOWHERE
        self.writes_up: frozenset[str] | None = NOWHERE
        self.names: dict[int, str] = {}
        self.uses: dict[int, tuple[bool, bool]] = {}
        self.instances: set[int] = set()
        self.depends: list[tuple[Any, Any, Any]] = []
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

    def change(self, keys: Iterable[str] | None) -> None:
        """What the state holds under `keys` is changed in place. None for "all"."""
        if keys is None:
            self.changes = None
        elif self.changes is not None:
            self.changes.update(keys)

    def push(self, keys: frozenset[str] | None) -> None:
        """The state is written under `keys`, otherwise than by what is returned. None for "all"."""
        self.pushes = names_of(self.pushes, keys)

    def reach(self, effects: Effects, why: str) -> None:
        """Something with these effects is called."""
        if effects > self.effects:
            self.effects = effects
            self.note(f"calls {why}")

    def ask(self, why: str) -> None:
        """Something is asked that may be asked again, and will be if the code runs again."""
        self.reach(Effects.IDEMPOTENT, why)
        self.note(f"{ASKS} {why}")

    def mutate(self, keys: Iterable[int], why: str) -> None:
        """Objects with these keys are changed in place."""
        for key in keys:
            if key == OPERAND:
                self._mutate(f"changes an operand in place ({why})")
            elif key == ANYWHERE:
                self.change(None)
                self._mutate(f"changes an operand in place ({why})")
            elif key > ANYWHERE:
                name = key_under(key)
                self.change((name,) if name is not None else None)
                self._mutate(f"changes `{name}` in place ({why})")
            elif key > OPERAND:
                self.use(key, writes=True)

    def _mutate(self, note: str) -> None:
        self.mutates = True
        self.note(note)

    def touch(self, keys: Collection[int]) -> None:
        """The contents of objects with these keys are looked at."""
        if OPERAND in keys:
            self.read_all()
        for key in keys:
            if OPERAND < key < ANYWHERE:
                self.use(key, reads=True)

    def use(self, key: int, *, reads: bool = False, writes: bool = False) -> None:
        """An object outside the state is looked at or changed."""
        before = self.uses.get(key, (False, False))
        self.uses[key] = (before[0] or reads, before[1] or writes)

    def absorb(self, plan: CallablePlan, name: str, operands: Iterable[int]) -> None:
        """What another callable touches is touched here too.

        Args:
            plan: Of that callable.
            name: What it is called here.
            operands: Keys of everything it is given.
        """
        if plan.effects > Effects.PURE:
            self.reach(plan.effects, next((e.removeprefix("calls ") for e in plan.evidence if e.startswith("calls ")), f"`{name}`"))
        for text in plan.evidence:
            if text == DRAWS or text.startswith(ASKS):
                self.note(text)
        self.pauses |= plan.may_interrupt
        self.identity |= plan.sees_identity
        self.store |= plan.uses_store
        self.subgraph |= plan.subgraph
        self.push(plan.pushes)
        if plan.subgraph:  # it may raise a command to the graph around it
            self.goes, self.sends = names_of(self.goes, plan.goes), names_of(self.sends, plan.sends)
        if plan.mutates:
            self.mutate(of_operand(operands), f"inside `{name}`")
        for use in plan.shares:
            self.names.setdefault(use.key, use.name)
            self.use(use.key, reads=use.reads, writes=use.writes)

    def notice(self, other: Report) -> None:
        """What an object is like, as told by a report on nothing but that, is told here too."""
        self.pauses |= other.pauses
        self.identity |= other.identity
        self.store |= other.store
        self.evidence.update(other.evidence)
        for key, name in other.names.items():
            self.names.setdefault(key, name)
        self.instances |= other.instances

    def says_anything(self) -> bool:
        """Whether `notice` of this report would tell anything."""
        return bool(self.pauses or self.identity or self.store or self.evidence or self.names or self.instances)

    def mentions(self, odd: Callable[[Iterable[str] | None], bool]) -> bool:
        """Whether any names that were found are `odd`."""
        found = (self.reads, self.changes, self.pushes, self.goes, self.sends, self.goes_up, self.writes_up)
        return any(map(odd, found))

    def merge(self, other: Report) -> None:
        """Everything that another report tells is told here too."""
        self.reads = None if self.reads is None or other.reads is None else self.reads | other.reads
        self.change(other.changes)
        self.push(other.pushes)
        self.effects = max(self.effects, other.effects)
        self.mutates |= other.mutates
        self.subgraph |= other.subgraph
        self.sees_names |= other.sees_names
        self.goes = names_of(self.goes, other.goes)
        self.sends = names_of(self.sends, other.sends)
        self.goes_up = names_of(self.goes_up, other.goes_up)
        self.writes_up = names_of(self.writes_up, other.writes_up)
        for key, (reads, writes) in other.uses.items():
            self.use(key, reads=reads, writes=writes)
        self.depends += other.depends
        self.notice(other)

    def plan(self, updates: frozenset[str] | None, returns: frozenset[str] | None) -> CallablePlan:
        """The findings as a value."""
        changes = None if self.changes is None else frozenset(self.changes)
        return CallablePlan(
            reads=None if self.reads is None else frozenset(self.reads),
            writes=names_of(updates, names_of(changes, self.pushes)),
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
            updates=updates,
            changes=changes,
            pushes=self.pushes,
            writes_up=self.writes_up,
        )
