"""Whatever the nesting and the order of events, a prefix counts as complete exactly when all that came of it has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.ancestry import MOVES, Ancestry, State
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag

LEVELS = (("document",), ("paragraph",), ("sentence", "caption"), ("claim",))
"""Splits by depth; children of one parent are counted across them, as a task's Sends are."""


@dataclass
class Fragment:
    """What is to happen to one tag, and how far it has come."""

    tag: Tag
    end: str = "finish"
    announces: bool = True
    children: list[Fragment] = field(default_factory=list)
    begun: bool = False
    split: bool = False
    announced: bool = False
    ended: bool = False

    @property
    def is_complete(self) -> bool:
        return self.ended and all(child.is_complete for child in self.children)

    @property
    def is_tombstone(self) -> bool:
        return self.end == "filter"

    def everyone(self) -> list[Fragment]:
        return [self, *(below for child in self.children for below in child.everyone())]

    def leaves(self) -> list[Tag]:
        """Depth first, which is how task paths of one superstep sort."""
        if self.children:
            return [leaf for child in self.children for leaf in child.leaves()]
        return [] if self.is_tombstone else [self.tag]

    @property
    def splits(self) -> dict[str, int]:
        names = [child.tag.path[-1][0] for child in self.children]
        return {name: names.count(name) for name in names}

    def events(self) -> list[str]:
        """What may happen to it next."""
        if not self.begun:
            return ["filter" if self.is_tombstone else "begin"]
        if self.ended:
            return []
        if not self.split:
            return ["split"]
        if self.announced or (not self.announces and all(child.begun for child in self.children)):
            return [self.end]
        return ["announce"] if self.announces else []


def nested(tag: Tag, sizes: Random) -> Fragment:
    """A random fragment with all that comes of it; some levels are empty, some fragments fail or are filtered."""
    fragment = Fragment(tag, sizes.choice(["finish", "finish", "finish", "fail", "filter"]) if tag.path else "finish")
    fragment.announces = sizes.random() < 0.7
    if tag.depth < len(LEVELS) and not fragment.is_tombstone:
        names = LEVELS[tag.depth]
        fragment.children = [nested(tag.child(sizes.choice(names), index), sizes) for index in range(sizes.choice([0, 0, 1, 2, 3]))]
    return fragment


def happen(ancestry: Ancestry, fragment: Fragment, event: str) -> None:
    tag = fragment.tag
    match event:
        case "begin":
            ancestry.appear(tag)
            fragment.begun = True
        case "split":
            for name in fragment.splits:
                ancestry.split(tag, name)
            fragment.split = True
        case "announce":
            for name, count in fragment.splits.items():
                ancestry.announce(tag, name, count)
            fragment.announced = True
        case _:
            getattr(ancestry, event)(tag)
            fragment.begun = fragment.ended = True


def possible(run: Fragment) -> list[tuple[Fragment, str]]:
    """What may happen next anywhere; nothing below a tag does before that has split."""
    found, waiting = [], [run]
    for fragment in waiting:
        found.extend((fragment, event) for event in fragment.events())
        if fragment.split:
            waiting.extend(fragment.children)
    return found


@given(st.randoms(use_true_random=False))
def test_completeness_is_known_exactly_when_it_is_true(choice: Random) -> None:
    run, ancestry = nested(Tag(), choice), Ancestry()
    run.begun = True
    everyone = run.everyone()
    while moves := possible(run):
        happen(ancestry, *choice.choice(moves))
        for fragment in everyone:
            assert ancestry.is_complete(fragment.tag) == fragment.is_complete
            waiting = tuple(child.tag for child in fragment.children if child.begun and not child.is_complete)
            assert ancestry.open(fragment.tag) == waiting
    assert run.is_complete
    assert list(ancestry.leaves()) == run.leaves()
    assert len(ancestry) == len(everyone) - 1
    ancestry.reduce(Tag())
    assert not len(ancestry)


@given(st.randoms(use_true_random=False))
def test_what_is_reduced_as_soon_as_it_is_complete_leaves_nothing_behind(choice: Random) -> None:
    run, ancestry = nested(Tag(), choice), Ancestry()
    run.begun = True
    reduced: set[Tag] = set()
    while moves := possible(run):
        happen(ancestry, *choice.choice(moves))
        for fragment in run.everyone():  # reductions that are inside others come first or not at all
            if fragment.is_complete and not any(fragment.tag in tag for tag in reduced):
                ancestry.reduce(fragment.tag)
                reduced.add(fragment.tag)
        known = {fragment.tag for fragment in run.everyone() if fragment.begun and fragment.tag.path}
        assert len(ancestry) == sum(not any(tag in done and tag != done for done in reduced) for tag in known)
    assert not len(ancestry)


