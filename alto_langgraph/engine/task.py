"""A task as the engine sees it, and the one table of moves it may make."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag


class Phase(Enum):
    """Where a task is between being known and being committed."""

    WAITING = "waiting"  # something unfinished forbids it
    READY = "ready"  # only the window's size holds it back
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    COMMITTED = "committed"
    SQUASHED = "squashed"


MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.WAITING: frozenset({Phase.READY, Phase.RUNNING, Phase.SQUASHED}),
    Phase.READY: frozenset({Phase.RUNNING, Phase.WAITING, Phase.SQUASHED}),
    Phase.RUNNING: frozenset({Phase.COMPLETED, Phase.FAILED, Phase.SQUASHED}),
    Phase.COMPLETED: frozenset({Phase.COMMITTED, Phase.SQUASHED}),
    Phase.FAILED: frozenset({Phase.COMMITTED, Phase.SQUASHED}),
    Phase.SQUASHED: frozenset({Phase.RUNNING}),
    Phase.COMMITTED: frozenset(),
}
"""Legal moves; the diagram in docs/architecture.md and the text of errors come from here."""


@dataclass(slots=True, eq=False)
class Task:
    """One task's record.

    Args:
        tag: Its name.
        node: Its node.
        step: The superstep it commits in.
        operands: Identities of the mutable objects its input holds; None if they can't be told.
        phase: Where it is now.
        ahead: Whether its current run was started before its superstep.
        alone: Whether neither it nor another task of its own superstep may change anything that its input holds.
        unfinished: Whether it still counts as unfinished for the tasks behind it.
        pulled: Whether an edge triggers it, so that it reads the state when it starts; else its input is a `Send` payload.
        wrote: State keys whose value its own conditional edges know from its own writes.
        awaits: Starts of the join that triggers it: as long as a task of one is unfinished, it may come in another superstep.
        expected: An edge will probably trigger it, and isn't certain to: it waits until that is.
        producer: The task that sent it, until its superstep opens.
        fragment: Its producer hasn't finished: it was sent on a part of what that is still making, and may yet turn out wrong.
        children: What it has sent.
    """

    tag: Tag
    node: str
    step: int
    operands: frozenset[int] | None
    phase: Phase
    ahead: bool = False
    alone: bool = True
    unfinished: bool = True
    pulled: bool = False
    wrote: frozenset[str] = frozenset()
    awaits: frozenset[str] = frozenset()
    expected: bool = False
    producer: Task | None = None
    fragment: bool = False
    children: list[Task] = field(default_factory=list)

    @property
    def provisional(self) -> bool:
        """Whether it, or what it descends from, may yet turn out wrong."""
        task: Task | None = self
        while task is not None:
            if task.fragment:
                return True
            task = task.producer
        return False

    def move(self, phase: Phase) -> None:
        """Goes to `phase`.

        Raises:
            IllegalTransitionError: the table of moves doesn't allow it.
        """
        if phase not in MOVES[self.phase]:
            allowed = ", ".join(sorted(p.value for p in MOVES[self.phase])) or "nothing"
            raise IllegalTransitionError(
                f"Task {self.tag} is {self.phase.value} and can't become {phase.value}, only {allowed}.", node=self.node
            )
        self.phase = phase
