"""Notes what early runs ask models, so that it can be told what was asked in vain."""

from __future__ import annotations

from typing import Any

from alto_langgraph.driver.early import CURRENT


class Asked:
    """One call of a model."""

    def __init__(self) -> None:
        self.pieces = 0
        """Of the answer, as far as it is there and was streamed to whoever listens."""
        self._tokens: int | None = None

    @property
    def tokens(self) -> int:
        """Tokens of the answer as the model counts them, or else its pieces; an answer that isn't streamed has none before it is there."""
        return self.pieces if self._tokens is None else self._tokens

    def answered(self, answer: Any) -> None:
        """The answer is complete."""
        if usage := getattr(answer, "usage_metadata", None):
            self._tokens = usage["output_tokens"]


def asked() -> Asked:
    """The code that is running asks a model: notes that for the early runs it is part of."""
    call, early = Asked(), CURRENT.get()
    while early is not None:
        early.asked.append(call)
        early = early.outer
    return call
