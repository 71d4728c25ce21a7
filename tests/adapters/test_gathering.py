"""What a node behind a reduction sends starts on the part of the reduction that is closed; whoever listens hears what stock would say.

The last tasks before the reduction wait for work behind it on the first ones: under the barrier they would wait for ever.
"""

from __future__ import annotations

import asyncio
import operator
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send
from pydantic import BaseModel, model_validator

from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import OBSERVER
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, say, signals

REPEATABLE = {"effects": "idempotent"}


class State(TypedDict, total=False):
    documents: list[int]
    claims: Annotated[list[dict[str, int]], operator.add]
    groups: list[dict[str, Any]]
    verdicts: Annotated[list[str], operator.add]


def by_document(state: State) -> list[Send]:
    return [Send("document", {"at": at, "size": size}) for at, size in enumerate(state["documents"])]


async def document(item: dict[str, int]) -> Command[Any]:
    return Command(goto=[Send("claim", {"at": item["at"], "place": place}) for place in range(item["size"])])


async def claim(item: dict[str, int]) -> State:
    """That of document 9 waits until the first documents have been judged."""
    if item["at"] == 9 and "wait" in SIGNALS.get(Signals()).said:
        await aheard("judged 0", "judged 1")
    return {"claims": [item]}


def claim_on_a_thread(item: dict[str, int]) -> State:
    if item["at"] == 9 and "wait" in SIGNALS.get(Signals()).said:
        heard("judged 0", "judged 1")
    return {"claims": [item]}


def gather(state: State) -> State:
    grouped = groupby(state["claims"], key=itemgetter("at"))
    return {"groups": [{"at": at, "places": [claim["place"] for claim in claims]} for at, claims in grouped]}


def by_group(state: State) -> list[Send]:
    return [Send("judge", group) for group in state["groups"]]


def by_total(state: State) -> list[Send]:
    """Each is told how many there are, which nobody knows before the end."""
    return [Send("judge", {**group, "of": len(state["groups"])}) for group in state["groups"]]


def worst_first(state: State) -> list[Send]:
    """The larger a group, the sooner it comes."""
    return [Send("judge", group) for group in sorted(state["groups"], key=lambda group: -len(group["places"]))]


def judge(group: dict[str, Any]) -> State:
    if SIGNALS.get(None) is not None:
        say(f"judged {group['at']}")
    get_stream_writer()(f"judges {group['at']}")
    return {"verdicts": [f"{group['at']}: {group['places']}"]}


def graph_of(cls: Any = Alto, saver: Any = None, **parts: Any) -> Any:
    builder = cls(State)
    nodes = {"read": lambda state: {}, "claim": claim, "gather": gather, "judge": judge} | parts
    path, opening = nodes.pop("path", by_group), nodes.pop("document", document)
    for name, function in nodes.items():
        builder.add_node(name, function, metadata=None if name == "gather" else REPEATABLE)
    builder.add_node("document", opening, destinations=("claim",))
    builder.add_edge(START, "read").add_edge("claim", "gather")
    builder.add_conditional_edges("read", by_document, ["document"])
    builder.add_conditional_edges("gather", path, ["judge"])
    return builder.compile(saver)


TEN = {"documents": [2, 1, 3, 2, 2, 1, 2, 3, 1, 2]}
EXPECTED = [f"{at}: {[*range(size)]}" for at, size in enumerate(TEN["documents"])]


