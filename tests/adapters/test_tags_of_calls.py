"""Inside a tool `current_tag` names the call, where a task makes several; the same whether it runs early or in its superstep."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import StateGraph as StockStateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Send
from typing_extensions import TypedDict

from alto_langgraph import current_tag, optimize
from alto_langgraph.graph import START, StateGraph
from tests.adapters.calling_model import Caller, created, reacting
from tests.adapters.test_agent_tools import calls

RUNS = [{}, {"issue": []}]
SAID: list[tuple[str, str]] = []


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]


@pytest.fixture(autouse=True)
def said() -> None:
    SAID.clear()


def say(who: str) -> None:
    SAID.append((who, str(current_tag())))


@tool
def look(query: str) -> str:
    """Finds."""
    say(query)
    return query


@tool
async def search(query: str) -> str:
    """Finds, and waits a while."""
    await asyncio.sleep(0)
    say(query)
    await asyncio.to_thread(say, f"thread of {query}")
    return query


def inner() -> Any:
    def deep(state: State) -> State:
        say("deep")
        return {}

    tools = ToolNode([look])
    built: Any = StateGraph(State).add_node("deep", deep).add_node("tools", tools).add_edge(START, "deep").add_edge("deep", "tools")
    return built.compile()


@tool
def ask_others(query: str) -> str:
    """Runs a graph of its own."""
    say(query)
    inner().invoke({"messages": [asking("look", "look")]})
    say(f"{query} again")
    return query


def asking(*names: str) -> AIMessage:
    made = [{"name": name, "args": {"query": f"{name} {place}"}, "id": f"{place}", "type": "tool_call"} for place, name in enumerate(names)]
    return AIMessage("", tool_calls=made, id="m")


def told(graph: Any, *, use_async: bool, alto: Any, given: Any) -> list[tuple[str, str]]:
    SAID.clear()
    config = {"configurable": {"alto": alto}}
    asyncio.run(graph.ainvoke(given, config)) if use_async else graph.invoke(given, config)
    return sorted(SAID)


BOTH = pytest.mark.parametrize("use_async", [False, True], ids=["sync", "async"])


@BOTH
@pytest.mark.parametrize("alto", RUNS)
def test_the_calls_of_a_message(use_async: bool, alto: Any) -> None:
    names = ("look", "search", "look", "search") if use_async else ("look", "look", "look")
    graph: Any = StateGraph(State).add_node("tools", ToolNode([look, search])).add_edge(START, "tools").compile()
    found = told(graph, use_async=use_async, alto=alto, given={"messages": [asking(*names)]})
    mine = [(f"{name} {place}", f"tools[1]/{name}[{place}]") for place, name in enumerate(names)]
    threads = [(f"thread of {query}", tag) for query, tag in mine if "search" in tag]
    assert found == sorted([*mine, *threads])


@BOTH
@pytest.mark.parametrize("alto", RUNS)
def test_graphs_that_a_tool_runs_are_below_its_call(use_async: bool, alto: Any) -> None:
    graph: Any = StateGraph(State).add_node("tools", ToolNode([look, ask_others])).add_edge(START, "tools").compile()
    found = told(graph, use_async=use_async, alto=alto, given={"messages": [asking("look", "ask_others")]})
    call = "tools[1]/ask_others[1]"
    mine = [("look 0", "tools[1]/look[0]"), ("ask_others 1", call), ("ask_others 1 again", call), ("deep", f"{call}/deep[1]")]
    mine += [(f"look {deep}", f"{call}/tools[2]/look[{deep}]") for deep in (0, 1)]
    assert found == sorted(mine)


def sending() -> Any:
    """A message with several calls, by Send, behind a slow sibling, and one call as agents send it."""

    def slow(state: State) -> State:
        return {}

    def calls(state: State) -> list[Send]:
        one = {"name": "look", "args": {"query": "alone"}, "id": "1", "type": "tool_call"}
        several = [{**one, "args": {"query": f"of several {place}"}, "id": f"{place}"} for place in range(2)]
        return [Send("tools", {"messages": [asking("look", "look")]}), Send("tools", [one]), Send("tools", several)]

    builder: Any = StateGraph(State).add_node("plan", lambda state: {}).add_node("slow", slow).add_node("tools", ToolNode([look]))
    builder.add_edge(START, "plan").add_edge(START, "slow").add_conditional_edges("plan", calls, ["tools"])
    return builder.compile()


@BOTH
@pytest.mark.parametrize("alto", RUNS)
def test_a_task_that_is_one_call_is_named_by_itself(use_async: bool, alto: Any) -> None:
    assert told(sending(), use_async=use_async, alto=alto, given={"messages": []}) == [
        ("alone", "plan[1]/tools[1]"),
        ("look 0", "plan[1]/tools[0]/look[0]"),
        ("look 1", "plan[1]/tools[0]/look[1]"),
        ("of several 0", "plan[1]/tools[2]/look[0]"),
        ("of several 1", "plan[1]/tools[2]/look[1]"),
    ]


@BOTH
@pytest.mark.parametrize("alto", RUNS)
def test_a_tool_node_that_a_node_calls(use_async: bool, alto: Any) -> None:
    tools = ToolNode([look])

    def node(state: State) -> Any:
        tools.invoke({"messages": [asking("look", "look")]})
        say("node")
        return {}

    graph: Any = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    assert told(graph, use_async=use_async, alto=alto, given={"messages": []}) == [
        ("look 0", "node[1]/look[0]"),
        ("look 1", "node[1]/look[1]"),
        ("node", "node[1]"),
    ]


AGENTS: list[tuple[Any, Any, list[str]]] = [
    (created, {}, ["model[1]/tools[0]", "model[1]/tools[1]"]),
    (reacting, {}, ["agent[1]/tools[0]", "agent[1]/tools[1]"]),
    (reacting, {"version": "v1"}, ["tools[2]/look[0]", "tools[2]/look[1]"]),
]


@BOTH
@pytest.mark.parametrize("alto", RUNS)
@pytest.mark.parametrize(("agent", "how", "tags"), AGENTS)
def test_agents(use_async: bool, alto: Any, agent: Any, how: Any, tags: list[str]) -> None:
    graph = optimize(agent(Caller(script=[calls("look", "look"), "done"]), [look], **how))
    found = told(graph, use_async=use_async, alto=alto, given={"messages": [HumanMessage("go")]})
    assert [tag for _, tag in found] == tags


def test_under_stock_there_is_none() -> None:
    graph: Any = StockStateGraph(State).add_node("tools", ToolNode([look])).add_edge(START, "tools").compile()
    graph.invoke({"messages": [asking("look")]})
    assert SAID == [("look 0", "None")]
