"""Says where a run's time went, what limited it, and which changes would help most: by playing what was recorded again with each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from alto_langgraph.traces.chain import Step, critical_chain
from alto_langgraph.traces.findings import Advice, Findings, Limit
from alto_langgraph.traces.model import Fragment, Run
from alto_langgraph.traces.playing import Change
from alto_langgraph.traces.replay import Replay
from alto_langgraph.traces.servers import servers

LEAST, LIMITING = 0.03, 0.05
"""Shares of the run's time that a change must save to be worth a word, and for what it does away with to be called the limit."""

FEW = 4
"""Candidates of one kind that are played, those first of which the recorded times promise most."""

HINT = re.compile(r"The hint `(\{.*?\})` in the metadata of `(.*?)` would change that\.")
JOIN = "is behind a join"
"""How `explain` tells that several nodes lead to one together."""
NAMED = re.compile(r"`([^`]+)`")
LIFTED_BY_EFFECTS = ("is declared external", "comes after", "work that is known to be")
"""How `explain` tells what other effects would change; an `interrupt()`, say, stays where it is whatever is declared."""
SPEAKS = ("unknown", "external")
"""Effects that keep an order which edges state."""


def advise(run: Run, most: int = 2, *, places: Mapping[str, int] | None = None) -> Findings:
    """Where a run's time went, and what would help most.

    Args:
        run: The run.
        most: Changes that are named, at most; each on top of the one before.
        places: How many some servers take at a time (`{"chat gpt-4o": 8}`), where that is known and needn't be told from the times.
    """
    return _Advising(run, places).findings(most)


