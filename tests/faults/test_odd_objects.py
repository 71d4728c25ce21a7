"""State that can't be copied, compared, hashed, shown, saved or asked for its truth goes where it goes under stock, ahead or not."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send
from pydantic import BaseModel
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.traces import recorded
from alto_langgraph.tracing import attributes as names
from tests.adapters.signals import aheard, say, signals
from tests.faults.app import ALTO, BOTH, Fault, struck_by
from tests.faults.left import nothing_left, tasks


class Refusal(Exception):
    """An object doesn't want that."""


def refuses(*methods: str) -> Callable[[], Any]:
    """A class whose instances raise at these methods."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Refusal(methods)

    return type("Refuses", (), {**dict.fromkeys(methods, refuse), "__eq__" if "__eq__" not in methods else "_": object.__eq__})


class Never(BaseModel):
    """A pydantic model that equals nothing, not even itself."""

    name: str = "never"

    def __eq__(self, other: object) -> bool:
        return False


class Shy(BaseModel):
    """A pydantic model that can't be compared."""

    name: str = "shy"

    def __eq__(self, other: object) -> bool:
        raise Refusal("__eq__")


class Lying:
    """Says that it is of another class, and fails at that."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise Refusal("__class__")


def frame() -> Any:
    pandas = __import__("pandas")
    return pandas.DataFrame({"a": [1, 2], "b": ["x", None]})


def circle() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


def numbers() -> Iterator[int]:
    yield 1


ODD: dict[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "generator": numbers,
    "numpy array": lambda: np.arange(6).reshape(2, 3),
    "numpy object array": lambda: np.array([{"a": [1]}, None], dtype=object),
    "pandas frame": frame,
    "pydantic, never equal": Never,
    "pydantic, not to be compared": Shy,
    "raises at __eq__": refuses("__eq__", "__ne__"),
    "raises at __hash__": refuses("__hash__"),
    "raises at __deepcopy__, __copy__": refuses("__deepcopy__", "__copy__", "__reduce__", "__reduce_ex__"),
    "raises at __repr__, __str__": refuses("__repr__", "__str__", "__format__"),
    "raises at __bool__, __len__": refuses("__bool__", "__len__"),
    "raises at __getattr__, __iter__": refuses("__getattr__", "__iter__", "__contains__", "__getitem__"),
    "raises at __class__": Lying,
    "holds itself": circle,
}


class State(TypedDict, total=False):
    odd: Any
    kept: Any
    out: Annotated[list[Any], operator.add]


def built(side: str, saver: Any = None) -> Any:
    """`slow` beside quick -> early -> after: the object is sent, kept by a key, reduced, read, and decided on."""

    async def slow(state: State) -> State:
        if ALTO.get():
            await aheard("early")
            await asyncio.sleep(1)
        return {}

    async def quick(state: State) -> Command[Any]:
        return Command(update={"kept": state["odd"]}, goto=Send("early", {"it": state["odd"], "beside": [state["odd"]]}))

    async def early(payload: Any) -> State:
        say("early")
        return {"out": [payload["it"], payload["beside"][0]], "kept": payload["it"]}

    def path(state: State) -> str:
        return "after" if len(state["out"]) == 2 else "early"

    async def after(state: State) -> State:
        return {"out": [state["kept"] is state["out"][0], state["odd"]]}

    graph = BOTH[side](State).add_node("slow", slow).add_node("quick", quick, destinations=("early",))
    graph.add_node("early", early).add_node("after", after).add_conditional_edges("early", path, ["after", "early"])
    return graph.add_edge(START, "slow").add_edge(START, "quick").compile(checkpointer=saver)


def told(items: Any, odd: Any) -> list[Any]:
    """A result, with the name of the object where it is."""
    return ["the object" if item is odd else "a copy" if type(item) is type(odd) else item for item in items]


def outcome(side: str, odd: Any, saver: Any) -> Any:
    """What a run comes to, and how much of it ran ahead."""

    async def run() -> Any:
        try:
            state = await built(side, saver).ainvoke({"odd": odd}, {"configurable": {"thread_id": "t"}})
            return told(state["out"], odd)
        except Exception as error:
            return type(error), str(error)
        finally:
            assert tasks() == []

    with struck_by(Fault("nowhere", "raise"), side), signals() as heard:
        return jumping_clock.run(run()), heard.ahead["early"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("saved", [False, True], ids=["in memory", "saved"])
def test_it_goes_where_it_goes_under_stock(name: str, saved: bool) -> None:
    with nothing_left():
        stock, _ = outcome("stock", ODD[name](), InMemorySaver() if saved else None)
        alto, ahead = outcome("alto", ODD[name](), InMemorySaver() if saved else None)
    assert alto == stock
    assert ahead or isinstance(stock, tuple), "nothing ran ahead"


@pytest.mark.parametrize("name", ODD)
def test_a_trace_of_it_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    stock, _ = outcome("stock", ODD[name](), None)
    with recorded() as spans:
        alto, _ = outcome("alto", ODD[name](), None)
    assert alto == stock
    assert any(span.attributes.get(names.NODE) == "after" for span in spans)
