"""An alarm that rings on its own thread at the moment in which a superstep ends."""

from __future__ import annotations

import operator
import threading
import time
from typing import Annotated, Any, TypedDict

import pytest

from alto_langgraph.adapters.langgraph.ahead import Ahead
from alto_langgraph.graph import START, StateGraph


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def test_the_superstep_isnt_committed_while_it_looks_at_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_still: list[bool] = []
    looks = threading.Event()

    def look(self: Ahead) -> None:
        before = dict(self.loop.checkpoint["channel_versions"])
        looks.set()
        time.sleep(0.2)
        kept_still.append(before == dict(self.loop.checkpoint["channel_versions"]))

    def closing(self: Ahead, step: int) -> None:
        if not looks.is_set():
            self._watch._patience = 0  # what it would wait for has been waited for
            threading.Thread(target=self._watch._ring, args=(self._watch._round,), daemon=True).start()
            assert looks.wait(10)
        close(self, step)

    close = Ahead.closing
    monkeypatch.setattr(Ahead, "_has_waited", look)
    monkeypatch.setattr(Ahead, "closing", closing)

    def node(state: State) -> dict[str, Any]:
        return {"log": ["node"]}

    builder = StateGraph(State).add_node("one", node).add_node("other", node).add_node("after", node)
    graph = builder.add_edge(START, "one").add_edge(START, "other").add_edge("one", "after").compile()
    assert graph.invoke({"log": []})["log"] == ["node"] * 3
    assert kept_still == [True]
