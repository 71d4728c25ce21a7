"""A part of a reduction may have holes: what is sent on it is matched by payload, and nobody sees a place that isn't certain.

The first document's claims wait for work on the last ones: where parts end at the first hole, they would wait for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from functools import partial
from random import Random
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send

from alto_langgraph import current_tag
from alto_langgraph.adapters.langgraph.naming import Naming
from alto_langgraph.adapters.langgraph.shadow import UnforeseenError
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.comparison.timeline import Facts
from alto_langgraph.driver.early import UNPLACED
from alto_langgraph.driver.equality import same
from alto_langgraph.driver.matching import found, places
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import TaskFinished, TaskSquashed, TaskStarted, observed_by
from alto_langgraph.tags import Tag
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, say, signals
from tests.adapters.test_gathering import (
    EXPECTED,
    REPEATABLE,
    TEN,
    State,
    by_document,
    by_group,
    by_total,
    document,
    gather,
    graph_of,
    in_one_go,
    worst_first,
)


async def claim(item: dict[str, int]) -> State:
    """Those of the first document come last."""
    if item["at"] == 0 and "wait" in SIGNALS.get(Signals()).said:
        await aheard("judged 8", "judged 9")
    return {"claims": [item]}


def claim_on_a_thread(item: dict[str, int]) -> State:
    if item["at"] == 0 and "wait" in SIGNALS.get(Signals()).said:
        heard("judged 8", "judged 9")
    return {"claims": [item]}


async def test_what_follows_closed_parts_behind_an_open_one_runs() -> None:
    with signals() as seen:
        say("wait")
        assert (await graph_of(claim=claim).ainvoke(TEN))["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 10 and not seen.squashed, "each once, and none in vain"


def test_on_threads_too() -> None:
    with signals() as seen:
        say("wait")
        assert graph_of(claim=claim_on_a_thread, document=in_one_go).invoke(TEN)["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 10 and not seen.in_vain


@pytest.mark.parametrize("path", [by_group, by_total, worst_first])
@pytest.mark.parametrize("saved", [False, True])
async def test_all_that_an_app_sees_is_that_of_stock(path: Any, saved: bool) -> None:
    sides = [graph_of(cls, InMemorySaver() if saved else None, path=path, claim=claim) for cls in (Stock, Alto)]
    for documents in (TEN["documents"], [1, 0, 4, 2, 0]):
        with signals():
            if path is by_group and documents is TEN["documents"]:
                alto = await recorded_while_it_waits(sides[1], documents)
            else:
                alto = await arecord(sides[1], {"documents": documents})
        assert difference(await arecord(sides[0], {"documents": documents}), alto) is None


async def recorded_while_it_waits(graph: Any, documents: list[int]) -> Any:
    say("wait")
    return await arecord(graph, {"documents": documents})


def twins(state: State) -> list[Send]:
    """All groups look alike."""
    return [Send("judge", {"at": 8, "places": []}) for _ in state["groups"]]


async def test_each_early_result_stands_for_one() -> None:
    async def slow(item: dict[str, int]) -> State:
        if item["at"] == 0 and "wait" in SIGNALS.get(Signals()).said:
            await aheard("judged 8")
        return {"claims": [item]}

    with signals() as seen:
        say("wait")
        got = await graph_of(claim=slow, path=twins).ainvoke(TEN)
    assert got["verdicts"] == ["8: []"] * 10
    assert seen.ran["judge"] == 10


def tagged(group: dict[str, Any]) -> State:
    """Says which task it is."""
    return {"verdicts": [f"{group['at']}: {current_tag()}"]}


async def later(item: dict[str, int]) -> State:
    """The first document's claims come when the others have had their time."""
    if item["at"] == 0:
        await asyncio.sleep(0.1)
    return {"claims": [item]}


async def test_who_asks_for_its_tag_gets_that_of_its_superstep() -> None:
    graph = graph_of(judge=tagged, claim=later)
    with signals() as seen:
        got = await graph.ainvoke(TEN)
    assert got["verdicts"] == [f"{at}: gather[4]/judge[{at}]" for at in range(10)]
    assert UNPLACED in {reason for _, reason in seen.squashed}
    with signals() as seen:
        assert await graph.ainvoke(TEN) == got
    assert UNPLACED not in {reason for _, reason in seen.squashed}, "a graph remembers who asks"


