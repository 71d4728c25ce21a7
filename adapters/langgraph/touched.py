"""What supersteps change of a run's channels, so that nothing need look at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from alto_langgraph.adapters.langgraph.seam import (
    NOT_APPLIED,
    RESERVED,
    BinaryOperatorAggregate,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    apply_writes,
)
from alto_langgraph.adapters.langgraph.shadow import Foreseen

STEADY = frozenset({LastValue, BinaryOperatorAggregate, Foreseen})
"""Channels, by exact type, that change only when they are written, never become empty again, and give the very object they hold."""


class Touched:
    """Applies a run's writes as LangGraph does, shows it few channels meanwhile, and remembers what has changed since when.

    A new superstep is announced to each channel that wasn't written, and the last one is, too. A steady channel ignores both. So
    does an `EphemeralValue`, except that it empties itself if it is still there, and then the superstep before wrote it: these few
    are known. Channels of all other types see everything.

    Which those are depends on no superstep having passed unseen, so the first one is shown to all channels.

    Args:
        channels: The run's. Ones that are replaced later are replaced by channels of a kind.
    """

    def __init__(self, channels: Mapping[str, Any]) -> None:
        self.others = [k for k, c in channels.items() if type(c) not in STEADY and type(c) is not EphemeralValue]
        """Keys of which a superstep may change any, in the channels' order."""
        self._ephemeral = frozenset(k for k, c in channels.items() if type(c) is EphemeralValue)
        self._still_there: list[str] | None = None
        self._highest: str | None = None
        self._keeps_order = not any(isinstance(c, DeltaChannel) for c in channels.values())
        self._triggers: tuple[Any, frozenset[str]] = (), frozenset()
        self._shown = Shown()
        self.now = 0
        """How many supersteps have been applied."""
        self.ran: set[str] = set()
        """Names of the nodes that have run, until somebody sets it back."""
        self._changed: dict[str, int] = {}

    def apply_writes(self, checkpoint: Any, channels: Mapping[str, Any], tasks: Any, next_version: Any, triggers: Any) -> set[str]:
        """LangGraph's."""
        if self._triggers[0] is not triggers:
            self._triggers = triggers, frozenset(triggers)
        triggering = self._triggers[1]  # LangGraph only asks whether keys are among them, which a set is quicker to tell
        emptied, self._still_there = self._still_there, None  # unknown again if this fails
        few = None if emptied is None else [*self.others, *emptied]
        if few is not None and len(tasks) == 1 and _is_plain(task := next(iter(tasks)), channels):
            updated = self._apply(checkpoint, channels, task, few, next_version, triggering)
        else:
            updated = self._apply_all(checkpoint, channels, tasks, few, next_version, triggering)
        candidates = self._ephemeral if emptied is None else (self._ephemeral & updated).union(emptied)
        self._still_there = [k for k in candidates if channels[k].is_available()]
        self.now += 1
        self.ran.update(task.name for task in tasks)
        self._note(updated.union(emptied or ()))
        return updated

    def _apply_all(
        self, checkpoint: Any, channels: Mapping[str, Any], tasks: Any, few: list[str] | None, next_version: Any, triggering: Any
    ) -> set[str]:
        self._highest = None
        shown = channels
        if few is not None:
            shown = self._shown
            self._shown.few = few
            self._shown.take(channels, few, tasks)
        updated: set[str] = apply_writes(checkpoint, shown, tasks, next_version, triggering)
        return updated

    def _apply(
        self, checkpoint: Any, channels: Mapping[str, Any], task: Any, few: list[str], next_version: Any, triggering: Any
    ) -> set[str]:
        """The same for one task, which has nothing to be sorted among: most supersteps of a long run are so."""
        versions = checkpoint["channel_versions"]
        seen = checkpoint["versions_seen"].setdefault(task.name, {})
        seen.update({key: versions[key] for key in task.triggers if key in versions})
        version = next_version(versions[self._highest] if self._highest else max(versions.values()), None)
        updated: set[str] = set()

        def note(key: str) -> None:
            versions[key] = version
            self._highest = key if self._keeps_order else None
            if channels[key].is_available():  # else it can't trigger anything
                updated.add(key)

        for key in task.triggers:
            if key in channels and key not in RESERVED and channels[key].consume():
                versions[key] = version
                self._highest = key if self._keeps_order else None
        written: dict[str, list[Any]] = {}
        for key, value in task.writes:
            if key not in NOT_APPLIED:
                written.setdefault(key, []).append(value)
        for key, values in written.items():
            if channels[key].update(values):
                note(key)
        for key in few:
            if key not in updated and channels[key].is_available() and channels[key].update(()):
                note(key)
        if updated.isdisjoint(triggering):
            for key in few:
                if channels[key].finish():
                    note(key)
        return updated

    def _note(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._changed.pop(key, None)  # so that the latest come last
            self._changed[key] = self.now

    def since(self, superstep: int) -> Iterator[str]:
        """Keys of steady channels that supersteps after the `superstep`th have changed; of ephemeral ones, too, from the first on."""
        return takewhile(lambda key: self._changed[key] > superstep, reversed(self._changed))


def _is_plain(task: Any, channels: Mapping[str, Any]) -> bool:
    """Whether something has triggered a task, and all that it has written is known."""
    return bool(task.triggers) and all(key in channels or key in NOT_APPLIED for key, _ in task.writes)


class Shown(dict[str, Any]):
    """All channels to whoever asks for one, a few of them to whoever goes through all."""

    few: Iterable[str] = ()

    def take(self, channels: Mapping[str, Any], few: Iterable[str], tasks: Any) -> None:
        """Takes the channels of a superstep as they are: some may have been replaced since the last one."""
        if not self:
            self.update(channels)
            return
        for keys in (few, *(task.triggers for task in tasks), *((key for key, _ in task.writes) for task in tasks)):
            for key in keys:
                if key in self:
                    self[key] = channels[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.few)
