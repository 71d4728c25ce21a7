"""The state as it will be at the start of later supersteps, as far as finished tasks determine it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph.errors import InvalidUpdateError
from langgraph.graph.message import add_messages

from alto_langgraph.adapters.langgraph.seam import MISSING, BaseChannel, BinaryOperatorAggregate, EphemeralValue
from alto_langgraph.tags import Tag

_Steps = dict[int, list[tuple[Tag, list[Any]]]]
"""What tasks have written to a key, superstep by superstep."""


class Written(NamedTuple):
    """What a task of superstep `step` has come to, or would: values by key."""

    step: int
    tag: Tag
    values: Mapping[str, list[Any]]


class UnforeseenError(Exception):
    """A value that only the loop can make."""


class Foreseen(BinaryOperatorAggregate[Any]):
    """A reduced channel that remembers what it came to ahead of the superstep, and comes to the very same when the loop asks.

    So a reducer runs once for the shadow and the loop together, and both hold the same object.
    """

    __slots__ = ("memo",)

    memo: list[tuple[Any, tuple[Any, ...], Any]]

    @classmethod
    def of(cls, channel: BinaryOperatorAggregate[Any]) -> Foreseen:
        """A channel in place of LangGraph's own."""
        made = cls(channel.typ, channel.operator)
        made.key, made.value, made.memo = channel.key, channel.value, []
        return made

    def copy(self) -> Any:
        made = self.of(self)
        made.memo = self.memo
        return made

    def update(self, values: Any) -> bool:
        return self._recall(values) or super().update(values)

    def _recall(self, values: Any) -> bool:
        for base, written, result in self.memo:
            if base is self.value and len(written) == len(values) and all(a is b for a, b in zip(written, values, strict=True)):
                self.value = result
                return True
        return False

    def foresee(self, values: tuple[Any, ...]) -> None:
        """Comes to a value ahead of the superstep, and remembers it."""
        if not self._recall(values):
            base = self.value
            super().update(values)
            self.memo.append((base, values, self.value))

    def forget(self) -> None:
        """Drops what can't come any more, since the value is another."""
        reachable, kept = [self.value], []
        for entry in self.memo:
            if any(entry[0] is value for value in reachable):
                reachable.append(entry[2])
                kept.append(entry)
        self.memo[:] = kept


