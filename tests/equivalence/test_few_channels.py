"""What alto does in graphs of many channels, done in every graph: answers stay stock's."""

from __future__ import annotations

import pytest
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.adapters.langgraph import incremental, states
from alto_langgraph.comparison import MODES, difference
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing.graph_shapes import SHAPES
from tests.equivalence.test_shapes import recorded_async, recorded_sync

EACH = pytest.mark.parametrize("name", SHAPES)


@pytest.fixture(autouse=True)
def from_the_first_channel_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "MANY", 0)
    monkeypatch.setattr(states, "FEW", 0)


@EACH
def test_sync(name: str) -> None:
    stock, alto = (recorded_sync(side, SHAPES[name], "memory", MODES) for side in (Stock, Alto))
    found = difference(stock, alto)
    assert found is None, str(found)


@EACH
async def test_async(name: str) -> None:
    stock, alto = [await recorded_async(side, SHAPES[name], "sqlite", MODES) for side in (Stock, Alto)]
    found = difference(stock, alto)
    assert found is None, str(found)
