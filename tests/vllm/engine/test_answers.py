"""What a real engine answers, in this process and on servers: the same in all ways of asking, in the shape that was asked for."""

from __future__ import annotations

import asyncio
import re
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.ports import Request
from alto_langgraph.adapters.vllm.serving_loop import serving
from alto_langgraph.exceptions import ServerError
from alto_langgraph.testing import build_tiny_model
from tests.vllm.engine.marks import MARKS
from tests.vllm.http_double import serve

pytestmark = MARKS


def total(pieces: list[Any]) -> Any:
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return whole


def told(answer: Any) -> Any:
    return answer.content, answer.response_metadata, answer.usage_metadata["output_tokens"], answer.tool_calls, answer.additional_kwargs


def test_the_same_seed_builds_the_same_model(tiny: Path, tmp_path: Path) -> None:
    again, other = build_tiny_model(tmp_path / "again"), build_tiny_model(tmp_path / "other", seed=1)
    for name in ("model.safetensors", "tokenizer.json", "chat_template.jinja"):
        assert (again / name).read_bytes() == (tiny / name).read_bytes()
    assert (other / "model.safetensors").read_bytes() != (tiny / "model.safetensors").read_bytes()


async def test_an_answer_is_the_same_in_all_four_ways(llm: ChatVLLM) -> None:
    ways = [
        await llm.ainvoke("Hello"),
        total([piece async for piece in llm.astream("Hello")]),
        await asyncio.to_thread(llm.invoke, "Hello"),
        total(await asyncio.to_thread(lambda: [*llm.stream("Hello")])),
    ]
    assert all(told(answer) == told(ways[0]) for answer in ways)
    assert ways[0].usage_metadata["output_tokens"] == 16 and ways[0].usage_metadata["input_tokens"] > 5
    assert ways[0].response_metadata == {"finish_reason": "length", "model_name": "tiny", "model_provider": "vllm"}


def test_both_ways_of_running_agree(here: ChatVLLM, there: ChatVLLM) -> None:
    assert told(here.invoke("Tell me.")) == told(there.invoke("Tell me."))


def test_a_seed_draws_the_same_again_and_another_one_something_else(llm: ChatVLLM) -> None:
    first, again, other = (llm.invoke("Draw", temperature=1, seed=seed).content for seed in (7, 7, 8))
    assert first == again != other


def test_stop_words_and_probabilities(llm: ChatVLLM) -> None:
    answer = llm.invoke("Hello", structured_outputs={"regex": "(one|two) stop [a-z]{5}"}, stop=["stop"])
    assert answer.content in ("one ", "two ") and answer.response_metadata["finish_reason"] == "stop"
    said = llm.invoke("Hello", logprobs=True, top_logprobs=2, max_tokens=3).response_metadata["logprobs"]["content"]
    assert len(said) == 3 and all(len(token["top_logprobs"]) == 2 for token in said)
    pieces = total([*llm.stream("Hello", logprobs=True, top_logprobs=2, max_tokens=3)])
    assert [token["token"] for token in pieces.response_metadata["logprobs"]["content"]] == [token["token"] for token in said]


class Verdict(BaseModel):
    """What is found of a claim."""

    label: Literal["true", "false", "open"]
    points: int = Field(ge=0, le=9)


class Label(Enum):
    TRUE = "true"
    FALSE = "false"


def test_answers_keep_to_their_shapes(llm: ChatVLLM) -> None:
    llm = llm.model_copy(update={"max_tokens": 100})
    assert isinstance(llm.with_structured_output(Verdict).invoke("Well?"), Verdict)
    assert isinstance(llm.with_structured_output(Verdict, method="function_calling").invoke("Well?"), Verdict)
    assert set(llm.with_structured_output(Verdict.model_json_schema()).invoke("Well?")) == {"label", "points"}
    assert llm.with_structured_output(Label).invoke("Well?") in Label
    assert llm.with_structured_output(["yes", "no"]).invoke("Well?") in ("yes", "no")
    assert re.fullmatch(r"\d{3}-[a-f]{2}", llm.with_structured_output(r"\d{3}-[a-f]{2}", method="regex").invoke("Well?"))
    assert llm.with_structured_output('root ::= "up" | "down"', method="grammar").invoke("Well?") in ("up", "down")


