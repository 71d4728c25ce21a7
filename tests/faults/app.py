"""One app with everything that can fail in it, and the fault that strikes at one of these places.

Superstep by superstep: `first` (quick, slow) -> `second` (asks a retriever and a model) -> `third` -> `fourth` (needs nothing of
`third`) -> `fifth` (cached, looks into the store). Under alto the slow `first` waits until `second` is through, and `third` until
`fourth` is, so faults strike where work runs ahead. From `second` on each task is alone in its superstep: what is left then is no matter
of time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import aheard, heard, say

BOTH: dict[str, Any] = {"stock": Stock, "alto": Alto}
FOR_EVER = 1e6
"""Seconds, on a clock that jumps."""
STALL, A_WHILE = 0.02, 0.03
"""Seconds that a stall takes, and that who is waited for is given to be through."""
INPUT: dict[str, Any] = {"items": ["slow", "quick"]}


class BrokenError(Exception):
    """What strikes."""


class Fault:
    """Strikes at one place of the app, each time that it is reached, until it is healed.

    Args:
        place: Where.
        kind: `raise`, `hang` (until it is cancelled) or `stall` (it blocks its thread for a moment, then goes on).
    """

    def __init__(self, place: str, kind: str) -> None:
        self.place, self.kind, self.healed = place, kind, False
        self.struck: Counter[str] = Counter()

    def strikes(self, place: str) -> bool:
        """Whether it does, there and now."""
        if self.healed or place != self.place:
            return False
        self.struck[place] += 1
        return True

    def heal(self, waiting: Any = None) -> None:
        """It strikes no more; what is returned is the input of a turn that goes on."""
        self.healed = True

    def at(self, place: str) -> None:
        """A place where it may strike."""
        if self.strikes(place):
            if self.kind == "raise":
                raise BrokenError(f"{place} is broken")
            time.sleep(STALL)

    async def aat(self, place: str) -> None:
        """The same where one can wait."""
        if self.kind == "hang" and self.strikes(place):
            await asyncio.sleep(FOR_EVER)
        self.at(place)


FAULT: ContextVar[Fault] = ContextVar("fault")
ALTO: ContextVar[bool] = ContextVar("alto", default=False)


def at(place: str) -> None:
    """A place in a node, or in what it asks, where the run's fault may strike."""
    FAULT.get().at(place)


async def aat(place: str) -> None:
    """The same where one can wait."""
    await FAULT.get().aat(place)


@contextmanager
def struck_by(fault: Fault, side: str) -> Iterator[None]:
    """Runs inside the block are struck."""
    tokens = FAULT.set(fault), ALTO.set(side == "alto")
    try:
        yield
    finally:
        FAULT.reset(tokens[0])
        ALTO.reset(tokens[1])


# ---- what nodes ask


class Model(BaseChatModel):
    """Answers three lines, and may break off behind the second."""

    @property
    def _llm_type(self) -> str:
        return "double"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        at("model")
        return ChatResult(generations=[ChatGeneration(message=AIMessage("a\nb\nc"))])

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        await aat("model")
        return ChatResult(generations=[ChatGeneration(message=AIMessage("a\nb\nc"))])

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        for line in ("a\n", "b\n", "c"):
            if line == "c":
                await aat("model")
            yield ChatGenerationChunk(message=AIMessageChunk(content=line))


class Retriever(BaseRetriever):
    """Finds one document."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        at("retriever")
        return [Document(query)]

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        await aat("retriever")
        return [Document(query)]


MODEL, RETRIEVER = Model(), Retriever()


# ---- where LangGraph keeps things


class Saver(InMemorySaver):
    """A checkpointer: saving strikes from superstep 1 on, when there is work ahead."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def get_tuple(self, config: Any) -> Any:
        self.fault.at("get")
        return super().get_tuple(config)

    async def aget_tuple(self, config: Any) -> Any:
        await self.fault.aat("get")
        return super().get_tuple(config)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if metadata["step"] > 0:
            self.fault.at("put")
        return super().put(config, checkpoint, metadata, new_versions)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if metadata["step"] > 0:
            await self.fault.aat("put")
        return super().put(config, checkpoint, metadata, new_versions)

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        if any(channel == "c" for channel, _ in writes):
            self.fault.at("put_writes")
        super().put_writes(config, writes, task_id, task_path)

    async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        if any(channel == "c" for channel, _ in writes):
            await self.fault.aat("put_writes")
        super().put_writes(config, writes, task_id, task_path)


