"""Keeps count of nested splits: below which ancestors something is at work, and so which part of a reduction is closed."""

from __future__ import annotations

from collections.abc import Iterator

from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag

Path = tuple[tuple[str, int], ...]


class Ancestry:
    """Of one run. Every event costs as much as its tag has levels, however many tasks there are.

    A tag's children begin before its own work has ended: so nothing counts as closed of which more may come.
    """

    def __init__(self) -> None:
        self._at_work: dict[Path, int] = {}
        self._open: dict[int, dict[Path, None]] = {}
        self.closings = 0
        """How often something was closed, on any level."""

    def begin(self, tag: Tag) -> None:
        """A tag is known, and not finished."""
        for depth in range(1, tag.depth + 1):
            prefix = tag.path[:depth]
            before = self._at_work.get(prefix, 0)
            self._at_work[prefix] = before + 1
            if not before:
                self._open.setdefault(depth, {})[prefix] = None

    def end(self, tag: Tag) -> None:
        """Its own work has ended, in whichever way: one of which nothing comes counts like any other.

        Raises:
            IllegalTransitionError: nothing is at work there.
        """
        if tag.path not in self._at_work and tag.path:
            raise IllegalTransitionError(f"{tag} can't end: nothing is at work there.", node=tag.path[-1][0])
        for depth in range(1, tag.depth + 1):
            prefix = tag.path[:depth]
            left = self._at_work[prefix] - 1
            if left:
                self._at_work[prefix] = left
                continue
            del self._at_work[prefix], self._open[depth][prefix]
            if not self._open[depth]:
                del self._open[depth]
            self.closings += 1

    def is_closed(self, tag: Tag, depth: int | None = None) -> bool:
        """Whether nothing is at work at a tag or below it; of its ancestor so many levels down, if `depth` says so."""
        return tag.path[:depth] not in self._at_work if tag.path[:depth] else not self._at_work

    def open(self, depth: int) -> Iterator[Tag]:
        """Ancestors of that level with something at work."""
        return map(Tag, self._open.get(depth, ()))

    def __len__(self) -> int:
        return len(self._at_work)

    def __repr__(self) -> str:
        return f"<Ancestry, {len(self)} tags open>"


OUTERMOST = 2
"""Depth of the tasks of the outermost split: what comes of one of them is a part of a reduction."""
