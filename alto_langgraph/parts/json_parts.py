"""Finds the complete elements of the arrays in a JSON document that is still being written, looking at each character once."""

from __future__ import annotations

import re
from typing import ClassVar

_SPACE = " \t\n\r"
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NUMERIC = frozenset("0123456789+-.eE")
_LITERALS = ("true", "false", "null")
_DEEPEST = 200
"""How deep a document may nest: well below what Python's parser can take."""
_LONGEST = 1000
"""How many characters a number may have: well below what Python converts."""


class JsonParts:
    """Reads a JSON document character by character, as strictly as `json.loads`, and remembers where it could end.

    What counts is the elements of its outermost arrays: of those that lie in no other array. There may be several, one after another.
    Several documents, one after another, are themselves the elements, from the second on.

    Attributes:
        finished: Number of elements that are complete. A number is complete when something follows it.
        over: Whether the document is complete.
        broken: Whether what came isn't JSON; then nothing more is read.
        again: Characters with which the next document may begin.
    """

    again: ClassVar[str] = "{["

    def __init__(self) -> None:
        self.finished = 0
        self.over = False
        self.broken = False
        self._read = 0
        self._end = 0
        self._closing = ""
        self._several, self._document_end = False, 0
        self._open: list[str] = []  # the brackets that would close what is open
        self._list, self._list_closing = 0, ""  # how many of them up to the outermost array, and these, innermost first
        self._is_key = False
        self._bare = ""
        self._hex_digits = 0
        self._next = self._value

    def step(self, char: str) -> None:
        """Reads the next character."""
        self._read += 1
        self._next(char)

    def closed(self, document: str) -> str | None:
        """The shortest valid document with all complete elements, or None if there is none.

        Args:
            document: What has been read, from the first character.
        """
        return document[: self._end] + self._closing if self.finished else None

    # -- values

    def _value(self, char: str) -> None:
        if char == "{":
            self._enter("}")
        elif char == "[":
            self._enter("]")
        elif char == '"' and self._open:
            self._is_key, self._next = False, self._string
        elif self._open and char in "-0123456789tfn":
            self._bare, self._next = char, self._bare_value
        else:
            self._unless_space(char)

    def _value_or_end(self, char: str) -> None:
        if char == "]":
            self._leave()
        else:
            self._value(char)

    def _bare_value(self, char: str) -> None:
        """A number, true, false or null: nothing but what follows says that it is complete."""
        if char in ",]}" or char in _SPACE:
            if self._bare in _LITERALS or _NUMBER.fullmatch(self._bare):
                self._completed(self._read - 1)
                self._next(char)
            else:
                self._break()
        else:
            self._bare += char
            numeric = char in _NUMERIC and self._bare[0] not in "tfn" and len(self._bare) <= _LONGEST
            if not numeric and not any(literal.startswith(self._bare) for literal in _LITERALS):
                self._break()

    def _behind_value(self, char: str) -> None:
        if char == self._open[-1]:
            self._leave()
        elif char == ",":
            self._next = self._value if self._open[-1] == "]" else self._key
        else:
            self._unless_space(char)

    # -- keys and strings

    def _key_or_end(self, char: str) -> None:
        if char == "}":
            self._leave()
        else:
            self._key(char)

    def _key(self, char: str) -> None:
        if char == '"':
            self._is_key, self._next = True, self._string
        else:
            self._unless_space(char)

    def _colon(self, char: str) -> None:
        if char == ":":
            self._next = self._value
        else:
            self._unless_space(char)

    def _string(self, char: str) -> None:
        if char == "\\":
            self._next = self._escape
        elif char == '"':
            if self._is_key:
                self._next = self._colon
            else:
                self._completed(self._read)
        elif char < " ":
            self._break()

    def _escape(self, char: str) -> None:
        if char == "u":
            self._hex_digits, self._next = 4, self._hex
        elif char in '"\\/bfnrt':
            self._next = self._string
        else:
            self._break()

    def _hex(self, char: str) -> None:
        self._hex_digits -= 1
        if char not in "0123456789abcdefABCDEF":
            self._break()
        elif not self._hex_digits:
            self._next = self._string

    # -- nesting

    def _enter(self, closing: str) -> None:
        if len(self._open) == _DEEPEST:
            return self._break()
        self._open.append(closing)
        if closing == "]" and not self._list and not self._several:
            self._list, self._list_closing = len(self._open), "".join(reversed(self._open))
        self._next = self._value_or_end if closing == "]" else self._key_or_end

    def _leave(self) -> None:
        self._open.pop()
        if len(self._open) < self._list:
            self._list = 0
        self._completed(self._read)

    def _completed(self, end: int) -> None:
        """A value ends behind the `end`-th character."""
        self.over = not self._open
        self._next = self._behind_document if self.over else self._behind_value
        if self.over:
            self._document_end = end
        if self._several if self.over else len(self._open) == self._list:
            self._count(end, self._list_closing)

    def _behind_document(self, char: str) -> None:
        if char in self.again:
            if not self._several:
                self._several, self._list_closing = True, ""
                self._count(self._document_end, "")
            self.over = False
            self._value(char)
        else:
            self._unless_space(char)

    def _count(self, end: int, closing: str) -> None:
        self.finished += 1
        self._end, self._closing = end, closing

    # -- what isn't JSON

    def _unless_space(self, char: str) -> None:
        if char not in _SPACE:
            self._break()

    def _break(self) -> None:
        self.broken, self._next = True, self._pass

    def _pass(self, char: str) -> None:
        """Takes no notice."""
