"""Work starts on the finished part of an answer however the node asks for it: chunk by chunk, in batches, as a chain of LangChain's.

The model waits, in the middle of its answer, until the first part has been worked on: under the barrier it would wait for ever.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.language_models.llms import LLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import GenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableGenerator, RunnableLambda, RunnableParallel, RunnablePassthrough
from langgraph.config import get_stream_writer
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send

from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.writer import LINES, Writer


class State(TypedDict, total=False):
    topic: str
    sections: list[str]
    texts: Annotated[list[str], operator.add]


def send_sections(state: State) -> list[Send]:
    return [Send("write", {"section": section}) for section in state["sections"]]


def built(graph: type[Stock[Any]], plan: Any, model: Any, hints: Any = None) -> Any:
    async def awrite(payload: Any) -> State:
        model.go_on()
        return {"texts": [f"text on {payload['section']}"]}

    def write(payload: Any) -> State:
        model.go_on()
        return {"texts": [f"text on {payload['section']}"]}

    builder: Any = graph(State)
    builder.add_node("plan", plan(model), metadata=hints)
    builder.add_node("write", RunnableLambda(write, awrite), metadata={"effects": "idempotent"})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", send_sections, ["write"])
    return builder.compile()


# ---- chunk by chunk


def joined(model: Any) -> Any:
    async def plan(state: State) -> State:
        return {"sections": "".join([str(chunk.text) async for chunk in model.astream("plan")]).split("\n")}

    return plan


def collected(model: Any) -> Any:
    async def plan(state: State) -> State:
        text = ""
        async for chunk in model.astream("plan " + state["topic"]):
            text += chunk.content
        return {"sections": text.split("\n")}

    return plan


def added(model: Any) -> Any:
    async def plan(state: State) -> State:
        whole = None
        async for chunk in model.astream("plan"):
            whole = chunk if whole is None else whole + chunk
        return {"sections": str(whole.text if whole else "").split("\n")}

    return plan


def narrated(model: Any) -> Any:
    async def plan(state: State) -> State:
        tell, text = get_stream_writer(), ""
        async with aclosing(model.astream("plan")) as chunks:
            async for chunk in chunks:
                tell({"token": chunk.content})
                text += chunk.content
        return {"sections": text.split("\n")}

    return plan


def parsed(model: Any) -> Any:
    async def plan(state: State) -> State:
        found: Any = {}
        async for so_far in (model | JsonOutputParser()).astream("json"):
            found = so_far
        return {"sections": found["items"]}

    return plan


def chained(model: Any) -> Any:
    chain = ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser()

    async def plan(state: State) -> State:
        return {"sections": "".join([piece async for piece in chain.astream({"topic": state["topic"]})]).split("\n")}

    return plan


def first_of_two(model: Any) -> Any:
    async def plan(state: State) -> State:
        hello = ""
        async for chunk in model.astream("hello"):
            hello += chunk.content
        return {"sections": "".join([c.content async for c in model.astream("plan " + hello)]).split("\n")}

    return plan


def on_a_thread(model: Any) -> Any:
    def plan(state: State) -> State:
        return {"sections": "".join(chunk.content for chunk in model.stream("plan")).split("\n")}

    return plan


def reduced(model: Any) -> Any:
    def plan(state: State) -> State:
        whole: Any = functools.reduce(operator.add, model.stream("plan"))
        return {"sections": whole.content.split("\n")}

    return plan


def made_anew(model: Any) -> Any:
    async def plan(state: State) -> State:
        fresh = Writer(waits=model.waits, fails=model.fails, like=model)
        return {"sections": lines((await fresh.ainvoke("plan")).text)}

    return plan


def made_anew_in_chunks(model: Any) -> Any:
    async def plan(state: State) -> State:
        fresh = Writer(waits=model.waits, fails=model.fails, like=model)
        return {"sections": lines("".join([str(chunk.text) async for chunk in fresh.astream("plan")]))}

    return plan


# ---- in batches


def batched(model: Any) -> Any:
    async def plan(state: State) -> State:
        answers = await model.abatch(["hello", "plan"])
        return {"sections": answers[1].content.split("\n")}

    return plan


def batched_on_threads(model: Any) -> Any:
    def plan(state: State) -> State:
        answers = model.batch(["plan", "hello"])
        return {"sections": answers[0].content.split("\n")}

    return plan


# ---- nodes that are LangChain's


def lines(text: str) -> list[str]:
    return text.split("\n")


def chain(model: Any) -> Any:
    return ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser() | (lambda text: {"sections": lines(text)})


def parallel(model: Any) -> Any:
    return RunnableParallel(sections=ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser() | lines)


def assigned(model: Any) -> Any:
    return RunnablePassthrough.assign(sections=ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser() | lines)


def second_step(model: Any) -> Any:
    text = RunnablePassthrough.assign(text=ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser())
    return text | (lambda found: {"sections": lines(found["text"])})


def mapped(model: Any) -> Any:
    return {"topic": lambda state: state["topic"]} | chain(model)


def branched(model: Any) -> Any:
    return RunnableBranch((lambda state: bool(state["topic"]), chain(model)), lambda state: {"sections": []})


def wrapped(model: Any) -> Any:
    return RunnableLambda(on_a_thread(model), joined(model)).with_config(run_name="planner").with_retry()


def generating(model: Any) -> Any:
    def pieces(texts: Iterator[str]) -> Iterator[dict[str, Any]]:
        for text in texts:
            yield {"sections": lines(text)}

    async def apieces(texts: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
        async for text in texts:
            yield {"sections": lines(text)}

    return ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser() | RunnableGenerator(pieces, apieces)


# ---- nodes that yield: the last of their updates counts


def yielding(model: Any) -> Any:
    def plan(state: State) -> Iterator[State]:
        yield {"sections": []}
        yield {"sections": lines(str(model.invoke("plan").text))}

    return plan


def yielding_later(model: Any) -> Any:
    async def plan(state: State) -> AsyncIterator[State]:
        text = ""
        async for chunk in model.astream("plan"):
            text += chunk.content
            yield {"sections": lines(text)}

    return plan


BY_CHUNKS = [joined, collected, added, narrated, parsed, chained, first_of_two]
MADE_ANEW = [made_anew, made_anew_in_chunks]
ON_THREADS = [on_a_thread, reduced, batched_on_threads, yielding]
LANGCHAINS = [chain, parallel, assigned, second_step, mapped, branched, wrapped, generating]


@pytest.mark.parametrize("plan", [*BY_CHUNKS, batched, *ON_THREADS, *LANGCHAINS, yielding_later])
async def test_the_first_part_is_worked_on_while_the_model_writes_the_last(plan: Any) -> None:
    stock = await built(Stock, plan, Writer()).ainvoke({"topic": "fruit"})
    assert len(stock["texts"]) == 3
    assert await built(Alto, plan, Writer(waits=True)).ainvoke({"topic": "fruit"}) == stock


@pytest.mark.parametrize("plan", [*ON_THREADS, *LANGCHAINS])
def test_on_threads_too(plan: Any) -> None:
    stock = built(Stock, plan, Writer()).invoke({"topic": "fruit"})
    assert len(stock["texts"]) == 3
    assert built(Alto, plan, Writer(waits=True)).invoke({"topic": "fruit"}) == stock


# ---- what the app gets, and what others hear


class Hearing(BaseCallbackHandler):
    """Notes what a model's callbacks are told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.heard.append(f"asks {messages[0][-1].content}")

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(f"token {token}")

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.heard.append(f"answers {response.generations[0][0].text}")

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.heard.append(f"fails with {type(error).__name__}")

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.heard.append(f"begins {kwargs.get('name')}")


