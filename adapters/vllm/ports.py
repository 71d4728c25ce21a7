"""What the rest of this room needs of an engine, wherever it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from alto_langgraph.protocols import Caller


@dataclass(frozen=True, slots=True)
class Request:
    """One request to an engine.

    Args:
        body: Fields of OpenAI's chat completions request, vLLM's own among them (`structured_outputs`, `cache_salt`, ...), without
            `stream` and `priority`; or of its embeddings request.
        priority: As vLLM takes it: smaller goes first.
        headers: HTTP headers such as `traceparent`.
        timeout: Seconds until it is given up; None for ever.
        streamed: Whether the answer is wanted in pieces; else it comes as one chunk, which costs an engine less.
        caller: The task that asks, where that is known before it is sent (a sync call is sent from another thread).
    """

    body: Mapping[str, Any]
    priority: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    streamed: bool = True
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine says of itself: requests that it computes, and requests that wait."""

    running: int
    waiting: int


class Server(Protocol):
    """One engine: in this process, or behind a URL."""

    @property
    def name(self) -> str:
        """Names it in messages, spans and placement."""

    def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        """Yields OpenAI's `chat.completion.chunk` objects, the last one with usage. Closing it aborts the request in the engine."""

    async def embed(self, request: Request) -> list[list[float]]:
        """One vector for each text of the body's `input` (OpenAI's embeddings request)."""

    async def load(self) -> Load:
        """How busy it is. Raises an `AltoError` when it can't be reached."""

    async def close(self) -> None:
        """Lets go of what it holds; an engine that others share stays."""
