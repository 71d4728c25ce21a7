"""What a node sees of its config, its callbacks and its runtime is what it sees under stock, down to classes and shared objects."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.callbacks.manager import AsyncParentRunManager, ParentRunManager
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Send

from alto_langgraph.adapters.langgraph.seam import RunnableSeq
from alto_langgraph.graph import END, START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.looking import Notes, State, plain


class Tracer(BaseTracer):
    def _persist_run(self, run: Any) -> None:
        pass


RUNS: dict[str, Any] = {
    "nothing given": dict,
    "tags and metadata": lambda: {"tags": ["a", "b", "a"], "metadata": {"m": 1, "n": [2]}},
    "tags of LangGraph's": lambda: {"tags": ["graph:step:1", "seq:step:1"]},
    "nested metadata": lambda: {"metadata": {"m": {"deep": 1}, "langgraph_node": "mine"}},
    "versions": lambda: {"metadata": {"lc_versions": {"mine": "1"}}},
    "versions as text": lambda: {"metadata": {"lc_versions": "1"}},
    "a handler": lambda: {"callbacks": [BaseCallbackHandler()]},
    "a tracer": lambda: {"callbacks": [Tracer()], "tags": ["t"]},
    "a manager with nobody": lambda: {"callbacks": CallbackManager([], tags=["of it"], inheritable_metadata={"its": 1})},
    "a manager with one not inherited": lambda: {"callbacks": CallbackManager([BaseCallbackHandler()], [])},
    "names": lambda: {"run_name": "named", "run_id": uuid.UUID(int=7), "max_concurrency": 3},
    "a limit": lambda: {"recursion_limit": 33},
    "the limit that is the default": lambda: {"recursion_limit": 10007},
    "own keys": lambda: {"configurable": {"mine": 1, "thread_id": "t"}},
}


def line(side: Any, notes: Notes, a: bool) -> Any:
    """Three in a row, the second with metadata, then two that are sent to, then one that changes all that it has."""
    node = notes.anode if a else notes.node
    graph = side(State)
    graph.add_node("one", node("one"))
    graph.add_node("two", node("two"), metadata={"own": 1, "langgraph_step": "mine"})
    graph.add_node("sent", RunnableLambda(node("sent")).with_config(tags=["of the node"], metadata={"of the node": {"deep": 1}}))
    graph.add_node("spoiler", notes.spoiler("spoiler"))
    graph.add_node("last", node("last"), metadata={"own": {"deep": 1}})
    graph.add_edge(START, "one").add_edge("one", "two").add_edge("sent", "spoiler").add_edge("spoiler", "last")
    return graph.add_conditional_edges("two", lambda state: [Send("sent", {}), Send("sent", {})], ["sent"])


def around(side: Any, notes: Notes, a: bool) -> Any:
    """A graph as a node, beside a graph that is run inside a node."""
    inner = line(side, notes, a).compile()

    def call(state: State) -> State:
        return {"out": inner.invoke({}, {"tags": ["called"], "metadata": {"called": 1}})["out"]}

    async def acall(state: State) -> State:
        return {"out": (await inner.ainvoke({}, {"tags": ["called"], "metadata": {"called": 1}}))["out"]}

    graph = side(State).add_node("graph", inner).add_node("call", acall if a else call).add_edge("graph", "call")
    return graph.add_edge(START, "graph")


GRAPHS = {"line": line, "around": around}
EVERY_GRAPH = pytest.mark.parametrize("graph", GRAPHS)
MODES: tuple[Any, ...] = (["messages", "custom", "updates"], ["tasks", "debug", "checkpoints"])
CASES = [(graph, given, ["values"]) for graph in GRAPHS for given in RUNS]
CASES += [(graph, given, modes) for graph in GRAPHS for given in ("nothing given", "a tracer", "own keys") for modes in MODES]
EVERY_CASE = pytest.mark.parametrize(("graph", "given", "modes"), CASES, ids=str)


def compiled(side: Any, graph: str, notes: Notes, a: bool, given: Any) -> Any:
    saver = InMemorySaver() if "thread_id" in given.get("configurable", {}) else None
    return GRAPHS[graph](side, notes, a).compile(checkpointer=saver).with_config(tags=["of the graph"], metadata={"of the graph": 1})


@EVERY_CASE
def test_a_sync_node_sees_the_same(graph: str, given: str, modes: list[str]) -> None:
    seen = []
    for side in (Stock, Alto):
        notes, config = Notes(), RUNS[given]()
        events = [*compiled(side, graph, notes, False, config).stream({}, config, stream_mode=modes, subgraphs=True)]
        seen.append((sorted(notes.taken), sorted(map(plain, events))))
    assert len(seen[0][0]) >= 6
    assert seen[1] == seen[0]


@EVERY_CASE
async def test_an_async_node_sees_the_same(graph: str, given: str, modes: list[str]) -> None:
    seen = []
    for side in (Stock, Alto):
        notes, config = Notes(), RUNS[given]()
        if isinstance(config.get("callbacks"), CallbackManager):
            config["callbacks"].__class__ = AsyncCallbackManager
        events = [e async for e in compiled(side, graph, notes, True, config).astream({}, config, stream_mode=modes, subgraphs=True)]
        seen.append((sorted(notes.taken), sorted(map(plain, events))))
    assert len(seen[0][0]) >= 6
    assert seen[1] == seen[0]


@pytest.mark.filterwarnings("ignore:astream_events")
@pytest.mark.parametrize("version", ["v1", "v2"])
@EVERY_GRAPH
async def test_events_are_the_same(graph: str, version: Any) -> None:
    seen = []
    for side in (Stock, Alto):
        notes, config = Notes(), {"tags": ["t"], "metadata": {"m": 1}}
        events = [e async for e in compiled(side, graph, notes, True, config).astream_events({}, config, version=version)]
        seen.append((sorted(notes.taken), sorted(map(plain, events))))
    assert len(seen[0][1]) > 30
    assert seen[1] == seen[0]


@pytest.mark.parametrize("side", [Stock, Alto])
def test_looking_finds_what_differs(side: Any) -> None:
    taken = []
    for config in ({}, {"tags": ["t"]}, {"metadata": {"m": 1}}, {"callbacks": [BaseCallbackHandler()]}, {"recursion_limit": 9}):
        notes = Notes()
        side(State).add_node("one", notes.node("one")).add_edge(START, "one").add_edge("one", END).compile().invoke({}, config)
        taken.append(notes.taken[0])
    assert len({*taken}) == 5


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What LangChain is asked to make the long way."""
    calls: list[str] = []

    def counted(function: Any) -> Any:
        def told(*args: Any, **kwargs: Any) -> Any:
            calls.append(function.__name__)
            return function(*args, **kwargs)

        return told

    for cls in (ParentRunManager, AsyncParentRunManager):
        monkeypatch.setattr(cls, "get_child", counted(cls.get_child))
    for kind in (CallbackManager, AsyncCallbackManager):
        monkeypatch.setattr(kind, "on_chain_start", counted(kind.on_chain_start))
    return calls


