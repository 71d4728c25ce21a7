"""The vector store: langchain-chroma's own, with what is asked at the same time put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import langchain_chroma
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from alto_langgraph.adapters.batching.embeddings import Batched
from alto_langgraph.adapters.batching.options import Batching, cores
from alto_langgraph.adapters.chroma.collection import BatchedCollection
from alto_langgraph.adapters.chroma.replay import searched, written
from alto_langgraph.adapters.chroma.server import Limits

_BY_TEXT = ("similarity_search", "similarity_search_with_score")
_MMR = ("max_marginal_relevance_search", "max_marginal_relevance_search_by_vector")


class Chroma(langchain_chroma.Chroma):
    """`langchain_chroma.Chroma`, embedded or client and server, with the same results.

    Searches that go on at the same time, on threads or event loops, are put together: their texts into one `embed_documents`, their
    vectors into one `collection.query` of those that agree in all else (collection, filter, `k`, ...). Async searches hold no thread
    while they wait. A retriever made of it by `as_retriever()` does the same.

    Args:
        args, kwargs: As langchain-chroma takes them.
        batching: When a batch of queries goes; by default up to four are under way at a time, as many as there are processor cores.
        queries_are_documents: Whether `embed_query(text)` is `embed_documents([text])[0]`, so that queries may be embedded together.
            None: where the code of the embeddings' class shows it. False leaves the embeddings as they are.
        timeout: Seconds that a server may be silent in a read; None for ever. An embedded Chroma isn't timed.
        write_timeout: The same in a write.
        retries: How often a read is tried again after its connection was refused or broke.

    Raises:
        MissingExtraError: chromadb or langchain-chroma isn't installed.
        OptionsError: a time limit isn't above 0, or there are fewer than 0 retries.
        ServerError: later on, by whatever asks a server that is gone, silent or broken.
    """

    _embedding_function: Any

    def __init__(
        self,
        *args: Any,
        batching: Batching | None = None,
        queries_are_documents: bool | None = None,
        timeout: float | None = 60.0,
        write_timeout: float | None = 600.0,
        retries: int = 3,
        **kwargs: Any,
    ) -> None:
        self._batching = batching or Batching(calls=min(4, cores()))
        self._limits = Limits(timeout, write_timeout, retries)
        super().__init__(*args, **kwargs)
        self._given_embeddings: Embeddings | None = self._embedding_function
        if self._given_embeddings is not None and queries_are_documents is not False:
            self._embedding_function = Batched(self._given_embeddings, queries_are_documents=queries_are_documents)

    @property
    def embeddings(self) -> Embeddings | None:
        """The embeddings that were given."""
        return self._given_embeddings

    @property
    def _collection(self) -> BatchedCollection:
        found = super()._collection
        if not isinstance(found, BatchedCollection):
            found = self._chroma_collection = BatchedCollection.of(found, self._batching, self._limits)
        return found

    def delete_collection(self) -> None:
        """Deletes the collection, once what was asked of it is answered."""
        self._collection.write(super().delete_collection)

    # ---- async: by langchain-chroma's own sync methods, unless a subclass has others in their place

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        if self._has_other(*_BY_TEXT):
            return await super().asimilarity_search(query, k, **kwargs)
        return await searched(self, "similarity_search", query, k=k, **kwargs)

    async def asimilarity_search_with_score(self, *args: Any, **kwargs: Any) -> list[tuple[Document, float]]:
        if self._has_other("similarity_search_with_score"):
            return await super().asimilarity_search_with_score(*args, **kwargs)
        return await searched(self, "similarity_search_with_score", *args, **kwargs)

    async def asimilarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        if self._has_other("similarity_search_by_vector"):
            return await super().asimilarity_search_by_vector(embedding, k, **kwargs)
        return await searched(self, "similarity_search_by_vector", embedding, k=k, **kwargs)

    async def amax_marginal_relevance_search(self, query: str, *args: Any, **kwargs: Any) -> list[Document]:
        if self._has_other(*_MMR):
            return await super().amax_marginal_relevance_search(query, *args, **kwargs)
        return await searched(self, _MMR[0], query, *args, on_thread=True, **kwargs)

    async def amax_marginal_relevance_search_by_vector(self, embedding: list[float], *args: Any, **kwargs: Any) -> list[Document]:
        if self._has_other(_MMR[1]):
            return await super().amax_marginal_relevance_search_by_vector(embedding, *args, **kwargs)
        return await searched(self, _MMR[1], embedding, *args, on_thread=True, **kwargs)

    async def aadd_texts(
        self, texts: Iterable[str], metadatas: list[dict[str, Any]] | None = None, *, ids: list[str] | None = None, **kwargs: Any
    ) -> list[str]:
        if ids is not None:
            kwargs["ids"] = ids
        if self._has_other("add_texts"):
            return await super().aadd_texts(texts, metadatas, **kwargs)
        return await written(self, "add_texts", list(texts), metadatas, **kwargs)

    def _has_other(self, *names: str) -> bool:
        return any(getattr(type(self), name) is not getattr(langchain_chroma.Chroma, name) for name in names)