def weigh(label: Literal["heavy", "light"], pounds: Literal["one", "two"]) -> str:
    """Weighs."""
    return label


async def test_a_tool_call_is_the_same_in_one_and_in_pieces(llm: ChatVLLM) -> None:
    tools = llm.bind_tools([weigh], tool_choice="any", strict=True).bind(max_tokens=100)
    whole, pieces = await tools.ainvoke("Weigh it."), total([piece async for piece in tools.astream("Weigh it.")])
    for answer in (whole, pieces):
        assert [call["name"] for call in (*answer.tool_calls, *answer.invalid_tool_calls)] == ["weigh"]
    assert [call["args"] for call in whole.tool_calls] == [call["args"] for call in pieces.tool_calls]


def test_a_conversation_with_tools_is_understood(llm: ChatVLLM) -> None:
    called = AIMessage("", tool_calls=[{"name": "weigh", "args": {"label": "light", "pounds": "one"}, "id": "1"}])
    said = [SystemMessage("Weigh."), HumanMessage("It"), called, ToolMessage("light", tool_call_id="1")]
    short, long = (llm.invoke(messages).usage_metadata for messages in (said[:2], said))
    assert short is not None and long is not None and long["input_tokens"] > short["input_tokens"] + 20


def test_a_salt_keeps_what_is_cached_apart(there: ChatVLLM) -> None:
    prompt = "one and the same beginning " * 20

    def cached(**kwargs: Any) -> int:
        usage: Any = there.invoke(prompt, **kwargs).usage_metadata
        return int(usage["input_token_details"]["cache_read"])

    cached()
    assert cached() >= 64
    assert cached(cache_salt="mine") == 0
    assert cached(cache_salt="mine") >= 64


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "other"}, "model `other` does not exist"),
        ({"temperature": -1}, "temperature must be non-negative"),
        ({"structured_outputs": {"regex": "("}}, "(?i)regex|grammar"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(llm: ChatVLLM, fields: dict[str, Any], error: str) -> None:
    with pytest.raises(ServerError, match=error):
        llm.invoke("Hello", **fields)
    assert llm.invoke("Hello").content


def test_a_prompt_that_is_too_long_is_refused(llm: ChatVLLM) -> None:
    with pytest.raises(ServerError, match="maximum context length"):
        llm.invoke("word " * 3_000)


def test_a_model_that_is_not_there_and_an_argument_that_is_none(tiny: Path) -> None:
    with pytest.raises(ServerError, match="engine of /nowhere/at/all doesn't start"):
        ChatVLLM(model="/nowhere/at/all").invoke("Hello")
    with pytest.raises(ServerError, match="unrecognized arguments: enforce_eagerly"):
        ChatVLLM(model=str(tiny), engine={"enforce_eagerly": True}).invoke("Hello")


async def test_the_engine_takes_first_what_has_the_smallest_number(here: ChatVLLM) -> None:
    """All slots are taken, and fall free at once; what came last with a small number is over before what came first with a large one."""
    loop, slots, over = serving(), here.engine["max_num_seqs"], []
    server = here._server(loop)._server  # type: ignore[attr-defined]

    async def ask(name: str, priority: int, tokens: int) -> None:
        body = {"model": "tiny", "messages": [{"role": "user", "content": name}], "max_tokens": tokens, "ignore_eos": True}
        async for _ in loop.stream(server.chat(Request(body, priority=priority, streamed=False))):
            over.append(name.split()[0])

    async with asyncio.TaskGroup() as asking:
        for name, priority, tokens in (("first", 0, 400), ("late", 2, 20), ("soon", 1, 20)):
            for number in range(slots):
                asking.create_task(ask(f"{name} {number}", priority, tokens))
            await asyncio.sleep(0.5)
    assert over == ["first"] * slots + ["soon"] * slots + ["late"] * slots


def test_the_span_that_is_open_is_told() -> None:
    trace = import_module("opentelemetry.trace")
    context = trace.SpanContext(0x1234, 0x56, is_remote=False, trace_flags=trace.TraceFlags(1))
    with serve() as double, trace.use_span(trace.NonRecordingSpan(context)):
        ChatVLLM(model="m", base_url=double.url).invoke("Hello")
        assert double.asked[0].headers["traceparent"] == f"00-{0x1234:032x}-{0x56:016x}-01"
