"""The agent's answers are right: each is held against the office itself."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from alto_langgraph import optimize
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.examples.tool_agent import as_written, expert, paced
from alto_langgraph.examples.tool_agent.office import CLOSES, OPENS, Office
from alto_langgraph.examples.tool_agent.rules import talk_of

MODEL = paced.double().model_copy(update={"scale": 0.0})
OFFICE = Office()
TEAM = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn")
builds = pytest.mark.parametrize("build", [as_written.build, expert.build])


async def talked(build: Any, *questions: str) -> list[Any]:
    graph = build(MODEL, paced.tools(0.0), InMemorySaver())
    turns: list[Any] = [{"messages": [HumanMessage(question)]} for question in questions] or paced.turns()
    for turn in turns:
        state = await graph.ainvoke(turn, {"configurable": {"thread_id": "1"}})
    messages: list[Any] = state["messages"]
    return messages


def answers(messages: list[Any]) -> list[str]:
    return [message.text for message in messages if isinstance(message, AIMessage) and not message.tool_calls]


def free(day: str, *people: str) -> list[int]:
    return [hour for hour in range(OPENS, CLOSES) if not any(hour in OFFICE.busy[person][day] for person in people)]


@builds
async def test_every_answer_is_what_the_office_says(build: Any) -> None:
    monday, thursday, rooms, joining, places, holiday = answers(await talked(build))
    assert free("Monday", *TEAM) == [] and "have no free hour on Monday" in monday
    hour = free("Thursday", *TEAM)[0]
    assert f"all free on Thursday at {hour}:00" in thursday
    for room in ("Amber", "Birch", "Cedar", "Delta", "Elm"):
        fits = OFFICE.rooms(6)["rooms"]
        assert (room in rooms) == (room in fits and hour not in OFFICE.booked[room]["Thursday"])
    for person in ("Gus", "Hana", "Ivo"):
        assert f"{person} {'can' if hour in free('Thursday', person) else 'cannot'}" in joining
    assert "cannot" in joining and "Gus can," in joining
    assert f"Eva works in Athens, where it is {hour + 2}:00" in places
    assert holiday == "Friday is Reformation Day in Berlin."


@builds
async def test_several_things_are_looked_up_at_a_time(build: Any) -> None:
    called = [len(message.tool_calls) for message in await talked(build) if isinstance(message, AIMessage) and message.tool_calls]
    assert called == [6, 6, 1, 4, 3, 4, 2], "rooms are looked up before their bookings, cities once each"


@builds
async def test_a_thread_remembers_and_another_does_not(build: Any) -> None:
    graph = build(MODEL, paced.tools(0.0), InMemorySaver())

    async def last(question: str, thread: str) -> str:
        state = await graph.ainvoke({"messages": [HumanMessage(question)]}, {"configurable": {"thread_id": thread}})
        return str(state["messages"][-1].text)

    await last("I'm Ben. When can Gus and I meet on Tuesday?", "one")
    await last("I'm Cleo. When can Dan and I meet on Monday?", "other")
    assert (await last("And on Friday?", "one")).startswith("Ben and Gus are all free on Friday")
    assert (await last("And on Friday?", "other")).startswith("Cleo and Dan are all free on Friday")


async def test_stock_alto_and_the_experts_say_the_same() -> None:
    first, *then = paced.turns()
    graphs = [as_written.build(MODEL, paced.tools(0.0), InMemorySaver()) for _ in range(2)]
    stock, alto = [await arecord(graph, first, then=then) for graph in (graphs[0], optimize(graphs[1]))]
    assert difference(stock, alto) is None
    ours = await talked(lambda *parts: optimize(as_written.build(*parts)))
    assert told(ours) == told(await talked(expert.build))


def told(messages: list[Any]) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in messages]


def test_alto_starts_the_tools_while_the_model_writes() -> None:
    graph: Any = optimize(as_written.build(MODEL, paced.tools(), InMemorySaver()))
    explained = str(graph.explain())
    assert "starts on the finished part of an answer" in explained
    assert "nothing starts on a part" not in explained


def test_what_is_unknown_is_no_error() -> None:
    assert OFFICE.calendar("Zoe", "Monday") == {"calendar": "Zoe", "day": "Monday", "busy": []}
    assert OFFICE.bookings("Zebra", "Sunday")["busy"] == []
    assert OFFICE.profile("Zoe") == {"profile": "Zoe", "city": "", "ahead": 0}
    assert OFFICE.holiday("Oslo", "Monday")["holiday"] == ""


@pytest.mark.parametrize(
    ("conversation", "people", "group", "day", "hour"),
    [
        ("When can Ben and I meet on Monday?", ["I", "Ben"], ["I", "Ben"], "Monday", None),
        (
            "I'm Ana. When can Ben and I meet on Monday?\n\nAna and Ben are all free on Monday at 10:00.\n\nAnd on Friday?",
            [],
            ["Ana", "Ben"],
            "Friday",
            10,
        ),
        ("Could Dan join us?", ["Dan"], ["I"], "Monday", None),
    ],
)
def test_a_conversation_is_understood(conversation: str, people: list[str], group: list[str], day: str, hour: int | None) -> None:
    talk = talk_of(f"You plan meetings.\n\n{conversation}")
    assert (talk.people, talk.group, talk.day, talk.hour) == (people, group, day, hour)
