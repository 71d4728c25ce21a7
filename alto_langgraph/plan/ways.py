"""Tells of each way from a node to another whether a task may start ahead along it, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Literal

from alto_langgraph.options import AltoOptions
from alto_langgraph.plan.candidates import NOTHING_SEEN, Candidates
from alto_langgraph.plan.model import NOBODY, Effects, NodePlan, Plan, Reason
from alto_langgraph.plan.passing import Passing
from alto_langgraph.plan.relays import asks
from alto_langgraph.plan.unfinished import Unfinished

START = "__start__"

Issue = Literal["send", "edge", "chain", "route"]


class Ways:
    """The ways of a graph.

    Args:
        plan: What is known of the graph.
        options: What the user allows.
        seen: For some nodes all keys that their runs have read.
    """

    def __init__(self, plan: Plan, options: AltoOptions, seen: Mapping[str, frozenset[str]] = NOTHING_SEEN) -> None:
        self._plan, self._issue = plan, options.issue
        self._options, self._seen = options, seen
        self.fences = (*_switched_off(options), *plan.fences)
        self._strongest = Effects[options.effects.upper()]
        self._candidates = Candidates(plan)
        sent = self._candidates.sent(self._strongest) | self._candidates.kinds(self._strongest).keys()
        self._sent = sent if "send" in self._issue and not self.fences else frozenset()
        pulled = self._candidates.pulled(self._strongest, seen) if "edge" in self._issue and not self.fences else {}
        self._passing = Passing(plan, pulled, unasked="chain" in self._issue)
        self._unfinished = Unfinished(plan, self._candidates.beside, self._sent, self._passing)

    def sends(self, source: str, target: str) -> bool:
        """Whether `source` may send to `target`."""
        sends = self._plan.entry_sends if source == START else self._plan.nodes[source].sends
        return sends is None or target in sends

    def streams(self, node: NodePlan) -> bool:
        """Whether `node` asks and sends, so that something could start on a part of what it is answered."""
        if not self._sent or "stream" not in self._issue or not asks(node):
            return False
        if node.sends is None:
            return not node.kinds  # of tools only commands could send
        relays = self._candidates.relays
        return bool(relays.sends(node)) or any(relays.to_blame(node.name))

    def gathers(self, node: NodePlan) -> bool:
        """Whether something that `node` sends starts on the part of what it reduces that is closed."""
        possible = bool(self._sent) and "stream" in self._issue and node.sends != NOBODY and node.name in self._passing.reads
        possible = possible and any(self._pulls(source, node.name) for source in self._plan.nodes)
        return possible and self._candidates.gathers(node) and not any(self.unstreamed(node))

    def unstreamed(self, node: NodePlan) -> Iterator[Reason]:
        """Why nothing starts on a part of what `node` is answered."""
        return self._candidates.reasons_not_to_stream(node, self._strongest)

    def exceptions(self, node: NodePlan) -> Iterator[Reason]:
        """Why some of what `node` sends, if not all, waits for the complete answer nevertheless."""
        partly = self._candidates.repeatable_kinds(self._strongest).keys() | self._candidates.repeatable(self._strongest)
        sends = self._candidates.relays.sends(node)
        for target in sorted(partly & (partly if sends is None else sends)):
            yield from self._candidates.reasons_to_wait(self._plan.nodes[target], self._strongest)

    def of_kinds(self, node: NodePlan) -> Iterator[Reason]:
        """Why payloads of some kinds that a node is sent wait for its superstep, if others don't."""
        if node.name in self._candidates.kinds(self._strongest):
            for _, kind in node.kinds:
                yield from islice(self._candidates.reasons(kind, self._strongest, node.name), 1)

    def in_place(self, node: NodePlan) -> Iterator[Reason]:
        """What changes of operands in place make a task that is sent to wait for."""
        name, nodes, beside = node.name, self._plan.nodes, self._candidates.beside
        others = sorted(other for other in beside[name] if nodes[other].mutates)
        if node.function.mutates:
            yield Reason("mutates", name, f"`{name}` may change its operands in place, so it starts early only if they can't be changed.")
        elif others:
            sentence = (
                f"`{others[0]}`, beside `{name}`, may change operands in place, so `{name}` starts early only if they can't be changed."
            )
            yield Reason("mutates", others[0], sentence)
        else:
            senders = (sender for sender in nodes if self.sends(sender, name))
            for other in sorted({o for sender in senders for o in beside[sender] if nodes[o].mutates}):
                sentence = f"`{other}` may change its operands in place, so `{name}` passes no task of it that holds the same objects."
                yield Reason("mutates", other, sentence)
        if node.changes_state:
            yield Reason("mutates", name, f"A conditional edge of `{name}` may change the state in place, so it waits for its superstep.")

    def issue(self, source: str, target: str) -> Issue | None:
        """How a task of `target` may start ahead when `source` leads to it; None if it may not."""
        if source == START:
            return None
        if self.sends(source, target) and target in self._sent and None in self._on_sending(source, target):
            return "send"
        if not self._pulls(source, target) or target not in self._passing.reads:
            return None
        if self._unfinished.needless(target, source):
            return "chain"
        if "route" in self._issue and target in self._passing.guessable(source):
            return "route"
        return "edge" if None in self._on_pulling(source, target) else None

    def reasons(self, source: str, target: str) -> tuple[Reason, ...]:
        """Why none starts ahead."""
        node = self._plan.nodes[target]
        reasons = () if target in self._sent else self._candidates.reasons(node, self._strongest)
        if own := (*self.fences, *reasons):
            return own
        if source == START:
            return (_first(target),)
        if target in self._learning.keys() - self._seen.keys() and self._once_learnt.issue(source, target):
            return (_unknown_yet(target, self._options.evidence),)
        found = [self._not_sent(source, target)] if self.sends(source, target) else []
        if self._pulls(source, target) or not found:
            found += self._not_pulled(source, node)
        return tuple(dict.fromkeys(found))

    @cached_property
    def _learning(self) -> Mapping[str, frozenset[str]]:
        """Nodes whose runs tell what they read, as if they read nothing."""
        return {name: NOBODY for name, node in self._plan.nodes.items() if node.observed and self._options.observe}

    @cached_property
    def _once_learnt(self) -> Ways:
        return Ways(self._plan, self._options, self._learning)

    def waits(self, source: str, target: str) -> Iterator[Reason]:
        """What a task of `target` that may start ahead when `source` leads to it may have to wait for nevertheless."""
        issue = self.issue(source, target)
        if issue is not None:
            found = self._on_sending(source, target) if issue == "send" else self._on_pulling(source, target)
            if issue == "route":
                yield Reason("habit", source, f"`{target}` starts before `{source}` has decided only where that mostly leads to it.")
            yield from (reason for reason in found if reason is not None)

    def _pulls(self, source: str, target: str) -> bool:
        """Whether `source` may lead to `target` by an edge or a command, be it a join with others."""
        return self._leads(source, target) or any(self._joining(source, target))

    def _leads(self, source: str, target: str) -> bool:
        pulls = self._plan.nodes[source].pulls
        return pulls is None or target in pulls

    def _joining(self, source: str, target: str) -> Iterator[frozenset[str]]:
        """Starts of each join through which `source` leads to `target`."""
        return (join.starts for join in self._plan.joins if join.end == target and source in join.starts)

    def _on_sending(self, source: str, target: str) -> Iterator[Reason | None]:
        """For each node that may be unfinished when `source` is done what forbids a `Send` to pass it."""
        unfinished = self._unfinished.when_done(source)
        return (self._unfinished.sent_past(target, other, distance + 1) for other, distance in unfinished.items())

    def _on_pulling(self, source: str, target: str) -> Iterator[Reason | None]:
        unfinished = self._unfinished.when_done(source)
        for awaits in [NOBODY] if self._leads(source, target) else self._joining(source, target):
            for other, distance in unfinished.items():
                yield self._unfinished.pulled_past(target, other, distance + 1, awaits)

    def _not_sent(self, source: str, target: str) -> Reason:
        if "send" not in self._issue:
            return _not_issued("send", "nothing that is sent starts ahead")
        return next((reason for reason in self._on_sending(source, target) if reason), _alone(source, "sends", target))

    def _not_pulled(self, source: str, target: NodePlan) -> Iterator[Reason]:
        name = target.name
        if "edge" not in self._issue:
            yield _not_issued("edge", "nothing that an edge triggers starts ahead")
        elif name not in self._passing.reads:
            yield from self._candidates.reasons_on_state(target)
        elif blocked := [reason for reason in self._on_pulling(source, name) if reason]:
            yield blocked[0]
        elif name not in self._plan.nodes[source].certain:
            yield _alone(source, "leads", name)
        elif reason := self._unfinished.pulled_past(name, source, 1):
            yield reason
        elif "chain" not in self._issue:
            yield _not_issued("chain", "nothing starts before what it follows has finished")
        else:
            yield _alone(source, "leads", name)


def _switched_off(options: AltoOptions) -> Iterator[Reason]:
    if not options.enabled:
        yield Reason("enabled", "enabled", "The option `enabled` is off.")
    if not options.window:
        yield Reason("window", "window", "The option `window` is 0.")


def _not_issued(issue: Issue, so: str) -> Reason:
    return Reason("issue", "issue", f"The option `issue` lacks `{issue}`, so {so}.")


def _first(name: str) -> Reason:
    return Reason("first", name, f"`{name}` is triggered by START, so it starts in the first superstep and has nothing to get ahead of.")


def _unknown_yet(name: str, evidence: int) -> Reason:
    sentence = (
        f"Which keys `{name}` reads only its runs tell: it may start ahead once {evidence} of them have been seen in one process, "
        "if none read what it would have to pass may write."
    )
    return Reason("observed", name, sentence)


def _alone(source: str, leads: str, target: str) -> Reason:
    sentence = f"`{source}`, which {leads} to `{target}`, is always alone in its superstep, so there is no barrier to get ahead of."
    return Reason("alone", source, sentence)
