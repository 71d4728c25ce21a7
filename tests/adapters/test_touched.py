"""What supersteps change is what LangGraph's own function changes, whatever channels there are and however many tasks."""

from __future__ import annotations

import operator
import random
from collections import deque
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from langgraph.channels import BinaryOperatorAggregate, EphemeralValue, LastValue, Topic
from langgraph.channels.delta import DeltaChannel
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.checkpoint.base.id import uuid6
from langgraph.errors import InvalidUpdateError
from langgraph.pregel._algo import apply_writes
from langgraph.pregel._checkpoint import empty_checkpoint

from alto_langgraph.adapters.langgraph.checkpoints import made, new_id
from alto_langgraph.adapters.langgraph.touched import Touched

TRIGGERS = {f"to{place}": [f"node{place}"] for place in range(4)}
SPECIAL = ("__no_writes__", "__return__", "__error__")


class Task(NamedTuple):
    """What LangGraph looks at of a task."""

    path: tuple[Any, ...]
    name: str
    writes: deque[tuple[str, Any]]
    triggers: tuple[str, ...]


def channels(delta: bool) -> dict[str, Any]:
    """Some of each kind."""
    found: dict[str, Any] = {f"to{place}": EphemeralValue(Any, guard=False) for place in range(4)}
    found |= {f"last{place}": LastValue(int) for place in range(3)}
    found |= {"sum": BinaryOperatorAggregate(int, operator.add), "topic": Topic(int), "end": LastValueAfterFinish(int)}
    found |= {"join": NamedBarrierValue(str, {"a", "b"}), "late join": NamedBarrierValueAfterFinish(str, {"a", "b"})}
    if delta:
        found["delta"] = DeltaChannel(lambda all, new: [*(all or []), *new], list)
    for key, channel in found.items():
        channel.key = key
    return found


def supersteps(seed: int, keys: list[str], most: int) -> list[list[Task]]:
    """Random ones, mostly of one task."""
    dice = random.Random(seed)
    steps = []
    for _ in range(25):
        tasks = []
        for place in range(dice.choice((1, 1, 1, most))):
            writes: deque[tuple[str, Any]] = deque()
            for key in dice.sample([*keys, *SPECIAL], dice.randint(0, 4)):
                writes.append((key, dice.choice("ab") if "join" in key else dice.randint(0, 9)))
            if dice.random() < 0.05:
                writes.append(("unknown", 1))
            tasks.append(Task(("__pregel_pull", f"node{place}"), f"node{place}", writes, tuple(dice.sample(keys, dice.randint(0, 2)))))
        steps.append(tasks)
    return steps


def states(found: dict[str, Any]) -> dict[str, Any]:
    """All that is in the channels."""
    slots = ("value", "values", "seen", "finished")
    return {key: {slot: getattr(channel, slot) for slot in slots if hasattr(channel, slot)} for key, channel in found.items()}


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_what_langgraph_changes(seed: int, text: bool) -> None:
    ours, theirs = channels(seed % 4 == 0), channels(seed % 4 == 0)
    checkpoints = [empty_checkpoint(), empty_checkpoint()]
    for checkpoint in checkpoints:
        checkpoint["channel_versions"] = {"last0": "0" * 32 if text else 0}
    touched = Touched(ours)

    def version(highest: Any, channel: None) -> Any:
        return f"{int(highest) + 1:032}" if text else highest + 1

    for tasks in supersteps(seed, [*ours], 3):
        came = []
        for apply, found, checkpoint in ((touched.apply_writes, ours, checkpoints[0]), (apply_writes, theirs, checkpoints[1])):
            try:
                came.append(apply(checkpoint, found, tasks, version, TRIGGERS))
            except InvalidUpdateError as error:
                came.append(str(error))
        assert came[0] == came[1]
        assert states(ours) == states(theirs)
        assert checkpoints[0]["channel_versions"] == checkpoints[1]["channel_versions"]
        assert checkpoints[0]["versions_seen"] == checkpoints[1]["versions_seen"]
        if isinstance(came[0], str):
            break


@pytest.mark.parametrize("step", [-1, 0, 7, 20_000])
def test_ids_are_langgraphs(step: int) -> None:
    before, id, after = str(uuid6(clock_seq=step)), new_id(clock_seq=step), str(uuid6(clock_seq=step))
    assert before < id < after
    assert str(UUID(id)) == id
    assert (UUID(id).version, UUID(id).variant) == (UUID(after).version, UUID(after).variant)
    assert UUID(id).clock_seq == UUID(after).clock_seq


def test_ids_are_as_random_as_langgraphs() -> None:
    random.seed(3)
    theirs = [UUID(str(uuid6(clock_seq=1))).node, random.random()]
    random.seed(3)
    assert [UUID(new_id(clock_seq=1)).node, random.random()] == theirs


def test_a_checkpoint_that_is_saved_says_when() -> None:
    first = empty_checkpoint()
    first["ts"] = "then"
    assert made(first, {}, 1, updated_channels=None)["ts"] != "then"
    assert made(first, None, 1, id="last", updated_channels={"b", "a"})["id"] == "last"
    unsaved = made(first, None, 1, updated_channels={"b", "a"})
    assert unsaved["updated_channels"] == ["a", "b"]
    assert unsaved["id"] > first["id"]
