"""Follows an answer that is still being written, and says when a part of it is finished and on what to look at it."""

from __future__ import annotations

from dataclasses import dataclass

from alto_langgraph.parts.json_parts import JsonParts
from alto_langgraph.parts.markup import Markup
from alto_langgraph.parts.prose import Prose

_FENCE = "```"
_SPACE = " \t\n\r"
_REMARK = 5
"""How many parts the prose behind a document may have. An answer that goes on for longer has the document as an example in it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What to look at of an answer that isn't complete.

    Args:
        text: The text.
        closed: Whether it is a whole document, behind a complete element; else it is all that there is, and its end is unfinished.
    """

    text: str
    closed: bool


class Growing:
    """An answer as far as it has been written: prose, a JSON document or XML-like elements, which it finds out itself.

    A document begins where a line begins, or behind a colon, and there may be prose and a fence before it. What turns out to be none,
    or to have no list in it and prose behind it, or much prose, is prose.

    Attributes:
        finished: Number of parts found complete so far.
    """

    def __init__(self) -> None:
        self.finished = 0
        self._said = 0
        self._pieces: list[str] = []
        self._length = 0
        self._prose = Prose()
        self._unread: list[str] = []  # what the prose hasn't been shown, for it may be a document
        self._document: JsonParts | Markup | None = None
        self._start = 0  # where the document starts
        self._behind = ""  # what closes what is around it
        self._line_over = False  # whether a line has ended since the document was over
        self._remark: Prose | None = None  # what stands behind it
        self._head = ""  # the first characters of the line, white space left out
        self._last = ""  # the last character, white space left out
        self._fenced = False

    @property
    def text(self) -> str:
        """All that has been written so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return "".join(self._pieces)

    def feed(self, text: str) -> bool:
        """Takes the next piece of the answer.

        Returns:
            Whether something has become finished since this last said so.
        """
        self._pieces.append(text)
        for char in text:
            self._step(char)
            self._length += 1
        news, self._said = self.finished > self._said, self.finished
        return news

    def cut(self) -> Cut:
        """What to look at now: the document closed behind its last complete element, or else all text."""
        text = self.text
        closed = self._document.closed(text[self._start :]) if self._document else None
        return Cut(text, False) if closed is None else Cut(text[: self._start] + closed + self._behind, True)

    def _step(self, char: str) -> None:
        self._unread.append(char)
        if self._document is not None:
            self._in_document(self._document, char)
        if self._document is None:
            self._begin(char)
        if self._document is None or (isinstance(self._document, Markup) and not self._document.finished):
            self._as_prose()
        self._along_line(char)

    def _as_prose(self) -> None:
        """Shows the prose what it hasn't seen."""
        before = self._prose.finished
        for char in self._unread:
            self._prose.step(char)
        self._unread.clear()
        self.finished += self._prose.finished - before

    # -- documents

    def _begin(self, char: str) -> None:
        """Begins a document if this character can be its first."""
        json = char in "{["
        if not (json or char == "<") or (self._head and not (json and self._last == ":")):
            return
        self._document = JsonParts() if json else Markup()
        self._start, self._line_over = self._length, False
        self._behind = "\n" + _FENCE if self._fenced else ""
        self._document.step(char)

    def _in_document(self, document: JsonParts | Markup, char: str) -> None:
        if self._remark or (document.over and char not in _SPACE + document.again):
            return self._behind_document(document, char)
        before = document.finished
        document.step(char)
        self.finished += document.finished - before
        self._line_over = document.over and (self._line_over or char in "\n\r")
        if document.broken:
            self._drop()

    def _behind_document(self, document: JsonParts | Markup, char: str) -> None:
        """Text behind a document: it is a remark, unless it shows that the document was but a part of it."""
        if not self._remark and document.finished and (self._line_over or (self._fenced and char == "`")):
            self._remark = Prose()
        if self._remark:
            self._remark.step(char)
        if not self._remark or self._remark.finished > _REMARK:
            self._drop()

    def _drop(self) -> None:
        self._document = self._remark = None
        self._as_prose()

    # -- where a document can begin

    def _along_line(self, char: str) -> None:
        if char in "\n\r":
            self._head = ""
        elif not char.isspace():
            self._last = char
            if len(self._head) < len(_FENCE):
                self._head += char
                self._fenced ^= self._head == _FENCE