MODES = ["values", "updates", "messages", "custom", "tasks"]


async def told(graph: type[Stock[Any]], plan: Any, model: Any) -> tuple[list[str], list[str], str]:
    """What callbacks hear, what the run streams, and how it ends."""
    hearing, events, end = Hearing(), [], ""
    try:
        async for mode, data in built(graph, plan, model).astream({"topic": "fruit"}, {"callbacks": [hearing]}, stream_mode=MODES):
            events.append(f"{mode} {_told(mode, data)}")
    except Exception as error:
        end = repr(error)
    begun = [] if end else ["begins write"]  # callbacks aren't held, and what was begun on an answer that fails was begun in vain
    return sorted(word for word in hearing.heard if word in begun or word != "begins write"), sorted(events), end


def _told(mode: str, data: Any) -> Any:
    if mode == "messages":
        return data[1]["langgraph_node"], data[0].content
    return [data.get(key) for key in ("name", "input", "result", "error")] if mode == "tasks" else data


@pytest.mark.parametrize("plan", [*BY_CHUNKS, batched, *ON_THREADS, *LANGCHAINS, yielding_later])
@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_heard_of_it_is_what_stock_would_say(plan: Any, fails: bool) -> None:
    if fails and plan is batched_on_threads:
        pytest.skip("under stock, too, how far the other thread comes is chance")
    stock, alto = [await told(graph, plan, Writer(fails=fails)) for graph in (Stock, Alto)]
    assert alto == stock
    assert bool(stock[2]) is fails


