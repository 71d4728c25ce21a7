"""Answers that break off are begun anew, maybe by a server that goes on otherwise: what is told is one answer, or a part and an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.adapters.vllm.pool import Pool
from alto_langgraph.adapters.vllm.ports import Load, Request
from alto_langgraph.exceptions import ServerError
from tests.vllm.servers import body, text_of


class Breaking:
    """Says its pieces, and breaks off after so many of them; None for never."""

    def __init__(self, name: str, pieces: Sequence[str], breaks: int | None, *, tool: bool) -> None:
        self.name, self._pieces, self._breaks, self._tool = name, pieces, breaks, tool

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        for place, piece in enumerate(self._pieces):
            if place == self._breaks:
                raise ServerError(f"{self.name} is gone.")
            yield _chunk({"content": piece})
        if self._breaks is not None:
            raise ServerError(f"{self.name} is gone.")
        if self._tool:
            yield _chunk({"tool_calls": [{"index": 0, "function": {"name": "look", "arguments": "{}"}}]})
        yield _chunk({}, "stop")
        yield {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(self._pieces)}}

    async def embed(self, request: Request) -> list[list[float]]:
        raise NotImplementedError

    async def load(self) -> Load:
        return Load(0, 0)

    async def close(self) -> None:
        pass


def _chunk(delta: Mapping[str, Any], ends: str | None = None) -> Mapping[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": ends}]}


PIECES = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4)
"""Few letters, so that answers often begin alike, are cut otherwise, and then differ."""
SERVERS = st.lists(st.tuples(PIECES, st.none() | st.integers(0, 4), st.booleans()), min_size=1, max_size=4)


@given(SERVERS)
def test_no_answer_is_put_together_of_two(servers: list[tuple[list[str], int | None, bool]]) -> None:
    texts = ["".join(pieces) for pieces, _, _ in servers]
    asked = [Breaking(f"{place}", pieces, breaks, tool=tool) for place, (pieces, breaks, tool) in enumerate(servers)]

    async def hear() -> tuple[list[Mapping[str, Any]], ServerError | None]:
        chunks: list[Mapping[str, Any]] = []
        try:
            async for chunk in Pool(asked).chat(Request(body("hello", temperature=0))):
                chunks.append(chunk)
        except ServerError as error:
            return chunks, error
        return chunks, None

    chunks, error = asyncio.run(hear())
    said = text_of(chunks)
    ends = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    calls = sum("tool_calls" in choice["delta"] for chunk in chunks for choice in chunk["choices"])
    if error is None:
        whole = [(text, tool) for text, (_, breaks, tool) in zip(texts, servers, strict=True) if breaks is None]
        assert (said, calls == 1) in whole
        assert ends == ["stop"]
    else:
        assert any(text.startswith(said) for text in texts)
        assert not ends
