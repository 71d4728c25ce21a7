"""A Chroma collection that makes one query of those that are asked at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chromadb import Collection
from langchain_core.runnables.config import run_in_executor

from alto_langgraph.adapters.batching.batcher import Batcher, shared
from alto_langgraph.adapters.batching.options import Batching
from alto_langgraph.adapters.chroma.requests import ROWS, Request, arguments, parted, request
from alto_langgraph.adapters.chroma.server import Limits, Server, is_everyones


class BatchedCollection(Collection):
    """A collection like another, whose queries are put together.

    All of the process that mean the same collection of the same client share their batches. A write first has everything answered
    that was asked of these, so who asked before it doesn't see it; who asks after it has returned does.
    """

    _alto_server: Server
    _alto_batcher: Batcher
    _alto_size: int

    @classmethod
    def of(cls, collection: Collection, batching: Batching, limits: Limits) -> BatchedCollection:
        """The same collection, batched."""
        made = cls.__new__(cls)
        made.__dict__.update(collection.__dict__)
        made._alto_server, made._alto_size = Server(collection._client, limits), batching.size
        key = (id(collection._client), collection.tenant, collection.database, collection.id, batching, limits)
        made._alto_batcher = shared(
            key, lambda: Batcher(_calling(collection, made._alto_server), batching, is_everyones, about=("retrieval", collection.name))
        )
        return made

    # ---- reads

    def query(self, *args: Any, **kwargs: Any) -> Any:
        """As `Collection.query`; raises what that raises, or a ServerError."""
        if args or (asked := request(kwargs)) is None:
            return self._alto_server.read(lambda: super(BatchedCollection, self).query(*args, **kwargs))
        return self._alto_batcher.ask(asked.key, asked.vector, self._weight(asked))

    async def aquery(self, **kwargs: Any) -> Any:
        """The same; who waits holds no thread, if it may be asked together with others."""
        if (asked := request(kwargs)) is None:
            return await run_in_executor(None, self.query, **kwargs)
        return await self._alto_batcher.aask(asked.key, asked.vector, self._weight(asked))

    def _weight(self, asked: Request) -> float:
        return max(1.0, asked.rows * self._alto_size / ROWS)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._alto_server.read(lambda: super(BatchedCollection, self).get(*args, **kwargs))

    def count(self, *args: Any, **kwargs: Any) -> Any:
        return self._alto_server.read(lambda: super(BatchedCollection, self).count(*args, **kwargs))

    def peek(self, *args: Any, **kwargs: Any) -> Any:
        return self._alto_server.read(lambda: super(BatchedCollection, self).peek(*args, **kwargs))

    def search(self, *args: Any, **kwargs: Any) -> Any:
        return self._alto_server.read(lambda: super(BatchedCollection, self).search(*args, **kwargs))

    # ---- writes

    def write(self, call: Callable[[], Any]) -> Any:
        """Has everything answered that was asked before, and makes the call."""
        self._alto_batcher.flush()
        return self._alto_server.write(call)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self.write(lambda: super(BatchedCollection, self).add(*args, **kwargs))

    def upsert(self, *args: Any, **kwargs: Any) -> Any:
        return self.write(lambda: super(BatchedCollection, self).upsert(*args, **kwargs))

    def update(self, *args: Any, **kwargs: Any) -> Any:
        return self.write(lambda: super(BatchedCollection, self).update(*args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self.write(lambda: super(BatchedCollection, self).delete(*args, **kwargs))

    def modify(self, *args: Any, **kwargs: Any) -> Any:
        return self.write(lambda: super(BatchedCollection, self).modify(*args, **kwargs))


def _calling(collection: Collection, server: Server) -> Callable[[Any, list[Any]], list[Any]]:
    def call(key: Any, vectors: list[Any]) -> list[Any]:
        found: Any = server.read(lambda: collection.query(query_embeddings=vectors, **arguments(key)))
        return [found] if len(vectors) == 1 else parted(found, len(vectors))

    return call
