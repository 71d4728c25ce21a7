"""Where a model is served, as its user says it, and the one server that all who say the same have in common."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from importlib import import_module
from typing import Any

from langchain_core.utils import secret_from_env
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from alto_langgraph.adapters.vllm.admission import Admission
from alto_langgraph.adapters.vllm.asking_once import AskingOnce
from alto_langgraph.adapters.vllm.in_process import InProcess, require_vllm
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy
from alto_langgraph.adapters.vllm.pool import Pool
from alto_langgraph.adapters.vllm.ports import Request, Server
from alto_langgraph.adapters.vllm.remote import Remote
from alto_langgraph.adapters.vllm.scheduling import Scheduled
from alto_langgraph.adapters.vllm.serving_loop import ServingLoop, serving
from alto_langgraph.exceptions import ServerError
from alto_langgraph.protocols import caller


class Served(BaseModel):
    """A model that an engine in this process serves, or servers elsewhere."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", populate_by_name=True, protected_namespaces=())

    model: str = Field(description="The model's folder or name; with `base_url`, the name under which it is served.")
    base_url: str | list[str] | None = Field(
        default=None, description="Address of a vLLM server, with the `/v1`, or of several that serve the same model; without, in process."
    )
    engine: dict[str, Any] = Field(
        default_factory=dict,
        description="In process: arguments of `vllm serve`, with underscores. Who says the same shares an engine.",
    )
    api_key: SecretStr | None = Field(
        default_factory=secret_from_env("VLLM_API_KEY", default=None), description="What the servers are opened with."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every request.")
    timeout: float | None = Field(default=None, gt=0, description="Seconds until a request is given up, tries included.")
    max_retries: int = Field(default=2, ge=0, description="How often all servers are tried again where none has answered.")
    silence: float = Field(default=60.0, gt=0, description="Seconds without a word after which a server that works on something is gone.")
    policy: Any = Field(
        default=None, exclude=True, description="Says which request goes first (`policy.Policy`); without it, `ByAncestry`, shared."
    )
    max_concurrency: int | None = Field(
        default=None, ge=1, description="Most requests that are sent at a time; the others wait here, in the policy's order."
    )

    @field_validator("base_url")
    @classmethod
    def _some(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value is not None and (not value or not all([value] if isinstance(value, str) else value)):
            raise ValueError("base_url names no server; leave it out to run the model in this process.")
        return value

    @model_validator(mode="after")
    def _installed(self) -> Served:
        if self.base_url is None:
            require_vllm()
        elif self.engine:
            raise ValueError("`engine` is for a model in this process; a server behind `base_url` has its own arguments.")
        return self

    @property
    def served_name(self) -> str:
        """The model's name in requests."""
        name = self.engine.get("served_model_name") or self.model
        return name if isinstance(name, str) else str(name[0])

    def _asking(self, body: Mapping[str, Any], *, streamed: bool = True, timeout: float | None = None) -> Request:
        """A request, with what only the thread of whoever asks can tell."""
        return Request(body, headers=_trace_headers(), timeout=timeout or self.timeout, streamed=streamed, caller=caller())

    def _server(self, loop: ServingLoop) -> Server:
        """The one that all who say the same have in common, with the policy of those who say that, too."""
        urls = (self.base_url,) if isinstance(self.base_url, str) else tuple(self.base_url or ())
        servers = self._remotes(loop, urls) if urls else [self._here(loop)]
        retries = self.max_retries if urls else min(self.max_retries, 1)  # what an engine has died of isn't tried on many
        silence = self.silence if urls else float("inf")
        key: tuple[Any, ...] = (*map(id, servers), retries, silence)
        server = loop.shared(key, lambda: Pool(servers, silence=silence, retries=retries))
        if (most := self.max_concurrency) is not None:
            key, pool = (*key, "at most", most), server
            server = loop.shared(key, lambda: Admission(pool, most))
        key = (*key, "once")
        asked = loop.shared(key, lambda: AskingOnce(server))
        return loop.shared((*key, id(self.policy)), lambda: Scheduled(asked, self._first()))

    def _remotes(self, loop: ServingLoop, urls: Sequence[str]) -> list[Server]:
        key = self.api_key.get_secret_value() if self.api_key else None
        beside = (key, *sorted(self.headers.items()))
        return [loop.shared((url, beside), partial(Remote, url, api_key=key, headers=self.headers)) for url in urls]

    def _here(self, loop: ServingLoop) -> Server:
        said = json.dumps([self.model, self.engine], sort_keys=True, default=str)
        return loop.shared(said, lambda: InProcess(self.model, self.engine))

    def _first(self) -> Policy:
        if self.policy is not None:
            policy: Policy = self.policy
            return policy
        return ByAncestry(epoch=time.time() - time.perf_counter())  # other processes may ask the same server

    def _answer(self, request: Request) -> tuple[ServingLoop, AsyncGenerator[Mapping[str, Any]]]:
        loop = serving()
        return loop, _within(self._server(loop), request)

    async def _ask_vectors(self, server: Server, request: Request) -> list[list[float]]:
        try:
            async with asyncio.timeout(request.timeout):
                return await server.embed(request)
        except TimeoutError as error:
            raise _late(server, request) from error


async def _within(server: Server, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
    """An answer, as long as its time isn't up."""
    try:
        async with asyncio.timeout(request.timeout), aclosing(server.chat(request)) as chunks:
            async for chunk in chunks:
                yield chunk
    except TimeoutError as error:
        raise _late(server, request) from error


def _late(server: Server, request: Request) -> ServerError:
    return ServerError(f"{server.name} hasn't answered within {request.timeout:g} s.", hint="See `timeout`.", elsewhere=False)


def _trace_headers() -> dict[str, str]:
    """Names the span that is open, where OpenTelemetry is in use."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    headers: dict[str, str] = {}
    import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator().inject(headers)
    return headers
