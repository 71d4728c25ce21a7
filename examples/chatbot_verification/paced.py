"""The app with a model double that takes a real engine's time, over the shipped encyclopedia."""

from functools import cache

from langchain_core.retrievers import BaseRetriever
from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.chatbot_verification.as_written import State, build
from alto_langgraph.examples.chatbot_verification.elements import passages
from alto_langgraph.examples.chatbot_verification.rules import answer
from alto_langgraph.exceptions import MissingExtraError
from alto_langgraph.testing import HashEmbeddings, PacedChatModel

QUESTION = "What should I know about gold, mercury, iron, tungsten, helium, iodine and silicon?"


def text(question: str = QUESTION) -> State:
    """The app's input."""
    return {"question": question}


@cache
def encyclopedia() -> BaseRetriever:
    """A retriever over an embedded Chroma collection with all passages in it, one for the process.

    Passages that are equally near to a query come in an order that is chance, but the same for as long as the collection lives.

    Raises:
        MissingExtraError: Chroma isn't installed.
    """
    try:
        from chromadb import EphemeralClient, Settings
        from langchain_chroma import Chroma
    except ImportError as error:
        raise MissingExtraError("The example searches a Chroma collection.", hint="pip install 'alto-langgraph[chroma]'") from error
    client = EphemeralClient(Settings(anonymized_telemetry=False))
    store = Chroma("elements", HashEmbeddings(), client=client, collection_metadata={"hnsw:space": "cosine"})
    told = passages()
    store.add_texts(told, ids=[str(place) for place in range(len(told))])
    store.similarity_search("gold")  # which has Chroma build its index; searches beside that would find another order
    retriever: BaseRetriever = store.as_retriever(search_kwargs={"k": 3})
    return retriever


def double() -> PacedChatModel:
    """The model double."""
    return PacedChatModel(answers=answer)


def graph() -> CompiledStateGraph[State]:
    """The app as written, with a double of its own."""
    return build(double(), encyclopedia())
