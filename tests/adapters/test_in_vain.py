"""What running ahead came to is told: what was used, what was thrown away and why, and what models were asked in vain."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send
from pydantic import PrivateAttr

from alto_langgraph import compare, observed_by
from alto_langgraph.comparison.accounting import ran_ahead
from alto_langgraph.comparison.timeline import Facts
from alto_langgraph.driver.hits import EACH, ENOUGH, IDLE
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing import PacedChatModel
from tests.adapters.test_streaming import built, lines
from tests.adapters.writer import Writer

FRUIT = {"topic": "fruit"}


def excited(model: Writer) -> Any:
    """What it sends on a part of the answer is never what it sends in the end."""

    async def plan(state: Any) -> Any:
        parts = (await model.ainvoke("plan")).text.split("\n")
        return {"sections": [f"{part}!" for part in parts] if parts[-1].endswith("plums") else parts}

    return plan


async def test_what_was_right_is_counted_as_used() -> None:
    app = built(Alto, lines, Writer(waits=True))
    with observed_by(facts := Facts()):
        await app.ainvoke(FRUIT)
    ahead = app.explain().ahead
    assert (ahead.started, ahead.used, ahead.squashed, ahead.calls, ahead.tokens) == (2, 2, {}, 0, 0)
    assert ahead.replayed > 0
    assert ran_ahead(facts.heard) == type(ahead)(started=2, used=2)
    assert app.explain().node("plan").heard == (2, 2)
    assert "so far: 2 tasks started early, 2 used, 0 thrown away" in str(app.explain())
    assert app.explain().to_dict()["ahead"]["used"] == 2


class Finishing(Writer):
    """Goes on to the end of the plan when somebody has written about a part of it."""

    _written = 0

    async def ainvoke(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super().ainvoke(*args, **kwargs)
        super().go_on()
        return answer

    def go_on(self) -> None:
        """Not before."""


async def test_what_was_wrong_is_counted_with_the_reason_and_what_it_has_asked() -> None:
    app = built(Alto, excited, Finishing(waits=True))
    with observed_by(facts := Facts()):
        await app.ainvoke(FRUIT)
    ahead = app.explain().ahead
    assert (ahead.started, ahead.used, ahead.thrown_away) == (2, 0, 2)
    assert ahead.calls == 2
    heard = ran_ahead(facts.heard)
    assert (heard.started, heard.used, heard.squashed, heard.calls) == (2, 0, ahead.squashed, 2)
    assert app.explain().node("plan").heard == (2, 0)
    assert f"2 thrown away: {ahead.reasons}" in str(app.explain())
    assert "in vain: 2 model calls, answered 0 tokens" in str(app.explain())  # this model doesn't say how many there are


async def test_tokens_are_counted_as_the_model_counts_them() -> None:
    began, model = asyncio.Event(), PacedChatModel(answers=lambda prompt: "four words of text")
    gate = asyncio.Event()

    class State(TypedDict, total=False):
        seen: Annotated[list[str], operator.add]

    async def first(payload: Any) -> Any:
        if payload == "slow":
            await gate.wait()
            raise ValueError("broke")
        return {"seen": [payload]}

    async def second(payload: Any) -> Any:
        await model.ainvoke("write")
        began.set()
        await asyncio.Event().wait()

    builder: Any = Alto(State)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_conditional_edges(START, lambda state: [Send("first", "quick"), Send("first", "slow")], ["first"])
    builder.add_conditional_edges("first", lambda state: [Send("second", "x")], ["second"])
    app = builder.compile()

    async def break_off() -> None:
        await asyncio.wait_for(began.wait(), 10)
        gate.set()

    with observed_by(facts := Facts()), pytest.raises(ValueError, match="broke"):
        await asyncio.gather(app.ainvoke({}), break_off())
    heard = ran_ahead(facts.heard)
    assert (heard.started, heard.used, heard.calls) == (1, 0, 1)
    assert heard.tokens == len(["four", "words", "of", "text"])
    assert app.explain().ahead.tokens == heard.tokens


async def test_pieces_of_an_answer_that_breaks_off_are_counted() -> None:
    """The early run asks for a plan of its own, whose answer is listened to, and is thrown away in the middle of it."""
    heard_of = threading.Event()

    class Stuck(Writer):
        async def _astream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
            if "inner" in str(messages[-1].content):
                for word in ("one\n", "two\n", "three\n"):
                    yield ChatGenerationChunk(message=AIMessageChunk(content=word))
                heard_of.set()
                await asyncio.Event().wait()
            async for chunk in super()._astream(messages, *args, **kwargs):
                yield chunk

    class State(TypedDict, total=False):
        sections: list[str]
        texts: Annotated[list[str], operator.add]

    async def plan(state: State) -> State:
        parts = (await model.ainvoke("plan")).text.split("\n")
        return {"sections": ["other"] if parts[-1].endswith("plums") else parts}

    async def detail(payload: Any) -> Any:
        if payload["section"] == "other":
            return {"texts": []}
        answer = await model.ainvoke("inner " + payload["section"])
        return {"texts": answer.text.split("\n")}

    async def leaf(payload: Any) -> Any:
        return {"texts": [payload]}

    model = Stuck(waits=True)
    builder: Any = Alto(State)
    builder.add_node("plan", plan)
    builder.add_node("detail", detail, metadata={"effects": "idempotent"})
    builder.add_node("leaf", leaf)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("detail", {"section": s}) for s in state["sections"]], ["detail"])
    builder.add_conditional_edges("detail", lambda state: [Send("leaf", text) for text in state["texts"]], ["leaf"])
    app = builder.compile()

    async def let_go() -> None:
        assert await asyncio.to_thread(heard_of.wait, 10)
        model.go_on()

    await asyncio.gather(app.ainvoke({}), let_go())
    ahead = app.explain().ahead
    assert ahead.calls >= 1
    assert ahead.tokens >= 3


async def test_a_node_whose_parts_are_mostly_wrong_is_said_not_to_be_listened_to() -> None:
    app = built(Alto, excited, Writer(turns=3000))
    for _ in range(ENOUGH):
        await app.ainvoke(FRUIT)
    explained = app.explain().node("plan")
    sent, right = explained.heard
    assert (sent >= ENOUGH, right, explained.deaf) == (True, 0, True)
    assert f"0 of {sent} were right" in str(app.explain())
    assert "aren't listened to any more" in str(app.explain())
    await app.ainvoke(FRUIT)
    assert app.explain().node("plan").heard == (sent, right)


@pytest.mark.parametrize("style", [lines, excited])
def test_a_comparison_shows_it(style: Any, tmp_path: Any) -> None:
    found = compare(lambda: built(Stock, style, Writer(turns=3000)), FRUIT, runs=1)
    assert found.equal, str(found.difference)
    ahead = found.ahead
    assert ahead is not None
    assert ahead.started
    told = found.to_dict()["ahead"]
    assert told == {"started": ahead.started, "used": ahead.used, "squashed": ahead.squashed, "calls": ahead.calls, "tokens": 0}
    rows = {name: (value, note) for name, value, note in found.figures()}
    assert rows["started early"] == (f"{ahead.started} tasks", f"{ahead.used} used")
    assert ("thrown away" in rows) == bool(ahead.squashed) == (style is excited)
    assert rows["asked in vain"] == ("0 tokens", f"in {ahead.calls} model calls")
    found.to_html(tmp_path / "report.html")
    assert "asked in vain" in (tmp_path / "report.html").read_text(encoding="utf-8")


class Counting(Writer):
    """Knows in which way each answer was asked for."""

    _streamed: list[bool] = PrivateAttr(default_factory=list)

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self._streamed.append(False)
        return super()._generate(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        self._streamed.append(True)
        async for chunk in super()._astream(*args, **kwargs):
            yield chunk


async def test_answers_of_which_nothing_is_sent_early_are_seldom_streamed_until_something_is() -> None:
    seldom, often = Counting(says="one about apples"), Counting(waits=True)
    app = built(Alto, lines, seldom)
    for _ in range(IDLE + 3 * EACH):
        await app.ainvoke(FRUIT)
    plans = [way for way, asked in zip(seldom._streamed, seldom._asked, strict=True) if asked.startswith("plan")]
    assert plans == [True] * IDLE + ([False] * (EACH - 1) + [True]) * 3
    assert "only some of them are listened to" in str(app.explain())
    app.alto_staging.hits.listened("plan", useful=True)
    assert not app.explain().node("plan").idle
    app = built(Alto, lines, often)
    for _ in range(IDLE + 2):
        often._go_on.clear()
        await app.ainvoke(FRUIT)
    assert all(way for way, asked in zip(often._streamed, often._asked, strict=True) if asked.startswith("plan"))
    assert not app.explain().node("plan").idle
