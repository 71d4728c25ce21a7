"""A vLLM server behind a URL."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from alto_langgraph.adapters.vllm.ports import Load, Request
from alto_langgraph.adapters.vllm.wire import DONE, chunk_of, parsed, refused, vectors, whole
from alto_langgraph.exceptions import ServerError

_GAUGE = re.compile(r"^vllm:num_requests_(running|waiting)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


class Remote:
    """A server that speaks OpenAI's protocol.

    Args:
        url: Its address, with the `/v1`.
        api_key: What it is opened with.
        headers: Sent with every request.
        connect: Seconds to wait for a connection.
        transport: What connects; for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        connect: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = url.rstrip("/")
        keys = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers={**keys, **(headers or {})},
            timeout=httpx.Timeout(None, connect=connect),  # who asks says how long an answer may take
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=4.0),  # uvicorn's is 5 s
            transport=transport,
        )

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        body = {**request.body, "stream": request.streamed, "priority": request.priority}
        if request.streamed:
            body["stream_options"] = {"include_usage": True}
        async with self._asked("/chat/completions", body, request) as response:
            if not request.streamed:
                yield whole(self.name, await self._said(response))
                return
            ended = False
            async for data in _events(response):
                if data == DONE and ended:
                    return
                chunk = chunk_of(self.name, data)
                ended = ended or any(choice.get("finish_reason") for choice in chunk["choices"])
                yield chunk
            raise ServerError(f"{self.name} broke off in the middle of an answer.")

    async def embed(self, request: Request) -> list[list[float]]:
        body = {**request.body, "encoding_format": "base64", "priority": request.priority}
        async with self._asked("/embeddings", body, request) as response:
            return vectors(self.name, await self._said(response), len(request.body["input"]))

    async def load(self) -> Load:
        """What its /metrics say; nothing of both, where it has none."""
        async with self._translated():
            response = await self._client.get(f"{self.name.removesuffix('/v1')}/metrics", timeout=10.0)
            if response.status_code >= 500:
                raise refused(self.name, response.status_code, response.text)
        found: dict[str, float] = {}
        for which, value in _GAUGE.findall(response.text):
            found[which] = found.get(which, 0.0) + float(value)
        return Load(int(found.get("running", 0)), int(found.get("waiting", 0)))

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def _asked(self, path: str, body: Mapping[str, Any], request: Request) -> AsyncIterator[httpx.Response]:
        async with self._translated(), self._client.stream("POST", self.name + path, json=body, headers=request.headers) as response:
            if response.status_code != 200:
                raise refused(self.name, response.status_code, (await response.aread()).decode(errors="replace"))
            yield response

    async def _said(self, response: httpx.Response) -> Any:
        return parsed(self.name, (await response.aread()).decode(errors="replace"))

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """Says in our words what is wrong with a connection."""
        try:
            yield
        except httpx.ConnectError as error:
            raise ServerError(f"{self.name} can't be reached: {error}.", hint="See `base_url`, and whether the server runs.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(f"{self.name} is gone: {error or type(error).__name__}") from error


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    """What stands behind `data:` in a stream of server-sent events; lines of other kinds carry nothing here."""
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            yield line[5:].strip()
