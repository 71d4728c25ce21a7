"""How far a function's work reaches, and where it may lead."""

import functools
import json
import math
import random
import re
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import END
from langgraph.types import Command, Send

from alto_langgraph.plan.access import BUDGET, analyse
from alto_langgraph.plan.model import Effects

llm = FakeListChatModel(responses=["x"])
prompt = ChatPromptTemplate.from_template("{x}")
chain = prompt | llm | StrOutputParser()
client = httpx.AsyncClient()


def pure(state):
    text = re.sub("x", "y", state["q"].strip().lower())
    return {"a": json.dumps([math.sqrt(x) for x in state["xs"]]), "b": sorted(set(text.split())), "c": random.random()}


def messages(state):
    return {"a": [HumanMessage(content="x"), AIMessage("y")], "b": Document(page_content="x")}


def model(state):
    return {"a": llm.invoke(state["q"]).content}


async def model_with_tools(state):
    bound = llm.with_config(tags=["x"])
    reply = await bound.ainvoke([HumanMessage(content=state["q"])])
    return {"a": reply}


def composed(state):
    return {"a": (prompt | llm | StrOutputParser()).invoke({"x": state["q"]})}


class Agent:
    def __init__(self):
        self.llm = llm

    def ask(self, state):
        return {"a": self.llm.invoke(state["q"])}


async def fetches(state):
    response = await client.get("http://x")
    return {"a": response.status_code}


def fetches_once(state):
    return {"a": httpx.get("http://x").status_code}


@pytest.mark.parametrize(
    ("function", "effects"),
    [
        (pure, Effects.PURE),
        (messages, Effects.PURE),
        (model, Effects.IDEMPOTENT),
        (model_with_tools, Effects.IDEMPOTENT),
        (composed, Effects.IDEMPOTENT),
        (Agent().ask, Effects.IDEMPOTENT),
        (fetches, Effects.IDEMPOTENT),
        (fetches_once, Effects.IDEMPOTENT),
        (functools.partial(model), Effects.IDEMPOTENT),
    ],
)
def test_known_work_is_classed(function: Any, effects: Effects) -> None:
    assert analyse(function).effects is effects, analyse(function).evidence


def prints(state):
    print(state["x"])


def writes_file(state):
    with open("x", "w") as file:
        file.write("x")


async def posts(state):
    return {"a": await client.post("http://x")}


def calls_an_operand(state):
    return {"a": state["f"]()}


def by_helper(state):
    return prints(state)


def hands_over(state):
    return {"a": list(map(prints, state["xs"]))}


@pytest.mark.parametrize("function", [prints, writes_file, posts, calls_an_operand, by_helper, hands_over])
def test_anything_else_is_unknown(function: Any) -> None:
    plan = analyse(function)
    assert plan.effects is Effects.UNKNOWN
    assert any(line.startswith("calls ") for line in plan.evidence)


def fan_out(state):
    return [Send("work", {"d": d}) for d in state["docs"]]


def fan_out_in_steps(state):
    out = []
    for d in state["docs"]:
        out.append(Send("work", {"d": d}))
    out.append(Send(node="other", arg=1))
    return out


def choose(state):
    return "a" if state["x"] else END


def choose_several(state):
    chosen = ["a"]
    if state["x"]:
        chosen.append("b")
    return chosen


def choose_by_table(state):
    return {"x": "a", "y": "b"}[state["x"]]


def mixed(state):
    if state["docs"]:
        return [Send("work", {})]
    return "none"


def command(state) -> Command[Literal["a", "b"]]:
    return Command(goto="a" if state["x"] else ["b", Send("c", {})])


