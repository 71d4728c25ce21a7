"""Picks the nodes that may run ahead of their superstep at all, whatever else is going on in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice

from alto_langgraph.plan.beside import beside
from alto_langgraph.plan.marks import ASKS, DRAWS
from alto_langgraph.plan.model import NOBODY, Effects, NodePlan, Plan, Reason
from alto_langgraph.plan.relays import Relays
from alto_langgraph.plan.values import names_of

NOTHING_SEEN: Mapping[str, frozenset[str]] = {}

_BY_EFFECTS = frozenset({"effects", "mutates", "outside", "shared"})
"""Codes of the reasons against running a node again that a hint on its effects does away with."""

Kinds = Mapping[str, frozenset[str]]
"""Kinds of payloads (`NodePlan.kinds`) by node."""

Fits = Callable[[NodePlan], bool]


def _fits(node: NodePlan) -> bool:
    return True


class Candidates:
    """Nodes that may run ahead, and why the others may not.

    Args:
        plan: What is known of the graph.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.relays = Relays(plan, self._why_not_run_again)
        self._unsettled: dict[str, frozenset[str] | None] = {}

    def sent(self, strongest: Effects) -> frozenset[str]:
        """Nodes that may run ahead when a `Send` triggers them, with effects of `strongest` at most."""
        return frozenset(name for name, node in self.plan.nodes.items() if not any(self.reasons(node, strongest)))

    def pulled(self, strongest: Effects, seen: Mapping[str, frozenset[str]] = NOTHING_SEEN) -> Mapping[str, frozenset[str]]:
        """Nodes that may run ahead when an edge triggers them, with the state keys that their input depends on.

        Args:
            strongest: Their effects at most.
            seen: For some nodes all keys that their runs have read, which then stand for what they may read.
        """
        nodes = (_seen(self.plan.nodes[name], seen.get(name)) for name in self.sent(strongest))
        return {node.name: self._waits_for(node) for node in nodes if not any(self.reasons_on_state(node))}

    def _waits_for(self, node: NodePlan) -> frozenset[str]:
        """State keys that a task waits for: of a node that `gathers`, those of its conditional edges, too.

        It only computes. Started before these are known it would wait at its edges, and nobody would try these on a part of them.
        """
        return self._gathered(node) if self.gathers(node) else node.operands

    def kinds(self, strongest: Effects, fits: Fits = _fits) -> Kinds:
        """The same of nodes for which it depends on the kind of payload: for each the kinds with which it may run ahead.

        Args:
            strongest: Their effects at most.
            fits: Whether a node, or a kind of one, may run ahead in a certain run.
        """
        return self._kinds(lambda kind, home: fits(kind) and not any(self.reasons(kind, strongest, home)))

    def _kinds(self, may: Callable[[NodePlan, str], bool]) -> Kinds:
        found = {
            name: frozenset(kind for kind, plan in node.kinds if may(plan, name))
            for name, node in self.plan.nodes.items()
            if node.kinds and not may(node, name)
        }
        return {name: kinds for name, kinds in found.items() if any(kinds)}

    def reasons(self, node: NodePlan, strongest: Effects, home: str | None = None) -> Iterator[Reason]:
        """Why a node, or a kind of the node `home`, never runs ahead, whoever triggers it."""
        name, function = node.name, node.function
        yield from node.fences
        if node.may_interrupt:
            yield Reason("interrupt", name, f"`{name}` may call interrupt(), which may pause the run only in its own superstep.")
        if strongest < function.effects < Effects.EXTERNAL:
            word = strongest.name.lower()
            yield Reason("effects", name, f"`{name}` {function.doing}, and only work that is known to be {word} may run ahead.")
        yield from self._ordered(node, home or name)

    def reasons_on_state(self, node: NodePlan) -> Iterator[Reason]:
        """Why a node never runs ahead when an edge triggers it, besides."""
        name = node.name
        if (changed := next((use.name for use in node.shares if use.writes), None)) is not None:
            sentence = f"`{name}` changes `{changed}`, outside the state, where it would show if the run ended before its superstep."
            yield Reason("outside", changed, sentence)
        for key in sorted(node.unsteady):
            yield Reason("unsteady", key, f"`{name}` reads `{key}`, whose value may change without anybody writing it.")
        for other in [name] if node.function.mutates else sorted(self.beside[name] & self._mutating):
            sentence = f"`{other}` may change objects of the state in place, which `{name}` would see too early."
            yield Reason("mutates", other, sentence)

    def repeatable(self, strongest: Effects) -> frozenset[str]:
        """Nodes that may be started ahead although it may turn out that they weren't needed, and be run again."""
        return frozenset(name for name, node in self.plan.nodes.items() if not any(self._reasons_to_be_certain(node, name, strongest)))

    def repeatable_kinds(self, strongest: Effects, fits: Fits = _fits) -> Kinds:
        """The same of nodes for which it depends on the kind of payload."""
        return self._kinds(lambda kind, home: fits(kind) and not any(self._reasons_to_be_certain(kind, home, strongest)))

    def _reasons_to_be_certain(self, node: NodePlan, home: str, strongest: Effects) -> Iterator[Reason]:
        """Why a node, or a kind of the node `home`, isn't started before it is certain that it is needed."""
        yield from self._why_not_repeatable(node)
        yield from self.reasons(node, min(strongest, Effects.IDEMPOTENT), home)

    def reasons_to_wait(self, node: NodePlan, strongest: Effects) -> Iterator[Reason]:
        """Why some of what is sent to a node, by its kind, doesn't start on a part of an answer: the first reason for each kind."""
        for _, kind in node.kinds:
            reasons = chain(self._reasons_to_be_certain(kind, node.name, strongest), self._reasons_to_see(kind, node.name))
            yield from islice(reasons, 1)

    def _reasons_to_see(self, kind: NodePlan, home: str) -> Iterator[Reason]:
        """What of the state a kind of the node `home` looks at that may yet be written when it is sent to."""
        reads, unsettled = self.seen(kind), self.unsettled(home)
        for key in sorted(reads if unsettled is None else reads & unsettled):
            sentence = f"`{kind.name}` looks at `{key}` of the state, which may be written until its superstep."
            yield Reason("state", kind.name, sentence)

    def seen(self, kind: NodePlan) -> frozenset[str]:
        """What a kind of a node looks at in the state."""
        function = kind.function
        return function.managed | (kind.operands if function.reads is None else function.reads)

    def unsettled(self, name: str) -> frozenset[str] | None:
        """State keys that may be written by who sends to a node, in parts of answers too, or by others beside that one. None for "all".

        What the node's own tasks of earlier supersteps write isn't among them: they have mostly ended when it is sent to again.
        """
        if name not in self._unsettled:
            senders = [node.name for node in self.plan.nodes.values() if node.sends is None or name in node.sends]
            senders += [before for sender in senders for before in self.relays.before(sender)]
            writers = frozenset(senders).union(*(self.beside[sender] for sender in senders)) - {name}
            written: frozenset[str] | None = frozenset()
            for other in writers:
                written = names_of(written, self.plan.nodes[other].writes)
            self._unsettled[name] = written
        return self._unsettled[name]

    def streaming(self, strongest: Effects) -> frozenset[str]:
        """Nodes whose code may be run again on a part of an answer, to see what it would send on that."""
        return frozenset(name for name, node in self.plan.nodes.items() if not any(self.reasons_not_to_stream(node, strongest)))

    def reasons_not_to_stream(self, node: NodePlan, strongest: Effects) -> Iterator[Reason]:
        """Why nothing starts on a part of what a node is answered."""
        name, declared, sends = node.name, node.function.streams, self.relays.sends(node)
        if sends == NOBODY:
            blamed = tuple(self.relays.to_blame(name))
            yield from blamed or [Reason("sends", name, f"`{name}` sends nothing.")]
        elif sends is not None and not sends & (self.repeatable(strongest) | self.repeatable_kinds(strongest).keys()):
            end = min(sends)
            yield self._unrepeatable(name, end)
            yield from self.reasons_to_wait(self.plan.nodes[end], strongest)
        if declared is False:
            yield Reason("declared", name, f"`{name}` says so by the hint `streams`.")
        if declared is None:
            yield from (hinted(reason, "streams", True, name) for reason in self._why_not_run_again(node))

    def _unrepeatable(self, name: str, end: str) -> Reason:
        """That what a node sends to can't be started before that is certain."""
        reason = Reason("sends", end, f"`{end}`, to which `{name}` sends, can't be started before that is certain.")
        node = self.plan.nodes[end]
        against = {r.code for r in (*self.reasons(node, Effects.IDEMPOTENT), *self._why_not_repeatable(node))}
        return hinted(reason, "effects", "idempotent", end) if against <= _BY_EFFECTS else reason

    def _why_not_run_again(self, node: NodePlan) -> Iterator[Reason]:
        name, function = node.name, node.function
        if node.subgraph or function.subgraph:
            yield Reason("subgraph", name, f"`{name}` runs a graph inside, which can't be run again on a part of an answer.")
        if node.may_interrupt:
            yield Reason("interrupt", name, f"`{name}` may call interrupt(), so its code can't be run again on a part of an answer.")
        if function.uses_store or any(route.uses_store for route in node.routes):
            yield Reason("store", name, f"`{name}` may use the store, so its code can't be run again on a part of an answer.")
        for part in (function, *node.routes):
            for asked in (text.removeprefix(f"{ASKS} ") for text in part.evidence if text.startswith(ASKS)):
                yield Reason("asks", name, f"`{name}` asks {asked} for itself, and would ask again for each part of an answer.")
        yield from self._why_not_repeatable(node)

    def gathers(self, node: NodePlan) -> bool:
        """Whether a node does no more than compute from what others have put together, as its code shows.

        One that only says so may take its time, and would take it once more for each part.
        """
        parts = (node.function, *node.routes)
        computes = all(part.effects is Effects.PURE and part.sources.effects != "declared" for part in parts)
        return computes and not self.plan.reduced.isdisjoint(self._gathered(node))

    def _gathered(self, node: NodePlan) -> frozenset[str]:
        return node.operands.union(*(self.plan.reduced if part.reads is None else part.reads for part in node.routes))

    def _why_not_repeatable(self, node: NodePlan) -> Iterator[Reason]:
        name, function = node.name, node.function
        for part in (function, *node.routes):
            if part.effects > Effects.IDEMPOTENT:
                yield Reason("effects", name, f"`{name}` {part.doing}, and only work that is known to be idempotent may be repeated.")
            if DRAWS in part.evidence:
                yield Reason("draws", name, f"`{name}` draws random numbers, and would draw others if it ran again.")
        if node.mutates:
            yield Reason("mutates", name, f"`{name}` may change objects of the state in place, and would do so again.")
        for use in node.shares:
            if use.writes:
                yield Reason("outside", use.name, f"`{name}` changes `{use.name}`, outside the state, and would do so again.")

    @cached_property
    def beside(self) -> Mapping[str, frozenset[str]]:
        """Nodes whose tasks may share a superstep with one of a node's."""
        return beside(self.plan)

    @cached_property
    def wary(self) -> frozenset[str]:
        """Nodes that may change their operands in place, and nodes beside which a task of their own superstep may.

        Until that superstep is there, others look at these operands: checkpoints, events, reducers and path functions.
        """
        nodes, mutating = self.plan.nodes, self._mutating
        if not mutating:
            return frozenset()
        return frozenset(name for name in nodes if nodes[name].function.mutates or self.beside[name] & mutating)

    def is_wary(self, name: str, kinds: frozenset[str] | None) -> bool:
        """Whether a node is `wary` of what it is sent, if that is of these kinds: what only others of its kinds hold doesn't count."""
        if name not in self.wary or kinds is None:
            return name in self.wary
        node = self.plan.nodes[name]
        found = dict(node.kinds)
        changing = any(plan.function.mutates and plan.function.changes != NOBODY for plan in found.values())
        own = any(found[kind].function.mutates for kind in kinds) or any(route.mutates for route in node.routes)
        return own or changing or not self._mutating.isdisjoint(self.beside[name] - {name})

    @cached_property
    def _mutating(self) -> frozenset[str]:
        return frozenset(name for name, node in self.plan.nodes.items() if node.mutates)

    def _ordered(self, node: NodePlan, home: str) -> Iterator[Reason]:
        """It uses an object outside the state which tasks of its own superstep use too: their order shows in it."""
        for other in sorted(self.beside[home]):
            if (reason := self.plan.shared(node, other)) is not None:
                yield reason
                return


def _seen(node: NodePlan, keys: frozenset[str] | None) -> NodePlan:
    return node if keys is None else replace(node, operands=node.operands & keys, unsteady=node.unsteady & keys)


def hinted(reason: Reason, key: str, value: object, node: str) -> Reason:
    """The reason, with the hint that would change it."""
    said = f'"{value}"' if isinstance(value, str) else value
    return replace(reason, sentence=f'{reason.sentence} The hint `{{"{key}": {said}}}` in the metadata of `{node}` would change that.')
