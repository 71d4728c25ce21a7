"""Gives an early run of tool calls what they look at in the state, where that is known, in place of the whole."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langgraph.types import Send

from alto_langgraph.adapters.langgraph.observing import ObservedState
from alto_langgraph.adapters.langgraph.payloads import Payloads, narrowed
from alto_langgraph.adapters.langgraph.seam import MISSING
from alto_langgraph.adapters.langgraph.shadow import value_of
from alto_langgraph.driver.early import Early


def glimpsing(
    send: Send,
    early: Early,
    payloads: Payloads,
    everything: frozenset[str],
    foresee: Callable[[Early, Iterable[str]], Mapping[str, Any]],
    *,
    uncertain: bool,
) -> Send:
    """What a task is sent that looks at a few keys of the state at most. Where it can, it gives itself up when it looks at others.

    Args:
        send: The packet.
        early: The early run.
        payloads: What nodes see of what they are sent.
        everything: All keys of the state, without managed values.
        foresee: Tells the channels at the start of an early run's superstep.
        uncertain: It is sent on a part of an answer, and nobody hears of what comes along with it.
    """
    keys = payloads.settled(send.node, send.arg)
    if keys is None:
        return send
    early.reads = keys
    carried = payloads.carries(send.node, send.arg)
    if carried is None:
        values = {key: value_of(channel) for key, channel in foresee(early, keys & everything).items()}
    elif uncertain:
        values, everything = {key: carried.get(key, MISSING) for key in keys}, frozenset(carried)
    else:
        return send
    seen: Mapping[str, Any] = {key: value for key, value in values.items() if value is not MISSING}
    if keys and not payloads.copied(send.node, send.arg):
        seen = ObservedState(seen, everything, early)
    if carried is None:
        early.glimpse = seen
        return send
    narrow = copy.copy(send)
    narrow.arg = narrowed(send.arg, seen)
    return narrow
