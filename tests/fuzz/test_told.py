"""On random graphs, what is told of fragments as committed is what stock shows as updates, and nothing that is told is left open."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import Fragment
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.graph_session import Session
from alto_langgraph.testing.graph_specs import Case
from alto_langgraph.testing.pause import GAUGE, Gauge
from alto_langgraph.testing.plain_values import plain_event
from alto_langgraph.testing.random_graphs import draw
from tests.adapters.test_fragments_told import check, updates

pytestmark = pytest.mark.filterwarnings("ignore")

GRAPHS = 80
ATTEMPTS = 3
"""What some of the graphs come to depends on which of their threads was faster, under stock, too."""


def shown(event: dict[str, Any]) -> str:
    return repr(plain_event({node: update for node, update in event.items() if node != "__metadata__"}))


async def by_stock(case: Case) -> tuple[Counter[str], str | None]:
    session, heard = Session(case, Stock, None), Counter[str]()
    try:
        stream = session.graph.astream(
            session.input(), session.config, stream_mode=["updates"], subgraphs=case.subgraphs, **session.running
        )
        async for event in stream:
            heard[shown(event[-1])] += 1
    except Exception as error:
        return heard, type(error).__name__
    return heard, None


async def by_alto(case: Case) -> tuple[list[Fragment], Counter[str], str | None]:
    session, told, error = Session(case, Alto, None), [], None
    heard = Counter[str]()
    try:
        async for fragment in session.graph.astream_fragments(session.input(), session.config, subgraphs=case.subgraphs, **session.running):
            told.append(fragment)
            heard.update(map(shown, updates([fragment])))  # now: nodes may change what they have written
    except Exception as raised:
        error = type(raised).__name__
    return told, heard, error


def test_told_is_what_stock_shows() -> None:
    ahead = 0
    token = GAUGE.set(Gauge(float))
    try:
        for seed in range(GRAPHS):
            case = replace(draw(seed, asking=seed % 2 == 0), coroutine=True, saver="none", turns=("on",))
            for _ in range(ATTEMPTS):
                heard, failed = jumping_clock.run(by_stock(case))
                told, committed, error = jumping_clock.run(by_alto(case))
                if failed is None:
                    check(told)
                if error == failed and (failed or committed == heard):
                    break
            else:
                assert (seed, error, committed) == (seed, failed, heard)
            ahead += sum(early(told))
    finally:
        GAUGE.reset(token)
    assert ahead


def early(told: list[Fragment]) -> list[bool]:
    """Whether something else was told between a fragment and its being committed."""
    return [now.committed is False and then[:2] != now[:2] for now, then in pairwise(told)]
