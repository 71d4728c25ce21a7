"""A chat model double that takes as long as a real engine does, and answers the same prompt in the same way every time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from alto_langgraph.testing.clock import Clock
from alto_langgraph.testing.pace import MEASURED_PACE, BatchCurve, Pace
from alto_langgraph.testing.replies import Reply, answer_of, as_arguments, as_text, call_id, cut, filled, forced_tool, prompt_of, tokens
from alto_langgraph.testing.slots import Slots


class PacedChatModel(BaseChatModel):
    """A LangChain chat model for tests, demos and benchmarks. The answer and its time depend on the prompt and the seed alone.

    The prompt is the text of all messages. A call waits for a slot, then `seconds(prompt)`; cancelling it frees the slot.
    Tools: `calls` says which are called; a forced one (`tool_choice`, `with_structured_output`) gets the answer as its arguments.

    Raises:
        LookupError: `answers` is a mapping without the prompt.
        ValueError: `tool_choice` names a tool that isn't bound.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    model_name: str = Field(default="paced", alias="model")
    answers: Any = Field(default=None, description="Function or mapping from prompt to answer; without it, a text from the prompt's hash.")
    calls: Any = Field(default=None, description="Function from (prompt, names of tools) to (tool, arguments) pairs.")
    seed: int = Field(default=0, description="Draws the times, together with the prompt.")
    pace: Pace = Field(default=MEASURED_PACE, description="Laws of the times.")
    curve: BatchCurve | None = Field(default=None, description="Slows each token as more slots are in use; use it with `ALONE_PACE`.")
    slots: Slots = Field(default_factory=Slots, description="Calls served at a time; share the object between models of one server.")
    scale: float = Field(default=1.0, ge=0, allow_inf_nan=False, description="Factor on every time; 0 for no waiting.")
    clock: Clock = Field(default_factory=Clock, description="Where the time is spent.")
    temperature: float | None = Field(default=None, description="Taken, and without effect.")
    stop: list[str] | None = Field(default=None, alias="stop_sequences", description="Words that end a text answer.")

    @property
    def _llm_type(self) -> str:
        return "alto-paced"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "seed": self.seed}

    def seconds(self, prompt: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any) -> float:
        """Seconds that a call takes once it has a slot (with a batch curve: if it is alone).

        Args:
            prompt: What `invoke` takes.
            stop: As in `invoke`.
            kwargs: As in `invoke`: `tools` and `tool_choice` change the answer and so its length.
        """
        messages = self._convert_input(prompt).to_messages()
        first, token = self._drawn(messages)
        return first + token * max(0, self._reply(messages, stop, **kwargs).size - 1)

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools. `tool_choice`: a tool's name, "any", "auto" or "none", or OpenAI's mapping."""
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        reply = self._reply(messages, stop, **kwargs)
        with self.slots:
            for pause in self._whole(messages, reply):
                self.clock.sleep(pause)
        return self._result(messages, reply)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._reply(messages, stop, **kwargs)
        async with self.slots:
            for pause in self._whole(messages, reply):
                await self.clock.asleep(pause)
        return self._result(messages, reply)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages, stop, **kwargs)
        with self.slots:
            due = self.clock.now()
            for pause, chunk in zip(self._pauses(messages, reply), self._chunks(messages, reply), strict=False):
                due += pause
                self.clock.sleep(max(0.0, due - self.clock.now()))
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
        reply = self._reply(messages, stop, **kwargs)
        async with self.slots:
            due = self.clock.now()
            for pause, chunk in zip(self._pauses(messages, reply), self._chunks(messages, reply), strict=False):
                due += pause
                await self.clock.asleep(max(0.0, due - self.clock.now()))
                if run_manager:
                    await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk

    def _reply(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any) -> Reply:
        prompt, choice = prompt_of(messages), kwargs.get("tool_choice")
        tools: Sequence[Mapping[str, Any]] = () if choice == "none" else kwargs.get("tools") or ()
        forced = forced_tool(tools, choice)
        calls = list(self.calls(prompt, [tool["function"]["name"] for tool in tools])) if tools and self.calls else []
        if forced and not calls:
            given = as_arguments(answer_of(self.answers, prompt))
            calls = [(forced["name"], filled(forced["parameters"], "value") if given is None else given)]
        if calls:
            made = (ToolCall(name=name, args=dict(args), id=call_id(prompt, i), type="tool_call") for i, (name, args) in enumerate(calls))
            return Reply("", tuple(made))
        return Reply(cut(as_text(answer_of(self.answers, prompt)), stop or self.stop))

    def _drawn(self, messages: list[BaseMessage]) -> tuple[float, float]:
        first, token = self.pace.drawn(f"{self.seed}:{prompt_of(messages)}")
        return first * self.scale, token * self.scale

    def _pauses(self, messages: list[BaseMessage], reply: Reply) -> Iterator[float]:
        """The wait before each chunk; before the closing one, which carries no token, none."""
        first, token = self._drawn(messages)
        yield first
        for _ in range(reply.size - 1):
            yield token * (self.curve.slowdown(self.slots.in_use) if self.curve else 1.0)
        yield 0.0

    def _whole(self, messages: list[BaseMessage], reply: Reply) -> Iterator[float]:
        """The waits of an answer that isn't streamed: one, unless the load may change it on the way."""
        pauses = self._pauses(messages, reply)
        return pauses if self.curve else iter([sum(pauses)])

    def _chunks(self, messages: list[BaseMessage], reply: Reply) -> Iterator[ChatGenerationChunk]:
        for chunk in reply.chunks():
            yield ChatGenerationChunk(message=chunk)
        last = AIMessageChunk(
            content="", usage_metadata=self._usage(messages, reply), response_metadata=self._about(reply), chunk_position="last"
        )
        yield ChatGenerationChunk(message=last)

    def _result(self, messages: list[BaseMessage], reply: Reply) -> ChatResult:
        message = AIMessage(
            content=reply.text,
            tool_calls=list(reply.tool_calls),
            usage_metadata=self._usage(messages, reply),
            response_metadata=self._about(reply),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _about(self, reply: Reply) -> dict[str, Any]:
        return {"model_name": self.model_name, "model_provider": "alto", "finish_reason": "tool_calls" if reply.tool_calls else "stop"}

    def _usage(self, messages: list[BaseMessage], reply: Reply) -> UsageMetadata:
        read, written = len(tokens(prompt_of(messages))), reply.size
        return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