@pytest.mark.parametrize("plan", MADE_ANEW)
async def test_a_model_that_the_node_makes_each_time_stands_for_the_one_it_made(plan: Any) -> None:
    stock = await built(Stock, plan, Writer()).ainvoke({"topic": "fruit"})
    hints = {"effects": "idempotent"}  # the class is this file's, and what making one does isn't known
    assert await built(Alto, plan, Writer(waits=True), hints).ainvoke({"topic": "fruit"}) == stock


def leaving(leave: Callable[[Any], Any], got: list[list[str]]) -> Any:
    """A node that takes an answer until its first line ends, and leaves it."""

    def of(model: Any) -> Any:
        async def plan(state: State) -> State:
            got.append([])
            text, chunks = "", model.astream("plan")
            async for chunk in chunks:
                got[-1].append(chunk.content)
                text += chunk.content
                if "pears\n" in text:
                    break
            await leave(chunks)
            return {"sections": text.split("\n")}

        return plan

    return of


async def _nothing(chunks: Any) -> None:
    """Leaves it to the garbage collector."""


@pytest.mark.parametrize("leave", [_nothing, lambda chunks: chunks.aclose()], ids=["dropped", "closed"])
async def test_who_leaves_an_answer_early_has_what_was_there(leave: Any) -> None:
    got: list[list[str]] = []
    stock, alto = [await told(graph, leaving(leave, got), Writer()) for graph in (Stock, Alto)]
    assert alto == stock
    assert got[0] == got[1]


async def test_the_app_gets_the_very_chunks() -> None:
    made: list[Any] = []
    got: list[Any] = []

    class Keeping(Writer):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async for chunk in super()._astream(*args, **kwargs):
                made.append(chunk.message)
                yield chunk

    def keeping(model: Any) -> Any:
        async def plan(state: State) -> State:
            chunks = [chunk async for chunk in model.astream("plan")]
            if not got:  # it is a list outside of the state, so this node isn't run again
                got.extend(chunks)
            return {"sections": lines("".join(chunk.content for chunk in chunks))}

        return plan

    await built(Alto, keeping, Keeping()).ainvoke({"topic": "fruit"})
    assert [chunk is message for chunk, message in zip(got, made, strict=False)] == [True] * len(made)


# ---- ways that a replay doesn't know


def by_events(model: Any) -> Any:
    async def plan(state: State) -> State:
        text = ""
        async for event in model.astream_events("plan", version="v2"):
            if event["event"] == "on_chat_model_stream":
                text += event["data"]["chunk"].content
        return {"sections": lines(text)}

    return plan