class _Advising:
    def __init__(self, run: Run, places: Mapping[str, int] | None) -> None:
        self.run = run
        self.served = servers(run, places)
        self.replay = Replay(run, self.served)
        self.chain = critical_chain(run)
        self.steps = [*_all_steps(self.chain.steps)]
        self.effects = {f.node: f.effects for _, f in run.walk()}
        self.why = {f.node: f.kept_back for _, f in run.walk() if f.kept_back}

    def findings(self, most: int) -> Findings:
        found = sorted(self._candidates(), key=lambda one: -one.gain)
        structural = [one for one in found if one.limit not in ("model", "node") and one.gain >= LIMITING]
        by = self._spent()
        chosen = (structural or found)[:1]
        limit, subject = (chosen[0].limit, chosen[0].subject) if chosen else self._most_of(by)
        while chosen and len(chosen) < most and (following := self._following(chosen, found)) is not None:
            chosen.append(following)
        return Findings(self.run, self.chain, tuple(chosen), self._bound(), by, limit, subject)

    def _following(self, chosen: list[Advice], found: list[Advice]) -> Advice | None:
        """What saves most on top of what was chosen."""
        base, subjects = chosen[-1], {one.subject for one in chosen}
        others = [one for one in found if one.subject not in subjects][:FEW]
        rest = [self._tried(replace(one, change=base.change | one.change), base.seconds) for one in others]
        return max((one for one in rest if one is not None), key=lambda one: (one.limit not in ("model", "node"), one.gain), default=None)

    def _bound(self) -> float:
        nodes = frozenset(f.node for _, f in self.run.walk())
        return min(self.run.seconds, self.replay.seconds(Change(free=nodes)))

    # ---- candidates

    def _candidates(self) -> Iterator[Advice]:
        for one in (*self._slots(), *self._fences(), *self._dependencies(), *self._faster()):
            if (tried := self._tried(one, self.run.seconds)) is not None:
                yield tried

    def _tried(self, advice: Advice, before: float) -> Advice | None:
        """The same with what it saves of `before`; None if that isn't worth a word."""
        seconds = self.replay.after(advice.change)
        gain = (before - seconds) / self.run.seconds if self.run.seconds else 0.0
        return replace(advice, seconds=seconds, gain=gain) if gain >= LEAST else None

    def _slots(self) -> Iterator[Advice]:
        for label, server in self.served.items():
            if server.places:
                sentence = f"Let `{label}` serve {2 * server.places} at a time instead of {server.places}"
                yield _advice("slots", label, sentence, Change(places={label: 2 * server.places}))
        places = self.replay.places
        if places.number and places.matter:
            yield _advice("slots", places.label, places.remedy(), Change(places={places.label: 2 * places.number}))

    def _fences(self) -> Iterator[Advice]:
        """Nodes whose tasks could have begun earlier, had they not been kept back."""
        waited: dict[str, float] = defaultdict(float)
        for f, release in self.replay.releases.items():
            if release.why in ("superstep", "held"):
                waited[f.node] += f.start - max((one.end for one in f.inputs if one.end <= f.start), default=self.run.start)
        for node in sorted(waited, key=lambda node: -waited[node])[:FEW]:
            yield _advice("fence", node, self._remedy(node), Change(free=frozenset({node})), self.why.get(node, ""))

    def _remedy(self, node: str) -> str:
        """What lets a node start earlier, as far as the trace tells."""
        why = self.why.get(node, "")
        if hint := HINT.search(why):
            return f"Declare `{hint[1]}` in the metadata of `{hint[2]}`"
        named = [one for one in dict.fromkeys(NAMED.findall(why)) if one in self.effects]
        speaking = [one for one in dict.fromkeys((node, *named)) if self.effects.get(one) in SPEAKS]
        if "may write" in why or "reads" in why:
            return f"Declare what `{node}` reads, and what those before it write"
        if speaking and any(words in why for words in LIFTED_BY_EFFECTS):
            nodes = " and ".join(f"`{one}`" for one in speaking)
            return f'Declare `{{"effects": "idempotent"}}` on {nodes}, if that is so'
        return f"Let `{node}` start before its superstep"

    def _dependencies(self) -> Iterator[Advice]:
        """What waited for one node alone, when the others that it needs were done; and what waits only as edges say so."""
        pairs: dict[tuple[str, str], float] = {}
        for step in self.steps:
            f, by = step.fragment, step.release.by
            if step.release.why != "needs" or by is None:
                continue
            before = _ancestors(by) if any(one.node != by.node for one in f.inputs) else ()
            others = [one.end for one in f.inputs if one.node != by.node and one not in before and self._joined(f, one)]
            if others or self._only_by_edges(f, by):
                pairs[f.node, by.node] = by.end - max(others, default=by.start)
        for node, other in sorted(pairs, key=lambda pair: -pairs[pair])[:FEW]:
            change = Change(free=frozenset({node}), apart=frozenset({(node, other)}))
            if all(self._only_by_edges(f, one) for f in self._of(node) for one in f.inputs if one.node == other):
                yield _advice("fence", node, self._remedy(node), change, self.why.get(node, ""))
            else:
                reads = ", and declare what it `reads`" if "read" in self.why.get(node, "") else ""
                sentence = f"Let `{node}` do without what `{other}` comes to{reads}; or else start `{other}` sooner"
                yield _advice("dependency", other, sentence, change, self.why.get(node, ""))

    def _of(self, node: str) -> Iterator[Fragment]:
        return (f for _, f in self.run.walk() if f.node == node)

    def _joined(self, f: Fragment, one: Fragment) -> bool:
        """Whether something else may lead to a fragment than what came last: else that one's end is what it is made by."""
        return one.step == f.step - 1 or JOIN in f.kept_back

    def _only_by_edges(self, f: Fragment, other: Fragment) -> bool:
        """Whether, by what is said of it, only the order that edges state puts a fragment behind another."""
        return f"`{f.node}` comes after `{other.node}` by edges" in f.kept_back

    def _faster(self) -> Iterator[Advice]:
        asked: dict[tuple[str, str], float] = defaultdict(float)
        own: dict[str, float] = defaultdict(float)
        for step in self.steps:
            f = step.fragment
            spent = 0.0
            for call in f.calls:
                if not call.inner:
                    asked[f.node, call.label] += call.seconds
                    spent += call.seconds
            if not f.runs:
                own[f.node] += max(0.0, f.seconds - spent)
        for node, label in sorted(asked, key=lambda key: -asked[key])[:FEW]:
            sentence = f"Answer what `{node}` asks `{label}` in half the time"
            yield _advice("model", label, sentence, Change(faster={(node, label): 0.5}))
        for node in sorted(own, key=lambda node: -own[node])[:FEW]:
            yield _advice("node", node, f"Do the work of `{node}` in half the time", Change(faster={(node, node): 0.5}))

    # ---- where it went

    def _spent(self) -> dict[str, float]:
        """Seconds of the critical path by what they were spent on; what overlaps counts for the later one."""
        by: dict[str, float] = defaultdict(float)
        until = self.run.start
        for step in self.chain.steps:
            f = step.fragment
            queued = min(self.replay.places.waits.get(f, 0.0), max(0.0, f.start - until))
            by["between"] += max(0.0, f.start - queued - until)
            by["waiting for a place"] += queued
            start = max(f.start, until)
            waits = self.replay.waits.get(f, 0.0)
            for begin, end, label, waited in self._asked(f, start):
                by["waiting for a place"] += min(waited, end - begin)
                by[label] += max(0.0, end - begin - waited)
                start += end - begin
            by["waiting for a place"] += waits
            by["nodes"] += max(0.0, f.end - start - waits)
            until = max(until, f.end)
        by["between"] += max(0.0, self.run.end - until)
        return dict(by)

    def _asked(self, f: Fragment, since: float) -> Iterator[tuple[float, float, str, float]]:
        """What a fragment asked, each stretch of time once."""
        until = since
        for call in f.calls:
            begin, end = max(call.start, until), min(call.end, f.end)
            if not call.inner and end > begin:
                yield begin, end, call.label, self.replay.waits.get(call, 0.0)
                until = end

    def _most_of(self, by: dict[str, float]) -> tuple[Limit, str]:
        label = max((key for key in by if " " in key and key != "waiting for a place"), key=lambda key: by[key], default="")
        if label and by[label] >= by.get("nodes", 0.0):
            return "model", label
        longest = max(self.steps, key=lambda step: step.fragment.seconds, default=None)
        return "node", longest.fragment.node if longest is not None else "the run"


def _ancestors(fragment: Fragment) -> set[Fragment]:
    """All that a fragment rests on."""
    found: set[Fragment] = set()
    waiting = [*fragment.inputs]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += one.inputs
    return found


def _advice(limit: Limit, subject: str, sentence: str, change: Change, why: str = "") -> Advice:
    return Advice(limit, subject, sentence, why, 0.0, 0.0, change)


def _all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all_steps(step.inside)
