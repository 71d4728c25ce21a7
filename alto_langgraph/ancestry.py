"""Keeps count of nested splits: which children a tag has, which of them are closed, and so when a reduction has all it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain

from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag


class State(Enum):
    """Where a tag, or a split under one, is."""

    UNKNOWN = "unknown"
    OPEN = "open"  # at work
    FINISHED = "finished"
    FAILED = "failed"
    FILTERED = "filtered"  # a tombstone: it counts, and nothing comes of it
    SPLITTING = "splitting"  # of a split: nobody knows yet how many children it gets
    ANNOUNCED = "announced"


MOVES: dict[State, frozenset[State]] = {
    State.UNKNOWN: frozenset({State.OPEN, State.FILTERED}),
    State.OPEN: frozenset({State.FINISHED, State.FAILED, State.FILTERED}),
    State.FINISHED: frozenset(),
    State.FAILED: frozenset(),
    State.FILTERED: frozenset(),
    State.SPLITTING: frozenset({State.ANNOUNCED}),
    State.ANNOUNCED: frozenset(),
}
"""Legal moves; the text of errors comes from here."""


@dataclass(slots=True, eq=False)
class _Split:
    """The children that one tag splits off under one name.

    Args:
        under: The tag.
        name: The name.
        children: By index.
        count: How many there will be, once that is announced.
        complete: How many of them are complete.
    """

    under: _Record
    name: str
    children: dict[int, _Record] = field(default_factory=dict)
    state: State = State.SPLITTING
    count: int | None = None
    complete: int = 0

    @property
    def is_complete(self) -> bool:
        return self.complete == self.count


@dataclass(slots=True, eq=False)
class _Record:
    """One tag.

    Args:
        tag: The tag.
        of: The split that it is a child of; None for the run itself.
        splits: What it splits into, by name.
        waits: How many of its splits aren't complete.
    """

    tag: Tag
    of: _Split | None
    state: State = State.UNKNOWN
    splits: dict[str, _Split] = field(default_factory=dict)
    waits: int = 0
    history: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not self.waits and self.state not in (State.UNKNOWN, State.OPEN)


class Ancestry:
    """The nested splits of one run. It begins with the run itself, `Tag()`, at work.

    Each event costs what it takes to go down to its tag, and what it closes above it.
    """

    def __init__(self) -> None:
        self._run = _Record(Tag(), None, State.OPEN, history=["open"])

    # ---- events

    def split(self, tag: Tag, name: str) -> None:
        """A tag at work begins to split off children called `name`.

        Raises:
            IllegalTransitionError: it isn't at work, or has begun so before.
        """
        record = self._known(tag)
        if name in record.splits or record.state is not State.OPEN:
            raise self._illegal(record, f"split into `{name}`")
        record.splits[name] = _Split(record, name)
        record.waits += 1
        record.history.append(f"split into `{name}`")

    def appear(self, tag: Tag) -> None:
        """A child is there, and at work.

        Raises:
            IllegalTransitionError: its parent hasn't split so, has announced fewer, or the child has been there before.
        """
        self._move(self._child(tag), State.OPEN)

    def announce(self, tag: Tag, name: str, count: int) -> None:
        """A split is known to have `count` children, be they there or still to come.

        Raises:
            IllegalTransitionError: there is no such split, its count was announced before, or more children are there already.
        """
        record = self._known(tag)
        split = record.splits.get(name)
        if split is None or State.ANNOUNCED not in MOVES[split.state] or count < len(split.children):
            raise self._illegal(record, f"announce {count} of `{name}`")
        self._close(split, count)

    def finish(self, tag: Tag) -> None:
        """The work of a tag itself has ended. A split whose count it hasn't announced has the children that are there.

        Raises:
            IllegalTransitionError: it wasn't at work.
        """
        self._end(tag, State.FINISHED)

    def fail(self, tag: Tag) -> None:
        """The work of a tag itself has ended with an error; as for `finish`.

        Raises:
            IllegalTransitionError: it wasn't at work.
        """
        self._end(tag, State.FAILED)

    def filter(self, tag: Tag) -> None:
        """Nothing comes of a child, whether it is there yet or was only announced. What it has split off stays to be closed.

        Raises:
            IllegalTransitionError: its work had ended before, or its parent can't have such a child.
        """
        record = self._find(tag)
        if record is None:
            record = self._child(tag)
        self._end_record(record, State.FILTERED)

    def reduce(self, tag: Tag) -> None:
        """What is below a tag was put together again, and is forgotten.

        Raises:
            IllegalTransitionError: not all of it is closed.
        """
        record = self._known(tag)
        if not record.is_complete:
            raise self._illegal(record, "be reduced")
        record.splits.clear()
        record.history.append("reduced")

    # ---- questions

    def is_complete(self, prefix: Tag) -> bool:
        """Whether a tag's own work and that of all that come of it has ended; False of an unknown one."""
        record = self._find(prefix)
        return record is not None and record.is_complete

    def open(self, prefix: Tag) -> tuple[Tag, ...]:
        """The children of a tag that aren't complete, in order; of those that are only announced nothing is known."""
        record = self._find(prefix)
        return tuple(child.tag for child in _children(record) if not child.is_complete) if record is not None else ()

    def leaves(self, prefix: Tag = Tag()) -> Iterator[Tag]:  # noqa: B008 - it is frozen
        """The tags at or below a prefix that have no children, tombstones aside, in the order of LangGraph's task paths."""
        waiting = [record] if (record := self._find(prefix)) is not None else []
        while waiting:
            record = waiting.pop()
            children = _children(record)
            waiting.extend(reversed(children))
            if not children and record.state is not State.FILTERED:
                yield record.tag

    def __len__(self) -> int:
        """How many tags below the run itself it knows."""
        count, waiting = -1, [self._run]
        while waiting:
            count += 1
            waiting.extend(_children(waiting.pop()))
        return count

    def __repr__(self) -> str:
        return f"<Ancestry of {len(self)} tags, {'complete' if self._run.is_complete else 'at work'}>"

    # ---- records

    def _find(self, tag: Tag) -> _Record | None:
        record: _Record | None = self._run
        for name, index in tag.path:
            split = record.splits.get(name) if record is not None else None
            record = split.children.get(index) if split is not None else None
        return record

    def _known(self, tag: Tag) -> _Record:
        record = self._find(tag)
        if record is None:
            raise IllegalTransitionError(f"{tag} isn't known.{self._nearest(tag)}", node=_node(tag))
        return record

    def _nearest(self, tag: Tag) -> str:
        """What has happened to the nearest ancestor that is known."""
        above = tag.parent
        while above is not None and (record := self._find(above)) is None:
            above = above.parent
        return "" if above is None or record is None else f" {_told(record)}"

    def _child(self, tag: Tag) -> _Record:
        """The record of a child that its parent may have, made if there is none."""
        if tag.parent is None:
            return self._run
        known = self._find(tag)
        if known is not None:
            return known
        name, index = tag.path[-1]
        parent = self._find(tag.parent)
        split = parent.splits.get(name) if parent is not None else None
        if split is None or (split.count is not None and len(split.children) >= split.count):
            raise IllegalTransitionError(f"{tag} can't be a child.{self._nearest(tag)}", node=_node(tag))
        record = split.children[index] = _Record(tag, split)
        return record

    # ---- moves

    def _move(self, record: _Record, state: State) -> None:
        if state not in MOVES[record.state]:
            raise self._illegal(record, f"become {state.value}")
        record.state = state
        record.history.append(state.value)

    def _end(self, tag: Tag, state: State) -> None:
        self._end_record(self._known(tag), state)

    def _end_record(self, record: _Record, state: State) -> None:
        self._move(record, state)
        record.waits += 1  # so that it isn't complete before the last of its splits is closed
        for split in record.splits.values():
            if split.state is State.SPLITTING:
                self._close(split, len(split.children))
        self._settle(record)

    def _close(self, split: _Split, count: int) -> None:
        split.state, split.count = State.ANNOUNCED, count
        split.under.history.append(f"announced {count} of `{split.name}`")
        if split.is_complete:
            self._settle(split.under)

    def _settle(self, record: _Record) -> None:
        """One thing less that a record waits for; goes up as far as that makes others complete."""
        record.waits -= 1
        while record.is_complete and (split := record.of) is not None:
            split.complete += 1
            if not split.is_complete:
                return
            record = split.under
            record.waits -= 1

    def _illegal(self, record: _Record, what: str) -> IllegalTransitionError:
        allowed = ", ".join(sorted(state.value for state in MOVES[record.state])) or "nothing"
        return IllegalTransitionError(f"{record.tag} can't {what}. {_told(record)} It may become {allowed}.", node=_node(record.tag))


def _children(record: _Record) -> list[_Record]:
    """Across its splits, in order."""
    return sorted(chain.from_iterable(split.children.values() for split in record.splits.values()), key=lambda child: child.tag)


def _told(record: _Record) -> str:
    return f"{record.tag} was {', '.join(record.history) or 'not there yet'}."


def _node(tag: Tag) -> str | None:
    return tag.path[-1][0] if tag.path else None
