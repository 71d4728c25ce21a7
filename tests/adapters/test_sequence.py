"""Nodes run by alto's quick sequence and attempt tell callback handlers what LangGraph's own tell them."""

from __future__ import annotations

import operator
from typing import Annotated, Any
from uuid import UUID

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command, RetryPolicy
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph.seam import RunnableSeq
from alto_langgraph.adapters.langgraph.sequence import QuickSeq, quick
from alto_langgraph.graph import END, START
from alto_langgraph.graph import StateGraph as Alto


class State(TypedDict, total=False):
    fails: str
    out: Annotated[list[str], operator.add]


class Heard:
    """Notes what a handler hears, each run under the names of the runs around it."""

    def __init__(self) -> None:
        self.notes: list[tuple[Any, ...]] = []
        self._names: dict[UUID, str] = {}

    def start(self, inputs: Any, run_id: UUID, parent_run_id: UUID | None, name: str | None, tags: Any, metadata: Any) -> None:
        parent = self._names.get(parent_run_id, "?") if parent_run_id else ""
        self._names[run_id] = f"{parent}/{name}"
        kept = {k: v for k, v in (metadata or {}).items() if k in ("langgraph_node", "langgraph_step", "langgraph_path")}
        self.notes.append(("start", self._names[run_id], repr(inputs), tuple(tags or ()), repr(kept)))

    def end(self, what: str, run_id: UUID, value: Any) -> None:
        self.notes.append((what, self._names[run_id], repr(value)))


class Handler(Heard, BaseCallbackHandler):
    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: Any = None, tags: Any = None,
                       metadata: Any = None, name: Any = None, **kwargs: Any) -> None:  # fmt: skip
        self.start(inputs, run_id, parent_run_id, name, tags, metadata)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.end("end", run_id, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.end("error", run_id, error)


class AsyncHandler(Heard, AsyncCallbackHandler):
    async def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: Any = None, tags: Any = None,
                             metadata: Any = None, name: Any = None, **kwargs: Any) -> None:  # fmt: skip
        self.start(inputs, run_id, parent_run_id, name, tags, metadata)

    async def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.end("end", run_id, outputs)

    async def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.end("error", run_id, error)


def one(state: State) -> State:
    if state.get("fails") == "one":
        raise ValueError("one failed")
    return {"out": ["one"]}


def route(state: State) -> str:
    if state.get("fails") == "route":
        raise KeyError("route failed")
    return "two"


async def atwo(state: State) -> Command[Any]:
    inner = RunnableLambda(lambda value: value + "!").with_config(run_name="inner")
    return Command(update={"out": [await inner.ainvoke("two")]}, goto=END)


def two(state: State) -> Command[Any]:
    inner = RunnableLambda(lambda value: value + "!").with_config(run_name="inner")
    return Command(update={"out": [inner.invoke("two")]}, goto=END)


def build(side: Any, second: Any, **options: Any) -> Any:
    graph = side(State).add_node("one", one, **options).add_node("two", second)
    return graph.add_edge(START, "one").add_conditional_edges("one", route, ["two"]).compile()


FAILS = pytest.mark.parametrize("fails", ["", "one", "route"])


@FAILS
def test_a_handler_hears_the_same(fails: str) -> None:
    heard = []
    for side in (Stock, Alto):
        handler = Handler()
        try:
            build(side, two).invoke({"fails": fails}, {"callbacks": [handler], "tags": ["mine"]})
        except (ValueError, KeyError):
            assert fails
        heard.append(handler.notes)
    assert heard[1] == heard[0]
    assert len(heard[0]) >= 4


@FAILS
@pytest.mark.parametrize("kind", [Handler, AsyncHandler])
async def test_a_handler_of_an_async_run_hears_the_same(fails: str, kind: Any) -> None:
    heard = []
    for side in (Stock, Alto):
        handler = kind()
        try:
            await build(side, atwo).ainvoke({"fails": fails}, {"callbacks": [handler], "tags": ["mine"]})
        except (ValueError, KeyError):
            assert fails
        heard.append(handler.notes)
    assert heard[1] == heard[0]


@FAILS
async def test_errors_say_the_same(fails: str) -> None:
    def said(error: BaseException) -> Any:
        notes = [note.split(" and id ")[0] for note in getattr(error, "__notes__", [])]
        return type(error), error.args, notes, type(error.__cause__), type(error.__context__)

    heard = []
    for side in (Stock, Alto):
        for run in (lambda graph: graph.ainvoke({"fails": fails}), None):
            try:
                heard.append(await run(build(side, atwo)) if run else build(side, two).invoke({"fails": fails}))
            except (ValueError, KeyError) as error:
                heard.append(said(error))
    assert heard[:2] == heard[2:]


async def test_retries_hear_the_same() -> None:
    counts = {}
    for side in (Stock, Alto):
        handler = Handler()
        policy = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3, retry_on=ValueError)
        with pytest.raises(ValueError, match="one failed"):
            await build(side, atwo, retry_policy=policy).ainvoke({"fails": "one"}, {"callbacks": [handler]})
        counts[side] = handler.notes
    assert counts[Alto] == counts[Stock]
    assert sum(note[0] == "error" for note in counts[Alto]) >= 3


class TestQuick:
    def test_a_sequence_gets_one_twin(self) -> None:
        sequence = RunnableSeq(RunnableLambda(str), RunnableLambda(len))
        assert type(quick(sequence)) is QuickSeq
        assert quick(sequence) is quick(sequence)
        assert type(sequence) is RunnableSeq

    def test_what_is_no_such_sequence_stays(self) -> None:
        class Own(RunnableSeq):
            pass

        for other in (RunnableLambda(str), Own(RunnableLambda(str), RunnableLambda(len))):
            assert quick(other) is other

    async def test_it_answers_as_the_sequence(self) -> None:
        sequence = RunnableSeq(RunnableLambda(str), RunnableLambda(len), name="both")
        for config in (None, {"tags": ["t"]}):
            assert quick(sequence).invoke(1234, config) == sequence.invoke(1234, config) == 4
            assert await quick(sequence).ainvoke(1234, config) == 4
