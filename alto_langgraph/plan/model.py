"""What is known of a graph before it runs: per node what it touches, and who may follow whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Literal


class Effects(IntEnum):
    """How far a node's work reaches; each class includes the ones before it (DESIGN I5)."""

    PURE = 0
    IDEMPOTENT = 1
    UNKNOWN = 2
    EXTERNAL = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node may not run ahead: the name that is to blame and one plain sentence.

    Args:
        code: Short stable word for the reason, e.g. `cache_policy`.
        subject: Name in the app that is to blame.
        sentence: For the reader, ends with a full stop.
    """

    code: str
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SharedUse:
    """A mutable object outside the state (closure, global, attribute of `self`) that a node touches.

    Args:
        key: `id()` of the object, alive as long as the graph.
        name: As written in the app.
        reads: The node may look at its content.
        writes: The node may change its content.
    """

    key: int
    name: str
    reads: bool
    writes: bool


Source = Literal["declared", "code", "known", "annotation", "schema", "unknown"]
"""Where an answer comes from: a hint in `metadata=`, reading the code, a table of known callables, a return annotation (a promise that
nobody keeps the app to), the schemas of the graph; "unknown" where nothing tells, so that the answer is "all" or the worst."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where each answer about a callable comes from.

    Args:
        reads: Of `reads`.
        writes: Of `writes`.
        goes: Of `goes`, `sends` and `returns`.
        effects: Of `effects`.
    """

    reads: Source = "unknown"
    writes: Source = "unknown"
    goes: Source = "unknown"
    effects: Source = "unknown"


NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallablePlan:
    """What one callable (a node's function or a path function) touches. None for a set means "all".

    Args:
        reads: Keys it may look at in what it is given. Of a node, or a path function, of a graph: never None where the schema of its
            input is known, and of the graph's own keys only those that the schema has, without managed values.
        writes: State keys that it may write: `updates`, `changes` and `pushes`.
        effects: How far its work reaches.
        may_interrupt: It may call `interrupt()` or raise what that raises.
        sees_identity: It looks at ids of its own task (checkpoint namespace, task path, task id).
        uses_store: It may use the run's `BaseStore`.
        mutates: It may change its operands in place.
        shares: Mutable objects outside the state that it touches.
        evidence: Where the answers come from, for `explain`.
        goes: Node names it may put into `Command(goto=...)`.
        sends: Node names it may put into a `Send`.
        subgraph: It may run a compiled graph inside.
        returns: Strings it may return, alone or in a list: where a path function leads.
        goes_up: Node names of the graph around this one that it may name in `Command(graph=Command.PARENT)`.
        updates: State keys of the update that it may return.
        changes: Keys of what it is given whose values it may change in place.
        pushes: State keys that it may write otherwise than by what it returns (`push_message`, a command that a graph inside raises).
        writes_up: State keys of the graph around this one that it may name in `Command(graph=Command.PARENT)`.
        managed: Managed values (`RemainingSteps` and the like) that it may look at, by key. They depend on the number of the superstep
            and on nothing that a task writes.
        named: Which keys it looks at only a run tells, but it uses what it is given by its keys and in no other way, all of it before it
            returns.
        streams: Whether the app says that its code may be run again on a part of an answer; None if it says nothing.
        sources: Where the answers come from.
    """

    reads: frozenset[str] | None = None
    writes: frozenset[str] | None = None
    effects: Effects = Effects.UNKNOWN
    may_interrupt: bool = True
    sees_identity: bool = True
    uses_store: bool = True
    mutates: bool = True
    shares: tuple[SharedUse, ...] = ()
    evidence: tuple[str, ...] = ()
    goes: frozenset[str] | None = None
    sends: frozenset[str] | None = None
    subgraph: bool = True
    returns: frozenset[str] | None = None
    goes_up: frozenset[str] | None = None
    updates: frozenset[str] | None = None
    changes: frozenset[str] | None = None
    pushes: frozenset[str] | None = None
    writes_up: frozenset[str] | None = None
    managed: frozenset[str] = NOBODY
    named: bool = False
    streams: bool | None = None
    sources: Sources = Sources()

    @property
    def doing(self) -> str:
        """What gives it its effects, to follow its name in a sentence."""
        return next((e for e in reversed(self.evidence) if e.startswith("calls ")), "has effects that can't be told from its code")


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node: its function, the path functions of its conditional edges, and what fences it.

    Args:
        name: Node name.
        function: What the node's own callable touches.
        routes: What each of its conditional edges' path functions touches.
        targets: Nodes that may follow it (edges, path maps, declared `Command` ends); None means any node.
        fences: Reasons why it is never started ahead of its superstep.
        sends: Nodes that it, or its path functions, may reach by a `Send`; None means any.
        subgraph: It is, or may call, a compiled graph; such a node waits when the run has a checkpointer.
        handler: Node that runs in its place, in the same superstep, when it has failed.
        pulls: Nodes that it may trigger by an edge or a `Command`, not by a `Send` nor by a join with others; None means any.
        operands: State keys that its input depends on when an edge triggers it.
        unsteady: Those of them whose value may change without any task writing it.
        certain: Nodes that are triggered for certain, for the next superstep, when it ends without an error: by plain edges from it,
            not by joins, conditional edges or commands. It ends with an error also where it names a node of the graph around
            (`function.goes_up`).
        whole: Making its input looks at every key of its schema, whether its function does or not: it is an instance of a pydantic
            model, or of a dataclass with code of its own. `function.reads` has them all then, even where less is declared.
        iterates: Nodes that it, or its path functions, send to in loops, each with the app's name of what there is one `Send` for; an
            empty text stands for a node that the code doesn't name.
        kinds: What it is for each kind of payload that it may be sent, where payloads say that, as calls of tools do; an empty text
            stands for all other kinds. For payloads of one kind it does no more than that.
    """

    name: str
    function: CallablePlan
    routes: tuple[CallablePlan, ...] = ()
    targets: frozenset[str] | None = None
    fences: tuple[Reason, ...] = ()
    sends: frozenset[str] | None = None
    subgraph: bool = False
    handler: str | None = None
    pulls: frozenset[str] | None = None
    operands: frozenset[str] = frozenset()
    unsteady: frozenset[str] = frozenset()
    certain: frozenset[str] = NOBODY
    whole: bool = False
    iterates: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, NodePlan], ...] = ()

    @property
    def writes(self) -> frozenset[str] | None:
        """State keys that the node, or one of its path functions, may write; None for "all"."""
        written = self.function.writes
        for route in self.routes:
            written = None if written is None or route.writes is None else written | route.writes
        return written

    @property
    def observed(self) -> bool:
        """Whether what it reads can be learnt from its runs: one that reads anything else may be given up and repeated."""
        return self.function.named and self.function.effects <= Effects.IDEMPOTENT and not self.function.mutates

    @property
    def may_interrupt(self) -> bool:
        """Whether the node, or one of its path functions, may call `interrupt()`."""
        return self.function.may_interrupt or any(r.may_interrupt for r in self.routes)

    @property
    def deferred(self) -> bool:
        """Whether the node waits until nothing else is left to run."""
        return any(fence.code == "deferred" for fence in self.fences)

    @property
    def mutates(self) -> bool:
        """Whether the node may change an operand in place."""
        return self.function.mutates or any(r.mutates for r in self.routes)

    @property
    def changes_state(self) -> bool:
        """Whether a path function may change in place what the state holds, be it among the node's own operands or not."""
        return any(r.mutates and r.reads != frozenset() for r in self.routes)

    @property
    def shares(self) -> tuple[SharedUse, ...]:
        """Every mutable object outside the state that the node or its path functions touch."""
        return self.function.shares + tuple(use for r in self.routes for use in r.shares)


