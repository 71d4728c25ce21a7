"""Graphs that others build: an optimized twin that is still what it was, inside stock graphs and around them."""

from __future__ import annotations

import operator
import warnings
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolCall
from langgraph.graph.state import CompiledStateGraph
from langgraph.graph.state import StateGraph as Stock
from langgraph.pregel import Pregel
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

import alto_langgraph
from alto_langgraph import optimize
from alto_langgraph.adapters.langgraph.graph import AltoStateGraph, Optimized
from alto_langgraph.exceptions import NotOptimizableError, OptionsError
from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import aheard, say, signals


class State(TypedDict, total=False):
    wait: bool
    out: Annotated[list[str], operator.add]


async def beside(state: State) -> State:
    if state.get("wait"):
        await aheard("early 0", "early 1")
    return {"out": ["beside"]}


async def send(state: State) -> Command[Any]:
    return Command(update={"out": ["send"]}, goto=[Send("early", i) for i in range(2)])


async def early(item: int) -> State:
    say(f"early {item}")
    return {"out": [f"early {item}"]}


ANSWER = ["beside", "send", "early 0", "early 1"]


def build(side: Any) -> Any:
    graph = side(State).add_node("send", send, destinations=("early",)).add_node("early", early).add_node("beside", beside)
    return graph.add_edge(START, "send").add_edge(START, "beside").compile()


def around(side: Any, inner: Any) -> Any:
    return side(State).add_node("inner", inner).add_edge(START, "inner").compile()


async def deadlocks_without(graph: Any) -> None:
    with signals() as seen:
        assert (await graph.ainvoke({"wait": True}))["out"] == ANSWER
    assert seen.ahead["early"] == 2


class TestTheTwin:
    async def test_runs_ahead(self) -> None:
        await deadlocks_without(optimize(build(Stock)))

    async def test_leaves_the_original_as_it_was(self) -> None:
        stock = build(Stock)
        before = dict(vars(stock))
        twin = optimize(stock)
        assert type(stock) is CompiledStateGraph and vars(stock) == before
        assert twin is not stock and twin.nodes is not stock.nodes
        with signals() as seen:
            await stock.ainvoke({})
        assert not seen.ran, "stock runs tell no facts"

    def test_keeps_its_class(self) -> None:
        twin = optimize(build(Stock))
        assert isinstance(twin, CompiledStateGraph) and isinstance(twin, AltoStateGraph)
        assert type(twin).__name__ == "CompiledStateGraph"

    def test_of_a_class_of_ones_own(self) -> None:
        class Mine(CompiledStateGraph):
            def mine(self) -> str:
                return self.name

        graph = build(Stock)
        graph.__class__ = Mine
        twin = optimize(graph)
        assert isinstance(twin, Mine) and isinstance(twin, Optimized) and twin.mine() == graph.name
        assert type(optimize(graph)) is type(twin)

    def test_of_a_twin(self) -> None:
        twin = optimize(build(Stock), {"window": 3})
        again = optimize(twin, {"window": 4})
        assert type(again) is type(twin)
        assert (twin.alto_options.window, again.alto_options.window) == (3, 4)

    async def test_optimizes_graphs_inside_to_any_depth(self) -> None:
        stock = around(Stock, around(Stock, build(Stock)))
        twin = optimize(stock)
        await deadlocks_without(twin)
        assert not isinstance(stock.nodes["inner"].bound, Optimized)
        assert not isinstance(stock.nodes["inner"].bound.nodes["inner"].bound, Optimized)
        assert [ns for ns, _ in twin.get_subgraphs(recurse=True)] == [ns for ns, _ in stock.get_subgraphs(recurse=True)]
        assert all(isinstance(graph, Optimized) for _, graph in twin.get_subgraphs(recurse=True))

    def test_explains_itself(self) -> None:
        twin = optimize(build(Stock))
        assert set(twin.alto_plan.nodes) == {"send", "early", "beside"}
        assert "early" in str(twin.explain())


class TestWhatCannotBe:
    @pytest.mark.parametrize("thing", [None, "graph", print, object()])
    def test_things_that_are_no_graph(self, thing: Any) -> None:
        with pytest.raises(NotOptimizableError, match=f"not {type(thing).__name__}"):
            optimize(thing)

    def test_a_builder(self) -> None:
        with pytest.raises(NotOptimizableError, match=r"not StateGraph. Call .compile\(\) first"):
            optimize(Stock(State))

    def test_a_remote_graph(self) -> None:
        with pytest.raises(NotOptimizableError, match="not RemoteGraph"):
            optimize(RemoteGraph("agent", url="http://localhost:1"))

    def test_bad_options(self) -> None:
        with pytest.raises(OptionsError, match="window"):
            optimize(build(Stock), {"window": -1})


