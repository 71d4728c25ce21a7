"""What a model's answer says of itself: tokens, why it ends, who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alto_langgraph.tracing import attributes as names

_REASONS = ("finish_reason", "stop_reason", "done_reason")
_MODELS = ("model_name", "model", "model_id")
_INPUT, _OUTPUT = ("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")


def about_answer(response: Any) -> dict[str, Any]:
    """Attributes of a chat or completion span.

    Args:
        response: LangChain's `LLMResult`. Integrations put what they know into its messages or its `llm_output`.
    """
    answers = [it for group in response.generations for it in group]
    message = getattr(answers[0], "message", None) if answers else None
    told: Mapping[str, Any] = getattr(message, "response_metadata", None) or {}
    whole: Mapping[str, Any] = response.llm_output or {}
    usage = getattr(message, "usage_metadata", None) or whole.get("token_usage") or told.get("token_usage") or {}
    reasons = [str(reason) for it in answers if (reason := _reason(it)) is not None]
    about = {
        names.ANSWERED_BY: _first(told, _MODELS) or _first(whole, _MODELS),
        names.RESPONSE_ID: told.get("id") or _given(getattr(message, "id", None)),
        names.FINISH_REASONS: reasons or None,
        names.INPUT_TOKENS: _first(usage, _INPUT),
        names.OUTPUT_TOKENS: _first(usage, _OUTPUT),
        names.CACHED_TOKENS: (usage.get("input_token_details") or {}).get("cache_read"),
    }
    return {name: value for name, value in about.items() if value is not None}


def _reason(answer: Any) -> Any:
    told = getattr(getattr(answer, "message", None), "response_metadata", None) or {}
    return _first(told, _REASONS) or _first(answer.generation_info or {}, _REASONS)


def _first(values: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _given(id: Any) -> Any:
    """A message's id, unless LangChain has made it up."""
    return None if str(id or "").startswith(("run-", "lc_run-")) else id