async def test_what_follows_the_closed_part_runs_while_the_rest_is_made() -> None:
    with signals() as seen:
        say("wait")
        assert (await graph_of().ainvoke(TEN))["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 10 and not seen.squashed, "each once, and none in vain"


def by_claims(state: State) -> list[Send]:
    grouped = groupby(state["claims"], key=itemgetter("at"))
    return [Send("judge", {"at": at, "places": [claim["place"] for claim in claims]}) for at, claims in grouped]


@pytest.mark.parametrize("gather", [lambda state: {}, lambda state: None])
async def test_behind_a_node_that_does_nothing_but_join_it_is_its_edge_that_waits(gather: Any) -> None:
    """It reads nothing, so it could start at once; its edge would wait for the whole all the same."""
    with signals() as seen:
        say("wait")
        assert (await graph_of(gather=gather, path=by_claims).ainvoke(TEN))["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 10 and not seen.squashed


def test_on_threads_too() -> None:
    with signals() as seen:
        say("wait")
        graph = graph_of(claim=claim_on_a_thread, document=in_one_go)
        assert graph.invoke(TEN)["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 10 and not seen.in_vain


def in_one_go(item: dict[str, int]) -> Command[Any]:
    return Command(goto=[Send("claim", {"at": item["at"], "place": place}) for place in range(item["size"])])


@pytest.mark.parametrize("path", [by_group, by_total, worst_first])
@pytest.mark.parametrize("saved", [False, True])
async def test_all_that_an_app_sees_is_that_of_stock(path: Any, saved: bool) -> None:
    graphs = [graph_of(cls, InMemorySaver() if saved else None, path=path) for cls in (Stock, Alto)]
    for documents in (TEN["documents"], [1, 0, 4, 2, 0], [3], []):
        stock = await arecord(graphs[0], {"documents": documents})
        alto = await arecord(graphs[1], {"documents": documents})
        assert difference(stock, alto) is None
        assert len(alto.output["verdicts"]) == len([size for size in documents if size])


async def test_what_more_of_the_reduction_would_change_is_not_started() -> None:
    with signals() as seen:
        got = await graph_of(path=by_total).ainvoke(TEN)
    assert seen.ran["judge"] == len(got["verdicts"]) == 10
    assert seen.ahead["judge"] == 0


async def test_a_group_that_comes_first_in_the_end_is_right() -> None:
    graph = graph_of(path=worst_first)
    assert OBSERVER.get() is None
    for documents in ([3, 2, 1, 1], [3, 2, 1, 4]):
        got = await graph.ainvoke({"documents": documents})
        expected = await graph_of(Stock, path=worst_first).ainvoke({"documents": documents})
        assert got == expected


def by_page(documents: list[int]) -> list[Send]:
    return [Send("claim", {"at": at, "place": 0}) for at, _ in enumerate(documents)]


class Checked(BaseModel):
    """A state that no part of the claims makes."""

    documents: list[int] = []
    claims: Annotated[list[dict[str, int]], operator.add] = []
    groups: list[dict[str, Any]] = []
    verdicts: Annotated[list[str], operator.add] = []

    @model_validator(mode="after")
    def whole(self) -> Checked:
        if self.claims and len(self.claims) < sum(self.documents):
            raise ValueError("claims are missing")
        return self


def test_a_state_that_cannot_be_made_of_a_part_is_not() -> None:
    def gather_checked(state: Checked) -> State:
        return gather({"claims": state.claims})

    builder: Any = Alto(Checked).add_node("gather", gather_checked)
    builder.add_node("claim", claim_on_a_thread, metadata=REPEATABLE).add_node("judge", judge, metadata=REPEATABLE)
    builder.add_edge("claim", "gather").add_conditional_edges("gather", lambda state: [Send("judge", g) for g in state.groups], ["judge"])
    builder.add_conditional_edges(
        START, lambda state: [Send("claim", {"at": at, "place": 0}) for at in range(len(state.documents))], ["claim"]
    )
    with signals() as seen:
        got = builder.compile().invoke({"documents": [1] * 9})
    assert got["verdicts"] == [f"{at}: [0]" for at in range(9)]
    assert seen.ahead["judge"] == 0


async def test_more_that_adds_nothing_is_no_evidence_that_more_only_adds() -> None:
    """Groups leave out each second claim: with it a group is as it was. All close at once, but for the last."""

    def gather_most(state: State) -> State:
        return gather({"claims": [claim for claim in state["claims"] if claim["place"] != 1]})

    async def late(item: dict[str, int]) -> State:
        await asyncio.sleep(0.1 * (item["place"] == 2))
        if item["at"] == 9:
            await aheard("judged 0", "judged 1")
        return {"claims": [item]}

    with signals() as seen:
        got = await graph_of(gather=gather_most, claim=late).ainvoke({"documents": [3] * 10})
    assert got["verdicts"] == [f"{at}: [0, 2]" for at in range(10)]
    assert seen.ran["judge"] == 10 and not seen.squashed
