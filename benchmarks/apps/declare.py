"""What the frame needs to know of an application to measure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from langchain_core.language_models import BaseChatModel

from alto_langgraph.plan.schedule import Work
from alto_langgraph.testing import PacedChatModel
from alto_langgraph.testing.pace import SEQUENCES_AT_A_TIME

Build = Callable[[BaseChatModel], Any]
"""Makes the compiled graph, all but its model; with a checkpointer of its own where the application has one."""


@dataclass(frozen=True, eq=False, slots=True)
class Application:
    """An application, built by nothing but LangGraph; alto's lane is `optimize` of what `as_written` gives.

    Args:
        name: Its folder in `examples`; the benchmark is `app_<name>`.
        what: One sentence for the report.
        as_written: As people write it.
        expert: As somebody who knows LangGraph well tunes it by hand.
        double: Answers the application's prompts; the frame gives it the slots.
        turns: Inputs of the turns on one thread, `Command(resume=...)` among them.
        tiny: The same, much shorter, for tests.
        answer: The part of the final state that all lanes have in common. Stock and alto are compared in everything besides.
        foretold: All work of a run that ended in this state, each with its own time (`model.seconds`) and what it waits for: the
            turns one after another. What it is for is the ideal schedule, so it says what the application needs, not how its graph waits.
        first: Nodes, in both graphs, whose first update that isn't empty is the first that a user has; none to leave that out.
        first_turn: The turn from whose start that is counted; ones before it may wait for a person.
        slots: Calls that the model server takes at a time: as many as the engine did whose times the double has.
        scarce: As many as a smaller server takes, where calls wait in line.
        first_target: The most that alto's time to that may be of stock's; None to show it only.
        extras: Modules that it doesn't run without.
    """

    name: str
    what: str
    as_written: Build
    expert: Build
    double: Callable[[], PacedChatModel]
    turns: Sequence[Any]
    tiny: Sequence[Any]
    answer: Callable[[Any], Any]
    foretold: Callable[[PacedChatModel, Any], Sequence[Work]]
    first: frozenset[str] = frozenset()
    first_turn: int = 0
    slots: int = SEQUENCES_AT_A_TIME
    scarce: int = 16
    first_target: float | None = 0.4
    extras: tuple[str, ...] = ()

    def lacking(self) -> str | None:
        """A module that it needs and that isn't installed."""
        return next((name for name in self.extras if find_spec(name) is None), None)