@pytest.mark.parametrize(
    ("function", "returns", "goes", "sends"),
    [
        (fan_out, set(), set(), {"work"}),
        (fan_out_in_steps, set(), set(), {"work", "other"}),
        (choose, {"a", END}, set(), set()),
        (choose_several, {"a", "b"}, set(), set()),
        (choose_by_table, {"a", "b"}, set(), set()),
        (mixed, {"none"}, set(), {"work"}),
        (command, set(), {"a", "b"}, {"c"}),
        (lambda s: "x", {"x"}, set(), set()),
        (model, None, set(), set()),
    ],
)
def test_where_it_leads(function: Any, returns: set[str] | None, goes: set[str], sends: set[str]) -> None:
    plan = analyse(function)
    assert (plan.goes, plan.sends) == (goes, sends)
    assert returns is None or plan.returns == returns


def dynamic_send(state):
    return [Send(state["to"], {})]


def dynamic_goto(state):
    return Command(goto=state["to"])


def handed_to_someone(state):
    return list(map(functools.partial(Send, "x"), state["xs"]))


def unknown_result(state):
    return eval("f")(state["x"])


def test_a_name_that_cannot_be_told_is_any() -> None:
    assert analyse(dynamic_send).sends is None
    assert analyse(dynamic_goto).goes is None
    assert analyse(unknown_result).goes is None
    assert analyse(unknown_result).returns is None
    sends = analyse(handed_to_someone).sends
    assert sends is None or "x" in sends


def to_parent(state):
    return Command(graph=Command.PARENT, goto="above")


def test_a_command_to_the_graph_around_is_told_apart() -> None:
    plan = analyse(to_parent)
    assert (plan.goes, plan.goes_up) == (set(), {"above"})


def endless(state):
    return endless({"x": state["x"]})


def test_recursion_ends() -> None:
    assert analyse(endless).reads == {"x"}


def test_past_the_budget_everything_is_possible_but_what_names_tell() -> None:
    def node(state):
        return pure(state)

    plan = analyse(node, budget=5)
    assert (plan.reads, plan.writes, plan.mutates, plan.effects) == (None, None, True, Effects.UNKNOWN)
    assert not plan.may_interrupt
    assert analyse(node, budget=BUDGET).reads == {"q", "xs"}


def test_a_function_without_source_is_read_from_its_names() -> None:
    space: dict[str, Any] = {"SEEN": []}
    exec("def node(state):\n    SEEN.append(1)\n    return {'a': state['x']}\ndef asks(state):\n    return interrupt('?')", space)
    plan = analyse(space["node"])
    assert (plan.reads, plan.mutates, plan.may_interrupt, plan.sees_identity) == (None, True, False, False)
    assert [(u.name, u.reads, u.writes) for u in plan.shares] == [("SEEN", True, True)]
    assert analyse(space["asks"]).may_interrupt


def test_lambdas_in_one_line_are_told_apart() -> None:
    one, two = (lambda state: {"a": state["x"]}), (lambda state: {"b": state["y"]})
    assert (analyse(one).reads, analyse(two).reads) == ({"x"}, {"y"})
    assert (analyse(one).writes, analyse(two).writes) == ({"a"}, {"b"})


def test_a_changed_global_is_noticed() -> None:
    space = globals()
    before = analyse(model)
    space["llm"] = object()
    try:
        assert analyse(model).effects is Effects.UNKNOWN
    finally:
        space["llm"] = before and FakeListChatModel(responses=["x"])
    assert analyse(model).effects is Effects.IDEMPOTENT


@pytest.mark.parametrize("thing", [None, 3, "x", object(), print, dict, type])
def test_nothing_makes_it_raise(thing: Any) -> None:
    plan = analyse(thing)
    assert plan.reads is None
    assert plan.mutates


def test_a_file_that_was_changed_after_it_was_loaded_is_not_believed(tmp_path: Path) -> None:
    file, space = tmp_path / "app.py", dict[str, Any]()
    file.write_text('def node(state):\n    return {"a": state["x"]}\n')
    exec(compile(file.read_text(), str(file), "exec"), space)
    file.write_text('def node(state):\n    return {"a": state["y"]}\n')
    assert analyse(space["node"]).reads is None
