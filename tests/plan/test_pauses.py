"""Whether code may pause the run, look at its own ids, or use the store."""

import asyncio
import functools
import time
from typing import Any

import langgraph.types as lg_types
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.errors import NodeInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from langgraph.types import interrupt as ask_human

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.plan.access import analyse

llm = FakeListChatModel(responses=["x"])


def direct(state):
    return {"x": interrupt("?")}


def renamed(state):
    return {"x": ask_human("?")}


def by_module(state):
    return {"x": lg_types.interrupt("?")}


def imported_inside(state):
    from langgraph.types import interrupt

    return {"x": interrupt("?")}


def unresolvable(state):
    return {"x": interrupt_of(state)}


def interrupt_of(state):
    if state["x"]:
        raise NodeInterrupt("?")


def deep(state):
    return middle(state)


def middle(state):
    return [direct(s) for s in state["xs"]]


def passed_on(state):
    return list(map(direct, state["xs"]))


def in_closure(state):
    def inner():
        return interrupt("?")

    return inner()


class Gate:
    def __call__(self, state):
        return self._ask()

    def _ask(self):
        return interrupt("?")


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def decorated(state):
    return interrupt("?")


@tool
def human(question: str) -> str:
    """Ask."""
    return interrupt(question)


@tool
def search(question: str) -> str:
    """Search."""
    return question


def calls_tool(state):
    return {"x": human.invoke({"question": "x"})}


def calls_runnable(state):
    return {"x": RunnableLambda(direct).invoke(state)}


pausing = RunnableLambda(direct)


def calls_known_runnable(state):
    return {"x": pausing.invoke(state)}


def graph_of(node: Any) -> Any:
    builder = StateGraph(dict)
    builder.add_node("n", node)
    builder.add_edge(START, "n")
    builder.add_edge("n", END)
    return builder.compile()


inner_pausing, inner_plain = graph_of(direct), graph_of(lambda s: s)


def calls_graph(state):
    return inner_pausing.invoke(state)


async def to_thread(state):
    return await asyncio.to_thread(direct, state)


@pytest.mark.parametrize(
    "function",
    [
        direct,
        renamed,
        by_module,
        imported_inside,
        unresolvable,
        deep,
        passed_on,
        in_closure,
        Gate(),
        decorated,
        calls_tool,
        calls_runnable,
        calls_known_runnable,
        calls_graph,
        to_thread,
        lambda state: interrupt("?"),
        functools.partial(direct),
    ],
)
def test_pausing_is_found(function: Any) -> None:
    assert analyse(function, describe=describe).may_interrupt


def plain(state):
    time.sleep(0.1)
    return {"x": llm.invoke("x")}


async def sleeps(state):
    await asyncio.sleep(0.1)
    await asyncio.gather(*[llm.ainvoke(x) for x in state["xs"]])
    return {"x": await llm.ainvoke("x")}


def unknown_library(state):
    import graphlib

    return {"x": graphlib.TopologicalSorter(state["x"]).static_order()}


def calls_plain_graph(state):
    return inner_plain.invoke(state)


def calls_plain_tool(state):
    return {"x": search.invoke({"question": "x"})}


def routes(state):
    return Command(goto="x")


@pytest.mark.parametrize("function", [plain, sleeps, unknown_library, calls_plain_graph, calls_plain_tool, routes])
def test_ordinary_code_does_not_pause(function: Any) -> None:
    assert not analyse(function, describe=describe).may_interrupt


def metadata(state, config):
    return {"x": config["metadata"]["langgraph_checkpoint_ns"]}


def configurable(state, config):
    return {"x": config["configurable"]["checkpoint_id"]}


def configurable_get(state, config):
    return {"x": config.get("configurable", {}).get("task_id")}


def metadata_whole(state, config):
    print(config["metadata"])


def config_whole(state, config):
    return {"x": str(config)}


def config_in_text(state, config):
    return {"x": f"{config}"}


def runtime_info(state, runtime):
    return {"x": runtime.execution_info.task_id}


def current(state):
    return {"x": get_config()["configurable"]["checkpoint_ns"]}


def private(state, config):
    return {"x": config["configurable"]["__pregel_send"]}


def dynamic(state, config):
    return {"x": config["configurable"][state["x"]]}


@pytest.mark.parametrize(
    "function",
    [metadata, configurable, configurable_get, metadata_whole, config_whole, config_in_text, runtime_info, current, private, dynamic],
)
def test_looking_at_ids_is_found(function: Any) -> None:
    assert analyse(function).sees_identity


def unused(state, config):
    return {"x": 1}


def passes(state, config):
    return {"x": llm.invoke("x", config)}


def passes_by_name(state, config):
    return {"x": llm.invoke("x", config=config)}


def own_option(state, config):
    return {"x": config["configurable"]["model"], "y": config["configurable"].get("thread_id")}


def own_task_id(state):
    return {"x": state["task_id"], "y": [t["task_id"] for t in state["tasks"]]}


def context(state, runtime):
    return {"x": runtime.context.model}


def writes_events(state):
    get_stream_writer()("x")


def writes_events_by_parameter(state, writer):
    writer("x")


@pytest.mark.parametrize(
    "function", [unused, passes, passes_by_name, own_option, own_task_id, context, writes_events, writes_events_by_parameter, plain]
)
def test_ordinary_use_of_config_is_no_look_at_ids(function: Any) -> None:
    assert not analyse(function).sees_identity


def store_parameter(state, *, store):
    return {"x": 1}


def store_function(state):
    return {"x": get_store().get(("a",), "b")}


def store_of_runtime(state, runtime):
    runtime.store.put(("a",), "b", {})


@pytest.mark.parametrize("function", [store_parameter, store_function, store_of_runtime])
def test_use_of_the_store_is_found(function: Any) -> None:
    assert analyse(function).uses_store


@pytest.mark.parametrize("function", [plain, context, unused])
def test_ordinary_code_uses_no_store(function: Any) -> None:
    assert not analyse(function).uses_store


def test_calling_a_graph_is_told() -> None:
    assert analyse(calls_graph, describe=describe).subgraph
    assert not analyse(plain, describe=describe).subgraph


def test_who_looks_at_checkpoints_looks_at_more_than_the_state() -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    saver = InMemorySaver()

    def asks_graph(state):
        return {"x": inner_plain.get_state({"configurable": {"thread_id": "1"}})}

    def asks_saver(state):
        return {"x": saver.get({"configurable": {"thread_id": "1"}})}

    for function in (asks_graph, asks_saver):
        assert analyse(function, describe=describe).sees_identity
    assert not analyse(calls_graph, describe=describe).sees_identity


def test_a_store_of_the_apps_may_be_the_runs() -> None:
    from langgraph.store.memory import InMemoryStore

    store = InMemoryStore()

    def remembers(state):
        store.put(("x",), "x", {"x": state["x"]})

    assert analyse(remembers, describe=describe).uses_store
