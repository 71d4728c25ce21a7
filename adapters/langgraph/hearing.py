"""Follows one answer of a model as it comes, and tells the node's run when a part of it is finished."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from alto_langgraph.driver.producing import Request
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.parts.message import Call, CallDelta, GrowingMessage


class Ear:
    """Listens to one answer.

    Args:
        request: What was asked.
        kwargs: How: who forces a tool call gets it before it is complete.
        whole: What stands for the answer is a message; else, for who takes it piece by piece, a list of one piece.
    """

    def __init__(self, request: Request, kwargs: Mapping[str, Any], *, whole: bool) -> None:
        self._request, self._whole = request, whole
        # One tool that has to be called is a form to fill in, not a call to make.
        self._forced = kwargs.get("tool_choice") not in (None, "auto", "none") and len(kwargs.get("tools") or ()) == 1
        self._growing, self._deaf = GrowingMessage(), False
        self._pieces: list[Any] = []

    def take(self, piece: Any) -> None:
        """Listens to the next piece of the answer. The app gets it, whatever comes of that."""
        self._pieces.append(piece)
        if (call := self._request.call) is not None:
            call.pieces += 1
        if self._deaf:
            return
        try:
            self._take(piece)
        except Exception as error:
            self._deaf = True
            warnings.warn(f"alto stops listening to an answer, after an error of its own: {error!r}", AltoWarning, stacklevel=2)

    def finish(self) -> None:
        """Nobody will get more of it: the pieces so far are the answer."""
        self._request.finish(self._pieces)

    def fail(self) -> None:
        """There is no answer."""
        self._request.fail()

    def _take(self, piece: Any) -> None:
        calls = [CallDelta(c.get("index") or 0, c.get("name"), c.get("id"), c.get("args") or "") for c in _calls_in(piece)]
        if self._growing.feed(piece if isinstance(piece, str) else str(piece.text), calls):
            self._say(isinstance(piece, str))

    def _say(self, text_only: bool) -> None:
        partial = self._growing.partial()
        calls = (*partial.calls, partial.growing) if self._forced and partial.growing else partial.calls
        text = partial.text.text
        answer = _message(text, calls) if self._whole else [text if text_only else _chunk(text, calls)]
        self._request.hear(answer, tentative=not (calls or partial.text.closed))


def _calls_in(piece: Any) -> Any:
    return getattr(piece, "tool_call_chunks", ())


def _message(text: str, calls: tuple[Call, ...]) -> AIMessage:
    made = [{"name": call.name, "args": call.args, "id": call.id, "type": "tool_call"} for call in calls]
    return AIMessage(content=text, tool_calls=made)


def _chunk(text: str, calls: tuple[Call, ...]) -> AIMessageChunk:
    made = [tool_call_chunk(name=c.name, args=json.dumps(c.args), id=c.id, index=place) for place, c in enumerate(calls)]
    return AIMessageChunk(content=text, tool_call_chunks=made)
