"""A part of an answer goes on through nodes behind the one that asks, if these only compute; all that shows is as in stock.

The model waits, in the middle of its answer, until somebody works on the first part: under the barrier it would wait for ever.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, RetryPolicy, Send, interrupt
from pydantic import PrivateAttr

from alto_langgraph import current_tag, observed_by
from alto_langgraph.comparison.difference import difference
from alto_langgraph.comparison.recording import arecord, record
from alto_langgraph.comparison.timeline import Facts
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import TaskSquashed, TaskStarted
from tests.adapters.calling_model import reacting
from tests.adapters.test_agent_tools import BOOKED, TOOLS, calls, differ
from tests.adapters.writer import LINES, Writer

SYNC = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
FRUIT = {"topic": "fruit"}
COUNTED: list[str] = []


# ---- hooks behind the model of `create_react_agent`; those of `create_agent` are among test_agent_middleware's


def _last(state: Any) -> Any:
    return next(message for message in reversed(state["messages"]) if isinstance(message, AIMessage))


def nothing(state: Any) -> Any:
    return {}


def signed(state: Any) -> Any:
    return {"messages": [_last(state).model_copy(update={"name": "guide"})]}


def first_only(state: Any) -> Any:
    return {"messages": [_last(state).model_copy(update={"tool_calls": _last(state).tool_calls[:1]})]}


def shouted(state: Any) -> Any:
    made = [{**call, "args": {"query": call["args"]["query"].upper()}} for call in _last(state).tool_calls]
    return {"messages": [_last(state).model_copy(update={"tool_calls": made})]}


def first_answered(state: Any) -> Any:
    called = _last(state).tool_calls[:1]
    return {"messages": [ToolMessage("so it is", tool_call_id=call["id"], id=f"answer {call['id']}") for call in called]}


async def later(state: Any) -> Any:
    await asyncio.sleep(0)
    return {"messages": [SystemMessage("heard", id=f"heard {len(state['messages'])}")]}


def last_only(state: Any) -> Any:
    return {"messages": [_last(state).model_copy(update={"tool_calls": _last(state).tool_calls[-1:]})]}


def refuses_three(state: Any) -> Any:
    if len(_last(state).tool_calls) > 2:
        raise ValueError("too many calls")
    return {}


def counts(state: Any) -> Any:
    COUNTED.append("hook")
    return {}


def asks_back(state: Any) -> Any:
    return {"messages": [SystemMessage(interrupt("go on?"), id="s")]}


HOOKS = [nothing, signed, first_only, shouted, first_answered]
SCRIPT = [calls("look", "tell", "look"), calls("look", "book"), "done"]


@SYNC
@pytest.mark.parametrize("hook", HOOKS)
def test_tools_are_called_before_the_model_is_done_though_a_hook_is_behind_it(sync: bool, hook: Any) -> None:
    how = {"post_model_hook": lambda: hook, "checkpointer": InMemorySaver}
    assert differ(reacting, SCRIPT, TOOLS, waits=True, sync=sync, how=how) is None


def test_a_hook_may_be_async() -> None:
    assert differ(reacting, SCRIPT, TOOLS, waits=True, how={"post_model_hook": lambda: later}) is None


@SYNC
@pytest.mark.parametrize("hook", [last_only, refuses_three, counts])
def test_what_the_complete_answer_leads_to_decides(sync: bool, hook: Any) -> None:
    COUNTED.clear()
    how = {"post_model_hook": lambda: hook, "checkpointer": InMemorySaver}
    assert differ(reacting, SCRIPT, TOOLS, sync=sync, how=how) is None
    assert len(COUNTED) == (6 if hook is counts else 0)
    assert len(BOOKED) == (0 if hook is refuses_three else 1)


@SYNC
def test_a_hook_that_asks_back(sync: bool) -> None:
    how = {"post_model_hook": lambda: asks_back, "checkpointer": InMemorySaver}
    assert differ(reacting, SCRIPT, TOOLS, sync=sync, how=how, then=[Command(resume="yes")]) is None


@SYNC
@pytest.mark.parametrize(
    "where", [{"interrupt_before": ["tools"]}, {"interrupt_after": ["post_model_hook"]}, {"interrupt_after": ["agent"]}]
)
def test_breakpoints(sync: bool, where: dict[str, Any]) -> None:
    how = {"post_model_hook": lambda: nothing, "checkpointer": InMemorySaver, **where}
    assert differ(reacting, SCRIPT, TOOLS, sync=sync, how=how, then=[None, None]) is None


@SYNC
@pytest.mark.parametrize("limits", [{"max_concurrency": 2}, *({"recursion_limit": limit} for limit in range(1, 6))], ids=str)
def test_limits(sync: bool, limits: dict[str, Any]) -> None:
    assert differ(reacting, SCRIPT, TOOLS, sync=sync, how={"post_model_hook": lambda: nothing}, config=limits) is None


# ---- graphs of the app's own


class State(TypedDict, total=False):
    topic: str
    plan: str
    sections: list[str]
    texts: Annotated[list[str], operator.add]
    notes: Annotated[list[str], operator.add]


def parse(state: State) -> Any:
    return {"sections": state["plan"].split("\n")}


def parse_and_send(state: State) -> Any:
    return Command(goto=[Send("write", {"section": line}) for line in state["plan"].split("\n")])


def parse_and_note(state: State) -> Any:
    return {"sections": state["plan"].split("\n"), "notes": [f"{len(state['plan'])} characters for {state['topic']}"]}


def cleaned(state: State) -> Any:
    return {"plan": state["plan"].upper()}


def counted(state: State) -> Any:
    COUNTED.append("parsed")
    return parse(state)


def numbered(state: State) -> Any:
    lines = state["plan"].split("\n")
    return {"sections": [f"{line}, {place} of {len(lines)}" for place, line in enumerate(lines)]}


def send_sections(state: State) -> list[Send]:
    return [Send("write", {"section": section}) for section in state["sections"]]


def to_parse(state: State) -> str:
    return "parse" if state["plan"] else "nobody"


class App:
    """`plan` asks, `parse` and maybe others behind it only compute, and each section is written."""

    def __init__(self, model: Writer) -> None:
        self.model = model

    def build(self, graph: type[Stock[Any]], parse: Any = parse, *, more: Callable[[Any], None] | None = None, **how: Any) -> Any:
        async def plan(state: State) -> State:
            return {"plan": str((await self.model.ainvoke("plan " + state["topic"])).text)}

        async def write(payload: Any) -> State:
            self.model.go_on()
            return {"texts": [f"{payload['section']}: {(await self.model.ainvoke(payload['section'])).text}"]}

        builder: Any = graph(State).add_node("plan", plan, **how).add_node("parse", parse)
        builder.add_node("write", write, metadata={"effects": "idempotent"})
        builder.add_edge(START, "plan")
        if parse is not parse_and_send:
            builder.add_conditional_edges("parse", send_sections, ["write"])
        (more or _edge)(builder)
        return builder.compile(checkpointer=InMemorySaver())


def _edge(builder: Any) -> None:
    builder.add_edge("plan", "parse")


def between(builder: Any) -> None:
    builder.add_node("clean", cleaned).add_edge("plan", "clean").add_edge("clean", "parse")


def idle(builder: Any) -> None:
    """A node that needs nothing of the plan, and so is done before it."""
    builder.add_node("idle", lambda state: None).add_edge("plan", "idle").add_edge("idle", "parse")


def routed(builder: Any) -> None:
    builder.add_node("nobody", lambda state: {}).add_conditional_edges("plan", to_parse, ["parse", "nobody"])


def beside(builder: Any) -> None:
    """Something else at work that writes nothing of what `parse` reads."""

    async def slow(state: State) -> State:
        await asyncio.sleep(0.05)
        return {"notes": ["slow"]}

    _edge(builder)
    builder.add_node("slow", slow).add_edge(START, "slow")


async def stock_and_alto(parse: Any, waits: bool = True, model: type[Writer] = Writer, **how: Any) -> Facts:
    stock = await arecord(App(model()).build(Stock, parse, **how), FRUIT)
    with observed_by(facts := Facts()):
        alto = await arecord(App(model(waits=waits)).build(Alto, parse, **how), FRUIT)
    assert difference(stock, alto) is None
    return facts


def early(facts: Facts) -> int:
    return sum(isinstance(fact, TaskStarted) and fact.node == "write" and fact.ahead for fact in facts.heard)


@pytest.mark.parametrize("parse", [parse, parse_and_send, parse_and_note])
@pytest.mark.parametrize("more", [None, between, idle, routed, beside])
async def test_the_first_section_is_written_while_the_plan_is(parse: Any, more: Any) -> None:
    if parse is parse_and_note and more is beside:
        return  # both write `notes`, in an order that chance makes
    facts = await stock_and_alto(parse, more=more)
    assert early(facts) >= 1
    assert not any(isinstance(fact, TaskSquashed) for fact in facts.heard)


async def test_every_section_is_asked_for_once() -> None:
    model = Writer(waits=True)
    await App(model).build(Alto).ainvoke(FRUIT, {"configurable": {"thread_id": "1"}})
    assert sorted(model._asked) == sorted(["plan fruit", *LINES.split("\n")])


def test_on_threads_too() -> None:
    def build(graph: type[Stock[Any]], model: Writer) -> Any:
        def plan(state: State) -> State:
            return {"plan": str(model.invoke("plan").text)}

        def write(payload: Any) -> State:
            model.go_on()
            return {"texts": [str(model.invoke(payload["section"]).text)]}

        builder: Any = graph(State).add_node("plan", plan).add_node("parse", parse)
        builder.add_node("write", write, metadata={"effects": "idempotent"}).add_edge(START, "plan").add_edge("plan", "parse")
        return builder.add_conditional_edges("parse", send_sections, ["write"]).compile()

    assert difference(record(build(Stock, Writer()), FRUIT, sync=True), record(build(Alto, Writer(waits=True)), FRUIT, sync=True)) is None


@pytest.mark.parametrize("parse", [counted, numbered])
async def test_what_would_show_or_turns_out_wrong(parse: Any) -> None:
    COUNTED.clear()
    facts = await stock_and_alto(parse, waits=False)
    assert len(COUNTED) == (2 if parse is counted else 0)
    assert parse is not counted or not early(facts)


def unless_plums(state: State) -> str:
    return "nobody" if "plums" in state["plan"] else "parse"


async def test_a_node_that_the_complete_answer_does_not_lead_to_has_sent_in_vain() -> None:
    def more(builder: Any) -> None:
        builder.add_node("nobody", lambda state: {}).add_conditional_edges("plan", unless_plums, ["parse", "nobody"])

    stock = await arecord(App(Writer()).build(Stock, more=more), FRUIT)
    graph = App(Writer(waits=True)).build(Alto, more=more)
    assert difference(stock, await arecord(graph, FRUIT)) is None
    started, right = graph.explain().node("parse").heard
    assert started and not right


async def test_who_asks_behind_the_one_that_asks_is_asked_once() -> None:
    asked: list[str] = []

    def build(graph: type[Stock[Any]]) -> Any:
        model = Writer()

        async def judge(state: State) -> Any:
            asked.append(state["plan"])
            return {"sections": (await model.ainvoke("plan " + state["plan"])).text.split("\n")}

        return App(model).build(graph, judge)

    assert difference(await arecord(build(Stock), FRUIT), await arecord(build(Alto), FRUIT)) is None
    assert asked == [LINES, LINES]


async def test_a_sibling_that_writes_what_is_read_is_waited_for() -> None:
    def more(builder: Any) -> None:
        async def slow(state: State) -> State:
            await asyncio.sleep(0.05)
            return {"topic": "vegetables"}

        _edge(builder)
        builder.add_node("slow", slow).add_edge(START, "slow")

    facts = await stock_and_alto(parse_and_note, waits=False, more=more)
    assert not any(isinstance(fact, TaskSquashed) for fact in facts.heard)


class Breaking(Writer):
    """Breaks off at the end of its first answer."""

    _broken: bool = PrivateAttr(default=False)

    def _break(self) -> None:
        broken, self._broken = self._broken, True
        if not broken:
            raise ValueError("broke off")

    async def _astream(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        async for chunk in super()._astream(messages, *args, **kwargs):
            if "plums" in str(chunk.text):
                await asyncio.sleep(0.02)
                self._break()
            yield chunk

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self._break()
        return self._generate(messages, *args, **kwargs)


@pytest.mark.parametrize(
    "how", [{}, {"retry_policy": RetryPolicy(initial_interval=0.01, jitter=False, retry_on=ValueError)}], ids=["fails", "again"]
)
async def test_a_plan_that_breaks_off(how: dict[str, Any]) -> None:
    seen = [await arecord(App(Breaking()).build(graph, **how), FRUIT) for graph in (Stock, Alto)]
    assert difference(*seen) is None
    assert (seen[0].error is None) == bool(how)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("where", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("node", ["plan", "parse", "write"])
async def test_breakpoints_in_between(where: str, node: str) -> None:
    seen = [await arecord(App(Writer()).build(graph), FRUIT, how={where: [node]}, then=[None, None]) for graph in (Stock, Alto)]
    assert difference(*seen) is None


async def test_tasks_have_the_tags_that_they_have_in_order() -> None:
    tags = []
    for issue in ({"send", "edge", "chain", "stream"}, {"send"}):
        seen: list[str] = []
        model = Writer(waits="stream" in issue)

        def write(payload: Any, seen: list[str] = seen, model: Writer = model) -> State:
            model.go_on()
            seen.append(f"{payload['section']} {current_tag()}")
            return {"texts": []}

        async def plan(state: State, model: Writer = model) -> State:
            return {"plan": str((await model.ainvoke("plan")).text)}

        builder: Any = (
            Alto(State).add_node("plan", plan).add_node("parse", parse).add_node("write", write, metadata={"effects": "idempotent"})
        )
        builder.add_edge(START, "plan").add_edge("plan", "parse").add_conditional_edges("parse", send_sections, ["write"])
        await builder.compile(alto={"issue": issue}).ainvoke(FRUIT)
        tags.append(sorted(seen))
    assert tags[0] == tags[1]
    assert [tag.rpartition(" ")[2] for tag in tags[0]] == ["parse[2]/write[0]", "parse[2]/write[2]", "parse[2]/write[1]"]
