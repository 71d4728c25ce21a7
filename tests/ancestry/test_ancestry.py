"""Whatever the nesting and the order of events, a tag counts as closed exactly when all that came of it has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.ancestry import OUTERMOST, Ancestry
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag

LEVELS = (("document",), ("paragraph",), ("sentence", "caption"), ("claim",))
"""Splits by depth; children of one parent are counted across them, as a task's Sends are."""


@dataclass
class Fragment:
    """What is to happen to one tag, and how far it has come.

    Args:
        tag: Its name.
        retries: How often it is at work again after it has ended; one that is filtered or fails ends like any other.
        streams: Its children begin one by one while it is at work, else all of them as it ends.
        children: What comes of it.
    """

    tag: Tag
    retries: int = 0
    streams: bool = False
    children: list[Fragment] = field(default_factory=list)
    begun: bool = False
    ended: bool = False

    @property
    def is_closed(self) -> bool:
        """Nothing that has begun is left."""
        return (self.ended or not self.begun) and all(child.is_closed for child in self.children)

    def everyone(self) -> list[Fragment]:
        return [self, *(below for child in self.children for below in child.everyone())]


def nested(tag: Tag, sizes: Random) -> Fragment:
    """A random fragment with all that comes of it; some levels are empty, and nothing comes of one that fails or is filtered."""
    fragment = Fragment(tag, retries=sizes.choice([0, 0, 0, 1]), streams=sizes.random() < 0.5)
    if tag.depth <= len(LEVELS) and sizes.random() < 0.8:
        names = LEVELS[tag.depth - 1]
        fragment.children = [nested(tag.child(sizes.choice(names), index), sizes) for index in range(sizes.choice([0, 0, 1, 2, 3]))]
    return fragment


def begin(ancestry: Ancestry, fragment: Fragment) -> None:
    ancestry.begin(fragment.tag)
    fragment.begun, fragment.ended = True, False


def end(ancestry: Ancestry, fragment: Fragment) -> None:
    for child in fragment.children:
        if not child.begun:
            begin(ancestry, child)
    ancestry.end(fragment.tag)
    fragment.ended = True


def happen(ancestry: Ancestry, fragment: Fragment, choice: Random) -> None:
    """The next thing that may happen to it."""
    coming = [child for child in fragment.children if not child.begun] if fragment.streams else []
    if fragment.ended:
        fragment.retries -= 1
        begin(ancestry, fragment)
    elif coming and choice.random() < 0.7:
        begin(ancestry, coming[0])
    else:
        end(ancestry, fragment)


@given(st.randoms(use_true_random=False))
def test_what_is_closed_is_known_exactly_when_it_is_true(choice: Random) -> None:
    run, ancestry = nested(Tag((("read", 1),)), choice), Ancestry()
    begin(ancestry, run)
    everyone, closings = run.everyone(), 0
    while moves := [one for one in everyone if one.begun and (not one.ended or one.retries)]:
        before = {one.tag for one in everyone if one.begun and not one.is_closed}
        happen(ancestry, choice.choice(moves), choice)
        closings += sum(one.is_closed for one in everyone if one.tag in before)
        for one in everyone:
            assert ancestry.is_closed(one.tag) == one.is_closed
            assert all(ancestry.is_closed(one.tag, depth) == ancestry.is_closed(Tag(one.tag.path[:depth])) for depth in (1, 2))
        for depth in range(1, len(LEVELS) + 2):
            assert {*ancestry.open(depth)} == {one.tag for one in everyone if one.tag.depth == depth and not one.is_closed}
        assert ancestry.closings == closings, "who waits for a part looks once for each"
    assert not len(ancestry), "what is closed leaves nothing behind"
    assert ancestry.is_closed(Tag())


def part(index: int, name: str = "part") -> Tag:
    return Tag((("read", 1), (name, index)))


def test_two_splits_of_one_parent_stay_apart() -> None:
    ancestry = Ancestry()
    ancestry.begin(part(0))
    ancestry.begin(part(0, "aside"))
    ancestry.end(part(0))
    assert ancestry.is_closed(part(0))
    assert [*ancestry.open(OUTERMOST)] == [part(0, "aside")]
    assert not ancestry.is_closed(part(0), 1)


def test_what_nobody_has_begun_cannot_end() -> None:
    ancestry = Ancestry()
    ancestry.begin(part(0))
    with pytest.raises(IllegalTransitionError, match=r"read\[1\]/part\[1\] can't end"):
        ancestry.end(part(1))
    ancestry.end(part(0))
    with pytest.raises(IllegalTransitionError, match="nothing is at work there"):
        ancestry.end(part(0))
    assert repr(ancestry) == "<Ancestry, 0 tags open>"
