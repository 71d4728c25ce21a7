"""LangChain's messages as an engine's chat requests, and its chunks as LangChain's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

_OWN_BLOCKS = ("reasoning", "thinking", "tool_call", "tool_use", "invalid_tool_call")
"""Blocks of a model's own messages that engines take in fields beside the content, or not at all."""


def spoken(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Messages as the `messages` of a chat request. Images, audio and so on are passed on as OpenAI's protocol has them."""
    return [_spoken(message) for message in messages]


def _spoken(message: BaseMessage) -> dict[str, Any]:
    if not isinstance(message, AIMessage):
        return _converted(message)
    if isinstance(message.content, list):
        blocks = [block for block in message.content if isinstance(block, str) or block.get("type") not in _OWN_BLOCKS]
        message = message.model_copy(update={"content": blocks})
    said = _converted(message)
    if reasoning := message.additional_kwargs.get("reasoning_content"):
        said["reasoning_content"] = reasoning
    return said


def _converted(message: BaseMessage) -> dict[str, Any]:
    said = convert_to_openai_messages([message])[0]
    assert isinstance(said, dict)
    return said


def heard(chunk: Mapping[str, Any]) -> ChatGenerationChunk | None:
    """A chunk of an engine's answer; None if there is nothing in it."""
    choices = chunk.get("choices") or ()
    choice: Mapping[str, Any] = choices[0] if choices else {}
    delta: Mapping[str, Any] = choice.get("delta") or {}
    metadata = _metadata(chunk, choice)
    usage = _usage(chunk.get("usage"))
    message = AIMessageChunk(
        content=delta.get("content") or "",
        additional_kwargs=_beside(delta),
        tool_call_chunks=[_call(call) for call in delta.get("tool_calls") or ()],
        response_metadata=metadata,
        usage_metadata=usage,
        chunk_position="last" if usage is not None else None,
    )
    if message.content or message.additional_kwargs or message.tool_call_chunks or metadata or usage:
        return ChatGenerationChunk(message=message)
    return None


def _beside(delta: Mapping[str, Any]) -> dict[str, Any]:
    """What a message has beside its content: reasoning, a refusal."""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    said = {"reasoning_content": reasoning, "refusal": delta.get("refusal")}
    return {key: value for key, value in said.items() if value}


def _call(call: Mapping[str, Any]) -> ToolCallChunk:
    function = call.get("function") or {}
    return tool_call_chunk(name=function.get("name"), args=function.get("arguments"), id=call.get("id"), index=call.get("index", 0))


def _metadata(chunk: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of an answer. All but the tokens' probabilities comes once, with the last of the answer."""
    said: dict[str, Any] = {}
    if choice.get("logprobs"):
        said["logprobs"] = {"content": list(choice["logprobs"].get("content") or ())}
    if choice.get("finish_reason"):
        said |= {"finish_reason": choice["finish_reason"], "model_name": chunk.get("model"), "model_provider": "vllm"}
        if choice.get("stop_reason") is not None:
            said["stop_reason"] = choice["stop_reason"]
    return said


def _usage(said: Mapping[str, Any] | None) -> UsageMetadata | None:
    if not said:
        return None
    read, written = int(said.get("prompt_tokens") or 0), int(said.get("completion_tokens") or 0)
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=int(said.get("total_tokens") or read + written))
    if (cached := (said.get("prompt_tokens_details") or {}).get("cached_tokens")) is not None:
        usage["input_token_details"] = InputTokenDetails(cache_read=cached)
    if (thought := (said.get("completion_tokens_details") or {}).get("reasoning_tokens")) is not None:
        usage["output_token_details"] = OutputTokenDetails(reasoning=thought)
    return usage
