"""What engines say over OpenAI's protocol, read and judged: chunks, whole answers, refusals."""

from __future__ import annotations

import json
from array import array
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any

from alto_langgraph.exceptions import ServerError

DONE = "[DONE]"
_ELSEWHERE = frozenset({408, 409, 425, 429})
"""Refusals of 4xx that say something of the server and not of the request."""
_BROKEN = frozenset({"abort", "error"})
"""How an answer ends that isn't all there: the server was stopped, or has failed."""


def chunk_of(name: str, data: str) -> Mapping[str, Any]:
    """A chunk of a streamed answer.

    Args:
        name: The server.
        data: What stands behind `data:` in the stream.

    Raises:
        ServerError: it is an error, or no chunk.
    """
    said = _read(name, data)
    if isinstance(said, Mapping) and said.get("error"):
        raise refused(name, _code(said["error"]), data)
    if not isinstance(said, Mapping) or not isinstance(said.get("choices"), list):
        raise _garbage(name, data)
    if not all(isinstance(choice, Mapping) and isinstance(choice.get("delta", {}), Mapping) for choice in said["choices"]):
        raise _garbage(name, data)
    return _unbroken(name, said)


def whole(name: str, said: Any) -> Mapping[str, Any]:
    """An answer that came in one go, as one chunk of the same kind as those that are streamed.

    Raises:
        ServerError: it is no answer.
    """
    choices = said.get("choices") if isinstance(said, Mapping) else None
    if not isinstance(choices, list) or not choices:
        raise _garbage(name, said)
    if not all(isinstance(choice, Mapping) and isinstance(choice.get("message"), Mapping) for choice in choices):
        raise _garbage(name, said)
    return _unbroken(name, {**said, "object": "chat.completion.chunk", "choices": [_as_delta(choice) for choice in choices]})


def _unbroken(name: str, chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    if any(choice.get("finish_reason") in _BROKEN for choice in chunk["choices"]):
        raise ServerError(f"{name} broke off in the middle of an answer.")
    return chunk


def _as_delta(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    message = dict(choice["message"])
    message["tool_calls"] = [{"index": place, **call} for place, call in enumerate(message.get("tool_calls") or ())]
    return {**{key: value for key, value in choice.items() if key != "message"}, "delta": message}


def vectors(name: str, said: Any, wanted: int) -> list[list[float]]:
    """The vectors of an answer to an embeddings request, in the order of the texts.

    Raises:
        ServerError: it is no such answer, or not of `wanted` vectors.
    """
    try:
        data = sorted(said["data"], key=lambda item: item["index"])
        found = [_vector(item["embedding"]) for item in data]
    except (TypeError, KeyError, ValueError, NotBase64) as error:
        raise _garbage(name, said) from error
    if len(found) != wanted:
        raise _garbage(name, f"{len(found)} vectors for {wanted} texts")
    return found


def _vector(said: str | list[float]) -> list[float]:
    """A list of numbers, which may be written in base64, four bytes each."""
    if isinstance(said, str):
        return array("f", b64decode(said, validate=True)).tolist()
    return [float(number) for number in said]


def parsed(name: str, text: str) -> Any:
    """What a body says.

    Raises:
        ServerError: it isn't JSON.
    """
    return _read(name, text)


def refused(name: str, status: int, said: str) -> ServerError:
    """What a refusal means for whoever asked.

    Args:
        name: The server.
        status: HTTP's.
        said: The body.
    """
    why = _reason(said) or "no reason given"
    hint = None
    if status in (401, 403):
        hint = "See `api_key`."
    elif status == 404:
        hint = "See `model`; of a server also `base_url`, which ends with /v1, and what its /v1/models lists."
    return ServerError(f"{name} answers {status}: {why}", hint=hint, elsewhere=status >= 500 or status in _ELSEWHERE)


def _reason(said: str) -> str:
    try:
        body = json.loads(said)
    except ValueError:
        return said.strip()[:200]
    error = body.get("error", body) if isinstance(body, Mapping) else body
    message = error.get("message") or error.get("detail") if isinstance(error, Mapping) else error
    return str(message if message is not None else error)[:500]


def _code(error: Any) -> int:
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) else 500


def _read(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _garbage(name, text) from error


def _garbage(name: str, said: Any) -> ServerError:
    return ServerError(f"{name} says what isn't an answer: {str(said)[:200]!r}")
