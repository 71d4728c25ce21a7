"""The chat model over HTTP: what it asks, what it makes of the answers, and what of broken ones. The server is a double."""

from __future__ import annotations

import asyncio
import json
import threading
from enum import Enum
from importlib.util import find_spec
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, ValidationError

from alto_langgraph.adapters.vllm import ChatVLLM, VLLMEmbeddings
from alto_langgraph.adapters.vllm.policy import ByAncestry
from alto_langgraph.exceptions import MissingExtraError, ServerError
from alto_langgraph.protocols import Caller
from tests.vllm.http_double import (
    Answer,
    Asked,
    Double,
    chunk,
    failing,
    hanging_up,
    message,
    never,
    saying,
    serve,
    streaming,
    whole,
)


def model(double: Double, *others: Double, **fields: Any) -> ChatVLLM:
    urls = [double.url, *(other.url for other in others)]
    return ChatVLLM(model="m", base_url=urls if others else double.url, **{"max_retries": 0, **fields})


def body(double: Double, number: int = -1) -> dict[str, Any]:
    return double.asked[number].body


# ---- an answer


async def test_an_answer_is_the_same_in_all_four_ways() -> None:
    with serve() as double:
        llm = model(double)
        whole_ones = [llm.invoke("hi"), await llm.ainvoke("hi")]
        pieces = [[*llm.stream("hi")], [piece async for piece in llm.astream("hi")]]
    for answer in whole_ones:
        assert (answer.content, answer.response_metadata) == (
            "one two three",
            {"finish_reason": "stop", "model_name": "m", "model_provider": "vllm"},
        )
        assert answer.usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    for said in pieces:
        assert [piece.content for piece in said if piece.content] == ["one ", "two ", "three"]
        total: Any = said[0]
        for piece in said[1:]:
            total += piece
        assert (total.content, total.response_metadata, total.usage_metadata) == (
            whole_ones[0].content,
            whole_ones[0].response_metadata,
            whole_ones[0].usage_metadata,
        )


def test_an_answer_that_nobody_hears_in_pieces_is_asked_for_in_one() -> None:
    with serve() as double:
        llm = model(double)
        llm.invoke("hi")
        [*llm.stream("hi")]
        assert [asked.body["stream"] for asked in double.asked] == [False, True]
        assert body(double)["stream_options"] == {"include_usage": True}


