"""Tasks of one superstep that fail at the same turn of the event loop, one of them with an error handler."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock

from alto_langgraph.graph import StateGraph as Alto


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]


@pytest.mark.parametrize("cls", [Stock, Alto])
async def test_what_a_handler_handles_does_not_end_the_run(cls: Any) -> None:
    """The handled one is over when the loop looks at the other, but has not been reported yet."""
    go = asyncio.Event()

    async def fails(state: State) -> State:
        asyncio.get_running_loop().call_soon(go.set)
        raise ValueError("nobody handles it")

    async def handled(state: State) -> State:
        await go.wait()
        raise KeyError("handled")

    def handler(state: State) -> State:
        return {"out": ["handler"]}

    graph = cls(State).add_node("handled", handled, error_handler=handler).add_node("fails", fails)
    graph.add_edge(START, "handled").add_edge(START, "fails")
    for _ in range(10):  # which of two errors is raised must not be the order of a set
        go.clear()
        with pytest.raises(ValueError, match="nobody handles it"):
            await graph.compile().ainvoke({})
