"""`compare` says what limits the alto side, from the facts that it hears."""

from __future__ import annotations

import pytest

from alto_langgraph.comparison import compare
from alto_langgraph.comparison.advising import findings
from alto_langgraph.comparison.timeline import Bar, Timeline
from alto_langgraph.tags import Tag
from benchmarks.planted import fence

UNIT = 0.02


def bar(node: str, step: int, start: float, end: float, *parents: Bar, index: int = 0, lost: bool = False) -> Bar:
    return Bar(Tag(((node, step), (node, index))), node, step, start, end, parents=tuple(one.tag for one in parents), lost=lost)


def test_a_compared_run_says_what_would_help() -> None:
    found = compare(lambda: fence(UNIT, False), {"items": 9}, runs=1)
    assert found.findings is not None
    assert (found.findings.limit, found.findings.subject) == ("fence", "search")
    rows = {name: (value, note) for name, value, note in found.figures()}
    assert rows["limit"][0] == "search"
    assert rows["would help"][1] == 'Declare `{"effects": "idempotent"}` on `search`, if that is so.'
    told = found.to_dict()["findings"]
    assert told["advice"][0]["limit"] == "fence"
    assert 0.5 < told["efficiency"] < 0.9
    assert "Declare" in str(found)


def test_where_nothing_was_timed_nothing_is_said() -> None:
    assert compare(lambda: fence(UNIT, False), {"items": 1}, runs=1, options={"window": 0}).findings is not None
    broken = compare(lambda: fence(UNIT, False), {}, runs=1)
    assert broken.findings is None
    assert broken.to_dict()["findings"] is None


def test_slots_that_are_known_are_shared_by_the_nodes_that_need_one() -> None:
    class Told:
        """What an explanation tells of a node."""

        def __init__(self, name: str) -> None:
            self.name, self.effects, self.reasons, self.waits = name, "idempotent", (), ()

    class Explained:
        nodes = (Told("a"), Told("b"))

    bars = [bar("a", 1, 0, 1 + place // 2, index=place) for place in range(6)]
    bars += [bar("b", 1, 0, 4 + place // 2, index=place) for place in range(6)]
    found = findings(Timeline(tuple(bars), (0.0,), 6.0), Explained(), 2, None)
    assert (found.limit, found.subject) == ("slots", "model server")
    assert found.advice[0].seconds == pytest.approx(3)


def test_what_was_thrown_away_is_nobodys_input() -> None:
    first = bar("a", 1, 0, 1)
    timeline = Timeline((first, bar("b", 2, 0, 3, lost=True), bar("b", 2, 1, 2, first)), (0.0, 1.0), 2.0)
    assert findings(timeline, None, None, None).run.fragments[2].inputs[0].tag == str(first.tag)
