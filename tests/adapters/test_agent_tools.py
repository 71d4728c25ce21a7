"""A tool that only reads is called as soon as its call is complete, while the model writes the next one; all that shows is as in stock."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents.structured_output import ToolStrategy
from langchain.tools import ToolRuntime
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

from alto_langgraph import optimize
from alto_langgraph.comparison import difference, record
from tests.adapters.calling_model import AGENTS, CALLED, Caller, created, reacting

READS = {"readOnlyHint": True}
ASKED = {"messages": [HumanMessage("go", id="q")]}
SYNC = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
EITHER = pytest.mark.parametrize("agent", AGENTS)


@pytest.fixture(autouse=True)
def uncalled() -> Iterator[None]:
    CALLED.clear()
    yield
    BOOKED.clear()


def look_up(query: str) -> str:
    """Finds what is asked for."""
    CALLED.set()
    return f"all about {query}"


look = StructuredTool.from_function(look_up, name="look", metadata=READS)

BOOKED: list[str] = []


@tool
def book(query: str) -> str:
    """Books it."""
    BOOKED.append(query)
    return f"booked {query}"


@tool(description="Fails.")
def fail(query: str) -> str:
    CALLED.set()
    raise ValueError(f"no {query}")


@tool(description="Fails, and says so.")
def excuse(query: str) -> str:
    CALLED.set()
    raise ToolException(f"no {query}")


excuse.handle_tool_error = True


@tool(description="Says what it does.")
def tell(query: str) -> str:
    CALLED.set()
    get_stream_writer()({"telling": query})
    return query


@tool(description="The last word.", return_direct=True)
def conclude(query: str) -> str:
    CALLED.set()
    return f"so {query}"


@tool(description="Looks at the state.")
def count(query: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
    return f"{query}: {len(state['messages'])} messages, the last {state['messages'][-1].tool_calls}"


@tool(description="Looks at some of the state.")
def last(query: str, messages: Annotated[list[Any], InjectedState("messages")]) -> str:
    return f"{query}: {messages[-1].tool_calls}"


@tool(description="Looks at the run.")
def inspect_run(query: str, runtime: ToolRuntime) -> str:
    return f"{query}: {runtime.tool_call_id} of {len(runtime.state['messages'])}"


@tool(description="Asks.")
def ask(query: str) -> str:
    return f"{query}: {interrupt('really?')}"


@tool(description="Changes the state.")
def update(query: str) -> Command[Any]:
    return Command(goto="elsewhere")


def calls(*names: str) -> list[tuple[str, Any]]:
    return [(name, {"query": f"river {place}"}) for place, name in enumerate(names)]


def differ(agent: Any, model: Any, tools: Any, *, waits: bool = False, sync: bool = False, how: Any = None, **given: Any) -> Any:
    """The first difference between both sides; with `waits` alto's model waits until a tool has been called."""
    seen = []
    for side, waiting in ((lambda graph: graph, False), (optimize, waits)):
        CALLED.clear()
        BOOKED.clear()
        made = {name: value() if callable(value) else value for name, value in (how or {}).items()}
        graph = side(agent(Caller(script=model, waits=waiting), tools, **made))
        seen.append(record(graph, ASKED, sync=sync, **given))
    return difference(*seen)


@EITHER
@SYNC
def test_a_call_starts_before_the_next_one_is_written(agent: Any, sync: bool) -> None:
    assert differ(agent, [calls("look", "look", "look"), "done"], [look], waits=True, sync=sync) is None


@EITHER
@SYNC
def test_a_call_in_the_middle_of_several_turns(agent: Any, sync: bool) -> None:
    script = ["Let me see. I look it up.", calls("look", "tell"), calls("look", "look"), "done"][1:]
    how = {"system_prompt": "You know rivers.", "name": "guide"}
    assert differ(agent, script, [look, tell], waits=True, sync=sync, how=how) is None


@EITHER
@SYNC
@pytest.mark.parametrize("names", [("look", "book", "look"), ("book", "look", "book"), ("look", "ask", "look"), ("look", "count", "look")])
def test_other_tools_wait_for_the_complete_answer(agent: Any, sync: bool, names: tuple[str, ...]) -> None:
    waits = names[0] == "look" or names[-1] != "look"
    script = [calls(*names), "done"]
    how = {"checkpointer": InMemorySaver}
    assert differ(agent, script, [look, book, ask, count], waits=waits, sync=sync, how=how) is None


