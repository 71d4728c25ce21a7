"""Says beforehand, by the model double's own laws, when the parts of an answer are written and how soon a run could be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alto_langgraph.plan.schedule import Work, ideal_schedule
from alto_langgraph.testing import PacedChatModel

IDEAL, BARRIERS = "ideal schedule", "superstep bound"
"""Names of the bounds."""


def written(model: PacedChatModel, prompt: str, parts: Iterable[str]) -> list[float]:
    """Seconds from a call's start until each of these parts of its answer, in order, is there to its last letter.

    Raises:
        ValueError: the answer doesn't have such a part.
    """
    answer, at, ends = model.answers(prompt), 0, []
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