class View(Mapping[str, Any]):
    """The run's live channels, but for those that have another value at the start of a later superstep."""

    def __init__(self, live: Mapping[str, Any]) -> None:
        self.live = live
        self.over: Mapping[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        over = self.over
        return over[key] if key in over else self.live[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.live)

    def __len__(self) -> int:
        return len(self.live)


class Shadow:
    """Adds what finished tasks have written, of supersteps that the loop hasn't committed, to the run's channels.

    Args:
        channels: The run's. A reduced one that is asked for is replaced by a `Foreseen`.
        foldable: State keys that keep the last value, or whose reducer may run ahead of the superstep: it changes nothing.
        place: Sorts the tasks of a superstep as LangGraph sorts them; `likely` if a place may be one that isn't certain.
    """

    def __init__(self, channels: Any, foldable: frozenset[str], place: Callable[..., Any]) -> None:
        self._channels, self._foldable, self._place = channels, foldable, place
        self._writes: dict[str, dict[int, list[tuple[Tag, list[Any]]]]] = {}
        self._step = -1

    def opened(self, step: int) -> None:
        """The loop has committed everything before superstep `step`."""
        self._step = step
        for key, steps in list(self._writes.items()):
            for old in [s for s in steps if s < step]:
                del steps[old]
            if not steps:
                del self._writes[key]
        for channel in self._channels.values():
            if type(channel) is Foreseen and channel.memo:
                channel.forget()

    def finished(self, step: int, tag: Tag, writes: Iterable[tuple[str, Any]]) -> None:
        """A task of superstep `step` has come to its writes."""
        for key, written in by_key(writes).items():
            if key in self._channels:
                self._writes.setdefault(key, {}).setdefault(step, []).append((tag, written))

    def withdrawn(self, step: int, tag: Tag) -> None:
        """What a task had come to doesn't count any more."""
        for steps in self._writes.values():
            steps[step] = [entry for entry in steps.get(step, ()) if entry[0] != tag]

    def writers(self, step: int, key: str) -> list[Tag]:
        """The tasks that have written to `key`, of the supersteps before `step` that the loop hasn't committed."""
        return [tag for at, written in self._writes.get(key, {}).items() if at < step for tag, _ in written]

    def channels(self, step: int, keys: Iterable[str]) -> dict[str, Any]:
        """The channels of `keys` as they will be at the start of superstep `step`, whose values nothing unfinished may write.

        Raises:
            UnforeseenError: one of them can't be told, or LangGraph wouldn't accept what was written.
        """
        return {key: self._channel(key, step, self._writes.get(key, {}), certain=True) for key in keys}

    def part(self, step: int, keys: Iterable[str], tags: frozenset[Tag]) -> dict[str, Any]:
        """The same, if of the supersteps that the loop hasn't committed only the tasks `tags` had written.

        Raises:
            UnforeseenError: as `channels`.
        """

        def written(key: str) -> _Steps:
            steps = self._writes.get(key, {})
            return {at: [entry for entry in entries if entry[0] in tags] for at, entries in steps.items()}

        return {key: self._channel(key, step, written(key), certain=False) for key in keys}

    def beyond(self, step: int, keys: Iterable[str], path: Sequence[Written]) -> dict[str, Any]:
        """The same as `channels`, if tasks that haven't finished had come to the writes of `path`.

        Messages without ids get some, which aren't those that they will have.

        Raises:
            UnforeseenError: as `channels`.
        """

        def written(key: str) -> _Steps:
            steps = {at: [*entries] for at, entries in self._writes.get(key, {}).items()}
            for at, tag, values in path:
                others = [entry for entry in steps.get(at, ()) if entry[0] != tag]
                steps[at] = [*others, (tag, values[key])] if key in values else others
            return steps

        return {key: self._channel(key, step, written(key), certain=False, ids=False) for key in keys}

    def _channel(self, key: str, step: int, steps: _Steps, *, certain: bool, ids: bool = True) -> Any:
        later = sorted(at for at, written in steps.items() if at < step and written)
        if type(self._channels[key]) is EphemeralValue and not ids:  # it holds what was written right before, and nothing else
            return self._updated(self._channels[key].copy(), step - 1, steps, certain=certain, ids=ids)
        if not later:
            return self._channels[key].copy()
        if key not in self._foldable:
            raise UnforeseenError(f"only the loop may make the value of `{key}`")
        channel = self._own(key).copy()
        for at in later:
            self._updated(channel, at, steps, certain=certain, ids=ids)
        return channel

    def _own(self, key: str) -> Any:
        channel = self._channels[key]
        if type(channel) is BinaryOperatorAggregate:
            channel = self._channels[key] = Foreseen.of(channel)
        return channel

    def _updated(self, channel: Any, step: int, steps: _Steps, *, certain: bool, ids: bool) -> Any:
        in_order = sorted(steps.get(step, ()), key=lambda entry: self._place(entry[0], likely=not certain))
        values = tuple(value for _, written in in_order for value in written)
        if type(channel) is Foreseen:
            if ids and channel.operator is add_messages and not all(map(_named, values)):
                raise UnforeseenError("a message gets its id when it is committed")
            try:
                channel.foresee(values) if certain else channel.update(values)
            except Exception as error:
                raise UnforeseenError(f"its reducer raises {error!r}") from error
        else:
            try:
                channel.update(values)
            except InvalidUpdateError as error:
                raise UnforeseenError("it was written twice") from error
        return channel


def by_key(writes: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """A task's writes, in order, key by key."""
    values: dict[str, list[Any]] = {}
    for key, value in writes:
        values.setdefault(key, []).append(value)
    return values


def value_of(channel: BaseChannel[Any, Any, Any]) -> Any:
    """What a channel holds; `MISSING` if nothing."""
    return channel.get() if channel.is_available() else MISSING


def _named(value: Any) -> bool:
    """Whether messages carry ids already, so that adding them changes none."""
    messages = value if isinstance(value, list) else [value]
    return all(getattr(message, "id", None) is not None for message in messages)
