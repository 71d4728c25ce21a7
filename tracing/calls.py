"""Spans of model, retriever and tool calls, as LangChain's callbacks tell of them, below the fragment whose node makes them."""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from alto_langgraph.protocols import CALLS
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.answers import about_answer
from alto_langgraph.tracing.around import Around
from alto_langgraph.tracing.content import as_json, captures, messages, type_of
from alto_langgraph.tracing.measuring import METERS


class _Call:
    """A call that goes on."""

    __slots__ = ("about", "around", "began", "first", "span")

    def __init__(self, span: Span, began: int, about: dict[str, Any]) -> None:
        self.span, self.began, self.about = span, began, about
        self.first: int | None = None
        self.around = Around(span, about[names.OPERATION])


class Calls(BaseCallbackHandler):
    """Hears of the calls that nodes of traced runs make. Apps don't see it: it isn't inherited, and chains aren't told to it."""

    run_inline = True
    ignore_chain = ignore_retry = ignore_custom_event = True

    def __init__(self) -> None:
        self.tracer: Tracer
        self._going_on: dict[UUID, _Call] = {}

    # ---- models

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, metadata: Any = None, **how: Any) -> None:
        """A chat model is asked."""
        call = self._ask(names.CHAT_SPAN, run_id, metadata or {}, how)
        if captures():
            call.span.set_attribute(names.INPUT_MESSAGES, _all_messages(messages))

    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: UUID, metadata: Any = None, **how: Any) -> None:
        """A model that isn't a chat model is asked."""
        call = self._ask(names.COMPLETION_SPAN, run_id, metadata or {}, how)
        if captures():
            call.span.set_attribute(names.INPUT_MESSAGES, messages(prompts))

    def _ask(self, operation: str, run_id: UUID, metadata: dict[str, Any], how: dict[str, Any]) -> _Call:
        asked = how.get("invocation_params") or {}
        model = str(metadata.get("ls_model_name") or asked.get("model") or asked.get("model_name") or asked.get("_type") or "unknown")
        about: dict[str, Any] = {names.OPERATION: operation, names.MODEL: model}
        if provider := metadata.get("ls_provider"):
            about[names.PROVIDER] = str(provider)
        call = self._begin(f"{operation} {model}", SpanKind.CLIENT, run_id, about)
        more = {
            names.TEMPERATURE: metadata.get("ls_temperature"),
            names.MAX_TOKENS: metadata.get("ls_max_tokens"),
            names.THREAD: metadata.get("thread_id"),
        }
        call.span.set_attributes({name: value for name, value in more.items() if isinstance(value, str | int | float)})
        return call

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **how: Any) -> None:
        """A piece of an answer is here."""
        call = self._going_on.get(run_id)
        if call is not None and call.first is None:
            call.first = time_ns()
            seconds = (call.first - call.began) / 1e9
            call.span.add_event(names.FIRST_CHUNK, timestamp=call.first)
            call.span.set_attributes({names.STREAM: True, names.FIRST_CHUNK_AFTER: seconds})
            METERS.first_chunks.record(seconds, call.about)

    def on_llm_end(self, response: Any, *, run_id: UUID, **how: Any) -> None:
        """A model has answered."""
        call = self._going_on.get(run_id)
        if call is None:
            return
        about = about_answer(response)
        call.span.set_attributes(about)
        if captures():
            call.span.set_attribute(names.OUTPUT_MESSAGES, messages(getattr(it, "message", it.text) for it in response.generations[0]))
        for kind, name in (("input", names.INPUT_TOKENS), ("output", names.OUTPUT_TOKENS)):
            if name in about:
                METERS.tokens.record(about[name], {**call.about, "gen_ai.token.type": kind})
        METERS.calls.record((time_ns() - call.began) / 1e9, call.about)
        self._end(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **how: Any) -> None:
        """A model hasn't."""
        if (call := self._going_on.get(run_id)) is not None:
            METERS.calls.record((time_ns() - call.began) / 1e9, {**call.about, names.ERROR_TYPE: type_of(error)})
        self._fail(run_id, error)

    # ---- retrievers and tools

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, metadata: Any = None, **how: Any) -> None:
        """A retriever is asked."""
        source = str(how.get("name") or (metadata or {}).get("ls_retriever_name") or _name_of(serialized) or "retriever")
        about = {names.OPERATION: names.RETRIEVAL_SPAN, names.DATA_SOURCE: source}
        call = self._begin(f"{names.RETRIEVAL_SPAN} {source}", SpanKind.CLIENT, run_id, about)
        if captures():
            call.span.set_attribute(names.QUERY, query)

    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **how: Any) -> None:
        """It has answered."""
        if (call := self._going_on.get(run_id)) is not None:
            call.span.set_attribute(names.DOCUMENTS, len(documents))
        self._end(run_id)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **how: Any) -> None:
        """It hasn't."""
        self._fail(run_id, error)

    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: UUID, **how: Any) -> None:
        """A tool is called."""
        tool = str(how.get("name") or _name_of(serialized) or "tool")
        about = {names.OPERATION: names.TOOL_SPAN, names.TOOL: tool, names.TOOL_TYPE: "function"}
        if id := how.get("tool_call_id"):
            about[names.TOOL_CALL] = str(id)
        call = self._begin(f"{names.TOOL_SPAN} {tool}", SpanKind.INTERNAL, run_id, about)
        if captures():
            call.span.set_attribute(names.TOOL_ARGUMENTS, as_json(how["inputs"]) if how.get("inputs") else input_str)

    def on_tool_end(self, output: Any, *, run_id: UUID, **how: Any) -> None:
        """It has returned."""
        if (call := self._going_on.get(run_id)) is not None:
            if id := getattr(output, "tool_call_id", None):
                call.span.set_attribute(names.TOOL_CALL, str(id))
            if captures():
                call.span.set_attribute(names.TOOL_RESULT, as_json(getattr(output, "content", output)))
        self._end(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **how: Any) -> None:
        """It hasn't."""
        self._fail(run_id, error)

    # ---- spans

    def _begin(self, name: str, kind: SpanKind, run_id: UUID, about: dict[str, Any]) -> _Call:
        began = time_ns()
        span = self.tracer.start_span(name, kind=kind, attributes=about, start_time=began)
        call = self._going_on[run_id] = _Call(span, began, about)
        call.around.attach()  # what goes out to a server carries this span
        return call

    def _end(self, run_id: UUID) -> None:
        if (call := self._going_on.pop(run_id, None)) is not None:
            call.around.end()

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        if (call := self._going_on.get(run_id)) is not None:
            kind = type_of(error)
            call.span.set_attribute(names.ERROR_TYPE, kind)
            call.span.set_status(Status(StatusCode.ERROR, kind))
        self._end(run_id)


def _all_messages(batches: Any) -> str:
    return messages(message for batch in batches for message in batch)


def _name_of(serialized: Any) -> Any:
    serialized = serialized or {}
    return serialized.get("name") or (serialized.get("id") or [None])[-1]


HANDLER = Calls()
register_configure_hook(CALLS, inheritable=False)
