"""LangChain's embeddings on vLLM: in this process, or on one or many servers."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import Field

from alto_langgraph.adapters.vllm.ports import Request
from alto_langgraph.adapters.vllm.served import Served
from alto_langgraph.adapters.vllm.serving_loop import ServingLoop, serving


class VLLMEmbeddings(Served, Embeddings):
    """Embeddings of a model on vLLM; `base_url`, `engine` and the rest as for `ChatVLLM`.

    In process the engine is told to make embeddings (`runner="pooling"`), unless `engine` says otherwise.

    Raises:
        MissingExtraError: on construction, if the model shall run here and vLLM isn't installed.
        ServerError: by calls; no server answers, or one refuses the request. It says why.
    """

    dimensions: int | None = Field(default=None, ge=1, description="Size of the vectors, for models that have several.")
    batch_size: int = Field(default=512, ge=1, description="Most texts of a request; more are sent in several at a time.")
    extra_body: dict[str, Any] = Field(default_factory=dict, description="Further fields of requests: `truncate_prompt_tokens`, ...")

    def model_post_init(self, context: Any) -> None:
        if self.base_url is None:
            self.engine = {"runner": "pooling", **self.engine}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        loop = serving()
        return loop.ask_sync(self._embedded(loop, self._requests(texts)))

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        loop = serving()
        return await loop.ask(self._embedded(loop, self._requests(texts)))

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return (await self.aembed_documents([text]))[0]

    def _requests(self, texts: list[str]) -> list[Request]:
        beside = {**({"dimensions": self.dimensions} if self.dimensions else {}), **self.extra_body}
        parts = [texts[start : start + self.batch_size] for start in range(0, len(texts), self.batch_size)]
        return [self._asking({"model": self.served_name, "input": part, **beside}) for part in parts]

    async def _embedded(self, loop: ServingLoop, requests: list[Request]) -> list[list[float]]:
        server = self._server(loop)
        parts = [asyncio.ensure_future(self._ask_vectors(server, request)) for request in requests]
        try:
            return [vector for part in await asyncio.gather(*parts) for vector in part]
        finally:
            for part in parts:  # the others, where one has failed
                part.cancel()
