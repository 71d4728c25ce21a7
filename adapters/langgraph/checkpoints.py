"""Checkpoints made from the one before and from what its superstep has touched."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from alto_langgraph.adapters.langgraph import seam
from alto_langgraph.adapters.langgraph.seam import MISSING, checkpoint_ids, copy_checkpoint, get_new_channel_versions, rebind
from alto_langgraph.adapters.langgraph.touched import Touched

WRITING = frozenset({"memory", "sqlite", "postgres"})
"""LangGraph's own packages of savers, which change nothing that they are given and keep none of it: they write it down."""

_EPOCH = 0x01B21DD213814000
"""100 ns steps from the beginning of the Gregorian calendar, from which these ids count, to that of Unix time."""


def new_id(*, clock_seq: int) -> str:
    """The id of a checkpoint as text (RFC 9562, UUID version 6), of which LangGraph makes an object first.

    Args:
        clock_seq: Number of the superstep; may be negative.
    """
    ids: Any = checkpoint_ids  # LangGraph's: of all ids of the process none is older than the one before it
    now = time.time_ns() // 100 + _EPOCH
    if (last := ids._last_v6_timestamp) is not None and now <= last:
        now = last + 1
    ids._last_v6_timestamp = now
    digits = f"{now:015x}"
    return f"{digits[:8]}-{digits[8:12]}-6{digits[12:]}-{0x8000 | clock_seq & 0x3FFF:04x}-{random.getrandbits(48):012x}"


create_checkpoint = rebind(seam.create_checkpoint, uuid6=new_id)


def made(checkpoint: Any, channels: Any, step: int, *, id: str | None = None, updated_channels: Any = None, **how: Any) -> Any:
    """LangGraph's `create_checkpoint`; one that isn't saved has an id, which names tasks, and nobody asks when it was made."""
    if channels is not None or id is not None:
        return create_checkpoint(checkpoint, channels, step, id=id, updated_channels=updated_channels, **how)
    return {**checkpoint, "id": new_id(clock_seq=step), "updated_channels": sorted(updated_channels or ())}


class Checkpoints:
    """Stands in for the functions by which LangGraph makes a checkpoint and what a saver is given of it.

    Each goes on from what it made last. Where that isn't what LangGraph goes on from, as with a run's first checkpoint, or where
    a `DeltaChannel` is written out, LangGraph's own function does it. Either way keys are in the order in which that has them.

    Args:
        touched: What the run's supersteps change.
        channels: The run's.
        saver: The run's.
    """

    def __init__(self, touched: Touched, channels: Mapping[str, Any], saver: Any) -> None:
        self._touched = touched
        self._channel_place = {key: place for place, key in enumerate(channels)}
        self._version_place: dict[str, int] = {}
        self._writes_down = writes_down(saver)
        self._last: Any = None
        self._at = 0
        self._asked: list[str] | None = None
        self._versions: Any = None
        self._seen: dict[str, Any] | None = None

    def create_checkpoint(self, checkpoint: Any, channels: Any, step: int, **kwargs: Any) -> Any:
        """LangGraph's: the loop's own."""
        known = checkpoint is self._last and self._at > 0 and not kwargs.get("channels_to_snapshot")
        made: Any = create_checkpoint(checkpoint, None if known else channels, step, **kwargs)
        if known:
            self._asked = list(dict.fromkeys([*self._touched.since(self._at), *self._touched.others]))
            made["channel_values"] = self._values(checkpoint, channels)
            made["channel_versions"] = checkpoint["channel_versions"].copy()
        else:
            self._asked = self._seen = None
        self._last, self._at = made, self._touched.now
        return made

    def _values(self, checkpoint: Any, channels: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = checkpoint["channel_values"].copy()
        new = {}
        for key in self._asked or ():
            if key not in checkpoint["channel_versions"]:
                continue
            value = channels[key].checkpoint()
            if value is MISSING:
                values.pop(key, None)
            elif key in values:
                values[key] = value
            else:
                new[key] = value
        _insert(values, new, self._channel_place)
        return values

    def get_new_channel_versions(self, previous: Any, current: Any) -> Any:
        """LangGraph's: versions that are newer than in the last checkpoint."""
        known, self._versions = previous is self._versions and self._asked is not None, current
        if not known or not previous:
            self._version_place = {key: place for place, key in enumerate(current)}
            return get_new_channel_versions(previous, current)
        for key in _latest(current, len(current) - len(self._version_place)):
            self._version_place[key] = len(self._version_place)
        null = type(next(iter(current.values())))()
        newer = [key for key in self._asked or () if key in current and current[key] > previous.get(key, null)]
        return {key: current[key] for key in sorted(newer, key=self._version_place.__getitem__)}

    def copy_checkpoint(self, checkpoint: Any) -> Any:
        """LangGraph's: for the saver.

        What a node has seen doesn't change while it doesn't run. So the saver is given the same again, unless it might keep it:
        a run that starts from what it has kept would change all of its checkpoints.
        """
        ran, self._touched.ran = self._touched.ran, set()
        if self._seen is None or not self._writes_down:
            made: Any = copy_checkpoint(checkpoint)
        else:
            unseen: Any = {**checkpoint, "versions_seen": {}}
            made = copy_checkpoint(unseen)
            made["versions_seen"] = self._seen_after(ran, checkpoint["versions_seen"])
        self._seen = made["versions_seen"]
        return made

    def _seen_after(self, ran: set[str], now: dict[str, Any]) -> dict[str, Any]:
        seen = self._seen or {}
        names = [*(name for name in ran if name in seen), *_latest(now, len(now) - len(seen))]
        return {**seen, **{name: now[name].copy() for name in names}}


def writes_down(saver: Any) -> bool:
    """Whether a saver surely keeps nothing of what it is given."""
    langgraph, checkpoint, package, *_ = [*type(saver).__module__.split("."), "", ""]
    ours = (langgraph, checkpoint) == ("langgraph", "checkpoint") and package in WRITING
    return ours and type(getattr(saver, "serde", None)) is JsonPlusSerializer


def _latest(of: dict[str, Any], number: int) -> list[str]:
    """The last keys of a dict, in its order."""
    return [*islice(reversed(of), number)][::-1]


def _insert(values: dict[str, Any], new: dict[str, Any], place: Mapping[str, int]) -> None:
    """Adds new keys at their places among the others."""
    if not new:
        return
    first = min(map(place.__getitem__, new))
    while values and place[last := next(reversed(values))] > first:
        new[last] = values.pop(last)
    for key in sorted(new, key=place.__getitem__):
        values[key] = new[key]
