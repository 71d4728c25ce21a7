"""Tags name a task by where it comes from: the path of (split, index) pairs from the run's input to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, slots=True)
class Tag:
    """A task's place in the nested ancestry of a run.

    Tags order as LangGraph orders the tasks they name, so sorting siblings by tag gives commit order: by index first, as a parent's
    Sends are counted across the nodes they go to, and then by split.

    Args:
        path: (split, index) pairs from the run's input to the task. A node triggered by an edge
            opens a path with (node, superstep); a `Send` appends (node, place among its parent's Sends). A place that isn't known
            yet is negative, and only a name: no app sees it.
    """

    path: tuple[tuple[str, int], ...] = ()

    def child(self, split: str, index: int) -> Tag:
        """The tag of the `index`-th fragment that this task splits off towards `split`."""
        return Tag((*self.path, (split, index)))

    @property
    def parent(self) -> Tag | None:
        """The tag one level up, or None at the top."""
        return Tag(self.path[:-1]) if self.path else None

    @property
    def depth(self) -> int:
        """Number of splits between the run's input and the task."""
        return len(self.path)

    @property
    def is_placed(self) -> bool:
        """Whether all places in it are known."""
        for _, index in self.path:  # noqa: SIM110 - it is asked for every task
            if index < 0:
                return False
        return True

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Tag):
            return NotImplemented
        return [(index, split) for split, index in self.path] < [(index, split) for split, index in other.path]

    def __contains__(self, other: object) -> bool:
        return isinstance(other, Tag) and other.path[: len(self.path)] == self.path

    def __str__(self) -> str:
        return "/".join(f"{split}[{index}]" if index >= 0 else f"{split}[?{-index}]" for split, index in self.path) or "run"

    def __repr__(self) -> str:
        return f"<Tag {self}>"