def by_events_of_a_chain(model: Any) -> Any:
    async def plan(state: State) -> State:
        text = ""
        async for event in (model | StrOutputParser()).astream_events("plan", version="v2"):
            if event["event"] == "on_parser_stream":
                text += event["data"]["chunk"]
        return {"sections": lines(text)}

    return plan


def by_generate(model: Any) -> Any:
    async def plan(state: State) -> State:
        answer = await model.ainvoke("plan")
        again = await model.agenerate([answer.content])
        return {"sections": lines(answer.content + again.generations[0][0].text[:0])}

    return plan


@pytest.mark.parametrize("plan", [by_events, by_events_of_a_chain, by_generate])
async def test_what_no_replay_can_answer_is_asked_as_often_as_under_stock(plan: Any) -> None:
    models = Writer(), Writer()
    stock, alto = [await told(graph, plan, model) for graph, model in zip((Stock, Alto), models, strict=True)]
    assert alto == stock
    assert models[0]._asked == models[1]._asked


# ---- models of text


class TextWriter(LLM):
    """Writes like a `Writer`, in plain text."""

    writer: Any = None

    @property
    def _llm_type(self) -> str:
        return "text writer"

    def go_on(self) -> None:
        self.writer.go_on()

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return "".join(piece.text for piece in self._stream(prompt))

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[GenerationChunk]:
        for chunk in self.writer._stream([HumanMessage(prompt)]):
            yield GenerationChunk(text=chunk.message.content)


def text_by_text(model: Any) -> Any:
    async def plan(state: State) -> State:
        return {"sections": lines("".join([text async for text in model.astream("plan")]))}

    return plan


def text_first(model: Any) -> Any:
    async def plan(state: State) -> State:
        hello = await model.ainvoke("hello")
        return {"sections": lines("".join([text async for text in model.astream("plan" + hello)]))}

    return plan


@pytest.mark.parametrize("plan", [text_by_text, text_first])
async def test_models_of_text_are_listened_to_where_the_app_takes_their_answers_in_pieces(plan: Any) -> None:
    stock = await built(Stock, plan, TextWriter(writer=Writer())).ainvoke({"topic": "fruit"})
    writer = Writer(waits=True)
    assert await built(Alto, plan, TextWriter(writer=writer)).ainvoke({"topic": "fruit"}) == stock
    assert len(writer._asked) == len({*writer._asked})


# ---- which models


class Theirs(Writer):
    """A model of LangChain's own, as far as its class tells."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async for chunk in super()._astream(*args, **kwargs):
            yield chunk

    _stream.__module__ = _astream.__module__ = "langchain_somebody.chat_models"


def whole(model: Any) -> Any:
    async def plan(state: State) -> State:
        return {"sections": lines((await model.ainvoke("plan")).text)}

    return plan


ANY = {"configurable": {"alto": {"stream_models": "any"}}}


async def test_langchains_own_models_are_asked_to_stream_if_the_option_says_so() -> None:
    stock = await built(Stock, whole, Theirs()).ainvoke({"topic": "fruit"})
    assert await built(Alto, whole, Theirs(waits=True)).ainvoke({"topic": "fruit"}, ANY) == stock
    with pytest.raises(TimeoutError, match="nobody listens"):
        await built(Alto, whole, Theirs(waits=True)).ainvoke({"topic": "fruit"})


async def test_a_model_that_streams_anyway_is_listened_to_whosever_it_is() -> None:
    stock, alto = [await told(graph, whole, Theirs(waits=graph is Alto)) for graph in (Stock, Alto)]  # `messages` has it stream
    assert alto == stock
    assert not alto[2]


async def test_langchains_fakes_answer_the_same() -> None:
    results = []
    for graph, config in ((Stock, {}), (Alto, {}), (Alto, ANY)):
        model = GenericFakeChatModel(messages=iter([AIMessage(LINES)]))
        object.__setattr__(model, "go_on", lambda: None)
        results.append(await built(graph, whole, model).ainvoke({"topic": "fruit"}, config))
    assert len(results[0]["texts"]) == 3
    assert results[1:] == results[:1] * 2
