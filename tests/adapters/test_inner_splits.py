"""Parts of a reduction by an inner split, while the outer one is open; all that an app sees is that of stock.

The last sentence of the only document waits for work on its first ones: by documents, nothing would be closed before.
"""

from __future__ import annotations

import asyncio
import operator
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send

from alto_langgraph import current_tag
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, say, signals

REPEATABLE = {"effects": "idempotent"}


class State(TypedDict, total=False):
    documents: list[list[int]]
    claims: Annotated[list[dict[str, int]], operator.add]
    groups: list[dict[str, Any]]
    verdicts: Annotated[list[str], operator.add]


def by_document(state: State) -> list[Send]:
    return [Send("document", {"doc": doc, "sizes": sizes}) for doc, sizes in enumerate(state["documents"])]


def document(item: dict[str, Any]) -> Command[Any]:
    return Command(goto=[Send("sentence", {"doc": item["doc"], "at": at, "size": size}) for at, size in enumerate(item["sizes"])])


def sentence(item: dict[str, int]) -> Command[Any]:
    return Command(goto=[Send("claim", {"doc": item["doc"], "at": item["at"], "place": place}) for place in range(item["size"])])


async def claim(item: dict[str, int]) -> State:
    """The last sentence of document 0, or the first if it is told so, comes when others have been judged."""
    said = SIGNALS.get(Signals()).said
    if item["doc"] == 0 and (("wait" in said and item["at"] == 5) or ("wait first" in said and item["at"] == 0)):
        await aheard("judged 0 2", "judged 0 3")
    return {"claims": [item]}


def claim_on_a_thread(item: dict[str, int]) -> State:
    if item["doc"] == 0 and item["at"] == 5 and "wait" in SIGNALS.get(Signals()).said:
        heard("judged 0 2", "judged 0 3")
    return {"claims": [item]}


def gather(state: State) -> State:
    grouped = groupby(state.get("claims", []), key=itemgetter("doc", "at"))
    return {"groups": [{"doc": doc, "at": at, "places": [claim["place"] for claim in claims]} for (doc, at), claims in grouped]}


def by_sentence(state: State) -> list[Send]:
    return [Send("judge", group) for group in state["groups"]]


def by_whole(state: State) -> list[Send]:
    """All sentences of a document together."""
    grouped = groupby(state["groups"], key=itemgetter("doc"))
    return [Send("judge", {"doc": doc, "at": 0, "places": [group["places"] for group in groups]}) for doc, groups in grouped]


def by_claim(state: State) -> list[Send]:
    return [Send("judge", {**group, "places": [place]}) for group in state["groups"] for place in group["places"]]


def by_total(state: State) -> list[Send]:
    return [Send("judge", {**group, "of": len(state["groups"])}) for group in state["groups"]]


def judge(group: dict[str, Any]) -> State:
    if SIGNALS.get(None) is not None:
        say(f"judged {group['doc']} {group['at']}")
    return {"verdicts": [f"{group['doc']} {group['at']}: {group['places']}"]}


def graph_of(cls: Any = Alto, saver: Any = None, *, path: Any = by_sentence, judge: Any = judge, claim: Any = claim) -> Any:
    builder = cls(State)
    for name, function in {"read": lambda state: {}, "claim": claim, "judge": judge}.items():
        builder.add_node(name, function, metadata=REPEATABLE)
    builder.add_node("document", document, destinations=("sentence",), metadata=REPEATABLE)
    builder.add_node("sentence", sentence, destinations=("claim",), metadata=REPEATABLE)
    builder.add_node("gather", gather).add_edge(START, "read").add_edge("claim", "gather")
    builder.add_conditional_edges("read", by_document, ["document"])
    builder.add_conditional_edges("gather", path, ["judge"])
    return builder.compile(saver)


ONE = {"documents": [[2, 1, 3, 2, 1, 2]]}
EXPECTED = [f"0 {at}: {[*range(size)]}" for at, size in enumerate(ONE["documents"][0])]


@pytest.mark.parametrize("waits", ["wait", "wait first"])
async def test_what_follows_a_closed_sentence_runs_while_its_document_is_open(waits: str) -> None:
    with signals() as seen:
        say(waits)
        assert (await graph_of().ainvoke(ONE))["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 6 and not seen.squashed, "each once, and none in vain"


def test_on_threads_too() -> None:
    with signals() as seen:
        say("wait")
        assert graph_of(claim=claim_on_a_thread).invoke(ONE)["verdicts"] == EXPECTED
    assert seen.ran["judge"] == 6 and not seen.squashed


async def test_a_graph_remembers_which_split_it_was() -> None:
    graph = graph_of()
    for _ in range(2):
        with signals() as seen:
            say("wait")
            assert (await graph.ainvoke(ONE))["verdicts"] == EXPECTED
        assert not seen.squashed
    assert graph.alto_staging.levels == {"gather": 3}


async def test_what_needs_all_of_a_document_waits_for_that() -> None:
    with signals() as seen:
        got = await graph_of(path=by_whole).ainvoke({"documents": [[2, 1], [1, 1, 2], [3], [1, 2]]})
    assert [verdict[:3] for verdict in got["verdicts"]] == ["0 0", "1 0", "2 0", "3 0"]
    assert seen.ran["judge"] == 4 and not seen.squashed


LOADS = ([[2, 1, 3, 2, 1, 2]], [[1, 2], [], [0, 2], [1]], [[1]], [], [[1, 1, 1], [2, 2], [1]])


@pytest.mark.parametrize("path", [by_sentence, by_whole, by_claim, by_total])
@pytest.mark.parametrize("saved", [False, True])
async def test_all_that_an_app_sees_is_that_of_stock(path: Any, saved: bool) -> None:
    stock, alto = (graph_of(cls, InMemorySaver() if saved else None, path=path) for cls in (Stock, Alto))
    for documents in LOADS:
        with signals():
            if path is by_sentence and documents is LOADS[0]:
                say("wait")
            mine = await arecord(alto, {"documents": documents})
        assert difference(await arecord(stock, {"documents": documents}), mine) is None


async def test_who_asks_for_its_tag_gets_that_of_its_superstep() -> None:
    def tagged(group: dict[str, Any]) -> State:
        return {"verdicts": [f"{group['at']}: {current_tag()}"]}

    got = await graph_of(judge=tagged).ainvoke(ONE)
    assert got["verdicts"] == [f"{at}: gather[5]/judge[{at}]" for at in range(6)]


async def test_fragments_are_told_with_their_place() -> None:
    told = [fragment async for fragment in graph_of().astream_fragments(ONE)]
    committed = [(str(tag), update) for tag, node, update, state in told if node == "judge" and state]
    assert committed == [(f"gather[5]/judge[{at}]", {"verdicts": [text]}) for at, text in enumerate(EXPECTED)]


@pytest.mark.parametrize("seed", range(12))
async def test_random_loads_in_any_order(seed: int) -> None:
    draws = Random(seed)

    async def slow(item: dict[str, int]) -> State:
        await asyncio.sleep(Random(f"{seed} {item}").uniform(0, 0.03))
        return {"claims": [item]}

    path = draws.choice([by_sentence, by_sentence, by_whole, by_claim, by_total])
    documents = [[draws.randrange(4) for _ in range(draws.randrange(5))] for _ in range(draws.randrange(1, 4))]
    stock, alto = graph_of(Stock, path=path, claim=slow), graph_of(Alto, path=path, claim=slow)
    expected = await arecord(stock, {"documents": documents})
    for _ in range(3):
        assert difference(expected, await arecord(alto, {"documents": documents})) is None
