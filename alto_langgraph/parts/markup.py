"""Finds the complete ones among the sibling elements of an XML-like text that is still being written, looking at each character once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

_DEEPEST = 200
"""How deep elements may nest."""
_LONGEST = 100
"""How many characters a name may have."""


@dataclass(slots=True)
class _Element:
    """An element that is open: what has been seen of it."""

    name: str
    children: set[str] = field(default_factory=set)
    complete: int = 0  # children that are closed
    end: int = 0  # where the last of them ends
    closing: str | None = None  # the tags that would close it and what is around it, once a name has come twice in it


class Markup:
    """Reads elements character by character, and remembers where the text could end.

    A list is an element, or the top, in which a name comes a second time. What counts is the children of the outermost list.
    Entities and attributes mean nothing here; a tag that is never closed, as HTML has them, ends with what is around it.

    Attributes:
        finished: Number of elements that are complete. The first of a list counts when the second begins.
        broken: Whether what came can't be read as elements; then nothing more is read.
        again: Characters with which a text that is over may go on.
    """

    again: ClassVar[str] = "<"

    def __init__(self) -> None:
        self.finished = 0
        self.broken = False
        self._read = 0
        self._end = 0
        self._closing = ""
        self._open = [_Element("")]
        self._list: int | None = None  # how many elements are around the outermost list
        self._name = ""
        self._quote = ""
        self._until = ""
        self._seen = ""  # the last characters of what `_until` ends
        self._next = self._text

    @property
    def over(self) -> bool:
        """Whether there was an element, and all that was opened is closed."""
        return len(self._open) == 1 and self._open[0].complete > 0 and self._next == self._text

    def step(self, char: str) -> None:
        """Reads the next character."""
        self._read += 1
        self._next(char)

    def closed(self, document: str) -> str | None:
        """The shortest text with all complete elements and the tags that close it, or None if there is no such element.

        Args:
            document: What has been read, from the first character.
        """
        return document[: self._end] + self._closing if self.finished else None

    # -- between tags

    def _text(self, char: str) -> None:
        if char == "<":
            self._next = self._tag

    def _tag(self, char: str) -> None:
        """What follows a `<`; anything that can't makes it a plain character."""
        self._name = ""
        if char == "/":
            self._next = self._end_tag
        elif char == "!":
            self._seen, self._next = "", self._declaration
        elif char == "?":
            self._skip_to("?>")
        elif _begins_name(char):
            self._name, self._next = char, self._start_tag
        else:
            self._next = self._text
            self._text(char)

    def _declaration(self, char: str) -> None:
        self._seen += char
        if self._seen == "--":
            self._skip_to("-->")
        elif self._seen == "[CDATA[":
            self._skip_to("]]>")
        elif not "--".startswith(self._seen) and not "[CDATA[".startswith(self._seen):
            self._skip_to(">")
            self._skipped(char)

    def _skip_to(self, until: str) -> None:
        self._until, self._seen, self._next = until, "", self._skipped

    def _skipped(self, char: str) -> None:
        self._seen = (self._seen + char)[-len(self._until) :]
        if self._seen == self._until:
            self._next = self._text

    # -- tags

    def _start_tag(self, char: str) -> None:
        if _continues_name(char) and len(self._name) < _LONGEST:
            self._name += char
        elif (char.isspace() or char in "/>") and not self._name.endswith(":"):  # which a link does
            self._opened()
            self._next = self._next if self.broken else self._attributes
            self._next(char)
        else:
            self._break()

    def _attributes(self, char: str) -> None:
        if char in "\"'":
            self._quote, self._next = char, self._quoted
        elif char == "/":
            self._next = self._empty
        elif char == ">":
            self._next = self._text
        elif char == "<":
            self._break()

    def _quoted(self, char: str) -> None:
        if char == self._quote:
            self._next = self._attributes

    def _empty(self, char: str) -> None:
        """What follows a `/` inside a tag."""
        if char == ">":
            self._next = self._text
            self._closed(len(self._open) - 1)
        else:
            self._next = self._attributes
            self._attributes(char)

    def _end_tag(self, char: str) -> None:
        if _continues_name(char) and len(self._name) < _LONGEST:
            self._name += char
        elif char == ">":
            self._next = self._text
            self._close(self._name)
        elif not char.isspace():
            self._break()

    # -- elements

    def _opened(self) -> None:
        """An element begins; the second of a name makes a list of what is around it."""
        around = self._open[-1]
        if len(self._open) > _DEEPEST:
            return self._break()
        if self._name in around.children and around.closing is None:
            around.closing = "".join(f"</{element.name}>" for element in reversed(self._open[1:]))
            if self._list is None or len(self._open) - 1 < self._list:
                self._list = len(self._open) - 1
                self._count(around, around.complete)
        around.children.add(self._name)
        self._open.append(_Element(self._name))

    def _close(self, name: str) -> None:
        """An end tag has come: for the innermost element of its name."""
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].name == name:
                return self._closed(place)
        self._break()

    def _closed(self, place: int) -> None:
        """The element at a place ends here, and all in it."""
        del self._open[place:]
        if self._list is not None and self._list >= place:
            self._list = None
        around = self._open[-1]
        around.complete += 1
        around.end = self._read
        if self._list == place - 1:
            self._count(around, 1)

    def _count(self, around: _Element, elements: int) -> None:
        """Elements that are in a list are complete."""
        if elements:
            self.finished += elements
            self._end, self._closing = around.end, around.closing or ""

    def _break(self) -> None:
        self.broken, self._next = True, self._pass

    def _pass(self, char: str) -> None:
        """Takes no notice."""


def _begins_name(char: str) -> bool:
    return char.isalpha() or char == "_"


def _continues_name(char: str) -> bool:
    return char.isalnum() or char in "_-.:"
