"""Compares what the lanes of a benchmark answer, every time they run: what is sooner and wrong isn't sooner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.types import Interrupt


class DifferentAnswersError(RuntimeError):
    """Two lanes of a benchmark, or two runs of one lane, didn't answer alike."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The first answer of each kind that a benchmark gave, by which all others are judged.

    Args:
        benchmark: Its name, for the error.
        apart: State keys in which lanes may differ.
    """

    benchmark: str
    apart: frozenset[str] = frozenset()
    _first: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def check(self, kind: str, lane: str, answer: Any) -> None:
        """Holds one lane's answer beside the first of its kind.

        Raises:
            DifferentAnswersError: they differ.
        """
        found = plain(answer, self.apart)
        first, expected = self._first.setdefault(kind, (lane, found))
        if found != expected:
            raise DifferentAnswersError(f"{self.benchmark}: the {kind} of {lane} is {found!r}, of {first} {expected!r}.")


def plain(value: Any, apart: frozenset[str] = frozenset()) -> Any:
    """A value without the random ids of messages and interrupts, and without the keys `apart`."""
    if isinstance(value, Interrupt):
        return value.value
    if isinstance(value, BaseMessage):
        return value.model_dump(exclude={"id"})
    if isinstance(value, dict):
        return {key: plain(item, apart) for key, item in value.items() if key not in apart}
    if isinstance(value, list | tuple):
        return [plain(item, apart) for item in value]
    return value
