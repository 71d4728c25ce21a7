"""A stream that stalls, breaks off, repeats itself or is cancelled leaves what stock leaves; slow consumers lose nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send
from pydantic import PrivateAttr

from alto_langgraph import observed_by
from alto_langgraph.comparison.difference import difference
from alto_langgraph.comparison.recording import arecord
from alto_langgraph.comparison.timeline import Facts
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import TaskFinished, TaskStarted
from tests.adapters.test_streaming import State
from tests.adapters.writer import LINES, Writer

PATIENCE = 10
FRUIT = {"topic": "fruit"}


class Odd(Writer):
    """Plans `text` word by word, and in the middle of it does what `middle` says, once `worked` parts of it have been worked on."""

    text: str = LINES
    middle: str = ""
    worked: int = 0
    _middle: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _work: asyncio.Semaphore = PrivateAttr(default_factory=lambda: asyncio.Semaphore(0))

    def _words(self, messages: Any) -> list[str]:
        words = super()._words(messages)
        return self.text.replace(" ", " \0").split("\0") if "plan" in str(messages[-1].content) else words

    def go_on(self) -> None:
        self._work.release()

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """Stock doesn't listen, so it waits for nobody; what goes wrong does."""
        if "plan" in str(messages[-1].content):
            await self._misbehave()
        return self._generate(messages, *args, **kwargs)

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        words = self._words(messages)
        planning = "plan" in str(messages[-1].content)
        for place, word in enumerate(words):
            if planning and place == len(words) - 1:
                async with asyncio.timeout(PATIENCE):
                    for _ in range(self.worked):
                        await self._work.acquire()
                await self._misbehave()
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
            await asyncio.sleep(0)

    async def _misbehave(self) -> None:
        self._middle.set()
        if self.middle == "stall":
            await asyncio.Event().wait()
        if self.middle == "break":
            raise ConnectionError("the server went away")


def app(graph: type[Stock[Any]], model: Odd, *, saver: Any = None, **compiled: Any) -> Any:
    async def plan(state: State) -> State:
        return {"sections": (await model.ainvoke("plan")).text.split("\n")}

    async def patient(state: State) -> State:
        async with asyncio.timeout(1.0):
            return await plan(state)

    async def write(payload: Any) -> State:
        model.go_on()
        return {"texts": [(await model.ainvoke(payload["section"])).text]}

    builder: Any = graph(State)
    builder.add_node("plan", patient if model.middle == "stall" else plan, metadata={"effects": "idempotent"})
    builder.add_node("write", write, metadata={"effects": "idempotent"})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("write", {"section": part}) for part in state["sections"]], ["write"])
    return builder.compile(checkpointer=saver, **compiled)


@pytest.mark.parametrize(
    ("bad", "worked"),
    [
        ({"middle": "stall"}, 2),
        ({"middle": "break"}, 2),
        ({"text": "the same\nthe same\nanother\nthe same\nthe same"}, 3),
        ({"text": ""}, 0),
    ],
    ids=["stalls", "breaks off", "repeats itself", "is empty"],
)
async def test_a_bad_stream_leaves_what_stock_leaves(bad: dict[str, Any], worked: int) -> None:
    stock = await arecord(app(Stock, Odd(**bad), saver=InMemorySaver()), FRUIT)
    with observed_by(facts := Facts()):
        alto = await arecord(app(Alto, Odd(**bad, worked=worked), saver=InMemorySaver()), FRUIT)
    assert difference(stock, alto) is None
    assert sum(isinstance(fact, TaskStarted) and fact.ahead for fact in facts.heard) >= worked
    assert (stock.error is None) == ("middle" not in bad)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_run_cancelled_in_the_middle_of_a_stream_leaves_what_stock_leaves() -> None:
    left = []
    for graph in (Stock, Alto):
        model, config = Odd(middle="stall", worked=2 if graph is Alto else 0), {"configurable": {"thread_id": "1"}}
        graph_ = app(graph, model, saver=InMemorySaver())
        run = asyncio.create_task(graph_.ainvoke(FRUIT, config))
        await asyncio.wait_for(model._middle.wait(), PATIENCE)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        state = await graph_.aget_state(config)
        left.append((state.values, state.next, [(task.name, repr(task.error)) for task in state.tasks]))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        if graph is Alto:
            assert model._asked[1:] == LINES.split("\n")[:2]
    assert left[0] == left[1]


@pytest.mark.parametrize("window", [1, 2, 5])
async def test_slow_consumers_of_a_fast_stream_keep_to_the_window_and_lose_nothing(window: int) -> None:
    text = "\n".join(f"line {place} of it" for place in range(40))
    stock = await app(Stock, Odd(text=text)).ainvoke(FRUIT)
    with observed_by(facts := Facts()):
        alto = await app(Alto, Odd(text=text, worked=window), alto={"window": window}).ainvoke(FRUIT)
    assert alto == stock
    assert len(alto["texts"]) == 40
    planned = next(i for i, fact in enumerate(facts.heard) if isinstance(fact, TaskFinished) and fact.tag.path[-1][0] == "plan")
    before = [fact for fact in facts.heard[:planned] if isinstance(fact, TaskStarted) and fact.node == "write"]
    assert len(before) == window
    assert Counter(fact.node for fact in facts.heard if isinstance(fact, TaskStarted))["write"] == 40


async def test_a_listener_that_is_slow_gets_all_that_a_fast_stream_leads_to() -> None:
    text = "\n".join(f"line {place} of it" for place in range(40))
    told = []
    async for fragment in app(Alto, Odd(text=text, worked=3), alto={"window": 3}).astream_fragments(FRUIT):
        told.append(fragment)
        await asyncio.sleep(0.001)
    for committed in (False, True):
        nodes = Counter(fragment.node for fragment in told if fragment.committed is committed)
        assert nodes == {"plan": 1, "write": 40}
    assert not [fragment for fragment in told if fragment.committed is None]