async def test_what_a_larger_part_does_not_bear_out_is_not_started() -> None:
    with signals() as seen:
        got = await graph_of(path=by_total, claim=later).ainvoke(TEN)
    assert seen.ran["judge"] == len(got["verdicts"]) == 10
    assert seen.ahead["judge"] == 0


def test_on_threads_too_who_asks_gets_it() -> None:
    def late(item: dict[str, int]) -> State:
        if item["at"] == 0:
            time.sleep(0.2)
        return {"claims": [item]}

    graph = graph_of(judge=tagged, claim=late, document=in_one_go)
    with signals() as seen:
        got = graph.invoke(TEN)
    assert got["verdicts"] == [f"{at}: gather[4]/judge[{at}]" for at in range(10)]
    assert UNPLACED in {reason for _, reason in seen.squashed}


async def test_tags_inside_a_graph_that_it_runs_are_whole() -> None:
    inner = Alto(State).add_node("part", lambda state: {"verdicts": [str(current_tag())]}).add_edge(START, "part").compile()

    async def telling(group: dict[str, Any]) -> State:
        told = [fragment async for fragment in inner.astream_fragments({"documents": []})]
        return {"verdicts": [f"{tag}" for tag, *_, committed in told if committed]}

    async def asking(group: dict[str, Any]) -> State:
        return {"verdicts": (await inner.ainvoke({"documents": []}))["verdicts"]}

    for node in (telling, asking):
        with signals() as seen:
            got = await graph_of(judge=node, claim=later).ainvoke(TEN)
        assert got["verdicts"] == [f"gather[4]/judge[{at}]/part[1]" for at in range(10)]
        assert UNPLACED in {reason for _, reason in seen.squashed}


def asking_in_vain(group: dict[str, Any]) -> State:
    """Would go on without its tag, if it could."""
    try:
        tag = str(current_tag())
    except BaseException:
        tag = "none"
    return {"verdicts": [f"{group['at']}: {tag}"]}


async def test_nobody_goes_on_without_it() -> None:
    with signals():
        got = await graph_of(judge=asking_in_vain, claim=later).ainvoke(TEN)
    assert got["verdicts"] == [f"{at}: gather[4]/judge[{at}]" for at in range(10)]


async def noting(group: dict[str, Any]) -> Command[Any]:
    return Command(goto=[Send("note", {"at": group["at"], "place": place}) for place in group["places"]])


def note(item: dict[str, int]) -> State:
    say(f"judged {item['at']}")
    return {"verdicts": [f"{item['at']}.{item['place']}"]}


def noted(cls: Any) -> Any:
    """What is sent on a part of the reduction sends, too."""
    builder = cls(State).add_node("document", document, metadata=REPEATABLE, destinations=("claim",))
    builder.add_node("read", lambda state: {}).add_node("claim", claim, metadata=REPEATABLE).add_node("gather", gather)
    builder.add_node("judge", noting, metadata=REPEATABLE, destinations=("note",)).add_node("note", note, metadata=REPEATABLE)
    builder.add_edge(START, "read").add_conditional_edges("read", by_document, ["document"])
    return builder.add_edge("claim", "gather").add_conditional_edges("gather", by_group, ["judge"]).compile()


async def test_what_comes_of_it_takes_its_place_too() -> None:
    with signals(), observed_by(facts := Facts()):
        say("wait")
        got = await noted(Alto).ainvoke(TEN)
    with signals():
        assert got == await noted(Stock).ainvoke(TEN)
    started = [fact for fact in facts.heard if isinstance(fact, TaskStarted)]
    assert not any(isinstance(fact, TaskSquashed) for fact in facts.heard)
    assert Counter(fact.node for fact in started)["note"] == len(got["verdicts"]) == 19
    assert all(fact.tag.is_placed for fact in started)
    notes = sorted(fact.tag for fact in started if fact.node == "note")
    assert [str(tag) for tag in notes] == [
        f"gather[4]/judge[{at}]/note[{place}]" for at, size in enumerate(TEN["documents"]) for place in range(size)
    ]
    finished = {fact.tag for fact in facts.heard if isinstance(fact, TaskFinished)}
    assert finished == {fact.tag for fact in started}


