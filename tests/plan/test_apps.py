"""Things that real apps do beside reading their state: retrieval, tools, threads, decorators of libraries, late set-up."""

import asyncio
import functools
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import langsmith
import pytest
import tenacity
from langchain_core.documents import Document
from langchain_core.embeddings.fake import DeterministicFakeEmbedding
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import interrupt

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import CallablePlan, Effects

llm = FakeListChatModel(responses=["x"])
vectors = InMemoryVectorStore(DeterministicFakeEmbedding(size=3))
retriever = vectors.as_retriever()
client: Any = None


def read(function: Any) -> CallablePlan:
    return analyse(function, describe=describe)


def touched(function: Any, *, reads: bool = False, writes: bool = False) -> set[int]:
    return {use.key for use in read(function).shares if (use.reads and reads) or (use.writes and writes)}


def fills(state):
    vectors.add_documents([Document(page_content=text) for text in state["docs"]])
    return {"x": 1}


def retrieves(state):
    return {"x": retriever.invoke(state["q"])}


def retrieves_in_a_chain(state):
    chain = retriever | llm
    return {"x": chain.invoke(state["q"])}


def retrieves_on_the_spot(state):
    return {"x": vectors.as_retriever().invoke(state["q"])}


def searches(state):
    return {"x": vectors.similarity_search(state["q"])}


@pytest.mark.parametrize("function", [retrieves, retrieves_in_a_chain, retrieves_on_the_spot, searches])
def test_a_search_reads_the_store_that_another_node_fills(function: Any) -> None:
    assert touched(function, reads=True) & touched(fills, writes=True)
    assert not touched(function, writes=True)
    assert read(function).effects is Effects.IDEMPOTENT
    assert not read(function).may_interrupt


class Own(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(page_content=interrupt(query))]


own = Own()


def asks_own(state):
    return {"x": own.invoke(state["q"])}


def test_a_retriever_of_the_apps_is_looked_into() -> None:
    assert read(asks_own).may_interrupt


@tool
def notes(text: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Note."""
    state["notes"].append(text)
    return text


@tool
def plain(text: str) -> str:
    """Say."""
    return text


def test_a_tool_that_changes_the_state_it_gets_is_found() -> None:
    found = describe(ToolNode([plain, notes]))
    assert found is not None and found.mutates
    assert not (describe(ToolNode([plain])) or found).mutates


def work(doc):
    return doc["x"]


def changes(doc):
    doc["x"] = 1


def in_a_pool(state):
    with ThreadPoolExecutor() as pool:
        return {"x": list(pool.map(work, state["docs"]))}


async def in_a_thread(state):
    return {"x": await asyncio.to_thread(work, state["docs"][0])}


async def in_an_executor(state):
    loop = asyncio.get_running_loop()
    return {"x": await loop.run_in_executor(None, work, state["docs"][0])}


async def in_tasks(state):
    async def one(doc):
        return await llm.ainvoke(doc)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(doc)) for doc in state["docs"]]
    return {"x": [task.result() for task in tasks]}


@pytest.mark.parametrize("function", [in_a_pool, in_a_thread, in_an_executor, in_tasks])
def test_work_in_threads_and_tasks_is_followed(function: Any) -> None:
    plan = read(function)
    assert plan.reads == {"docs"} and not plan.mutates and plan.effects <= Effects.IDEMPOTENT, plan


def changes_in_a_pool(state):
    with ThreadPoolExecutor() as pool:
        list(pool.map(changes, state["docs"]))


async def changes_in_a_thread(state):
    await asyncio.to_thread(changes, state["docs"][0])


@pytest.mark.parametrize("function", [changes_in_a_pool, changes_in_a_thread])
def test_changes_in_threads_are_found(function: Any) -> None:
    assert read(function).mutates


def late(state):
    return {"x": client.fetch(state["q"])}


def test_what_is_set_later_may_be_anything() -> None:
    plan = read(late)
    assert plan.effects is Effects.UNKNOWN
    assert [(use.name, use.reads, use.writes) for use in plan.shares] == [("client", True, True)]


class Lazy:
    def __init__(self) -> None:
        self.index: Any = None

    def builds(self, state):
        self.index = {"x": state["docs"]}

    def looks(self, state):
        return {"x": self.index["x"]}


def test_an_attribute_that_is_filled_later_is_shared() -> None:
    lazy = Lazy()
    assert touched(lazy.builds, writes=True) & touched(lazy.looks, reads=True)


@functools.cache
def slow(text):
    return text


def cached_helper(state):
    return {"x": slow(state["q"])}


def test_a_library_decorator_is_seen_through() -> None:
    assert read(cached_helper).reads == {"q"}
    assert read(cached_helper).effects is Effects.PURE


def test_what_keeps_a_list_of_pending_work_under_two_names_is_one_list() -> None:
    def node(state):
        out = []
        same = out
        same.append(state["doc"])
        out[0].append(1)
        return {"x": 1}

    assert read(node).mutates


def log(text):
    logging.getLogger(__name__).info("x %s", text)


@tenacity.retry(stop=tenacity.stop_after_attempt(2))
def retried(state):
    log(state["q"])
    return {"x": llm.invoke(state["q"])}


@langsmith.traceable
async def traced(state):
    return {"x": await llm.ainvoke(state["q"]), "y": os.environ.get("X", os.getenv("Y"))}


def odd_library(function):
    """Stands for a decorator of a library that nothing is known of."""
    space = {"__name__": "odd", "function": function, "wraps": functools.wraps}
    exec("@wraps(function)\ndef wrapper(*args):\n    return function(*args)", space)
    return space["wrapper"]


@odd_library
def wrapped_oddly(state):
    return {"x": llm.invoke(state["q"])}


@pytest.mark.parametrize("function", [retried, traced])
def test_decorators_that_only_run_what_they_decorate_are_seen_through(function: Any) -> None:
    plan = read(function)
    assert (plan.reads, plan.effects, plan.mutates) == ({"q"}, Effects.IDEMPOTENT, False), plan.evidence
    assert not any(use.writes for use in plan.shares)


def test_other_decorators_may_do_anything() -> None:
    assert read(wrapped_oddly).effects is Effects.UNKNOWN
