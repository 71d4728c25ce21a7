"""Turns what LangGraph shows into plain values that are equal where two runs are: without ids, times and order of arrival."""

from __future__ import annotations

import re
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.types import Command, Interrupt, Overwrite, Send
from pydantic import BaseModel

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
LOOPS = re.compile(r"'(Sync|Async)PregelLoop'|'Committing(Sync|Async)'")
"""The loop's class, which some of LangGraph's errors name."""
UNSTEADY = {"box", "ts", "timestamp", "created_at", "checkpoint_id", "checkpoint_map", "run_id", "__metadata__", "parents", "thread_id"}
"""Keys left out: ids and times; `box`, which nodes change in place while events about it are on their way."""

IN_PLACE = "_grown"
"""What the names of keys end with whose reducer changes the value in place: an event has it as it is when it is looked at."""


@dataclass(frozen=True)
class Event:
    """One streamed event, made plain."""

    namespace: tuple[str, ...]
    mode: str
    data: Any

    @property
    def closes(self) -> bool:
        """Whether nothing of its superstep comes after it; the values that go with an interrupt come while others still run."""
        ends = self.mode in ("values", "checkpoints") or (self.mode == "debug" and self.data.get("type") == "checkpoint")
        return ends and "__interrupt__" not in self.data

    def without_tasks(self) -> Event:
        """The event, without the tasks of the checkpoint it tells of."""
        if self.mode == "checkpoints":
            return replace(self, data={**self.data, "tasks": []})
        if self.mode == "debug" and self.closes:
            return replace(self, data={**self.data, "payload": {**self.data["payload"], "tasks": []}})
        return self


def plain(value: Any) -> Any:
    """`value` without ids, times and identities."""
    match value:
        case str():
            return LOOPS.sub("'PregelLoop'", IDS.sub("<id>", value))
        case dict():
            made = {plain(key): plain(item) for key, item in value.items() if key not in UNSTEADY}
            if made.get("__interrupt__"):  # in order of arrival
                made["__interrupt__"] = sorted(made["__interrupt__"], key=repr)
            return made
        case BaseMessage():  # the reducer gives it an id, in place, at a chance moment
            return (type(value).__name__, plain(value.content))
        case Interrupt():
            return ("Interrupt", plain(value.value))
        case Send():
            return ("Send", value.node, plain(value.arg))
        case Command():
            return ("Command", plain(value.update), plain(value.goto), plain(value.resume))
        case Overwrite():
            return ("Overwrite", plain(value.value))
        case BaseException():
            return (type(value).__name__, plain(str(value)))
        case BaseModel():
            return (type(value).__name__, plain(dict(value)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return (type(value).__name__, plain(vars(value)))
        case tuple() if hasattr(value, "_asdict"):
            return {"type": type(value).__name__, **plain(value._asdict())}
        case list():
            return [plain(item) for item in value]
        case tuple():
            return tuple(plain(item) for item in value)
        case _:
            return value


def plain_event(value: Any) -> Any:
    """`plain` for what an event holds, without what may have changed since it was made."""

    def settled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: settled(item) for key, item in value.items() if not str(key).endswith(IN_PLACE)}
        return type(value)(map(settled, value)) if isinstance(value, list | tuple) else value

    return settled(plain(value))


def events_by_namespace(events: list[Event], failed: bool) -> dict[tuple[str, ...], Any]:
    """Each (sub)graph's events, cut at supersteps and sorted inside them, as LangGraph promises no order there.

    Subgraphs that share a name, as those of several `Send`s do, are listed in a settled order. Of a run that `failed`,
    the supersteps that the root graph completed: how far the others got when the error ended them is chance.
    """
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for event in events:
        steps = groups.setdefault(event.namespace, [[]])
        steps[-1].append(repr((event.mode, event.data)))
        if event.closes:
            steps.append([])
    if failed:
        groups = {(): groups.get((), [[]])[:-1]}
    named: dict[tuple[str, ...], list[Any]] = {}
    for namespace, steps in groups.items():
        named.setdefault(plain(namespace), []).append([sorted(step) for step in steps if step])
    return {namespace: sorted(runs) for namespace, runs in named.items()}


def plain_snapshot(snapshot: Any, failed: bool) -> Any:
    """A `StateSnapshot`; without what its tasks had done where a step `failed`."""
    tasks = [(task.name,) if failed else (task.name, plain(task.error), _asked(task), plain(task.result)) for task in snapshot.tasks]
    return {"values": plain(snapshot.values), "next": snapshot.next, "metadata": plain(snapshot.metadata), "tasks": tasks}


def _asked(task: Any) -> list[Any]:
    return sorted(plain(task.interrupts), key=repr)  # in order of arrival


def plain_checkpoint(saved: Any, failed: bool) -> Any:
    """A `CheckpointTuple`: values, versions and, unless a step `failed`, pending writes."""
    checkpoint = saved.checkpoint
    writes = sorted(repr((channel, plain(value))) for _, channel, value in saved.pending_writes or ())
    return {
        "namespace": plain(saved.config["configurable"].get("checkpoint_ns", "")),
        "metadata": plain(saved.metadata),
        "values": plain(checkpoint["channel_values"]),
        "versions": _counts(checkpoint["channel_versions"]),
        "seen": {node: _counts(seen) for node, seen in checkpoint["versions_seen"].items()},
        "writes": [] if failed else writes,
    }


def _counts(versions: dict[str, Any]) -> dict[str, int]:
    return {channel: int(str(version).split(".")[0] or 0) for channel, version in versions.items()}
