"""Tools that get the run's state, or its runtime, start early where what they look at is known, and wait where it isn't."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from langchain.agents.middleware import AgentMiddleware, ExtendedModelResponse
from langchain.agents.middleware.types import AgentState
from langchain.tools import ToolRuntime
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send
from mcp.server.fastmcp import FastMCP
from mcp.shared.memory import create_connected_server_and_client_session
from mcp.types import ToolAnnotations

from alto_langgraph import optimize
from alto_langgraph.comparison import difference, record
from alto_langgraph.graph import START, StateGraph
from tests.adapters.calling_model import CALLED, Caller, created, reacting
from tests.adapters.test_agent_tools import EITHER, SYNC, Hearing, HearingTools, calls, look

ASKED = {"messages": [HumanMessage("go", id="q")], "owner": "ann", "places": ["sea"]}


@pytest.fixture(autouse=True)
def uncalled() -> None:
    CALLED.clear()


class Owned(AgentState[Any]):
    owner: str
    places: list[str]


class Stepping(Owned):
    remaining_steps: RemainingSteps


@tool
def of_owner(query: str, owner: Annotated[str, InjectedState("owner")]) -> str:
    """Sees one key."""
    CALLED.set()
    return f"{owner}: {query}"


@tool
def picks(query: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Sees one key of the whole."""
    CALLED.set()
    return f"{state['owner']} of {state['places']}: {query}"


@tool
def runs(query: str, runtime: ToolRuntime) -> str:
    """Sees one key of the runtime's state."""
    CALLED.set()
    return f"{runtime.state['owner']}: {query}, {runtime.tool_call_id}, {runtime.state.get('nothing')}"


@tool
def knows(query: str, runtime: ToolRuntime) -> str:
    """Sees nothing of the state."""
    CALLED.set()
    runtime.stream_writer({"asked": query})
    return f"{runtime.context} {query} {runtime.tool_call_id} {len(runtime.tools)}"


@tool
def history(query: str, runtime: ToolRuntime) -> str:
    """Sees what is being written."""
    return f"{query}: {[message.type for message in runtime.state['messages']]}, {runtime.state['owner']}"


@tool
def shows(query: str, runtime: ToolRuntime) -> str:
    """Sees all of the state."""
    return f"{query}: {sorted(runtime.state)}"


@tool
def finds(query: str, runtime: ToolRuntime) -> str:
    """Looks into the store."""
    found = runtime.store.get(("a",), query) if runtime.store else None
    return f"{query}: {found and found.value}"


@tool
def files(query: str, runtime: ToolRuntime) -> str:
    """Keeps it in the store."""
    assert runtime.store is not None
    runtime.store.put(("a",), query, {"by": runtime.state["owner"]})
    return query


@tool
def leaves(query: str, runtime: ToolRuntime) -> Command[Any]:
    """Gives it to somebody else."""
    message = ToolMessage(f"was {runtime.state['owner']}'s", tool_call_id=runtime.tool_call_id)
    return Command(update={"owner": query, "messages": [message]})


@tool
def marks(query: str, runtime: ToolRuntime) -> str:
    """Changes the state in place."""
    runtime.state["places"].append(query)
    return query


TOOLS = [look, of_owner, picks, runs, knows, history, shows, finds, files, leaves, marks]


def differ(agent: Any, model: Any, tools: Any = TOOLS, *, waits: bool = False, sync: bool = False, how: Any = None, **given: Any) -> Any:
    """The first difference between both sides; with `waits` alto's model waits until a tool has been called."""
    seen = []
    for side, waiting in ((lambda graph: graph, False), (optimize, waits)):
        CALLED.clear()
        schema = Stepping if agent is reacting else Owned
        made = {name: value() if callable(value) else value for name, value in (how or {}).items()}
        graph = side(agent(Caller(script=model, waits=waiting), tools, **{"state_schema": schema, **made}))
        asked = {**ASKED, "places": [*ASKED["places"]]}
        seen.append(record(graph, asked, sync=sync, **given))
    assert not waits or seen[0].error is None
    return difference(*seen)


@EITHER
@SYNC
@pytest.mark.parametrize("first", [of_owner, picks, runs, knows], ids=lambda tool: tool.name)
def test_what_is_known_is_looked_at_while_the_model_writes(agent: Any, sync: bool, first: Any) -> None:
    script = [calls(first.name, "history", first.name), calls(first.name, "shows"), "done"]
    how = {"checkpointer": InMemorySaver}
    assert differ(agent, script, [look, of_owner, picks, runs, knows, history, shows], waits=True, sync=sync, how=how) is None


SCRIPTS = {
    "what is being written": [calls("history", "runs", "history"), calls("shows", "picks"), "done"],
    "the store": [calls("finds", "files", "runs"), [("finds", {"query": "river 1"}), ("look", {"query": "sea"})], "done"],
    "what a tool has written": [calls("leaves", "runs"), calls("runs", "of_owner", "picks"), "done"],
    "what is changed in place": [calls("marks", "look"), calls("picks", "look"), calls("marks"), calls("picks"), "done"],
    "arguments that aren't right": [[("runs", {"place": 1}), ("of_owner", {"query": 3}), ("picks", {})], "done"],
    "everything": [calls(*(it.name for it in TOOLS)), "done"],
}


@EITHER
@SYNC
@pytest.mark.parametrize("name", SCRIPTS)
def test_what_shows_is_as_in_stock(agent: Any, sync: bool, name: str) -> None:
    assert differ(agent, SCRIPTS[name], sync=sync, how={"checkpointer": InMemorySaver, "store": InMemoryStore}) is None


