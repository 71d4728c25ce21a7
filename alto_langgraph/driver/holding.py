"""Tells which objects of a payload stand for ones that only the payload holds which it stands for: nobody could miss them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from typing import Any


class _Packet:
    """Holds a payload, as a `Send` does."""

    __slots__ = ("arg",)

    def __init__(self, arg: Any) -> None:
        self.arg = arg


def replaceable(mine: Any, packet: Any) -> frozenset[int]:
    """Identities of containers of `mine` whose counterparts in `packet.arg`, which is equal, nothing else holds.

    Told by CPython's reference counts: where these are higher than they need be, an object counts as held by others, with all it holds.
    """
    if sys.getrefcount(packet.arg) > _ALONE or type(mine) not in (dict, list, tuple):
        return frozenset()
    return frozenset(_replaceable(mine, packet.arg))


def _replaceable(mine: Any, theirs: Any) -> Iterable[int]:
    yield id(mine)
    pairs = zip(_values(mine), _values(theirs), strict=True)
    yield from chain.from_iterable(_inside(one, other) for one, other in pairs if type(one) in (dict, list, tuple))


def _inside(mine: Any, theirs: Any) -> Iterable[int]:
    return _replaceable(mine, theirs) if sys.getrefcount(theirs) <= _INSIDE else ()


def _values(container: Any) -> list[Any]:
    return [*container.values()] if type(container) is dict else [*container]


def _counts() -> tuple[int, int]:
    """What the counts above are of an object that nothing else holds."""
    packet, counts = _Packet({"inner": {}}), []

    def count(mine: Any, theirs: Any) -> Iterable[int]:
        counts.append(sys.getrefcount(theirs))
        return ()

    alone = sys.getrefcount(packet.arg)
    pairs = zip(_values({"inner": {}}), _values(packet.arg), strict=True)
    list(chain.from_iterable(count(one, other) for one, other in pairs if type(one) in (dict, list, tuple)))
    return alone, counts[0]


_ALONE, _INSIDE = _counts()
