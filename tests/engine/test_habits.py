"""What a router has mostly done it will probably do."""

from __future__ import annotations

from alto_langgraph.engine.habits import LIKELY, REMEMBERED, Habits


def noted(*decisions: str) -> Habits:
    habits = Habits()
    for followers in decisions:
        habits.note("r", frozenset(followers))
    return habits


def test_nothing_is_likely_without_evidence() -> None:
    assert [*noted("a", "a").likely("r", 3)] == []
    assert [*noted("a", "a", "a").likely("r", 3)] == ["a"]
    assert [*noted("a").likely("other", 1)] == []


def test_only_what_mostly_follows_is_likely() -> None:
    often = int(LIKELY * 10)
    assert [*noted(*"a" * often, *"b" * (10 - often)).likely("r", 1)] == ["a"]
    assert [*noted(*"a" * (often - 1), *"b" * (11 - often)).likely("r", 1)] == []


def test_several_may_follow_together() -> None:
    assert [*noted("ba", "ab", "abc").likely("r", 1)] == ["a", "b"]


def test_habits_change() -> None:
    habits = noted(*"a" * REMEMBERED, *"b" * REMEMBERED)
    assert [*habits.likely("r", 1)] == ["b"]


def test_more_evidence_than_is_remembered_is_never_asked_for() -> None:
    assert [*noted(*"a" * REMEMBERED).likely("r", 10 * REMEMBERED)] == ["a"]