@EITHER
@SYNC
def test_a_key_that_is_missing(agent: Any, sync: bool) -> None:
    class Wider(Stepping if agent is reacting else Owned):  # type: ignore[misc]
        town: str

    @tool
    def of_town(query: str, runtime: ToolRuntime) -> str:
        """Sees what isn't there."""
        return f"{runtime.state.get('town')} {runtime.state['town']}"

    @tool
    def in_town(query: str, town: Annotated[str, InjectedState("town")]) -> str:
        """Sees what isn't there."""
        return town

    for name in ("of_town", "in_town"):
        how = {"state_schema": lambda: Wider}
        assert differ(agent, [calls("look", name, "look"), "done"], [look, of_town, in_town], sync=sync, how=how) is None


def kept() -> SqliteSaver:
    return SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))


@EITHER
def test_sqlite_keeps_what_it_keeps_under_stock(agent: Any) -> None:
    script = [calls("runs", "history", "picks"), calls("leaves", "runs"), calls("runs", "knows"), "done"]
    tools = [it for it in TOOLS if it is not marks]
    assert differ(agent, script, tools, waits=True, sync=True, how={"checkpointer": kept}) is None


@SYNC
def test_what_middleware_writes_is_seen_as_it_is_afterwards(sync: bool) -> None:
    class Owning(AgentMiddleware[Any, Any]):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return self.owned(handler(request))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return self.owned(await handler(request))

        def owned(self, response: Any) -> Any:
            return ExtendedModelResponse(model_response=response, command=Command(update={"owner": f"{len(response.result)} others"}))

    script = [calls("look", "runs", "of_owner"), "done"]
    tools = [it for it in TOOLS if it is not marks]
    assert differ(created, script, tools, waits=True, sync=sync, how={"middleware": lambda: [Owning()]}) is None


@EITHER
@SYNC
@pytest.mark.parametrize("hearing", [Hearing, HearingTools])
async def test_callbacks_hear_what_they_hear_under_stock(agent: Any, sync: bool, hearing: Any) -> None:
    heard = []
    for side in (lambda graph: graph, optimize):
        handler = hearing()
        script = [calls("runs", "look", "of_owner", "picks", "history", "knows"), "done"]
        schema = Stepping if agent is reacting else Owned
        graph = side(agent(Caller(script=script), [look, of_owner, picks, runs, knows, history], state_schema=schema))
        await graph.ainvoke(ASKED, {"callbacks": [handler]}) if not sync else graph.invoke(ASKED, {"callbacks": [handler]})
        heard.append(sorted(map(repr, handler.heard)))
    assert heard[0] == heard[1]


def fanning(*, writes: str | None) -> Any:
    """Sends calls to a ToolNode while a sibling takes its time, which may write what the tool looks at."""

    async def slow(state: Owned) -> Any:
        await asyncio.sleep(0.1)
        return {writes: "bob"} if writes else None

    call = {"name": "runs", "args": {"query": "sea"}, "id": "1", "type": "tool_call"}
    builder: Any = StateGraph(Owned).add_node("plan", lambda state: None).add_node("slow", slow).add_node("tools", ToolNode([runs]))
    builder.add_edge(START, "plan").add_edge(START, "slow")
    builder.add_conditional_edges("plan", lambda state: [Send("tools", [call])], ["tools"])
    return builder


@pytest.mark.parametrize("writes", [None, "owner", "town"])
def test_a_sibling_that_may_write_what_a_tool_looks_at(writes: str | None) -> None:
    built = [fanning(writes=writes).compile(alto=alto) for alto in (False, True)]
    assert difference(*(record(graph, ASKED) for graph in built)) is None


# ---- tools of a server

server = FastMCP("rivers")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
async def length(query: str) -> str:
    """Only reads."""
    CALLED.set()
    return f"{query} is long"


@server.tool()
async def dam(query: str) -> str:
    """Does something."""
    return f"{query} is dammed"


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
async def drought(query: str) -> str:
    """Fails."""
    raise ValueError(f"no water in {query}")


@pytest.mark.parametrize("agent", [reacting, created])
@pytest.mark.parametrize("names", [("length", "dam", "length"), ("length", "drought", "length"), ("length", "length")])
async def test_tools_of_an_mcp_server_that_only_read(agent: Any, names: Any) -> None:
    told = []
    for side, waits in ((lambda graph: graph, False), (optimize, True)):
        CALLED.clear()
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            graph = side(agent(Caller(script=[calls(*names), "done"], waits=waits), await load_mcp_tools(session)))
            events = [event async for event in graph.astream({"messages": [HumanMessage("go", id="q")]}, stream_mode=["values", "updates"])]
            values = [_plain(event) for mode, event in events if mode == "values"]
            told.append((values, sorted(repr(_plain(event)) for mode, event in events if mode == "updates")))
    assert told[0] == told[1]


def _plain(event: Any) -> Any:
    """All but the ids that LangChain makes up."""
    return [(type(m).__name__, m.text, getattr(m, "tool_calls", None), getattr(m, "artifact", None)) for m in _messages(event)]


def _messages(event: Any) -> Iterator[Any]:
    for key, value in event.items():
        yield from value if key == "messages" else _messages(value)


async def test_interceptors_of_mcp_tools_see_the_runtime() -> None:
    seen: list[int] = []

    async def count(request: Any, handler: Any) -> Any:
        seen.append(len(request.runtime.state["messages"]))
        return await handler(request)

    for side in (lambda graph: graph, optimize):
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            tools = await load_mcp_tools(session, tool_interceptors=[count])
            await side(created(Caller(script=[calls("length", "length"), "done"]), tools)).ainvoke({"messages": [HumanMessage("go")]})
    assert seen == [2, 2, 2, 2]
