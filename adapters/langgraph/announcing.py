"""Says on a run's stream whose an update is, and what early runs have come to, if somebody listens (`astream_fragments`)."""

from __future__ import annotations

from typing import Any

from langgraph.constants import TAG_HIDDEN
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.seam import ERROR, INTERRUPT, PregelLoop, map_output_updates
from alto_langgraph.adapters.langgraph.told import COMPLETED, THROWN_AWAY, WHOSE, Named
from alto_langgraph.adapters.langgraph.whose import tag_in
from alto_langgraph.driver.early import CURRENT


class Announcing(PregelLoop):
    """A loop that adds to its stream what LangGraph's modes don't tell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._inside = CURRENT.get()
        super().__init__(*args, **kwargs)
        if self._inside is not None and self.announces:
            self._inside.show()  # in the tags of all that runs here

    @property
    def announces(self) -> bool:
        """Whether anybody listens."""
        return self.stream is not None and WHOSE in self.stream.modes

    def output_writes(self, task_id: str, writes: Any, *, cached: bool = False) -> None:
        if self.announces and (task := self.tasks.get(task_id)) is not None and not _hidden(task) and writes[0][0] != ERROR:
            if self._inside is not None and not self._inside.released and writes[0][0] != INTERRUPT:
                self.completed(task, writes)
            self._announce(WHOSE, Named(tag_in(task.config), task.name))
        super().output_writes(task_id, writes, cached=cached)

    def completed(self, task: PregelExecutableTask, writes: Any) -> None:
        """A task's writes are known before anybody takes them for certain."""
        if self.announces and not _hidden(task):
            # A task that has written nothing shows as one that has written nowhere.
            for update in map_output_updates(self.output_keys, [(task, writes or [("", None)])]):
                self._announce(COMPLETED, Named(tag_in(task.config), task.name, update[task.name]))

    def thrown_away(self, task: PregelExecutableTask) -> None:
        """An early run is, with all that ran inside of it."""
        if self.announces:
            self._announce(THROWN_AWAY, tag_in(task.config))

    def _announce(self, mode: str, payload: Any) -> None:
        stream: Any = self.stream
        stream((self.checkpoint_ns, mode, payload))


def _hidden(task: PregelExecutableTask) -> bool:
    return task.config is not None and TAG_HIDDEN in task.config.get("tags", ())
