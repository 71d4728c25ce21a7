"""What a run's tasks would send on the finished parts of their answers, until they have really sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langgraph.types import Send

from alto_langgraph.adapters.langgraph.naming import Naming, sends_of
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.equality import same
from alto_langgraph.driver.hits import Hits
from alto_langgraph.driver.holding import replaceable
from alto_langgraph.driver.operands import operands
from alto_langgraph.tags import Tag


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
        self._sent: dict[Tag, list[Send]] = {}

    def add(self, tag: Tag, sends: Sequence[Send], may: Callable[[Send], bool]) -> list[tuple[Tag, Send]] | None:
        """Takes all that `tag` would send now; returns what is new of it and `may` start, or None if it isn't what it was before."""
        sent = self._sent.setdefault(tag, [])
        for place, (before, now) in enumerate(zip(sent, sends, strict=False)):
            if tag.child(before.node, place) in self._naming.sends and not self.agree(before, now):
                return None
        new = sends[len(sent) :]
        children = [(tag.child(send.node, len(sent) + place), send) for place, send in enumerate(new) if may(send)]
        sent += new
        for child, send in children:
            self._naming.sends[child] = send
        return children

    def confirm(self, tag: Tag, writes: Iterable[tuple[str, Any]]) -> frozenset[Tag]:
        """What a finished task has really sent of what it would have: the others are forgotten."""
        sent = self._sent.pop(tag, None)
        if sent is None:
            return frozenset()
        really = sends_of(writes)
        started, confirmed = 0, set()
        for place, before in enumerate(sent):
            child = tag.child(before.node, place)
            if self._naming.sends.pop(child, None) is None:
                continue  # it wasn't to start
            started += 1
            if place < len(really) and self.agree(before, really[place]) and self._may_stand_for(child, before, really[place]):
                self._naming.confirm(child, really[place])
                confirmed.add(child)
        self._hits.note(_node(tag), started, len(confirmed))
        return frozenset(confirmed)

    def forget(self, tag: Tag) -> None:
        """What `tag` would have sent was in vain."""
        sent = self._sent.pop(tag, ())
        started = [self._naming.sends.pop(tag.child(send.node, place), None) for place, send in enumerate(sent)]
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