ODD = {
    "a tool that isn't there": [calls("look", "none", "look"), "done"],
    "arguments that aren't right": [[("look", {"query": "river"}), ("look", {"place": 1}), ("look", {"query": ["a"]})], "done"],
    "arguments that aren't JSON": [[("look", {"query": "river"}), ("look", '{"query": "a" "b"}'), ("look", {"query": "c"})], "done"],
    "more behind the arguments": [[("look", '{"query": "river"} {"query": "other"}'), ("look", {"query": "sea"})], "done"],
    "no arguments": [[("look", ""), ("look", {"query": "sea"})], "done"],
    "the same call twice": [[("look", {"query": "sea"}), ("look", {"query": "sea"})], "done"],
    "an error that is told": [calls("excuse", "look"), "done"],
    "an error": [calls("look", "fail", "look"), "done"],
    "an error first": [calls("fail", "look"), "done"],
    "a tool that ends the run": [calls("conclude", "look"), "done"],
    "tools that end the run": [calls("conclude", "conclude"), "done"],
    "tools that look at the state": [calls("look", "count", "last"), "done"],
    "tools that look at the run": [calls("inspect_run", "look", "inspect_run"), "done"],
    "text that goes before": ["On it. At once.", "done"],
    "one call": [calls("look"), "done"],
}
TOOLS = [look, book, fail, excuse, tell, conclude, count, last, inspect_run]


@EITHER
@SYNC
@pytest.mark.parametrize("odd", ODD)
def test_odd_calls(agent: Any, sync: bool, odd: str) -> None:
    assert differ(agent, ODD[odd], TOOLS, sync=sync, how={"checkpointer": InMemorySaver}) is None


HOW: dict[str, dict[str, Any]] = {
    "before": {"interrupt_before": ["tools"]},
    "after": {"interrupt_after": ["tools"]},
}


@EITHER
@SYNC
@pytest.mark.parametrize("where", HOW)
def test_breakpoints(agent: Any, sync: bool, where: str) -> None:
    how = {"checkpointer": InMemorySaver, **HOW[where]}
    script = [calls("look", "tell", "look"), "done"]
    assert differ(agent, script, TOOLS, sync=sync, how=how, then=[None, None]) is None


@EITHER
@SYNC
def test_a_question_is_answered(agent: Any, sync: bool) -> None:
    script = [calls("look", "ask", "look"), "done"]
    how = {"checkpointer": InMemorySaver}
    assert differ(agent, script, [look, ask], waits=True, sync=sync, how=how, then=[Command(resume="yes")]) is None


LIMITS = [{"max_concurrency": 2}, {"max_concurrency": 3}, {"recursion_limit": 1}, {"recursion_limit": 2}, {"recursion_limit": 3}]


@EITHER
@SYNC
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_limits(agent: Any, sync: bool, limits: dict[str, Any]) -> None:
    script = [calls("look", "look", "tell"), calls("look", "look"), "done"]
    assert differ(agent, script, TOOLS, sync=sync, config=limits) is None


def kept() -> SqliteSaver:
    return SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))


@EITHER
def test_sqlite_keeps_what_it_keeps_under_stock(agent: Any) -> None:
    script = [calls("look", "book", "look"), calls("look", "tell"), "done"]
    assert differ(agent, script, TOOLS, waits=True, sync=True, how={"checkpointer": kept}) is None


def choosing(model: Any, tools: Any, **how: Any) -> Any:
    """LangGraph's prebuilt agent, whose model is chosen anew for each turn."""

    def choose(state: Any, runtime: Any) -> Any:
        return model.bind_tools(tools)

    return reacting(choose, tools, **how)


def choosing_later(model: Any, tools: Any, **how: Any) -> Any:
    async def choose(state: Any, runtime: Any) -> Any:
        await asyncio.sleep(0)
        return model.bind_tools(tools)

    return reacting(choose, tools, **how)


@pytest.mark.parametrize(("agent", "sync"), [(choosing, True), (choosing, False), (choosing_later, False)])
def test_models_that_are_chosen_at_run_time(agent: Any, sync: bool) -> None:
    script = [calls("look", "tell", "look"), calls("look", "book"), "done"]
    how = {"system_prompt": "You know rivers.", "checkpointer": InMemorySaver}
    assert differ(agent, script, [look, tell, book], waits=True, sync=sync, how=how) is None


class Answer(BaseModel):
    length: int


@SYNC
def test_structured_responses(sync: bool) -> None:
    script = [calls("look", "look"), [("look", {"query": "sea"}), ("Answer", {"length": 3})]]
    how = {"response_format": lambda: ToolStrategy(Answer)}
    assert differ(created, script, [look, tell], waits=True, sync=sync, how=how) is None


@SYNC
def test_structured_responses_of_the_older_agent(sync: bool) -> None:
    script = [calls("look", "look"), "done", [("Answer", {"length": 3})]]
    assert differ(reacting, script, [look], waits=True, sync=sync, how={"response_format": Answer.model_json_schema}) is None


