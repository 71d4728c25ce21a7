"""What of an app's own content a trace may hold: nothing, unless OpenTelemetry's standard variable says so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ON_SPANS = frozenset({"SPAN_ONLY", "SPAN_AND_EVENT", "TRUE"})
_ROLES = {"human": "user", "ai": "assistant"}


def captures() -> bool:
    """Whether prompts, answers, arguments and texts of errors are put on spans: `SPAN_ONLY` or `SPAN_AND_EVENT`; off by default."""
    return os.environ.get(VARIABLE, "").upper() in _ON_SPANS


def type_of(error: BaseException) -> str:
    """The class of an exception, as OpenTelemetry names it."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def messages(given: Iterable[Any]) -> str:
    """LangChain's messages as the GenAI conventions write them, in JSON."""
    return as_json([_message(message) for message in given])


def as_json(value: Any) -> str:
    """Whatever it is, in JSON; what JSON doesn't know is shown as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _message(message: Any) -> dict[str, Any]:
    kind, content = getattr(message, "type", "user"), getattr(message, "content", message)
    if kind == "tool":
        parts = [{"type": "tool_call_response", "id": getattr(message, "tool_call_id", None), "response": content}]
    else:
        parts = [{"type": "text", "content": content}] if content else []
        parts += [{"type": "tool_call", "id": call["id"], "name": call["name"], "arguments": call["args"]} for call in _calls(message)]
    return {"role": _ROLES.get(kind, kind), "parts": parts}


def _calls(message: Any) -> Iterable[Any]:
    return getattr(message, "tool_calls", None) or ()
