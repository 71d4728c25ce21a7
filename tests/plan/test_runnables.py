"""What chains, tools and graphs read and write when they are nodes."""

import operator
from operator import itemgetter
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough, RunnablePick
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages, push_message
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime
from langgraph.types import Command, Send

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import CallablePlan, Effects

llm = FakeListChatModel(responses=["x"])
KEYS = {"a", "b", "c", "messages"}


class State(TypedDict, total=False):
    a: str
    b: str
    c: str
    messages: Annotated[list[AnyMessage], add_messages]


def planned(node: Any, **options: Any) -> CallablePlan:
    builder = StateGraph(State)
    builder.add_node("n", node, **options)
    builder.add_edge(START, "n")
    return lower(builder.compile()).nodes["n"].function


def upper(text):
    return {"b": str(text).upper()}


def retrieve(text):
    return [Document(page_content=text)]


def keyed(state, key="a"):
    return {"b": state[key]}


prompt = ChatPromptTemplate.from_messages([("system", "{a}"), ("human", "{b}")])
talk = ChatPromptTemplate.from_messages([("system", "{a}"), MessagesPlaceholder("messages", optional=True)])
parts = PromptTemplate.from_template("{a} {b}").partial(b="x")

CHAINS = [
    (prompt | llm | StrOutputParser() | upper, {"a", "b"}, {"b"}),
    (talk | llm | StrOutputParser() | upper, {"a", "messages"}, {"b"}),
    (parts | upper, {"a", "b"}, {"b"}),
    (itemgetter("a") | RunnableLambda(upper), {"a"}, {"b"}),
    (RunnableLambda(lambda state: state["a"]) | upper, {"a"}, {"b"}),
    (RunnablePick("a") | RunnableLambda(upper), {"a"}, {"b"}),
    (RunnablePick(["a", "b"]), {"a", "b"}, {"a", "b"}),
    (RunnableParallel(b=itemgetter("a") | RunnableLambda(str.upper), c=lambda state: state["c"]), {"a", "c"}, {"b", "c"}),
    (RunnablePassthrough.assign(b=itemgetter("a")) | prompt | llm | StrOutputParser() | upper, {"a"}, {"b"}),
    (RunnablePassthrough.assign(b=itemgetter("c") | RunnableLambda(retrieve)) | prompt | upper, {"a", "c"}, {"b"}),
    (RunnablePassthrough() | prompt | upper, {"a", "b"}, {"b"}),
    (RunnableParallel(a=itemgetter("c")) | RunnablePassthrough.assign(b=itemgetter("a")), {"c"}, {"a", "b"}),
    (RunnablePassthrough.assign(b=lambda state: "x"), KEYS, None),
    (RunnablePassthrough(), KEYS, None),
    (RunnableLambda(upper), KEYS, {"b"}),
    (RunnableLambda(keyed).bind(key="c"), {"c"}, {"b"}),
    (RunnableLambda(keyed).with_config(tags=["x"]), {"a"}, {"b"}),
    (RunnableLambda(keyed).with_retry(), {"a"}, {"b"}),
    (RunnableLambda(keyed).with_fallbacks([RunnableLambda(lambda state: {"c": state["b"]})]), {"a", "b"}, {"b", "c"}),
]


@pytest.mark.parametrize(("chain", "reads", "writes"), CHAINS)
def test_a_chain_reads_what_its_first_links_take_and_writes_what_its_last_makes(chain: Any, reads: set[str], writes: set[str]) -> None:
    plan = planned(chain)
    assert (plan.reads, plan.writes) == (reads, writes)
    assert plan.effects <= Effects.IDEMPOTENT
    run = {"a": "1", "b": "2", "c": "3", "messages": [HumanMessage("4", id="4")]}
    for key in run.keys() - reads:
        assert repr(chain.invoke(run)) == repr(chain.invoke({k: v for k, v in run.items() if k != key}))


class Returning:
    def __init__(self, what: Any) -> None:
        self.what = what

    def __call__(self, state: State) -> Any:
        return self.what


@pytest.mark.parametrize("node", [Returning(RunnableLambda(keyed)), lambda state: prompt | upper, lambda state: eval("f")("x")])
def test_a_node_that_returns_something_to_invoke_reads_what_that_reads(node: Any) -> None:
    assert planned(node).reads == KEYS


def invokes(state):
    return (prompt | llm).invoke(state)


def invokes_known(state):
    answer = chain.invoke(state)
    return {"c": answer["b"]}


def returns_invoked(state):
    return chain.invoke(state)


chain = prompt | llm | StrOutputParser() | upper


def test_a_chain_that_a_function_gives_the_state_to() -> None:
    assert planned(invokes).reads == KEYS
    assert (planned(invokes_known).reads, planned(invokes_known).writes) == ({"a", "b"}, {"c"})
    assert planned(returns_invoked).writes == {"b"}


def asks_partial():
    return print("x")


def test_a_prompt_calls_what_it_was_given_for_a_variable() -> None:
    assert planned(prompt.partial(b=asks_partial) | upper).effects is Effects.UNKNOWN


@tool
def plain(text: str) -> str:
    """Say."""
    return text


@tool
def takes_key(text: str, a: Annotated[str, InjectedState("a")]) -> str:
    """Say."""
    return text + a


@tool
def takes_all(text: str, state: Annotated[dict, InjectedState]) -> str:
    """Say."""
    return text + str(state)


@tool
def takes_runtime(text: str, runtime: ToolRuntime) -> str:
    """Say."""
    return text + str(runtime.state)


@tool
def commands(text: str, call: Annotated[str, InjectedToolCallId]) -> Command[Literal["n"]]:
    """Do."""
    return Command(update={"b": text, "messages": [ToolMessage("x", tool_call_id=call)]}, goto="n")


