"""What a run's tasks would send on the finished parts of their answers, until they have really sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph.types import Send

from alto_langgraph.adapters.langgraph.naming import Naming, sends_of
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.equality import same
from alto_langgraph.driver.hits import Hits
from alto_langgraph.driver.holding import replaceable
from alto_langgraph.driver.matching import found, places
from alto_langgraph.driver.operands import operands
from alto_langgraph.tags import Tag


class _Sent(NamedTuple):
    """What a task would send, and what it is called."""

    child: Tag
    send: Send


class Fragments:
    """Keeps them by the task that sends them.

    Args:
        naming: Names the tasks that they become.
        earlies: Their early runs.
        hits: Notes how many turned out right.
        seen: What a node that is sent something can see of it.
    """

    def __init__(self, naming: Naming, earlies: Mapping[Tag, Early], hits: Hits, seen: Callable[[str, Any], Any]) -> None:
        self._naming, self._earlies, self._hits, self._seen = naming, earlies, hits, seen
        self._sent: dict[Tag, list[_Sent]] = {}

    def add(self, tag: Tag, sends: Sequence[Send], may: Callable[[Send], bool]) -> list[tuple[Tag, Send]] | None:
        """Takes all that `tag` would send now; returns what is new of it and `may` start, or None if it isn't what it was before."""
        sent = self._sent.setdefault(tag, [])
        for before, now in zip(sent, sends, strict=False):
            if before.child in self._naming.sends and not self.agree(before.send, now):
                return None
        new = [_Sent(tag.child(send.node, len(sent) + place), send) for place, send in enumerate(sends[len(sent) :])]
        sent += new
        return self._known([it for it in new if may(it.send)])

    def insert(self, tag: Tag, sends: Sequence[Send], may: Callable[[Send, bool], bool], *, placed: bool) -> list[tuple[Tag, Send]] | None:
        """The same of Sends between which others may yet come, unless they are `placed`; `may` is told whether a new one is."""
        before = self._sent.get(tag, [])
        where = places([it.send for it in before], sends, self.agree)
        if where is None or any(0 <= it.child.path[-1][1] != place for it, place in zip(before, where, strict=True)):
            return None
        known = dict(zip(where, before, strict=True))
        new = []
        for place, send in enumerate(sends):
            child = tag.child(send.node, place)
            certain = placed and child not in self._naming.sends
            if place not in known and may(send, certain):
                known[place] = _Sent(child if certain else self._naming.unplaced(tag, send.node), send)
                new.append(known[place])
        self._sent[tag] = [known[place] for place in sorted(known)]
        for place, it in known.items():
            self._naming.expect(it.child, place)
        return self._known(new)

    def _known(self, new: list[_Sent]) -> list[tuple[Tag, Send]]:
        self._naming.sends.update(new)
        return [(it.child, it.send) for it in new]

    def confirm(self, tag: Tag, writes: Iterable[tuple[str, Any]]) -> frozenset[Tag]:
        """What a finished task has really sent of what it would have: the others are forgotten."""
        sent = self._sent.pop(tag, None)
        if sent is None:
            return frozenset()
        really = sends_of(writes)
        started = [it for it in sent if self._naming.sends.pop(it.child, None) is not None]  # others weren't to start
        confirmed = set()
        for it, place in self._matching(started, really):
            if self._may_stand_for(it.child, it.send, really[place]):
                self._naming.confirm(it.child, really[place], tag, place)
                confirmed.add(it.child)
        self._hits.note(_node(tag), len(started), len(confirmed))
        return frozenset(confirmed)

    def _matching(self, sent: list[_Sent], really: Sequence[Send]) -> Iterator[tuple[_Sent, int]]:
        """What really is sent, and where: what has a place in that one, the others in order in what is left."""
        taken = set()
        for it in sent:
            place = it.child.path[-1][1]
            if 0 <= place < len(really) and self.agree(it.send, really[place]):
                taken.add(place)
                yield it, place
        if unplaced := [it for it in sent if it.child.path[-1][1] < 0]:
            left = [place for place in range(len(really)) if place not in taken]
            pairs = found([it.send for it in unplaced], [really[place] for place in left], self.agree)
            yield from ((unplaced[one], left[other]) for one, other in pairs)

    def forget(self, tag: Tag) -> None:
        """What `tag` would have sent was in vain."""
        sent = self._sent.pop(tag, ())
        started = [self._naming.sends.pop(it.child, None) for it in sent]
        if any(started):
            self._hits.note(_node(tag), sum(send is not None for send in started), 0)

    def agree(self, one: Send, other: Send) -> bool:
        """Whether nobody could tell two Sends apart who sees what the node that they are for can see of them."""
        if one.node != other.node or getattr(one, "timeout", None) != getattr(other, "timeout", None):
            return False
        return same(self._seen(one.node, one.arg), self._seen(other.node, other.arg))

    def _may_stand_for(self, child: Tag, before: Send, really: Send) -> bool:
        """Whether a task that got one payload may be taken for one that got the other, which is equal.

        Not if what it comes to holds a mutable object of its payload, since that isn't the one which others hold (if any do).
        """
        mine, theirs = operands(self._seen(before.node, before.arg)), operands(self._seen(really.node, really.arg))
        if mine is None or theirs is None:
            return before.arg is really.arg
        early = self._earlies.get(child)
        if early is not None:
            early.borrowed = mine - theirs
            if self._seen(really.node, really.arg) is really.arg:  # no variable may hold it
                early.borrowed -= replaceable(before.arg, really)
            return not (early.told and borrows(early))
        return True


def borrows(early: Early) -> bool:
    """Whether what a finished early run has written holds objects that only it has."""
    if not early.borrowed:
        return False
    held = operands([value for _, value in early.task.writes])
    return held is None or bool(held & early.borrowed)


def _node(tag: Tag) -> str:
    return tag.path[-1][0]
