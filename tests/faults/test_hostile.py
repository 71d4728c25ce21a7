"""Input that means harm: state that is deep or huge, answers that no parser likes, floods of Sends. Bounded, clear, and stock's answer."""

from __future__ import annotations

import asyncio
import operator
import sys
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.parts.growing import Growing
from alto_langgraph.parts.message import CallDelta, GrowingMessage
from alto_langgraph.protocols import Fact, TaskFinished, TaskStarted, observed_by
from alto_langgraph.testing import jumping_clock
from tests.faults.app import BOTH
from tests.faults.left import nothing_left, tasks

# ---- answers

LONG = 4_000
ANSWERS: dict[str, Callable[[int], str]] = {
    "brackets that open": lambda size: "[" * size,
    "braces that open": lambda size: "{" * size,
    "brackets that close": lambda size: "[" + "]" * size,
    "brackets by the line": lambda size: "[\n" * (size // 2),
    "lists in lists": lambda size: '[{"a":' * (size // 6),
    "a string without an end": lambda size: '["' + "x" * size,
    "escapes": lambda size: '["' + "\\" * size,
    "unicode escapes": lambda size: '["' + "\\ud800" * (size // 6),
    "a number without an end": lambda size: "[" + "1" * size,
    "literals": lambda size: "[" + "true" * (size // 4),
    "elements": lambda size: "[" + "1," * (size // 2),
    "documents": lambda size: "{}\n" * (size // 3),
    "documents that break": lambda size: '{"a":1}x\n' * (size // 9),
    "tags that open": lambda size: "<a>" * (size // 3),
    "tags that close": lambda size: "</a>" * (size // 4),
    "attributes": lambda size: "<a " + 'b="<' * (size // 4),
    "comments": lambda size: "<!--" * (size // 4),
    "a name without an end": lambda size: "<" + "a" * size,
    "citations": lambda size: "a." + "[1]" * (size // 3) + " B",
    "closers": lambda size: "a." + "\"'”)" * (size // 4) + " B",
    "stops": lambda size: "." * size,
    "abbreviations": lambda size: "a.b." * (size // 4),
    "white space": lambda size: "a." + " " * size,
    "control characters": lambda size: "".join(map(chr, range(32))) * (size // 32),
    "nul": lambda size: "\x00" * size,
    "half surrogates": lambda size: "\ud800" * size,
    "fences": lambda size: "```\n" * (size // 4),
    "right to left": lambda size: "\u202e" * size,
}


class Counter:
    """Counts calls of functions, Python's and the interpreter's own, in a block: work, whatever the machine is at besides."""

    def __enter__(self) -> Counter:
        self.calls = 0
        sys.setprofile(self._hear)
        return self

    def _hear(self, frame: Any, event: str, argument: Any) -> None:
        self.calls += event in ("call", "c_call")

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)


def work(answer: str, call: bool) -> int:
    """How much it is to follow an answer, in pieces of seven characters, looking at each part that is finished."""
    message, growing = GrowingMessage(), Growing()
    with Counter() as counter:
        for start in range(0, len(answer), 7):
            piece = answer[start : start + 7]
            news = message.feed("", [CallDelta(0, "tool", "1", piece)]) if call else growing.feed(piece)
            if news and start % 70 == 0:  # the budget of replays leaves most out, too
                message.partial() if call else growing.cut()
    return counter.calls


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("call", [False, True], ids=["text", "arguments of a call"])
def test_following_an_answer_is_linear(name: str, call: bool) -> None:
    one, two = (work(ANSWERS[name](size), call) for size in (LONG, 2 * LONG))
    assert two < 2.5 * one + 1000
    assert two < 60 * 2 * LONG


def test_a_million_brackets() -> None:
    growing = Growing()
    for _ in range(1000):
        growing.feed("[" * 1000)
    assert len(growing.text) == 1_000_000
    assert growing.cut().text == growing.text


class Model(BaseChatModel):
    """Streams `text`, in pieces."""

    text: str

    @property
    def _llm_type(self) -> str:
        return "double"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.text))])

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        for start in range(0, len(self.text), 100):
            yield ChatGenerationChunk(message=AIMessageChunk(content=self.text[start : start + 100]))
            await asyncio.sleep(0.01)


class State(TypedDict, total=False):
    text: str
    odd: Any
    out: Annotated[list[Any], operator.add]


def answer_of(main: Any) -> Any:
    async def run() -> Any:
        try:
            return await main
        except Exception as error:
            return type(error), str(error)
        finally:
            assert tasks() == []

    return jumping_clock.run(run())


def asking(side: str, model: Model) -> Any:
    async def plan(state: State) -> State:
        return {"text": (await model.ainvoke("plan")).text}

    async def write(payload: Any) -> State:
        return {"out": [len(payload["line"])]}

    graph = BOTH[side](State).add_node("plan", plan, metadata={"effects": "idempotent"})
    graph.add_node("write", write, metadata={"effects": "idempotent"}).add_edge(START, "plan")
    path = lambda state: [Send("write", {"line": line}) for line in state["text"].split("\n")[:50]]  # noqa: E731
    return graph.add_conditional_edges("plan", path, ["write"]).compile()


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_leads_to_what_it_leads_to_under_stock(name: str) -> None:
    model = Model(text=ANSWERS[name](LONG // 4))
    with nothing_left(objects=False):
        stock, alto = (answer_of(asking(side, model).ainvoke({})) for side in BOTH)
    assert alto == stock


# ---- state


def deep(levels: int) -> Any:
    found: Any = "bottom"
    for level in range(levels):
        found = {"down": found} if level % 2 else [found]
    return found


def levels(value: Any) -> int:
    found = 0
    while value != "bottom":
        value, found = value["down"] if isinstance(value, dict) else value[0], found + 1
    return found


def carrying(side: str) -> Any:
    """`slow` beside quick -> early, which is sent the value, reads it, and hands it on."""

    async def slow(state: State) -> State:
        await asyncio.sleep(1)
        return {}

    async def quick(state: State) -> Command[Any]:
        return Command(goto=Send("early", {"odd": state["odd"]}))

    async def early(payload: Any) -> State:
        return {"out": [payload["odd"]]}

    graph = BOTH[side](State).add_node("slow", slow).add_node("quick", quick, destinations=("early",)).add_node("early", early)
    return graph.add_edge(START, "slow").add_edge(START, "quick").compile()


class Ahead:
    """What has begun ahead, and how many were at it or waited to be taken at a time."""

    def __init__(self) -> None:
        self.begun = self.now = self.most = 0

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.begun += 1
            self.now += 1
            self.most = max(self.most, self.now)
        elif isinstance(fact, TaskFinished):
            self.now = max(0, self.now - 1)


@pytest.mark.parametrize("size", [500, 100_000])
def test_deep_state(size: int) -> None:
    """Nobody goes down into it by calling itself."""
    with observed_by(ahead := Ahead()):
        stock, alto = (answer_of(carrying(side).ainvoke({"odd": deep(size)})) for side in BOTH)
    assert levels(alto["out"][0]) == levels(stock["out"][0]) == size
    assert ahead.begun == 1


def test_huge_state() -> None:
    """Its size costs nothing: how much is done doesn't depend on it."""
    done = []
    for size in (10, 1_000_000):
        odd = [{"text": "x"} for _ in range(size)]
        graph = carrying("alto")
        answer_of(graph.ainvoke({"odd": []}))
        with Counter() as counter:
            alto = answer_of(graph.ainvoke({"odd": odd}))
        assert alto["out"][0] is odd
        done.append(counter.calls)
    assert done[1] < 1.5 * done[0] + 5_000


# ---- Sends


def flooding(side: str) -> Any:
    """A model's word is how many there are: one slow item, and one whose Sends are a flood; they run ahead of the slow one."""

    async def first(item: int) -> Command[Any]:
        await asyncio.sleep(1 if item == 0 else 0)
        return Command(goto=[Send("second", number) for number in range(item)])

    async def second(number: int) -> State:
        return {"out": [number]}

    graph = BOTH[side](State).add_node("first", first, destinations=("second",)).add_node("second", second)
    return graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in (0, state["odd"])], ["first"]).compile()


def test_a_flood_of_sends_leads_to_what_it_leads_to_under_stock() -> None:
    with nothing_left():
        stock, alto = (answer_of(flooding(side).ainvoke({"odd": 2_000})) for side in BOTH)
    assert alto == stock
    assert alto["out"] == list(range(2_000))


def test_of_a_flood_the_window_is_the_most_that_is_begun_ahead() -> None:
    with observed_by(ahead := Ahead()):
        answer = answer_of(flooding("alto").ainvoke({"odd": 5_000}))
    assert len(answer["out"]) == 5_000
    assert 0 < ahead.begun <= 256


def test_a_flood_costs_each_what_few_cost_each() -> None:
    """By calls, not by time. (100,000 of them: `python -m benchmarks.scale grow width fragments`.)"""
    graph = flooding("alto")
    answer_of(graph.ainvoke({"odd": 10}))
    each = []
    for size in (1_000, 4_000):
        with Counter() as counter:
            answer_of(graph.ainvoke({"odd": size}))
        each.append(counter.calls / size)
    assert each[1] < 1.1 * each[0]
