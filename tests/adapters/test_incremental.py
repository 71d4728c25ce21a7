"""What a superstep costs in a graph of many channels depends on what it changes."""

from __future__ import annotations

import gc
import operator
import weakref
from collections import Counter
from itertools import pairwise
from typing import Annotated, Any

import pytest
from langgraph.channels import BinaryOperatorAggregate, EphemeralValue, LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph import incremental
from alto_langgraph.adapters.langgraph.checkpoints import writes_down
from alto_langgraph.adapters.langgraph.incremental import Incremental
from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto

ASKED = ("is_available", "get", "checkpoint", "update", "finish")
THREAD: Any = {"configurable": {"thread_id": "t"}}
TYPES = (LastValue, BinaryOperatorAggregate, EphemeralValue)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what channels are asked."""
    counts: Counter[str] = Counter()
    for cls in TYPES:
        for name in ASKED:
            monkeypatch.setattr(cls, name, _counting(getattr(cls, name), name, counts))
    return counts


def _counting(function: Any, name: str, counts: Counter[str]) -> Any:
    def count(*args: Any) -> Any:
        counts[name] += 1
        return function(*args)

    return count


def chain(side: Any, keys: int, steps: int, **options: Any) -> Any:
    """Nodes in a row of which each writes two keys of many; besides, there are as many nodes that never run."""
    make: Any = TypedDict
    names = [f"key{place}" for place in range(keys)]
    graph = side(make("State", {**dict.fromkeys(names, Any), "log": Annotated[list, operator.add]}))
    for step in range(steps):
        graph.add_node(f"step{step}", lambda state, key=f"key{step % 3}": {key: state[key] + 1, "log": [key]})
    for source, target in pairwise([START, *(f"step{step}" for step in range(steps))]):
        graph.add_edge(source, target)
    for name in names:
        graph.add_node(f"beside {name}", lambda state: {}).add_edge(f"beside {name}", "step0")
    return graph.compile(**options)


def zeros(keys: int) -> dict[str, int]:
    """An input of so many keys."""
    return {f"key{place}": 0 for place in range(keys)}


def per_step(asked: Counter[str], side: Any, keys: int, saver: bool) -> dict[str, float]:
    """What channels are asked in one superstep more."""
    counts = []
    for steps in (4, 24):
        in_order = {"alto": {"window": 0}} if side is Alto else {}
        graph = chain(side, keys, steps, checkpointer=InMemorySaver() if saver else None, **in_order)
        asked.clear()
        graph.invoke(
            dict.fromkeys((f"key{place}" for place in range(keys)), 0), {"configurable": {"thread_id": "t"}}, stream_mode="updates"
        )
        counts.append(asked.copy())
    return {name: (counts[1][name] - counts[0][name]) / 20 for name in ASKED}


@pytest.mark.parametrize("saver", [False, True], ids=["unsaved", "saved"])
def test_channels_that_nobody_touches_are_not_asked(asked: Counter[str], saver: bool) -> None:
    few, many = (per_step(asked, Alto, keys, saver) for keys in (20, 120))
    assert many == pytest.approx(few, abs=1)
    assert sum(few.values()) < 40


@pytest.mark.parametrize("saver", [False, True], ids=["unsaved", "saved"])
def test_langgraph_asks_them_all(asked: Counter[str], saver: bool) -> None:
    """What the test above counts is what it should count."""
    few, many = (per_step(asked, Stock, keys, saver) for keys in (20, 120))
    assert all(many[name] > few[name] + 90 for name in ("is_available", "get", "update") + ("checkpoint",) * saver)


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which methods of their own the loops of runs had, and whether they are still there."""
    found: list[Any] = []
    after_tick = Incremental.after_tick

    def noting(self: Any) -> None:
        found.append((self._own, weakref.ref(self)))
        after_tick(self)

    monkeypatch.setattr(Incremental, "after_tick", noting)
    return found


def test_a_graph_of_few_channels_runs_langgraphs_own_methods(loops: list[Any]) -> None:
    chain(Alto, 2, 1).invoke(zeros(2))
    assert loops[0][0] is None


def test_a_graph_of_many_channels_runs_others(loops: list[Any]) -> None:
    def own(**how: Any) -> Any:
        chain(Alto, 20, 1, checkpointer=InMemorySaver() if how else None).invoke(zeros(20), THREAD, **how)
        return loops[-1][0]

    assert own().checkpoints is own(durability="exit").checkpoints is None
    assert own(durability="sync").checkpoints and own(durability="async").checkpoints


def test_a_reducer_may_run_another_graph(asked: Counter[str]) -> None:
    inner = chain(Alto, 30, 2)

    def running(old: list[Any], new: list[Any]) -> list[Any]:
        return [*old, *new, inner.invoke(zeros(30))["key1"]]

    def last(side: Any) -> Any:
        make: Any = TypedDict
        graph = side(make("State", {**dict.fromkeys(zeros(20), Any), "log": Annotated[list, running]}))
        graph.add_node("one", lambda state: {"key3": 1, "log": ["one"]}).add_node("two", lambda state: {"key3": 2, "log": [state["key3"]]})
        return graph.add_edge(START, "one").add_edge("one", "two").compile(checkpointer=InMemorySaver()).invoke(zeros(20), THREAD)

    assert last(Alto) == last(Stock)


def test_a_loop_is_freed_as_soon_as_its_run_is_over(loops: list[Any]) -> None:
    graph = chain(Alto, 20, 3, checkpointer=InMemorySaver(), alto={"window": 0})
    gc.collect()
    gc.disable()
    try:
        graph.invoke(zeros(20), THREAD)
        assert loops and not any(loop() for _, loop in loops)
    finally:
        gc.enable()


def test_a_langgraph_laid_out_differently_runs_its_own_methods(monkeypatch: pytest.MonkeyPatch, loops: list[Any]) -> None:
    assert incremental._understood()
    monkeypatch.setitem(incremental._CALLS, "after_tick", {"apply_writes", "something_else"})
    assert incremental._with_stand_ins() == {}
    monkeypatch.setattr(incremental, "_METHODS", {})
    chain(Alto, 20, 1).invoke(zeros(20))
    assert loops[0][0] is None


class TestWritesDown:
    def test_savers_of_langgraph(self) -> None:
        with SqliteSaver.from_conn_string(":memory:") as sqlite:
            assert writes_down(sqlite)
        assert writes_down(InMemorySaver())
        assert AsyncSqliteSaver.__module__.startswith("langgraph.checkpoint.sqlite")

    def test_others(self) -> None:
        class Mine(InMemorySaver):
            pass

        class Keeping(JsonPlusSerializer):
            pass

        assert not writes_down(Mine())
        assert not writes_down(InMemorySaver(serde=Keeping()))
        assert not writes_down(object())