def test_reasoning_and_tool_calls_come_in_one_or_in_pieces() -> None:
    call = {"id": "call-1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    parts = [
        chunk(reasoning="Let me "),
        chunk(reasoning="see."),
        chunk(tool_calls=[{**call, "index": 0, "function": {"name": "add", "arguments": '{"a"'}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
        chunk("tool_calls"),
    ]
    one = message("tool_calls", content=None, reasoning="Let me see.", tool_calls=[call])
    with serve(whole(one), streaming(*parts)) as double:
        llm = model(double)
        for answer in (llm.invoke("hi"), _sum([*llm.stream("hi")])):
            assert [(called["name"], called["args"], called["id"]) for called in answer.tool_calls] == [("add", {"a": 1}, "call-1")]
            assert answer.additional_kwargs == {"reasoning_content": "Let me see."}
            assert answer.content_blocks[0] == {"type": "reasoning", "reasoning": "Let me see."}


def _sum(pieces: list[AIMessageChunk]) -> Any:
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    return total


# ---- a request


def test_what_is_set_is_asked_for_and_a_call_has_the_last_word() -> None:
    with serve() as double:
        llm = model(
            double, temperature=0, max_tokens=9, seed=3, stop=["x"], logprobs=True, cache_salt="me", extra_body={"top_k": 4}, timeout=60
        )
        llm.invoke("hi", max_tokens=5, min_p=0.5, stop=["y"])
        asked = body(double)
        llm.invoke("hi")
        assert body(double)["stop"] == ["x"]
    assert asked.pop("priority") > 0
    assert asked == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "max_tokens": 5,
        "seed": 3,
        "stop": ["y"],
        "logprobs": True,
        "top_logprobs": 0,
        "cache_salt": "me",
        "top_k": 4,
        "min_p": 0.5,
        "stream": False,
    }


def test_an_adapter_is_asked_for_by_its_name_and_the_key_is_sent_and_not_shown() -> None:
    with serve() as double:
        llm = model(double, lora="poems", api_key="secret")
        llm.invoke("hi")
        assert body(double)["model"] == "poems"
        assert double.asked[0].headers["Authorization"] == "Bearer secret"
        assert "secret" not in repr(llm)


def test_a_conversation_is_passed_on_with_all_that_is_in_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    called = AIMessage(
        [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Well."}],
        tool_calls=[{"name": "add", "args": {"a": 1}, "id": "1"}],
        additional_kwargs={"reasoning_content": "Hm."},
    )
    with serve() as double:
        model(double).invoke(
            [SystemMessage("Be kind."), HumanMessage([{"type": "text", "text": "Look"}, image]), called, ToolMessage("2", tool_call_id="1")]
        )
        system, human, assistant, tool = body(double)["messages"]
    assert system == {"role": "system", "content": "Be kind."}
    assert human["content"] == [{"type": "text", "text": "Look"}, image]
    assert (assistant["reasoning_content"], assistant["tool_calls"][0]["function"]["arguments"]) == ("Hm.", '{"a": 1}')
    assert "reasoning" not in json.dumps(assistant["content"])
    assert tool == {"role": "tool", "tool_call_id": "1", "content": "2"}


def test_tools_are_named_as_the_protocol_names_them() -> None:
    def add(a: int) -> int:
        """Adds."""
        return a

    with serve() as double:
        llm = model(double)
        for choice in ("any", True, "add", "auto", None):
            llm.bind_tools([add], tool_choice=choice).invoke("hi")
        asked = [asked.body.get("tool_choice") for asked in double.asked]
        assert body(double)["tools"][0]["function"]["name"] == "add"
        llm.bind_tools([add], strict=True).invoke("hi")
        assert body(double)["tools"][0]["function"]["strict"] is True
    assert asked == ["required", "required", {"type": "function", "function": {"name": "add"}}, "auto", None]


class Verdict(BaseModel):
    label: str


class Label(Enum):
    TRUE = "true"
    FALSE = "false"


@pytest.mark.parametrize(
    ("schema", "method", "asked", "answer", "parsed"),
    [
        (Verdict, None, "response_format", '{"label": "true"}', Verdict(label="true")),
        (Verdict.model_json_schema(), None, "response_format", '{"label": "true"}', {"label": "true"}),
        (Verdict, "json_mode", "response_format", '{"label": "true"}', Verdict(label="true")),
        (Label, None, "structured_outputs", "true", Label.TRUE),
        (["yes", "no"], None, "structured_outputs", "no", "no"),
        (r"\d+", "regex", "structured_outputs", "12", "12"),
        ('root ::= "a"', "grammar", "structured_outputs", "a", "a"),
    ],
)
def test_an_answer_of_a_shape(schema: Any, method: Any, asked: str, answer: str, parsed: Any) -> None:
    with serve(otherwise=saying(answer)) as double:
        llm = model(double)
        assert llm.with_structured_output(schema, method=method).invoke("hi") == parsed
        assert asked in body(double)
        both: Any = llm.with_structured_output(schema, method=method, include_raw=True).invoke("hi")
        assert (both["raw"].content, both["parsed"], both["parsing_error"]) == (answer, parsed, None)


def test_an_answer_that_misses_its_shape_is_an_error_or_told_beside_it() -> None:
    with serve(otherwise=saying('{"other": 1}')) as double:
        both: Any = model(double).with_structured_output(Verdict, include_raw=True).invoke("hi")
    assert both["parsed"] is None and "label" in str(both["parsing_error"])


@pytest.mark.parametrize(("schema", "method"), [(["a"], "json_schema"), (Verdict, "choice"), (Verdict, "regex"), ("a", None)])
def test_a_shape_that_does_not_go_with_its_method_is_refused(schema: Any, method: Any) -> None:
    with pytest.raises(ValueError, match="not "):
        ChatVLLM(model="m", base_url="http://localhost/v1").with_structured_output(schema, method=method)


# ---- what goes wrong


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failing(400, '{"error": {"message": "too long", "code": 400}}'), "answers 400: too long"),
        (failing(404, '{"error": {"message": "The model `m` does not exist."}}'), "does not exist. See `model`"),
        (failing(401, '{"error": "Unauthorized"}'), "answers 401: Unauthorized See `api_key`"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_wrong_with_a_request_is_said_at_once(answer: Answer, error: str, streamed: bool) -> None:
    with serve(otherwise=answer) as double:
        llm = model(double, max_retries=2)
        with pytest.raises(ServerError, match=error):
            [*llm.stream("hi")] if streamed else llm.invoke("hi")
        assert len(double.asked) == 1


BROKEN: list[Answer] = [
    failing(500),
    failing(503, "busy"),
    failing(429),
    hanging_up,
    whole("<html>a proxy's page</html>"),
    whole({"object": "error"}),
    whole({"choices": [{"message": "hi"}]}),
    whole([1, 2]),
    whole(message("abort", content="one tw")),
]
BROKEN_STREAMS: list[Answer] = [
    failing(500),
    hanging_up,
    streaming("{not json"),
    streaming({"object": "other"}),
    streaming({"choices": ["one"]}),
    streaming({"error": {"message": "the engine has died", "code": 500}}),
    streaming(chunk("abort", content="one tw")),
    streaming(done=False),
    streaming(),
]


@pytest.mark.parametrize(("answer", "streamed"), [*((answer, False) for answer in BROKEN), *((answer, True) for answer in BROKEN_STREAMS)])
def test_a_broken_answer_is_asked_for_again_and_is_never_taken_for_one(answer: Answer, streamed: bool) -> None:
    with serve(answer) as double:
        llm = model(double, max_retries=1)
        said = _sum([*llm.stream("hi")]) if streamed else llm.invoke("hi")
        assert said.content == "one two three"
        assert len(double.asked) == 2
    with serve(otherwise=answer) as double, pytest.raises(ServerError, match=r"None of 1 servers answers: .* The last one: http"):
        [*model(double).stream("hi")] if streamed else model(double).invoke("hi")


@pytest.mark.parametrize("cut", [streaming(chunk(content="one "), done=False), streaming(chunk(content="one "))])
def test_half_an_answer_is_no_answer(cut: Answer) -> None:
    with serve(otherwise=cut) as double, pytest.raises(ServerError, match="broke off in the middle"):
        [*model(double, max_retries=3, temperature=1).stream("hi")]


def test_half_an_answer_is_completed_where_it_is_the_same_every_time() -> None:
    with serve(streaming(chunk(content="one tw"), done=False)) as double:
        pieces = [*model(double, max_retries=1, temperature=0).stream("hi")]
    assert _sum(pieces).content == "one two three"


async def test_a_dead_server_is_not_noticed_where_there_is_another() -> None:
    with serve(otherwise=hanging_up) as dead, serve() as double:
        answers = await model(dead, double).abatch([f"{number}" for number in range(20)])
    assert {answer.content for answer in answers} == {"one two three"}


async def test_a_silent_server_is_left_for_another() -> None:
    with serve(otherwise=never) as silent, serve() as double:
        llm = model(silent, double, silence=0.3)
        said = [_sum([piece async for piece in llm.astream(f"{number}")]).content for number in range(4)]
    assert said == ["one two three"] * 4


def test_time_is_up_where_it_is_said() -> None:
    with serve(otherwise=never) as double:
        with pytest.raises(ServerError, match=r"hasn't answered within 0\.2 s"):
            model(double, timeout=0.2).invoke("hi")
        assert double.left.wait(5)


async def test_a_cancelled_call_hangs_up() -> None:
    with serve(otherwise=never) as double:
        asking = asyncio.create_task(model(double).ainvoke("hi"))
        while not double.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(double.left.wait, 5)


def test_a_stream_that_is_left_hangs_up() -> None:
    def slowly(asked: Asked) -> None:
        asked.begin()
        asked.event(json.dumps(chunk(content="one")))
        never_more(asked)

    def never_more(asked: Asked) -> None:
        while not asked.server.left.is_set():
            asked.event(json.dumps(chunk(content="more")))

    with serve(otherwise=slowly) as double:
        stream = model(double).stream("hi")
        assert next(iter(stream)).content == "one"
        stream.close()  # type: ignore[attr-defined]
        assert double.left.wait(5)


# ---- where it lives


def test_one_connection_serves_all_threads_and_event_loops() -> None:
    said: list[str] = []

    def sync(llm: ChatVLLM) -> None:
        said.append(str(llm.invoke("hi").content))

    with serve() as double:
        llm = model(double)
        for _ in range(2):
            said.append(str(asyncio.run(llm.ainvoke("hi")).content))
        threads = [threading.Thread(target=sync, args=(llm.model_copy(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == ["one two three"] * 6


def test_a_policy_that_is_given_is_the_one_that_is_told() -> None:
    """Also one that is false, as those are that know of no run yet."""

    class Told(ByAncestry):
        answers = 0

        def served(self, caller: Caller | None, prompt: int, answer: int) -> None:
            self.answers += 1

    policy = Told()
    assert not policy
    with serve() as double:
        model(double, policy=policy).invoke("hi")
    assert policy.answers == 1


async def test_the_same_question_is_asked_once_at_a_time() -> None:
    gate = threading.Event()

    def waiting(asked: Asked) -> None:
        gate.wait(5)
        saying("one two three")(asked)

    with serve(otherwise=waiting) as double:
        llm = model(double, temperature=0)
        asking = [asyncio.create_task(llm.ainvoke("hi")) for _ in range(5)]
        while not double.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        gate.set()
        assert {answer.content for answer in await asyncio.gather(*asking)} == {"one two three"}
        assert len(double.asked) == 1


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
@pytest.mark.parametrize("cls", [ChatVLLM, VLLMEmbeddings])
def test_without_vllm_it_says_what_to_install(cls: Any) -> None:
    with pytest.raises(MissingExtraError, match=r"alto-langgraph\[vllm\]"):
        cls(model="m")


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValidationError, match="`engine` is for a model in this process"):
        ChatVLLM(model="m", base_url="http://localhost/v1", engine={"dtype": "bfloat16"})
    with pytest.raises(ValidationError, match="names no server"):
        ChatVLLM(model="m", base_url=[])
    with pytest.raises(ValidationError, match="temprature"):
        ChatVLLM(model="m", base_url="http://localhost/v1", **{"temprature": 0})
    with serve() as double, pytest.raises(ValueError, match="one answer a call"):
        model(double).invoke("hi", n=2)


# ---- embeddings


async def test_embeddings_come_in_order_whatever_the_number_of_requests() -> None:
    def vectors(asked: Asked) -> None:
        data = [{"index": place, "embedding": [float(text)]} for place, text in enumerate(asked.body["input"])]
        asked.say(200, json.dumps({"data": data[::-1]}))

    with serve(otherwise=vectors) as double:
        embeddings = VLLMEmbeddings(model="m", base_url=double.url, batch_size=2, dimensions=1)
        texts = ["1", "2", "3", "4", "5"]
        assert embeddings.embed_documents(texts) == await embeddings.aembed_documents(texts) == [[1.0], [2.0], [3.0], [4.0], [5.0]]
        assert embeddings.embed_query("7") == await embeddings.aembed_query("7") == [7.0]
        assert embeddings.embed_documents([]) == []
        assert {len(asked.body["input"]) for asked in double.asked} == {1, 2}
        assert double.asked[0].body["dimensions"] == 1


@pytest.mark.parametrize("said", [{"data": []}, {"data": [{"index": 0}]}, {"data": [{"index": 0, "embedding": "!"}]}, {}])
def test_vectors_that_are_none_are_no_vectors(said: Any) -> None:
    with serve(otherwise=whole(said)) as double, pytest.raises(ServerError, match="None of 1 servers"):
        VLLMEmbeddings(model="m", base_url=double.url, max_retries=0).embed_query("hi")