async def test_who_is_told_of_fragments_is_told_their_tags() -> None:
    told = [fragment async for fragment in graph_of(claim=later).astream_fragments(TEN)]
    assert all(tag is None or tag.is_placed for tag, *_ in told)
    committed = {str(tag) for tag, node, _, committed in told if node == "judge" and committed}
    assert committed == {f"gather[4]/judge[{at}]" for at in range(10)}


@pytest.mark.parametrize(
    ("before", "now", "where"),
    [("ac", "abcd", [0, 2]), ("", "ab", []), ("ab", "ba", None), ("aa", "aba", [0, 2]), ("aa", "ab", None), ("abc", "ab", None)],
)
def test_what_was_there_before_has_to_be_there_in_order(before: str, now: str, where: list[int] | None) -> None:
    assert places(before, now, same) == where


def test_each_is_found_once() -> None:
    assert [*found("aab", "acab", same)] == [(0, 0), (1, 2), (2, 3)]
    assert [*found("xab", "ab", same)] == [(1, 0), (2, 1)]
    assert [*found("aaa", "a", same)] == [(0, 0)]


def test_who_has_no_place_yet_is_added_to_no_state_but_a_part() -> None:
    naming, parent = Naming(), Tag((("gather", 4),))
    second, first = naming.unplaced(parent, "judge"), naming.unplaced(parent, "judge")
    for place, child in enumerate([first, second]):
        naming.expect(child, place)
    assert sorted([second, first], key=partial(naming.place, likely=True)) == [first, second]
    with pytest.raises(UnforeseenError, match="nobody knows yet"):
        naming.place(first)
    assert naming.real(second) is None
    naming.confirm(second, Send("judge", 1), parent, 7)
    assert naming.real(second.child("note", 0)) == parent.child("judge", 7).child("note", 0)
    assert naming.place(second) == (1, (0, "gather"), 7)
    assert str(second) == "gather[4]/judge[?1]"


ORDERS = {
    "as they come": lambda groups: groups,
    "largest first": lambda groups: sorted(groups, key=lambda group: -len(group["places"])),
    "backwards": lambda groups: groups[::-1],
    "large ones": lambda groups: [group for group in groups if len(group["places"]) > 1],
    "alike": lambda groups: [{**group, "at": 0} for group in groups],
    "numbered": lambda groups: [{**group, "number": number} for number, group in enumerate(groups)],
    "last of all": lambda groups: [*groups, {"at": -1, "places": [len(groups)]}],
    "twice": lambda groups: [*groups, *groups],
}


def random_sends(draw: Random) -> Any:
    """An edge behind the reduction; what it sends may change with every part that comes."""
    order, packets = ORDERS[draw.choice([*ORDERS])], draw.random() < 0.2

    def path(state: State) -> list[Send]:
        groups = order(state["groups"])
        if packets:  # the same packet again
            return [packet for group in groups for packet in [Send("judge", group)] * 2]
        return [Send("judge", group) for group in groups]

    return path


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_closed_first_the_answer_is_that_of_stock(seed: int) -> None:
    draw = Random(seed)
    times = {(at, place): draw.choice([0, 0, 1, 5, 20]) / 1000 for at in range(10) for place in range(5)}

    async def timed(item: dict[str, int]) -> State:
        await asyncio.sleep(times[item["at"], item["place"]])
        return {"claims": [item]}

    def say_where(group: dict[str, Any]) -> State:
        return {"verdicts": [f"{group}: {current_tag() if asks else ''}"]}

    path, asks = random_sends(draw), draw.random() < 0.3
    alto = graph_of(claim=timed, judge=say_where, path=path)
    in_order = graph_of(claim=timed, judge=say_where, path=path)
    for _ in range(3):
        documents = [draw.choice([0, 1, 1, 2, 3, 5]) for _ in range(draw.randint(1, 10))]
        expected = await in_order.ainvoke({"documents": documents}, {"configurable": {"alto": {"issue": []}}})
        assert await alto.ainvoke({"documents": documents}) == expected
