"""Early runs of what a router will probably lead to, kept apart from all else until it has decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alto_langgraph.engine.events import Event
from alto_langgraph.engine.task import Task
from alto_langgraph.tags import Tag


@dataclass(slots=True, eq=False)
class Guess:
    """A task that may never come.

    Args:
        task: Its record, which the engine's books don't have yet.
        router: The task that decides.
        told: What has happened to it meanwhile.
    """

    task: Task
    router: Tag
    told: list[Event] = field(default_factory=list)


class Guesses:
    """All guesses that are open.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_tag: dict[Tag, Guess] = {}

    def __len__(self) -> int:
        return len(self._by_tag)

    def __contains__(self, tag: Tag) -> bool:
        return tag in self._by_tag

    @property
    def full(self) -> bool:
        """Whether no more may be made."""
        return len(self._by_tag) >= self._most

    def add(self, guess: Guess) -> None:
        """Keeps a guess."""
        self._by_tag[guess.task.tag] = guess

    def get(self, tag: Tag | None) -> Guess | None:
        """The guess of this name, if there is one."""
        return self._by_tag.get(tag) if tag is not None else None

    def take(self, tag: Tag) -> Guess | None:
        """The guess of this name, which is none any more."""
        return self._by_tag.pop(tag, None)

    def take_newest(self) -> Guess:
        """The one made last."""
        return self._by_tag.popitem()[1]

    def take_of(self, router: Tag) -> Iterable[Guess]:
        """Those that `router` decides on."""
        found = [guess for guess in self._by_tag.values() if guess.router == router]
        for guess in found:
            del self._by_tag[guess.task.tag]
        return found

    def take_all(self) -> Iterable[Guess]:
        """Every one."""
        found = list(self._by_tag.values())
        self._by_tag.clear()
        return found
