"""Reads and writes at the same time come to what the same calls come to one by one, in an order in which they may have happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from math import dist
from typing import Any
from uuid import uuid4

import chromadb
import langchain_chroma
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alto_langgraph.adapters.batching import Batching
from alto_langgraph.adapters.chroma import Chroma
from tests.chroma.conftest import quiet
from tests.chroma.untied import Untied

pytestmark = pytest.mark.chroma

EMBEDDINGS = Untied(16)
WORDS = ("river", "ferry", "bridge", "rain", "mill", "boat", "wind", "stone")
TEXTS = {str(number): f"{word} {number}" for number, word in enumerate(WORDS * 2)}
VECTORS = {name: EMBEDDINGS.embed_query(text) for name, text in TEXTS.items()}


@dataclass(frozen=True)
class Search:
    text: str
    k: int
    even: bool


@dataclass(frozen=True)
class Add:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Delete:
    name: str


@dataclass(frozen=True)
class Pause:
    ticks: int


@dataclass(eq=False)
class Done:
    """A call, between which moments it was made, and what it returned."""

    call: Any
    began: int
    ended: int = 0
    found: Any = None


NAMES = st.sampled_from(sorted(TEXTS))
CALLS = st.one_of(
    st.builds(Search, NAMES.map(TEXTS.__getitem__), st.integers(1, 5), st.booleans()),
    st.builds(Add, st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(Delete, NAMES),
    st.builds(Pause, st.integers(0, 4)),
)
FRAGMENTS = st.lists(st.lists(CALLS, min_size=1, max_size=4), min_size=2, max_size=5)


def filter_of(call: Search) -> dict[str, Any] | None:
    return {"even": True} if call.even else None


def metadata(name: str) -> dict[str, Any]:
    return {"even": int(name) % 2 == 0}


def make(store: Any, call: Any) -> Any:
    if isinstance(call, Search):
        return [document.id for document in store.similarity_search(call.text, k=call.k, filter=filter_of(call))]
    if isinstance(call, Add):
        store.add_texts([TEXTS[name] for name in call.names], [metadata(name) for name in call.names], ids=list(call.names))
    if isinstance(call, Delete):
        store.delete([call.name])
    return None


async def amake(store: Any, call: Any) -> Any:
    if isinstance(call, Search):
        return [document.id for document in await store.asimilarity_search(call.text, k=call.k, filter=filter_of(call))]
    if isinstance(call, Add):
        await store.aadd_texts([TEXTS[name] for name in call.names], [metadata(name) for name in call.names], ids=list(call.names))
    if isinstance(call, Delete):
        await store.adelete([call.name])
    return None


@dataclass
class History:
    """What was done, on one clock that counts moments."""

    done: list[Done] = field(default_factory=list)
    clock: Iterator[int] = field(default_factory=count)

    @contextmanager
    def noted(self, call: Any) -> Iterator[Done]:
        self.done.append(done := Done(call, next(self.clock)))
        yield done
        done.ended = next(self.clock)

    async def run(self, store: Any, calls: list[Any]) -> None:
        for call in calls:
            if isinstance(call, Pause):
                for _ in range(call.ticks):
                    await asyncio.sleep(0.001)
                continue
            with self.noted(call) as done:
                done.found = await amake(store, call)

    def run_on_thread(self, store: Any, calls: list[Any]) -> None:
        for call in calls:
            if not isinstance(call, Pause):
                with self.noted(call) as done:
                    done.found = make(store, call)


def modelled(call: Search, there: frozenset[str]) -> list[str]:
    """What a search finds among these, exactly."""
    vector = EMBEDDINGS.embed_query(call.text)
    fitting = [name for name in there if not call.even or metadata(name)["even"]]
    return sorted(fitting, key=lambda name: dist(VECTORS[name], vector))[: call.k]


def one_by_one(done: list[Done]) -> list[Done] | None:
    """An order in which the calls, one by one, come to what they came to, and none before one that had ended when it began."""
    tried: set[tuple[frozenset[int], frozenset[str]]] = set()

    def onwards(left: frozenset[int], there: frozenset[str]) -> list[Done] | None:
        if not left:
            return []
        if (left, there) in tried:
            return None
        tried.add((left, there))
        first_end = min(done[place].ended for place in left)
        for place in left:
            each = done[place]
            if each.began > first_end or (isinstance(each.call, Search) and modelled(each.call, there) != each.found):
                continue
            after = there
            if isinstance(each.call, Add):
                after = there | set(each.call.names)
            elif isinstance(each.call, Delete):
                after = there - {each.call.name}
            if (rest := onwards(left - {place}, after)) is not None:
                return [each, *rest]
        return None

    return onwards(frozenset(range(len(done))), frozenset())


@pytest.fixture(scope="module")
def clients() -> Any:
    return chromadb.EphemeralClient(quiet())


@contextmanager
def collection(client: Any) -> Iterator[str]:
    name = f"order-{uuid4().hex}"
    client.create_collection(name, embedding_function=None)
    try:
        yield name
    finally:
        client.delete_collection(name)


def on_a_loop(store: Any, fragments: list[list[Any]]) -> History:
    history = History()

    async def all_of_them() -> None:
        await asyncio.gather(*(history.run(store, calls) for calls in fragments))

    asyncio.run(all_of_them())
    return history


def on_threads(store: Any, fragments: list[list[Any]]) -> History:
    history = History()
    with ThreadPoolExecutor(len(fragments)) as pool:
        for future in [pool.submit(history.run_on_thread, store, calls) for calls in fragments]:
            future.result()
    return history


@pytest.mark.parametrize("way", [on_a_loop, on_threads])
@pytest.mark.parametrize("batching", [Batching(), Batching(patience=0.05), Batching(calls=2, size=2)], ids=["usual", "patient", "small"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(fragments=FRAGMENTS)
def test_every_interleaving_is_some_order_of_single_calls(
    clients: Any, batching: Batching, way: Callable[[Any, list[list[Any]]], History], fragments: list[list[Any]]
) -> None:
    with collection(clients) as name:
        history = way(Chroma(name, EMBEDDINGS, client=clients, batching=batching), fragments)
    order = one_by_one(history.done)
    assert order is not None, [(each.call, each.began, each.ended, each.found) for each in history.done]
    with collection(clients) as name:
        stock = langchain_chroma.Chroma(name, EMBEDDINGS, client=clients)
        assert [make(stock, each.call) for each in order] == [each.found for each in order]


def test_an_answer_that_no_order_explains_is_noticed() -> None:
    a, b = sorted(TEXTS)[:2]
    add, stale = Done(Add((a, b)), 0, 1), Done(Search(TEXTS[a], 1, False), 2, 3, [])
    assert one_by_one([add, stale]) is None
    assert one_by_one([add, Done(stale.call, 0, 3, [])]) is not None
    assert one_by_one([add, Done(stale.call, 2, 3, [b])]) is None


@pytest.mark.parametrize("kind", ["memory", "disk", "server"], indirect=True)
async def test_who_added_sees_it_and_who_asked_before_does_not(kind: Any) -> None:
    with collection(kind) as name:
        store = Chroma(name, EMBEDDINGS, client=kind, batching=Batching(patience=5.0))
        stock = langchain_chroma.Chroma(name, EMBEDDINGS, client=kind)
        store.add_texts([TEXTS["0"], TEXTS["1"]], ids=["0", "1"])
        for new in ("2", "3", "4"):
            before = stock.similarity_search_by_vector(VECTORS[new])
            asked = [asyncio.create_task(store.asimilarity_search_by_vector(VECTORS[new])) for _ in range(20)]
            await asyncio.sleep(0)
            store.add_texts([TEXTS[new]], ids=[new])
            after = stock.similarity_search_by_vector(VECTORS[new])
            assert before != after == await store.asimilarity_search_by_vector(VECTORS[new])
            assert await asyncio.gather(*asked) == [before] * 20


@pytest.mark.parametrize("kind", ["memory", "server"], indirect=True)
async def test_each_of_many_fragments_sees_what_it_has_added(kind: Any) -> None:
    with collection(kind) as name:
        store = Chroma(name, EMBEDDINGS, client=kind)

        async def fragment(own: str) -> None:
            await store.aadd_texts([TEXTS[own]], ids=[own])
            assert [document.id for document in await store.asimilarity_search(TEXTS[own], k=1)] == [own]
            await store.adelete([own])
            assert own not in [document.id for document in await store.asimilarity_search(TEXTS[own], k=1)]

        await asyncio.gather(*map(fragment, TEXTS))


@pytest.fixture
def kind(request: Any) -> Any:
    from tests.chroma.conftest import opened

    return opened(request.param, request)
