"""LangChain's own standard tests of vector stores, retrievers and embeddings."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.embeddings import Embeddings

from alto_langgraph.adapters.batching import Batched
from alto_langgraph.adapters.chroma import Chroma
from alto_langgraph.testing import HashEmbeddings

standard = pytest.importorskip("langchain_tests.integration_tests", reason="langchain-tests isn't installed")

pytestmark = [pytest.mark.chroma, pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")]


class TestVectorStore(standard.VectorStoreIntegrationTests):  # type: ignore[name-defined]
    @pytest.fixture
    def vectorstore(self, client: Any, name: str) -> Chroma:
        return Chroma(name, self.get_embeddings(), client=client)


class TestRetriever(standard.RetrieversIntegrationTests):  # type: ignore[name-defined]
    @pytest.fixture(autouse=True, params=["similarity", "mmr"])
    def filled(self, client: Any, name: str, request: Any) -> None:
        self.store, self.search_type = Chroma(name, HashEmbeddings(16), client=client), request.param
        self.store.add_texts([f"river {number}" for number in range(9)])

    @property
    def retriever_constructor(self) -> Any:
        return lambda k=4: self.store.as_retriever(search_type=self.search_type, search_kwargs={"k": k})

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {}

    @property
    def retriever_query_example(self) -> str:
        return "river 3"


class _Batched(Batched):
    def __init__(self) -> None:
        super().__init__(HashEmbeddings(16))


class TestEmbeddings(standard.EmbeddingsIntegrationTests):  # type: ignore[name-defined]
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return _Batched

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {}