@tool
def untyped(text: str):
    """Do."""
    return eval("f")(text)


@tool
def changes(text: str, a: Annotated[list, InjectedState("a")]) -> str:
    """Do."""
    a.append(text)
    return text


def wrap(request, handler):
    return handler(request)


def wrap_looking(request, handler):
    str(request.state)
    return handler(request)


@pytest.mark.parametrize(
    ("node", "reads", "writes"),
    [
        (ToolNode([plain]), {"messages"}, {"messages"}),
        (ToolNode([plain], messages_key="c"), {"c"}, {"c"}),
        (ToolNode([plain, takes_key]), {"messages", "a"}, {"messages"}),
        (ToolNode([takes_all]), KEYS, {"messages"}),
        (ToolNode([takes_runtime]), KEYS, {"messages"}),
        (ToolNode([plain, commands]), {"messages"}, {"messages", "b"}),
        (ToolNode([untyped]), {"messages"}, None),
        (ToolNode([changes]), {"messages", "a"}, None),
        (ToolNode([plain], wrap_tool_call=wrap), {"messages"}, None),
        (ToolNode([plain], wrap_tool_call=wrap_looking), KEYS, None),
        (ToolNode([plain], handle_tool_errors=lambda error: "x"), {"messages"}, None),
    ],
)
def test_a_tool_node_reads_its_messages_and_what_its_tools_take(node: Any, reads: set[str], writes: set[str] | None) -> None:
    plan = planned(node)
    assert (plan.reads, plan.writes) == (reads, writes)


def test_tools_lead_where_their_commands_say() -> None:
    assert planned(ToolNode([commands])).goes == {"n"}


def test_a_tool_node_gives_what_its_plan_says() -> None:
    builder = StateGraph(State)
    builder.add_node("n", ToolNode([plain, takes_key]))
    builder.add_edge(START, "n")
    call = {"name": "takes_key", "args": {"text": "x"}, "id": "1", "type": "tool_call"}
    state: Any = {"messages": [AIMessage("", tool_calls=[call], id="1")], "a": "y", "b": "z"}
    graph: Any = builder.compile()
    assert graph.invoke(state)["messages"][-1].content == "xy"
    assert graph.invoke({k: v for k, v in state.items() if k != "b"})["messages"][-1].content == "xy"


class Inner(TypedDict, total=False):
    a: str
    own: str
    items: Annotated[list[str], operator.add]


class Given(TypedDict):
    a: str


class Made(TypedDict):
    b: str


def inner_node(state):
    return {"own": state.get("a", ""), "items": ["x"]}


def changes_inner(state):
    state["a"].append("x")


def goes_up(state):
    return Command(graph=Command.PARENT, goto="n", update={"c": "x"})


def goes_anywhere(state):
    return eval("f")("x")


def subgraph(node: Any, **schemas: Any) -> Any:
    builder: StateGraph[Any] = StateGraph(Inner, **schemas)
    builder.add_node("inner", node)
    builder.add_edge(START, "inner")
    return builder.compile()


class Both(Inner, total=False):
    b: str


def both(node: Any) -> Any:
    builder: StateGraph[Any] = StateGraph(Both, input_schema=Given, output_schema=Made)
    builder.add_node("inner", node)
    builder.add_edge(START, "inner")
    return builder.compile()


@pytest.mark.parametrize(
    ("graph", "reads", "writes"),
    [
        (subgraph(inner_node), {"a"}, {"a"}),
        (both(inner_node), {"a"}, {"b"}),
        (both(changes_inner), {"a"}, {"a", "b"}),
        (both(goes_up), {"a"}, {"b", "c"}),
        (both(goes_anywhere), {"a"}, None),
    ],
)
def test_a_graph_reads_its_input_and_writes_its_output(graph: Any, reads: set[str], writes: set[str] | None) -> None:
    plan = planned(graph)
    assert (plan.reads & KEYS if plan.reads else plan.reads, plan.writes) == (reads, writes)
    assert plan.sources.reads == "schema"


up = both(goes_up)


def runs_up(state):
    up.invoke({"a": state["a"]})


def test_a_command_to_the_graph_around_is_a_write_and_a_goal_of_whoever_runs_the_graph() -> None:
    plan = planned(runs_up)
    assert (plan.reads, plan.writes, plan.goes) == ({"a"}, {"c"}, {"n"})


def pushes(state):
    push_message(HumanMessage("x", id="1"))
    push_message(HumanMessage("x", id="1"), state_key="b")
    push_message(HumanMessage("x", id="1"), state_key=None)
    return {"c": "x"}


def pushes_anywhere(state):
    push_message(HumanMessage("x", id="1"), state_key=state["a"])


def merges(state):
    return {"messages": add_messages(state["messages"], [HumanMessage("x")])}


def test_writes_past_the_result_are_found() -> None:
    assert planned(pushes).writes == {"c", "b", "messages"}
    assert planned(pushes_anywhere).writes is None
    assert planned(merges).mutates  # it gives ids to messages that have none


def test_a_node_that_is_sent_something_may_change_any_part_of_the_state_in_it() -> None:
    def changes_payload(payload):
        payload["doc"].append("x")
        return {"b": "x"}

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"a": "x"})
    builder.add_node("n", changes_payload)
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: [Send("n", {"doc": state["messages"]})], ["n"])
    assert lower(builder.compile()).nodes["n"].function.writes is None


def test_what_an_item_getter_takes() -> None:
    plan = analyse(itemgetter("a", "b"), describe=describe)
    assert (plan.reads, plan.effects, plan.mutates) == ({"a", "b"}, Effects.PURE, False)
    assert analyse(itemgetter(0)).reads is None
