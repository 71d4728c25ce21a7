"""The hint `streams` says whether a node's code may be run again on a part of an answer; nobody else is asked then."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send, interrupt

from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.writer import Writer


class State(TypedDict, total=False):
    sections: list[str]
    texts: Annotated[list[str], operator.add]


class Plan(TypedDict, total=False):
    draft: str


def built(graph: type[Stock[Any]], plan: Any, model: Writer, hint: dict[str, Any], saver: Any = None, effects: Any = "idempotent") -> Any:
    async def write(payload: Any) -> State:
        model.go_on()
        return {"texts": [f"text on {payload['section']}"]}

    builder: Any = graph(State)
    builder.add_node("plan", plan, metadata=hint)
    builder.add_node("write", write, metadata={"effects": effects} if effects else None)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("write", {"section": s}) for s in state["sections"]], ["write"])
    return builder.compile(checkpointer=saver)


def murky(model: Writer) -> Any:
    """Nobody can tell from the code what it does."""

    async def plan(state: State) -> State:
        answer = await model.ainvoke("plan")
        return {"sections": eval("answer.text.split('\\n')", {"answer": answer})}

    return plan


async def test_what_cant_be_proved_may_be_said() -> None:
    stock = await built(Stock, murky(writer := Writer()), writer, {}).ainvoke({})
    waiting = Writer(waits=True)
    assert await built(Alto, murky(waiting), waiting, {"streams": True}).ainvoke({}) == stock
    assert len(stock["texts"]) == 3


def plain(model: Writer) -> Any:
    async def plan(state: State) -> State:
        return {"sections": (await model.ainvoke("plan")).text.split("\n")}

    return plan


async def test_it_switches_off_what_could_be_proved() -> None:
    model = Writer(waits=True)
    app = built(Alto, plain(model), model, {"streams": False})
    with pytest.raises(TimeoutError, match="nobody listens"):
        await app.ainvoke({})
    node = app.explain().node("plan")
    assert not node.streams
    assert [(reason.code, reason.sentence) for reason in node.unstreamed] == [("declared", "`plan` says so by the hint `streams`.")]


def test_explain_names_the_hint_that_would_change_it() -> None:
    model = Writer()
    node = built(Alto, murky(model), model, {}).explain().node("plan")
    assert node.unstreamed
    said = 'The hint `{"streams": True}` in the metadata of `plan` would change that.'
    assert all(reason.sentence.endswith(said) for reason in node.unstreamed)
    assert built(Alto, murky(model), model, {"streams": True}).explain().node("plan").streams


def test_explain_names_the_hint_of_who_is_sent_to() -> None:
    noted: list[str] = []
    model = Writer()

    def builder(metadata: Any) -> Any:
        def write(payload: Any) -> State:
            noted.append(payload["section"])
            return {"texts": []}

        builder: Any = Alto(State)
        builder.add_node("plan", plain(model))
        builder.add_node("write", write, metadata=metadata)
        builder.add_edge(START, "plan")
        builder.add_conditional_edges("plan", lambda state: [Send("write", {"section": s}) for s in state["sections"]], ["write"])
        return builder.compile()

    (reason,) = builder(None).explain().node("plan").unstreamed
    assert reason.sentence.endswith('The hint `{"effects": "idempotent"}` in the metadata of `write` would change that.')
    assert builder({"effects": "idempotent"}).explain().node("plan").streams


async def inside(inner: Any) -> str:
    try:
        await inner.ainvoke({"draft": ""})
    except Exception as error:  # a replay's isn't one
        return repr(error)
    return "ran"


async def asking_back(inner: Any) -> str:
    return str(interrupt("go on?"))


@pytest.mark.parametrize("then", [inside, asking_back])
async def test_a_replay_neither_pauses_the_run_nor_runs_a_graph_inside(then: Any) -> None:
    told: list[str] = []

    async def draft(state: Plan) -> Plan:
        return {"draft": "ready"}

    results = []
    for graph in (Stock, Alto):
        told.clear()
        inner: Any = graph(Plan).add_node("draft", draft).add_edge(START, "draft").compile()
        model = Writer()

        async def plan(state: State, inner: Any = inner, model: Writer = model) -> State:
            answer = await model.ainvoke("plan")
            said = await then(inner)
            told.append(said)
            return {"sections": [f"{line} {said}" for line in answer.text.split("\n")]}

        app = built(graph, plan, model, {"streams": True}, InMemorySaver())
        config = {"configurable": {"thread_id": "1"}}
        first = await app.ainvoke({}, config)
        pauses = [pause.value for pause in first.pop("__interrupt__", ())]
        results.append((first, pauses, await app.ainvoke(Command(resume="yes"), config), [*told], [*model._asked]))
    assert results[0] == results[1]