class Store(InMemoryStore):
    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def batch(self, ops: Any) -> Any:
        self.fault.at("store")
        return super().batch(ops)

    async def abatch(self, ops: Any) -> Any:
        await self.fault.aat("store")
        return await super().abatch(ops)


class Cache(InMemoryCache[Any]):
    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def get(self, keys: Any) -> Any:
        self.fault.at("cache get")
        return super().get(keys)

    async def aget(self, keys: Any) -> Any:
        await self.fault.aat("cache get")
        return super().get(keys)

    def set(self, pairs: Any) -> None:
        self.fault.at("cache set")
        super().set(pairs)

    async def aset(self, pairs: Any) -> None:
        await self.fault.aat("cache set")
        super().set(pairs)


# ---- the graph


def add(old: list[str], new: list[str]) -> list[str]:
    """A reducer that works on what the second stage writes."""
    if any(item.startswith("second") for item in new):
        at("reducer")
    return [*old, *new]


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[str], add]
    c: str
    d: str


def begins(item: str) -> Command[Any]:
    return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)] if item == "quick" else [])


def built(side: str, fault: Fault, *, sync: bool, saver: Any = None) -> Any:
    """The graph of one side, compiled with everything that may fail, or with this saver."""
    nodes = SYNC if sync else ASYNC
    graph = BOTH[side](State)
    for name, (node, options) in nodes.items():
        graph.add_node(name, node, **options)
    graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"])
    graph.add_conditional_edges("second", path_on_a_thread if sync else path, ["third"])
    graph.add_edge("third", "fourth").add_edge("fourth", "fifth")
    return graph.compile(checkpointer=saver or Saver(fault), store=Store(fault), cache=Cache(fault))


async def first(item: str) -> Command[Any]:
    if item == "slow" and ALTO.get():
        await aheard("second")
        await asyncio.sleep(A_WHILE)
    return begins(item)


async def second(item: str) -> State:
    say("second")
    await aat("node")
    found = await RETRIEVER.ainvoke(item)
    answer = await MODEL.ainvoke(found[0].page_content)
    return {"out": [f"second {item}", *answer.text.split("\n")]}


async def path(state: State) -> str:
    await aat("path")
    return "third"


async def third(state: State) -> State:
    if ALTO.get():
        await aheard("fourth")
        await asyncio.sleep(A_WHILE)
    return {"c": f"third of {len(state['out'])}"}


async def fourth(state: State) -> State:
    say("fourth")
    await aat("late node")
    return {"d": f"fourth of {len(state['items'])}"}


async def fifth(state: State, runtime: Runtime[Any]) -> State:
    assert runtime.store is not None
    found = await runtime.store.aget(("app",), "key")
    return {"out": [f"fifth {state['c']} {state['d']} {found}"]}


def first_on_a_thread(item: str) -> Command[Any]:
    if item == "slow" and ALTO.get():
        heard("second")
        time.sleep(A_WHILE)
    return begins(item)


def second_on_a_thread(item: str) -> State:
    say("second")
    at("node")
    found = RETRIEVER.invoke(item)
    answer = MODEL.invoke(found[0].page_content)
    return {"out": [f"second {item}", *answer.text.split("\n")]}


def path_on_a_thread(state: State) -> str:
    at("path")
    return "third"


def third_on_a_thread(state: State) -> State:
    if ALTO.get():
        heard("fourth")
        time.sleep(A_WHILE)
    return {"c": f"third of {len(state['out'])}"}


def fourth_on_a_thread(state: State) -> State:
    say("fourth")
    at("late node")
    return {"d": f"fourth of {len(state['items'])}"}


def fifth_on_a_thread(state: State, runtime: Runtime[Any]) -> State:
    assert runtime.store is not None
    found = runtime.store.get(("app",), "key")
    return {"out": [f"fifth {state['c']} {state['d']} {found}"]}


SENDS: dict[str, Any] = {"destinations": ("second",)}
AGAIN: dict[str, Any] = {"metadata": {"effects": "idempotent"}}
CACHED: dict[str, Any] = {"cache_policy": CachePolicy()}
ASYNC: dict[str, tuple[Any, dict[str, Any]]] = {
    "first": (first, SENDS),
    "second": (second, {}),
    "third": (third, AGAIN),
    "fourth": (fourth, AGAIN),
    "fifth": (fifth, CACHED),
}
SYNC: dict[str, tuple[Any, dict[str, Any]]] = {
    "first": (first_on_a_thread, SENDS),
    "second": (second_on_a_thread, {}),
    "third": (third_on_a_thread, AGAIN),
    "fourth": (fourth_on_a_thread, AGAIN),
    "fifth": (fifth_on_a_thread, CACHED),
}
