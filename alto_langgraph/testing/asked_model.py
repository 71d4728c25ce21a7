"""The model that nodes of random graphs ask: it says so many parts, in the form asked for, token by token, at short random times."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from alto_langgraph.testing.chat_model import PacedChatModel
from alto_langgraph.testing.clock import Clock
from alto_langgraph.testing.pause import FOR_EVER, GAUGE, Gauge
from alto_langgraph.testing.replies import Answer, Reply, digest, prompt_of
from alto_langgraph.testing.slots import Slots

QUESTION = re.compile(r"(\w+) asks for (\w+) (\d+)( or breaks)?")
"""What a prompt holds, and all that the answer depends on: who asks, for what, which one of many, and whether the model may fail."""

MOST = 5
"""Most parts of one answer."""

WORDS = ("one", "two", "e.g.", "3.5", "why?", "2. two", '"said"', "[x]", "{y}", "]}", "a<b", "naïve", "東京", "Ω", "🙂", "item", "##")
"""Some of them look like the end of a part."""


def tally() -> list[str]:
    """The list, outside of the state, in which nodes of the run in progress count their runs."""
    return (GAUGE.get() or Gauge()).tally


def parts_for(prompt: str) -> list[str]:
    """The parts of the answer: none to `MOST`, some alike; the last one may say `agreed`."""
    dice = Random(digest(" ".join(_question(prompt))))
    parts = [" ".join(dice.choices(WORDS, k=dice.randint(1, 3))) for _ in range(dice.choice((0, 1, 2, 3, 3, 4, 4, MOST)))]
    if parts and dice.random() < 0.25:
        parts[-1] = parts[0]
    if parts and dice.random() < 0.6:
        parts[-1] += " agreed"
    return parts


def answer_to(prompt: str) -> Answer:
    """The answer in the form asked for."""
    _, form, place, _ = _question(prompt)
    parts = parts_for(prompt)
    match form:
        case "sentences":
            return " ".join(f"{part}." for part in parts)
        case "numbered":
            return "\n".join(f"{place}. {part}" for place, part in enumerate(parts, 1))
        case "sections":
            return "".join(f"## {part}\nMore of it.\n\n" for part in parts)
        case "json" | "parser":
            return json.dumps({"items": parts, "count": len(parts)}, ensure_ascii=int(place) % 2 == 0)
        case "xml" | "tags":
            return f"<items>{''.join(f'<item>{escape(part)}</item>' for part in parts)}</items>"
        case "structured":
            return {"items": parts}
        case "tools":
            return "Nothing to do."
        case _:
            return "\n".join(parts)


def calls_in(prompt: str, tools: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
    """The tool calls asked for."""
    return [(tools[0], {"text": part}) for part in parts_for(prompt)] if _question(prompt)[1] == "tools" else []


def _question(prompt: str) -> tuple[str, str, str, str]:
    found = QUESTION.findall(prompt)
    return found[-1] if found else ("", "lines", "0", "")


class _Time(Clock):
    """The event loop's clock; in a thread three times as fast, so that many cases fit in a second."""

    def now(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return time.perf_counter() * 3

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 3)


class AskedModel(PacedChatModel):
    """Answers prompts that hold a `QUESTION`; a node that hangs does so in the middle of its answer."""

    answers: Any = Field(default=answer_to)
    calls: Any = Field(default=calls_in)
    clock: Clock = Field(default_factory=_Time)
    slots: Slots = Field(default_factory=lambda: Slots(1_000_000))
    """Never a line: the jumping clock stands still while a thread waits, so one behind a coroutine's slot would wait for ever."""

    def _pauses(self, messages: list[BaseMessage], reply: Reply) -> Iterator[float]:
        """Up to 2 ms for a token, at the pace of the run in progress."""
        prompt, gauge = prompt_of(messages), GAUGE.get() or Gauge()
        dice = Random(digest(prompt))
        drawn = [dice.choice((0, 0, 0, 1, 2)) for _ in range(reply.size)]
        factor = gauge.pace(float(sum(drawn))) / (sum(drawn) or 1) / 1000
        hangs = gauge.hangs and gauge.hangs == _question(prompt)[0]
        for place, milliseconds in enumerate(drawn):
            yield FOR_EVER if hangs and place == len(drawn) // 2 else milliseconds * factor
        yield FOR_EVER if hangs and not drawn else 0.0

    def _chunks(self, messages: list[BaseMessage], reply: Reply) -> Iterator[ChatGenerationChunk]:
        chunks = list(super()._chunks(messages, reply))
        if self._breaks(messages):
            yield from chunks[: len(chunks) // 2]
            raise ConnectionError("the stream broke")
        yield from chunks

    def _result(self, messages: list[BaseMessage], reply: Reply) -> ChatResult:
        if self._breaks(messages):
            raise ConnectionError("the stream broke")
        return super()._result(messages, reply)

    def _breaks(self, messages: list[BaseMessage]) -> bool:
        """Whether the model fails in the middle of this answer: of those that may, one in three."""
        who, _, place, may = _question(prompt_of(messages))
        hangs = (GAUGE.get() or Gauge()).hangs == who  # in the middle, too, and first
        return bool(may) and int(place) % 3 == 0 and not hangs
