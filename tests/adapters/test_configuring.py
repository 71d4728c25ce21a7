"""A task's config is LangGraph's merge of the run's and the task's: the same keys in the same order, the same objects shared."""

from __future__ import annotations

import types
from collections import ChainMap, OrderedDict
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langgraph._internal._config import DEFAULT_RECURSION_LIMIT
from langgraph.graph.state import StateGraph as Stock
from langgraph.runtime import ExecutionInfo, Runtime

from alto_langgraph.adapters.langgraph import configuring
from alto_langgraph.adapters.langgraph.configuring import merged, prepare_single_task, replaced
from alto_langgraph.adapters.langgraph.seam import merge_configs
from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.looking import State

NESTED = {"deep": 1}
HANDLER = BaseCallbackHandler()
RUNS: dict[str, dict[str, Any]] = {
    "empty": {},
    "all falsy": {"tags": [], "metadata": {}, "callbacks": None, "recursion_limit": 0, "configurable": {}, "max_concurrency": None},
    "usual": {"tags": ["a"], "metadata": {"m": 1}, "callbacks": [HANDLER], "recursion_limit": 25, "configurable": {"k": NESTED}},
    "another order": {"configurable": {"k": 1}, "recursion_limit": 25, "run_name": "r", "metadata": {"langgraph_step": 0}, "tags": ["a"]},
    "the default limit": {"recursion_limit": DEFAULT_RECURSION_LIMIT, "metadata": {"m": 1}},
    "a limit as high": {"recursion_limit": int(DEFAULT_RECURSION_LIMIT)},
    "nested metadata": {"metadata": {"n": NESTED, "lc_versions": {"a": "1"}}},
    "metadata in a chain": {"metadata": ChainMap({"m": 1})},
    "in a longer chain": {"metadata": ChainMap({"m": 1, "a": NESTED}, {"z": 2, "m": 3, "langgraph_step": 0})},
    "in a chain of others": {"metadata": ChainMap(OrderedDict(m=1), {"z": 2, "m": 3})},
    "in an empty chain": {"metadata": ChainMap({}, {})},
    "an ordered dict in metadata": {"metadata": {"m": OrderedDict(a=1)}},
    "a proxy in metadata": {"metadata": {"m": types.MappingProxyType({"a": 1})}},
    "a manager": {"callbacks": CallbackManager([HANDLER], tags=["m"])},
    "more": {"run_id": 5, "max_concurrency": 2, "unknown": NESTED},
}
TASKS: dict[str, dict[str, Any]] = {
    "plain": {"metadata": {"langgraph_step": 1, "langgraph_path": ("a", 1)}, "tags": None},
    "tags": {"metadata": {"langgraph_step": 1}, "tags": ["own"]},
    "nested": {"metadata": {"own": NESTED, "lc_versions": {"b": "2"}}, "tags": []},
    "of a call": {"metadata": {"langgraph_step": 1}},
    "with more": {"metadata": {"langgraph_step": 1}, "tags": ["own"], "callbacks": [HANDLER]},
}


def shape(config: Any) -> Any:
    """A config with its order, its classes, and which of its values are the objects given."""
    callbacks = config.get("callbacks")
    given = [config.get(key) is run.get(key) for run in (*RUNS.values(), *TASKS.values()) for key in ("tags", "configurable", "callbacks")]
    values = {key: value for key, value in config.items() if key != "callbacks"}
    deep = [(key, type(value), value is NESTED) for key, value in config.get("metadata", {}).items()]
    return [*config], values, type(config.get("metadata")), deep, vars(callbacks) if hasattr(callbacks, "tags") else callbacks, given


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("run", RUNS)
def test_it_is_langgraphs(run: str, task: str) -> None:
    before = repr((RUNS[run], TASKS[task]))
    assert shape(merged(RUNS[run], TASKS[task])) == shape(merge_configs(RUNS[run], TASKS[task]))
    assert repr((RUNS[run], TASKS[task])) == before


def test_plain_tasks_need_none_of_langgraphs_merging(monkeypatch: pytest.MonkeyPatch) -> None:
    long_way: list[Any] = []

    def noted(*configs: Any) -> Any:
        long_way.extend(configs[1:])  # that of a task
        return merge_configs(*configs)

    monkeypatch.setattr(configuring, "merge_configs", noted)
    graph = Alto(State).add_sequence([(f"n{number}", lambda state: {"out": ["it"]}) for number in range(4)]).add_edge(START, "n0").compile()
    graph.invoke({}, {"tags": ["t"], "metadata": {"m": 1}, "callbacks": [HANDLER]})
    graph.invoke({}, {"metadata": {"m": {"nested": 1}}})
    graph.invoke({}, {"metadata": {"m": 1}, "configurable": {"thread_id": "t"}})
    assert not long_way
    graph.invoke({}, {"metadata": {"m": frozenset({"of no known kind"})}})
    assert len(long_way) >= 4


def test_a_runtime_of_another_class_is_overridden_by_its_own_method() -> None:
    class Own(Runtime):
        def override(self, **changes: Any) -> Any:
            return ("its own", changes.keys())

    given: Any = Own()
    made = [
        configuring._cast(Runtime, value).override(store=None, previous=1)
        for value in (given, Runtime(context="c", previous=5))
    ]  # fmt: skip
    assert made[0] == ("its own", {"store", "previous"})
    assert made[1] == Runtime(context="c", previous=1)
    assert type(made[1]) is Runtime


@dataclass(frozen=True)
class Unslotted:
    a: int = 1


@dataclass(frozen=True, slots=True)
class Checked:
    a: int = 1

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("negative")


def test_replacing_is_that_of_dataclasses() -> None:
    for value in (ExecutionInfo("c", "ns", "t"), Runtime(context="c", previous=5), Unslotted(), Checked()):
        name: Any = fields(value)[0].name
        before = asdict(value)
        assert replaced(value, **{name: 7}) == replace(value, **{name: 7})
        assert replaced(value) == value and replaced(value) is not value
        assert type(replaced(value)) is type(value)
        assert asdict(value) == before
        with pytest.raises(TypeError):
            replaced(value, other=1)
    with pytest.raises(ValueError, match="negative"):
        replaced(Checked(), a=-1)


def test_stock_graphs_prepare_as_ever() -> None:
    graph = Stock(State).add_node("n", lambda state: {"out": ["it"]}).add_edge(START, "n").compile()
    assert graph.invoke({}) == {"out": ["it"]}
    module = __import__("langgraph.pregel._algo", fromlist=["prepare_single_task"])
    assert module.prepare_single_task is not prepare_single_task
    assert module.merge_configs is merge_configs
