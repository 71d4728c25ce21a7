"""LangChain embeddings of which many fragments ask at the same time, put together into few calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.embeddings import Embeddings

from alto_langgraph.adapters.batching import alike
from alto_langgraph.adapters.batching.batcher import About, Batcher, shared
from alto_langgraph.adapters.batching.loop_batcher import LoopBatcher
from alto_langgraph.adapters.batching.options import Batching

Vector = list[float]


class Batched(Embeddings):
    """Any LangChain embeddings; texts that are asked for at the same time, by threads or on event loops, go into one `embed_documents`.

    All wrappers of the same object share their batches. Async code of the class is used where it has any; else the sync code, on a
    thread. A query is embedded as a document only where that comes to the same; else it is asked as ever. Everything else that
    the embeddings have, such as `embed_image`, is reached through the wrapper.

    Args:
        embeddings: What embeds. `embed_documents` may be called with the texts of several askers.
        queries_are_documents: Whether `embed_query(text)` is `embed_documents([text])[0]`. None: where the class's code shows it.
        batching: When a batch goes.
    """

    embeddings: Embeddings
    """What embeds."""

    def __init__(self, embeddings: Embeddings, *, queries_are_documents: bool | None = None, batching: Batching | None = None) -> None:
        inner = embeddings.embeddings if isinstance(embeddings, Batched) else embeddings
        self.embeddings = inner
        about: About = ("embeddings", _model_of(inner))
        self._size = (batching := batching or Batching()).size
        self._sync, self._async = alike.queries_are_documents(inner) if queries_are_documents is None else (queries_are_documents,) * 2
        self._batcher: Batcher = shared((id(inner), batching), lambda: Batcher(_calling(inner), batching, about=about))
        self._loop_batcher: LoopBatcher | None = None
        if alike.is_own(inner, "aembed_documents"):
            self._loop_batcher = shared((id(inner), batching, "loop"), lambda: LoopBatcher(_acalling(inner), batching, about=about))

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        """One vector for each text, from a call that may embed others' texts, too; a list of many is embedded by itself."""
        if self._is_much(texts):
            return self.embeddings.embed_documents(texts)
        return self._batcher.ask(None, list(texts), len(texts))  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> Vector:
        """The vector of a query."""
        if not self._sync:
            return self.embeddings.embed_query(text)
        return self._batcher.ask(None, [text])[0]  # type: ignore[no-any-return]

    async def aembed_documents(self, texts: list[str]) -> list[Vector]:
        """As `embed_documents`; who waits holds no thread."""
        if self._is_much(texts):
            return await alike.asynchronous(self.embeddings, "aembed_documents")(texts)  # type: ignore[no-any-return]
        return await self._aask(list(texts))

    async def aembed_query(self, text: str) -> Vector:
        """As `embed_query`."""
        if not self._async:
            return await alike.asynchronous(self.embeddings, "aembed_query")(text)  # type: ignore[no-any-return]
        return (await self._aask([text]))[0]

    async def _aask(self, texts: list[str]) -> list[Vector]:
        if self._loop_batcher is not None:
            return await self._loop_batcher.aask(texts, len(texts))  # type: ignore[no-any-return]
        return await self._batcher.aask(None, texts, len(texts))  # type: ignore[no-any-return]

    def _is_much(self, texts: Sequence[str]) -> bool:
        """Nobody's single query shall wait for these."""
        return not 0 < len(texts) <= self._size // 4

    def __getattr__(self, name: str) -> Any:
        if name == "embeddings" or name.startswith("__"):  # nothing to look at yet: being copied, or unpickled
            raise AttributeError(name)
        return getattr(self.embeddings, name)


def _model_of(embeddings: Embeddings) -> str:
    """What a trace calls them: the model, if they say which."""
    named = (getattr(embeddings, name, None) for name in ("model", "model_name", "model_id"))
    return next((name for name in named if isinstance(name, str) and name), type(embeddings).__name__)


def _calling(embeddings: Embeddings) -> Any:
    def call(key: None, asked: list[list[str]]) -> list[list[Vector]]:
        if len(asked) == 1:
            return [embeddings.embed_documents(asked[0])]
        return _parted(asked, embeddings.embed_documents([text for texts in asked for text in texts]))

    return call


def _acalling(embeddings: Embeddings) -> Any:
    async def call(asked: list[list[str]]) -> list[list[Vector]]:
        if len(asked) == 1:
            return [await embeddings.aembed_documents(asked[0])]
        return _parted(asked, await embeddings.aembed_documents([text for texts in asked for text in texts]))

    return call


def _parted(asked: list[list[str]], vectors: list[Vector]) -> list[list[Vector]]:
    """Each asker's vectors. Raises a ValueError if there aren't as many as texts: then each is asked by itself."""
    if len(vectors) != (texts := sum(map(len, asked))):
        raise ValueError(f"There are {len(vectors)} vectors for {texts} texts.")
    ends = iter(vectors)
    return [[next(ends) for _ in texts] for texts in asked]
