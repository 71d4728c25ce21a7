"""Follows a chat answer of text and tool calls that is still being written, and says when a part of it is finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alto_langgraph.parts.growing import Cut, Growing
from alto_langgraph.parts.json_parts import JsonParts


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A piece of a tool call, as models stream it.

    Args:
        index: Which call of the answer this belongs to.
        name: The tool's name, in one of the call's pieces.
        id: The call's id, likewise.
        args: The next piece of the JSON text of the arguments.
    """

    index: int
    name: str | None
    id: str | None
    args: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call.

    Args:
        name: The tool's name.
        id: The call's id, or None if the model gives none.
        args: The arguments.
    """

    name: str
    id: str | None
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Partial:
    """What is finished of a chat answer.

    Args:
        text: What to look at of its text.
        calls: The complete tool calls, in the order of their index.
        growing: The newest call, if it isn't complete, with its arguments closed behind the last complete element of their arrays; None if
            there is no such element.
    """

    text: Cut
    calls: tuple[Call, ...]
    growing: Call | None


@dataclass(slots=True)
class _GrowingCall:
    """A tool call as far as it has come."""

    name: str | None = None
    id: str | None = None
    text: list[str] = field(default_factory=list)  # its arguments
    parts: JsonParts = field(default_factory=JsonParts)
    begun: bool = False  # whether there is more than white space

    def feed(self, delta: CallDelta) -> None:
        self.name = self.name or delta.name
        self.id = self.id or delta.id
        for char in delta.args:
            if not self.parts.over:  # what comes behind is no part of the arguments
                self.text.append(char)
                self.parts.step(char)
                self.begun |= not char.isspace()

    def complete(self, left: bool) -> bool:
        """Whether nothing can follow; of a call that was left for the next one, that may be because it has no arguments at all."""
        if not self.name or self.parts.broken:
            return False
        return self.parts.over or (left and not self.begun)

    def call(self) -> Call | None:
        """The complete call."""
        return self._with("".join(self.text).strip() or "{}")

    def closed(self) -> Call | None:
        """The call, closed behind the last complete element."""
        return self._with(self.parts.closed("".join(self.text)))

    def _with(self, text: str | None) -> Call | None:
        if self.name is None or text is None or self.parts.broken:
            return None
        args = json.loads(text)
        return Call(self.name, self.id, args) if isinstance(args, dict) else None


class GrowingMessage:
    """A chat answer as far as it has been written.

    Finished are the parts of its text, tool calls that are complete, and elements of arrays in the arguments of the newest call.
    """

    def __init__(self) -> None:
        self._text = Growing()
        self._calls: dict[int, _GrowingCall] = {}
        self._complete: dict[int, Call | None] = {}
        self._newest: int | None = None

    def feed(self, text: str, calls: Sequence[CallDelta] = ()) -> bool:
        """Takes the next piece of the answer.

        Args:
            text: What its text goes on with.
            calls: What its tool calls go on with.

        Returns:
            Whether something has become finished since this last said so.
        """
        news = self._text.feed(text)
        for delta in calls:
            news |= self._feed_call(delta)
        return news

    def partial(self) -> Partial:
        """What is finished now."""
        complete = (self._complete[index] for index in sorted(self._complete))
        newest = None if self._newest is None or self._newest in self._complete else self._calls[self._newest]
        return Partial(self._text.cut(), tuple(call for call in complete if call), newest.closed() if newest else None)

    def _feed_call(self, delta: CallDelta) -> bool:
        news = False
        if delta.index not in self._calls:
            news = self._newest is not None and self._completed(self._newest, left=True)
            self._calls[delta.index] = _GrowingCall()
            self._newest = delta.index
        call = self._calls[delta.index]
        before = call.parts.finished
        call.feed(delta)
        if not call.parts.over:
            self._complete.pop(delta.index, None)  # it seemed to have no arguments
        elements = call.parts.finished > before and delta.index == self._newest
        return self._completed(delta.index, left=delta.index != self._newest) or elements or news

    def _completed(self, index: int, *, left: bool) -> bool:
        """Whether a call has become complete with this."""
        if index in self._complete or not self._calls[index].complete(left):
            return False
        self._complete[index] = self._calls[index].call()
        return self._complete[index] is not None