IN_ORDER: Any = {"configurable": {"alto": {"window": 0}}}
"""So that nothing is prepared twice."""


def quiet(side: Any) -> Any:
    """A chain of six tasks."""
    names = [f"n{number}" for number in range(6)]
    graph = side(State).add_sequence([(name, lambda state: {"out": ["it"]}) for name in names])
    return graph.add_edge(START, names[0]).compile()


@pytest.mark.skipif(not hasattr(RunnableSeq, "_astart"), reason="this LangGraph's sequence is run as it is")
async def test_without_handlers_a_task_asks_langchain_for_nothing(asked: list[str]) -> None:
    counts = []
    for side in (Stock, Alto):
        asked.clear()
        quiet(side).invoke({}, IN_ORDER)
        await quiet(side).ainvoke({}, IN_ORDER)
        counts.append(len(asked))
    # For each run the graph's own start, and a child for taking in its input; for each task its start, and a child for it, for
    # its node and for its writer.
    assert counts == [2 * (2 + 6 * 4), 2]


@pytest.mark.skipif(not hasattr(RunnableSeq, "_astart"), reason="this LangGraph's sequence is run as it is")
async def test_with_a_handler_a_task_asks_for_all_that_handlers_hear(asked: list[str]) -> None:
    await quiet(Alto).ainvoke({}, {"callbacks": [BaseCallbackHandler()], **IN_ORDER})
    assert len(asked) == 2 + 6 * 3
