"""What a node asks past LangChain's models and retrievers nobody listens to, so it isn't run again: it would ask again for each part."""

import operator
import urllib.request
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.graph import START
from langgraph.types import Send

from alto_langgraph.graph import StateGraph
from alto_langgraph.testing import PacedChatModel

MODEL = PacedChatModel()
EMBEDDER = DeterministicFakeEmbedding(size=3)
STORE = InMemoryVectorStore(EMBEDDER)
RETRIEVER = STORE.as_retriever()
CLIENT = httpx.Client()


class State(TypedDict, total=False):
    topic: str
    sections: list[str]
    texts: Annotated[list[str], operator.add]


class Searching(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(CLIENT.get(query).text)]


SEARCHING = Searching()


@tool
def look_up(topic: str) -> str:
    """Looks a topic up."""
    return httpx.get(topic).text


def explained(ask: Any, metadata: Any = None) -> Any:
    def plan(state: State) -> State:
        found = ask(state["topic"])
        return {"sections": MODEL.invoke(f"{found}").text.split("\n")}

    def write(payload: Any) -> State:
        return {"texts": [payload]}

    builder = StateGraph(State)
    builder.add_node("plan", plan, metadata=metadata)
    builder.add_node("write", write)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("write", section) for section in state["sections"]], ["write"])
    return builder.compile().explain().node("plan")


ASKING = {
    "page": lambda topic: httpx.get(topic).text,
    "client": lambda topic: CLIENT.get(topic).text,
    "url": lambda topic: urllib.request.urlopen(topic).read(),
    "embedder": lambda topic: EMBEDDER.embed_query(topic),
    "store": lambda topic: STORE.similarity_search(topic),
    "tool": lambda topic: look_up.invoke(topic),
}


@pytest.mark.parametrize("name", ASKING)
def test_it_isnt_run_again(name: str) -> None:
    node = explained(ASKING[name])
    assert (node.effects, node.streams, {reason.code for reason in node.unstreamed}) == ("idempotent", False, {"asks"})
    assert explained(ASKING[name], {"streams": True}).streams


HEARD = {
    "model": lambda topic: MODEL.invoke(topic).text,
    "retriever": lambda topic: RETRIEVER.invoke(topic),
    "retriever of the app's": lambda topic: SEARCHING.invoke(topic),
}


@pytest.mark.parametrize("name", HEARD)
def test_what_is_listened_to_is_answered_when_it_runs_again(name: str) -> None:
    assert explained(HEARD[name]).streams