@dataclass(frozen=True, slots=True)
class Join:
    """An edge with several starts (`add_edge([a, b], c)`): it triggers its end when every start has run since it last did.

    Args:
        starts: Node names.
        end: Node name.
    """

    starts: frozenset[str]
    end: str


@dataclass(frozen=True)
class Plan:
    """A whole graph. Equal graphs have equal plans.

    Args:
        nodes: By name; includes no START or END.
        entry: Nodes that may follow START; None means any.
        fences: Reasons why nothing in this graph is started ahead.
        subgraphs: Plans of nodes that are compiled graphs, by node name.
        entry_sends: Nodes that START's path functions may reach by a `Send`; None means any.
        entry_certain: Nodes that are triggered for certain in the first superstep, by plain edges from START.
        joins: Edges with several starts, but for those to deferred nodes, which wait for more than that.
        entry_iterates: As `NodePlan.iterates`, of START's path functions.
        reduced: State keys with a reducer, so that each task's write is taken in.
    """

    nodes: Mapping[str, NodePlan]
    entry: frozenset[str] | None = None
    fences: tuple[Reason, ...] = ()
    subgraphs: Mapping[str, Plan] = field(default_factory=dict)
    entry_sends: frozenset[str] | None = None
    entry_certain: frozenset[str] = NOBODY
    joins: frozenset[Join] = frozenset()
    entry_iterates: tuple[tuple[str, str], ...] = ()
    reduced: frozenset[str] = NOBODY

    @cached_property
    def _looked_at(self) -> frozenset[int]:
        """Objects outside the state of which some node reads what others, and in which order, have written."""
        return frozenset(use.key for uses in self._shares.values() for use in uses if use.reads)

    @cached_property
    def _shares(self) -> Mapping[str, tuple[SharedUse, ...]]:
        return {name: node.shares for name, node in self.nodes.items()}

    def conflict(self, early: str, unfinished: str) -> Reason | None:
        """Why a task of node `early` may not start while a task of node `unfinished`, which commits before it, still runs.

        None if nothing forbids it. Operands held by both are judged at run time, not here.
        """
        blocker = self.nodes.get(unfinished)
        candidate = self.nodes.get(early)
        if blocker is None or candidate is None:
            return None
        if blocker.may_interrupt:
            return Reason(
                "interrupt", unfinished, f"`{unfinished}` may call interrupt(), so nothing behind it starts before it has finished."
            )
        return self.shared(candidate, unfinished)

    def shared(self, node: NodePlan, other: str) -> Reason | None:
        """What `node`, or a kind of one, shares with the node `other` that may carry data between them."""
        mine = self._shares[node.name] if self.nodes.get(node.name) is node else node.shares
        for use in mine:
            for theirs in self._shares[other]:
                if use.key == theirs.key and (theirs.writes or use.writes) and use.key in self._looked_at:
                    return Reason(
                        "shared", use.name, f"`{node.name}` and `{other}` both use `{use.name}`, which may carry data between them."
                    )
        return None