class TestMixed:
    async def test_ours_inside_stock(self) -> None:
        await deadlocks_without(around(Stock, build(Alto)))

    async def test_stock_inside_ours_stays_stock(self) -> None:
        graph = around(Alto, build(Stock))
        with signals() as seen:
            assert (await graph.ainvoke({}))["out"] == ANSWER
        assert dict(seen.ran) == {"__start__": 1, "inner": 1}

    async def test_ours_inside_ours(self) -> None:
        await deadlocks_without(around(Alto, build(Alto)))

    def test_a_remote_graph_as_a_node(self) -> None:
        graph = around(Alto, RemoteGraph("agent", url="http://localhost:1"))
        assert isinstance(graph, AltoStateGraph)
        assert graph.alto_plan.nodes["inner"].subgraph
        assert optimize(graph).nodes["inner"].bound is graph.nodes["inner"].bound


@pytest.mark.parametrize("make", [lambda: build(Alto), lambda: optimize(build(Stock))], ids=["compiled", "optimized"])
class TestTheWholeInterface:
    def test_classes(self, make: Any) -> None:
        assert isinstance(make(), CompiledStateGraph) and isinstance(make(), Pregel)
        assert isinstance(Alto(State), Stock)

    async def test_with_config_and_copy(self, make: Any) -> None:
        graph = make()
        for twin in (graph.with_config({"tags": ["t"]}), graph.copy(), graph.copy({"name": "other"})):
            assert type(twin) is type(graph) and twin.alto_options is graph.alto_options
            await deadlocks_without(twin)

    def test_drawing(self, make: Any) -> None:
        assert make().get_graph().draw_mermaid() == build(Stock).get_graph().draw_mermaid()
        assert make().get_graph(xray=True).to_json() == build(Stock).get_graph(xray=True).to_json()

    def test_schemas(self, make: Any) -> None:
        assert make().get_input_jsonschema() == build(Stock).get_input_jsonschema()
        assert make().get_output_jsonschema() == build(Stock).get_output_jsonschema()

    async def test_batches(self, make: Any) -> None:
        with signals():
            got = await make().abatch([{}, {"wait": True}])
            assert [one["out"] for one in got] == [ANSWER, ANSWER]
            assert sorted([one["out"] async for _, one in make().abatch_as_completed([{}, {}])]) == [ANSWER, ANSWER]

    async def test_astream_events(self, make: Any) -> None:
        async def kinds(graph: Any) -> list[tuple[str, str]]:
            with signals():
                return sorted([(e["event"], e["name"]) async for e in graph.astream_events({}, version="v2")])

        assert await kinds(make()) == await kinds(build(Stock))

    async def test_piping(self, make: Any) -> None:
        with signals():
            got = await (make() | (lambda state: len(state["out"]))).ainvoke({})
        assert got == 4


def model(*names: str) -> Any:
    class Model(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self

    calls = [ToolCall(name="double", args={"number": i}, id=f"call {i}") for i in range(3)]
    return Model(messages=iter([AIMessage("", tool_calls=calls), AIMessage("done")]))


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


def prebuilt() -> Any:
    from langgraph.prebuilt import create_react_agent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return create_react_agent(model(), [double])


@pytest.mark.parametrize("make", [prebuilt, lambda: create_agent(model(), [double])], ids=["langgraph", "langchain"])
class TestAgents:
    async def test_answer_as_before(self, make: Any) -> None:
        def content(got: Any) -> list[Any]:
            return [(m.type, m.content) for m in got["messages"]]

        expected = content(await make().ainvoke({"messages": "go"}))
        assert expected[2:] == [("tool", "0"), ("tool", "2"), ("tool", "4"), ("ai", "done")]
        with signals() as seen:
            assert content(await optimize(make()).ainvoke({"messages": "go"})) == expected
        assert sum(seen.ran.values()) == 6
        assert content(optimize(make()).invoke({"messages": "go"})) == expected

    async def test_as_a_subgraph(self, make: Any) -> None:
        agent = optimize(make())

        class Talk(TypedDict):
            messages: Annotated[list[Any], operator.add]

        graph = Alto(Talk).add_node("agent", agent).add_edge(START, "agent").compile()
        got = await graph.ainvoke({"messages": [("user", "go")]})
        assert got["messages"][-1].content == "done"


def test_it_is_at_the_packages_top() -> None:
    assert alto_langgraph.optimize is optimize
