"""LangChain's chat model on vLLM: in this process, or on one or many servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from alto_langgraph.adapters.vllm.messages import heard, spoken
from alto_langgraph.adapters.vllm.ports import Request
from alto_langgraph.adapters.vllm.served import Served
from alto_langgraph.adapters.vllm.structured import Method, structured

_OURS = frozenset({"stream", "stream_options", "stream_usage", "priority", "timeout", "extra_body"})
"""Keywords of a call that aren't fields of the request: the way it is sent decides them."""


class ChatVLLM(Served, BaseChatModel):
    """A chat model on vLLM.

    Without `base_url` an engine in this process serves it: it is started with the first request, shared by all models that name the
    same arguments, and stopped when the process ends. With `base_url` servers do. Either way requests carry the place that the
    scheduling policy gives the run that asks, and a call that is cancelled is aborted in the engine.

    Any field of vLLM's chat request may be given to a call (`model.invoke(messages, top_k=5)`), to `bind`, or in `extra_body`.

    Raises:
        MissingExtraError: on construction, if the model shall run here and vLLM isn't installed.
        ServerError: by calls; no server answers, or one refuses the request. It says why.
    """

    model_config = Served.model_config

    temperature: float | None = Field(default=None, ge=0, description="0 for the likeliest tokens; without it, as the server has it.")
    top_p: float | None = None
    max_tokens: int | None = Field(default=None, ge=1, description="Longest answer, in tokens.")
    stop: list[str] | None = Field(default=None, alias="stop_sequences", description="Words that end an answer.")
    seed: int | None = Field(default=None, description="Draws the same answer again.")
    logprobs: bool = Field(default=False, description="Tokens' probabilities, in `response_metadata['logprobs']`.")
    top_logprobs: int | None = Field(default=None, ge=0, description="With `logprobs`: how many other tokens at each place.")
    cache_salt: str | None = Field(default=None, description="Keeps cached prompts apart from those with another one.")
    lora: str | None = Field(default=None, description="Name under which the server has a LoRA adapter of the model.")
    streaming: bool = Field(default=False, description="Asks for pieces where a whole answer is wanted, too.")
    extra_body: dict[str, Any] = Field(default_factory=dict, description="Further fields of requests: `top_k`, `chat_template_kwargs`, ...")

    @property
    def _llm_type(self) -> str:
        return "vllm"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        where = {"base_url": self.base_url, "engine": self.engine, "extra_body": self.extra_body}
        return {"model_name": self.lora or self.model, **self._defaults(), **{key: value for key, value in where.items() if value}}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "vllm"
        params["ls_model_name"] = kwargs.get("model") or self.lora or self.model
        return params

    # ---- tools and shapes

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | Mapping[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools; its server needs a tool parser (`--enable-auto-tool-choice --tool-call-parser`).

        Args:
            tools: As LangChain takes them.
            tool_choice: A tool's name, "any" (or True) for one of them, "auto", "none", or OpenAI's mapping.
            strict: Whether the engine holds arguments to the tools' schemas, token by token.
            kwargs: Bound, too.
        """
        if tool_choice is not None and tool_choice is not False:
            kwargs["tool_choice"] = _choice(tool_choice)
        return self.bind(tools=[_tool(tool, strict) for tool in tools], **kwargs)

    def with_structured_output(
        self, schema: Any, *, method: Method | None = None, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """The model with answers of a given shape, which the engine holds it to token by token.

        Args:
            schema: A pydantic class, TypedDict or JSON schema; an Enum or a list of texts to choose from; a pattern; a grammar.
            method: "json_schema", "json_mode" (any JSON), "function_calling" (as arguments of a tool call), "choice", "regex" or
                "grammar" (vLLM's EBNF). Without it, "choice" for an Enum or list and "json_schema" for all else.
            include_raw: Answers `{"raw": message, "parsed": ..., "parsing_error": ...}`, and raises nothing where parsing fails.
            kwargs: Bound, too.

        Raises:
            ValueError: the method doesn't go with the schema.
        """
        return structured(self, schema, method, include_raw, kwargs)

    # ---- asking

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return generate_from_stream(self._chunks(self._request(messages, stop, kwargs, streamed=False)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._achunks(self._request(messages, stop, kwargs, streamed=False)))

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in self._chunks(self._request(messages, stop, kwargs)):
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(self._achunks(self._request(messages, stop, kwargs))) as chunks:
            async for chunk in chunks:
                if run_manager:
                    await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk

    def _chunks(self, request: Request) -> Iterator[ChatGenerationChunk]:
        loop, answer = self._answer(request)
        with closing(loop.stream_sync(answer)) as chunks:
            yield from filter(None, map(heard, chunks))

    async def _achunks(self, request: Request) -> AsyncGenerator[ChatGenerationChunk]:
        loop, answer = self._answer(request)
        async with aclosing(loop.stream(answer)) as chunks:
            async for chunk in chunks:
                if (said := heard(chunk)) is not None:
                    yield said

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any], *, streamed: bool = True) -> Request:
        body = {
            "model": self.lora or self.served_name,
            "messages": spoken(messages),
            **self._defaults(),
            **({"stop": stop} if stop else {}),
            **self.extra_body,
            **{key: value for key, value in kwargs.items() if key not in _OURS},
            **(kwargs.get("extra_body") or {}),
        }
        if body.get("n") not in (None, 1):
            raise ValueError("ChatVLLM gives one answer a call; `batch` asks for more (n isn't 1).")
        return self._asking(body, streamed=streamed, timeout=kwargs.get("timeout"))

    def _defaults(self) -> dict[str, Any]:
        names: tuple[Literal["temperature", "top_p", "max_tokens", "stop", "seed", "cache_salt"], ...]
        names = ("temperature", "top_p", "max_tokens", "stop", "seed", "cache_salt")
        said: dict[str, Any] = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.logprobs:
            said |= {"logprobs": True, "top_logprobs": self.top_logprobs or 0}
        return said


def _tool(tool: Mapping[str, Any] | type | Callable[..., Any] | BaseTool, strict: bool | None) -> dict[str, Any]:
    said = convert_to_openai_tool(tool)
    if strict is not None:
        said["function"] = {**said["function"], "strict": strict}
    return said


def _choice(said: str | bool | Mapping[str, Any]) -> Any:
    """Which tool is to be called, as OpenAI's protocol says it."""
    if said is True or said == "any":
        return "required"
    if isinstance(said, str) and said not in ("auto", "none", "required"):
        return {"type": "function", "function": {"name": said}}
    return said
