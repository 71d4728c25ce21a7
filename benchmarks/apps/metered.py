"""The model double with a meter: what a run has asked for, also where nobody waited for the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import Field

from alto_langgraph.testing import PacedChatModel, Slots
from alto_langgraph.testing.replies import Reply, prompt_of, tokens


@dataclass(slots=True)
class Meter:
    """Tokens of prompts and of answers so far."""

    read: int = 0
    written: int = 0

    @property
    def total(self) -> int:
        """Both."""
        return self.read + self.written


class MeteredModel(PacedChatModel):
    """Counts a prompt once its call has a slot, and a token of the answer when it is due."""

    meter: Any = Field(default_factory=Meter)

    def _pauses(self, messages: list[BaseMessage], reply: Reply) -> Iterator[float]:
        self.meter.read += len(tokens(prompt_of(messages)))
        for place, pause in enumerate(super()._pauses(messages, reply)):
            self.meter.written += place < reply.size
            yield pause


def metered(model: PacedChatModel, slots: int, scale: float) -> MeteredModel:
    """The same double with a meter, on a server of its own."""
    return MeteredModel(**{**dict(model), "slots": Slots(slots), "scale": scale})
