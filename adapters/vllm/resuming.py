"""Goes on with an answer that broke off, from a server that begins it anew, where that can be shown to be the same answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alto_langgraph.exceptions import ServerError

_PLAIN = frozenset({"role", "content"})


class Told:
    """What was told of an answer so far, letter by letter; `plain` as long as it is nothing but one text."""

    def __init__(self) -> None:
        self.text = ""
        self.begun = False
        self.plain = True
        self._before = ""

    def again(self) -> None:
        """The answer begins anew; what was told has to come again first."""
        self._before = self.text

    def take(self, chunk: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """What is new of a chunk.

        Raises:
            ServerError: it isn't the answer that was begun.
        """
        content = self._content(chunk)
        if not self._before:
            self._note(chunk, content)
            yield chunk
            return
        if content is None:
            raise _differs()
        known = min(len(content), len(self._before))
        if content[:known] != self._before[:known]:
            raise _differs()
        self._before = self._before[known:]
        ends = any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
        if self._before and ends:
            raise _differs()
        if content[known:] or ends:
            rest = _with_content(chunk, content[known:])
            self.text += content[known:]
            yield rest

    def _note(self, chunk: Mapping[str, Any], content: str | None) -> None:
        self.begun = True
        if content is None:
            self.plain = False
        else:
            self.text += content

    def _content(self, chunk: Mapping[str, Any]) -> str | None:
        """The text of a chunk; None if there is anything else in it."""
        choices = chunk.get("choices") or ()
        if len(choices) > 1 or any(choice.get("index") or choice.get("logprobs") for choice in choices):
            return None
        delta = choices[0].get("delta") or {} if choices else {}
        if any(value for key, value in delta.items() if key not in _PLAIN):
            return None
        return delta.get("content") or ""


def _with_content(chunk: Mapping[str, Any], content: str) -> Mapping[str, Any]:
    return {**chunk, "choices": [{**choice, "delta": {**choice["delta"], "content": content}} for choice in chunk["choices"]]}


def _differs() -> ServerError:
    return ServerError(
        "The answer broke off, and another server answers otherwise from the beginning.",
        hint="Ask again; what was received of the answer can't be completed.",
        elsewhere=False,
    )
