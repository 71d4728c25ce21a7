"""Says beforehand, by the model double's own laws, when the parts of an answer are written and how soon a run could be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from alto_langgraph.plan.schedule import Work, ideal_schedule
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel
from alto_langgraph.testing.replies import as_text

IDEAL, BARRIERS = "ideal schedule", "superstep bound"
"""Names of the bounds."""


def written(model: PacedChatModel, prompt: str, parts: Iterable[str]) -> list[float]:
    """Seconds from a call's start until each of these parts of its answer, in order, is there to its last letter.

    Of an answer in a form of its own (structured output) the parts are those of its JSON.

    Raises:
        ValueError: the answer doesn't have such a part.
    """
    answer, at, ends = as_text(model.answers(prompt)), 0, []
    for part in parts:
        at = answer.index(part, at) + len(part)
        ends.append(_until(model, prompt, answer[:at]))
    return ends


def _until(model: PacedChatModel, prompt: str, head: str) -> float:
    """The pace is drawn for the prompt: an answer that stops there takes as long as the head of the whole one."""
    cut: dict[str, Any] = {"answers": lambda asked: head}
    return model.model_copy(update=cut).seconds(prompt)


def bounds(tasks: Sequence[Work], slots: int | None) -> Mapping[str, float]:
    """The ideal schedule, and the sum over supersteps of each one's own: the least that steps with barriers can take."""
    steps: dict[int, list[Work]] = defaultdict(list)
    for task in tasks:
        steps[task.step].append(task)
    return {
        IDEAL: ideal_schedule(tasks, slots).makespan,
        BARRIERS: sum(ideal_schedule(step, slots).makespan for step in steps.values()),
    }


class Calls:
    """The calls of a run, put together one by one.

    Args:
        model: Answers them.
    """

    def __init__(self, model: PacedChatModel) -> None:
        self.model, self._works = model, dict[Tag, Work]()

    @property
    def all(self) -> list[Work]:
        """Every call so far, each a superstep behind those that it waits for."""
        return list(self._works.values())

    def add(
        self,
        node: str,
        prompt: str,
        after: Sequence[Tag] = (),
        heads: Sequence[tuple[Tag, float]] = (),
        form: type[BaseModel] | None = None,
        **how: Any,
    ) -> Tag:
        """Notes a call, and gives its name.

        Args:
            node: Where it is made.
            prompt: What is asked.
            after: Calls whose whole answers it needs.
            heads: Calls of whose answers a part is enough, and when that is there (`written`).
            form: Of the answer, as for `with_structured_output`.
            **how: As in `invoke`.
        """
        forced: dict[str, Any] = {"tools": [convert_to_openai_tool(form)], "tool_choice": "any"} if form else {}
        step = 1 + max((self._works[tag].step for tag in (*after, *dict(heads))), default=-1)
        tag = Tag(((node, len(self._works)),))
        self._works[tag] = Work(tag, node, step, self.model.seconds(prompt, **forced, **how), tuple(after), heads=tuple(heads))
        return tag