class Hearing(BaseCallbackHandler):
    """Hears what tools and chains are given and what they come to."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        metadata = {key: value for key, value in (kwargs.get("metadata") or {}).items() if key not in PROVISIONAL}
        self.heard.append(("tool", serialized["name"], input_str, kwargs.get("inputs"), kwargs.get("name"), metadata, kwargs.get("tags")))

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        self.heard.append(("result", output.content, output.name))

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        self.heard.append(("error", str(error)))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.heard.append(("begins", kwargs.get("name"), _blank(inputs)))

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.heard.append(("ends", _blank(outputs)))

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(("token", token))


PROVISIONAL = ("langgraph_checkpoint_ns", "checkpoint_ns", "langgraph_path")
"""What early tasks have by other names until their superstep."""


def _blank(value: Any) -> str:
    """As text, without the ids that LangChain makes up."""
    text = re.sub(r"(lc_)?run-+[0-9a-f-]{20,}|[0-9a-f]{8}-[0-9a-f-]{27}|tools-[0-9]+", "id", repr(value))
    return re.sub(r"<[^>]*0x[0-9a-f]+>", "object", text)


@EITHER
@SYNC
async def test_callbacks_hear_what_they_hear_under_stock(agent: Any, sync: bool) -> None:
    heard = []
    for side in (lambda graph: graph, optimize):
        hearing = Hearing()
        script = [calls("look", "excuse", "count", "last", "inspect_run", "look"), "done"]
        graph = side(agent(Caller(script=script), TOOLS, name="guide"))
        config = {"callbacks": [hearing], "metadata": {"who": "me"}, "tags": ["mine"]}
        await graph.ainvoke(ASKED, config) if not sync else graph.invoke(ASKED, config)
        heard.append(sorted(map(repr, hearing.heard)))
    assert heard[0] == heard[1]


class HearingTools(Hearing):
    ignore_chain = True


@EITHER
async def test_calls_start_early_under_callbacks_that_do_not_hear_the_state(agent: Any) -> None:
    heard = []
    for side, waits in ((lambda graph: graph, False), (optimize, True)):
        hearing = HearingTools()
        script = [calls("look", "count", "last", "inspect_run", "excuse", "look"), "done"]
        graph = side(agent(Caller(script=script, waits=waits), TOOLS, name="guide"))
        await graph.ainvoke(ASKED, {"callbacks": [hearing]})
        heard.append(sorted(map(repr, hearing.heard)))
    assert heard[0] == heard[1]


@EITHER
async def test_every_call_is_made_once(agent: Any) -> None:
    asked: list[str] = []

    async def note(query: str) -> str:
        """Finds what is asked for."""
        asked.append(query)
        CALLED.set()
        return query

    noting = StructuredTool.from_function(coroutine=note, name="note", metadata=READS)
    await optimize(agent(Caller(script=[calls("note", "note", "note"), "done"], waits=True), [noting])).ainvoke(ASKED)
    assert sorted(asked) == ["river 0", "river 1", "river 2"]


@EITHER
@SYNC
def test_inside_another_graph(agent: Any, sync: bool) -> None:
    def within(model: Any, tools: Any, checkpointer: Any) -> Any:
        builder: Any = StateGraph(MessagesState).add_node("inner", agent(model, tools))
        return builder.add_edge(START, "inner").compile(checkpointer=checkpointer)

    script = [calls("look", "tell", "look"), "done"]
    assert differ(within, script, [look, tell], sync=sync, how={"checkpointer": InMemorySaver}) is None


class Messages(TypedDict):
    messages: Annotated[list[Any], add_messages]


def fanning(node: Any) -> Any:
    """Sends calls to a ToolNode while a sibling takes its time."""
    call = {"name": "look", "args": {"query": "sea"}, "id": "1", "type": "tool_call"}

    async def slow(state: Messages) -> None:
        await asyncio.sleep(0.1)

    builder: Any = StateGraph(Messages).add_node("plan", lambda state: None).add_node("slow", slow).add_node("tools", node)
    builder.add_edge(START, "plan").add_edge(START, "slow")
    builder.add_conditional_edges("plan", lambda state: [Send("tools", [call])], ["tools"])
    return builder.compile()


@pytest.mark.parametrize("others", [[], [last]], ids=["blind", "seeing"])
def test_a_tool_node_that_gets_calls_alone_starts_before_its_superstep(others: list[Any]) -> None:
    seen = [record(side(fanning(ToolNode([look, *others]))), ASKED) for side in (lambda graph: graph, optimize)]
    assert difference(*seen) is None
    assert seen[1].error is None