def one_split(count: int | None = None, *appeared: int) -> Ancestry:
    ancestry = Ancestry()
    ancestry.split(Tag(), "part")
    for index in appeared:
        ancestry.appear(part(index))
    if count is not None:
        ancestry.announce(Tag(), "part", count)
    return ancestry


def part(index: int) -> Tag:
    return Tag((("part", index),))


def test_all_children_that_are_there_are_not_all_there_will_be() -> None:
    ancestry = one_split(None, 0)
    ancestry.finish(part(0))
    assert not ancestry.is_complete(Tag())
    ancestry.announce(Tag(), "part", 2)
    ancestry.finish(Tag())
    assert not ancestry.is_complete(Tag())
    ancestry.appear(part(1))
    ancestry.finish(part(1))
    assert ancestry.is_complete(Tag())


def test_nothing_to_split_is_complete_at_once() -> None:
    ancestry = one_split(0)
    ancestry.finish(Tag())
    assert ancestry.is_complete(Tag())
    assert list(ancestry.leaves()) == [Tag()]


def test_two_splits_of_one_parent_stay_apart() -> None:
    ancestry = one_split(1, 0)
    ancestry.split(Tag(), "aside")
    ancestry.appear(Tag((("aside", 0),)))
    ancestry.finish(part(0))
    ancestry.finish(Tag())
    assert ancestry.open(Tag()) == (Tag((("aside", 0),)),)
    assert not ancestry.is_complete(Tag())
    ancestry.fail(Tag((("aside", 0),)))
    assert ancestry.is_complete(Tag())


def test_a_tombstone_counts_and_is_no_leaf() -> None:
    ancestry = one_split(2, 1)
    ancestry.filter(part(0))
    ancestry.finish(part(1))
    ancestry.finish(Tag())
    assert ancestry.is_complete(Tag())
    assert list(ancestry.leaves()) == [part(1)]


@pytest.mark.parametrize("end", ["finish", "fail", "filter"])
def test_what_ends_ends_once_and_splits_no_more(end: str) -> None:
    ancestry = one_split(1, 0)
    getattr(ancestry, end)(part(0))
    for again in ("finish", "fail", "filter", "appear"):
        with pytest.raises(IllegalTransitionError, match=r"part\[0\] was open, \w+\. It may become nothing"):
            getattr(ancestry, again)(part(0))
    with pytest.raises(IllegalTransitionError, match="can't split into `sentence`"):
        ancestry.split(part(0), "sentence")


def test_errors_tell_what_has_happened_to_the_tag() -> None:
    ancestry = one_split(1, 0)
    with pytest.raises(IllegalTransitionError, match=r"part\[1\] can't be a child. run was open, split into `part`, announced 1 of `part`"):
        ancestry.appear(part(1))
    with pytest.raises(IllegalTransitionError, match="run can't announce 2 of `part`"):
        ancestry.announce(Tag(), "part", 2)
    with pytest.raises(IllegalTransitionError, match="run can't split into `part`"):
        ancestry.split(Tag(), "part")
    with pytest.raises(IllegalTransitionError, match="run can't be reduced"):
        ancestry.reduce(Tag())
    with pytest.raises(IllegalTransitionError, match=r"part\[0\]/word\[0\] isn't known. part\[0\] was open"):
        ancestry.finish(part(0).child("word", 0))


def test_a_count_below_what_is_there_is_an_error() -> None:
    with pytest.raises(IllegalTransitionError, match="announce 1 of `part`"):
        one_split(1, 0, 1)


def test_the_table_knows_every_state_and_every_state_can_be_reached() -> None:
    assert MOVES.keys() == set(State)
    assert {State.UNKNOWN, State.SPLITTING}.union(*MOVES.values()) == set(State)


def test_depth_costs_no_recursion_and_width_no_second_look() -> None:
    deep, ancestry = Tag(), Ancestry()
    tags = [deep := deep.child("part", 0) for _ in range(2000)]
    for tag in tags:
        assert tag.parent is not None
        ancestry.split(tag.parent, "part")
        ancestry.appear(tag)
    for tag in (Tag(), *tags):
        assert not ancestry.is_complete(Tag())
        ancestry.finish(tag)
    assert ancestry.is_complete(Tag())
    assert list(ancestry.leaves()) == [deep]
