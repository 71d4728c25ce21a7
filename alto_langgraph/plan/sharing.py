"""Makes what was found out about a call fit other calls of the same function, by arguments that say no more than they must.

Containers that the caller has made become one stand-in for each argument, and texts become stand-ins too. If a text's stand-in shows up in
what is found out, the text matters, and the function has to be read with the text itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.made import Made, Put
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.values import Bound, Kind, Local, Value, text

_HIDDEN = "\0"
_FIRST = -(1 << 60)
"""Key of the first stand-in for containers; those of others are below."""


class Summary(NamedTuple):
    """What a call of one function with certain arguments comes to.

    Args:
        value: What it may return.
        report: What it touches.
        puts: What it puts where, in order.
        peeked: What it comes to depends on the texts that stand-ins stand for.
    """

    value: Value
    report: Report
    puts: tuple[Put, ...]
    peeked: bool


class Shared(NamedTuple):
    """A call with stand-ins for arguments, and what they stand for."""

    call: Call
    places: Mapping[int, frozenset[int]]

    def value(self, value: Value) -> Value:
        """A value with what the stand-ins stand for."""
        if not self.places:
            return value
        items = None if value.items is None else tuple(map(self.value, value.items))
        return value._replace(own=self._keys(value.own), inner=self._keys(value.inner), items=items)

    def put(self, put: Put) -> Put:
        """An entry of a log with what the stand-ins stand for."""
        return put._replace(places=self._keys(put.places), value=self.value(put.value)) if self.places else put

    def _keys(self, keys: frozenset[int]) -> frozenset[int]:
        return frozenset[int]().union(*(self.places.get(key, (key,)) for key in keys))


def shared(call: Call, made: Made, *, texts: bool) -> Shared | None:
    """The call with stand-ins, for texts too unless `texts`; None if functions that only this caller knows are among the arguments."""
    places: dict[int, frozenset[int]] = {}
    count = 0

    def stand_in(value: Value) -> Value | None:
        nonlocal count
        count += 1
        if not texts and value.kind is Kind.PLAIN and value.strings and not value.reach and not value.parts:
            return text(f"{_HIDDEN}{count}")
        return _without_places(value, made, places, count)

    args = [stand_in(value) for value in call.args]
    keywords = {name: stand_in(value) for name, value in call.keywords.items()}
    spread = None if call.spread is None else stand_in(call.spread)
    if None in args or None in keywords.values() or (spread is None and call.spread is not None):
        return None
    if sum(map(len, places.values())) > len(frozenset[int]().union(*places.values())):
        return None  # what is put into one argument is found in another
    known = {name: value for name, value in keywords.items() if value is not None}
    return Shared(Call(tuple(value for value in args if value is not None), known, spread, call.discarded, call.node), places)


def _without_places(value: Value, made: Made, places: dict[int, frozenset[int]], number: int) -> Value | None:
    if not (value.own or value.inner):
        return None if _has_locals(value) else value
    reach = made.reach(value)
    its = frozenset(key for key in reach if key < 0)
    parts = made.inside(value).parts if its else value.parts
    if _has_locals(value._replace(parts=parts)):
        return None
    if not its:
        return value
    only_dicts = all(key % 2 == 0 for key in value.own if key < 0)
    place = _FIRST - 2 * number - (not only_dicts)
    places[place] = its
    own = frozenset(key for key in value.own if key >= 0) | ({place} if value.own & its else set())
    inner = (reach - its) | {place}
    return value._replace(own=own, inner=inner, keys=made.keys(value), held=made.held(value), items=None, parts=parts)


def _has_locals(value: Value) -> bool:
    return bool(value.functions) or any(isinstance(part, Local | Bound) for part in value.parts)


def hides(names: Iterable[str] | None) -> bool:
    """Whether a text's stand-in is among `names`."""
    return names is not None and any(name.startswith(_HIDDEN) for name in names)


def shows(value: Value, report: Report, puts: Iterable[Put]) -> bool:
    """Whether a text's stand-in shows up in what was found out, or may show up later in functions that come out of it."""
    found = report.mentions(hides) or any(hides(put.keys) or shows_text(put.value) for put in puts)
    return found or shows_text(value) or _has_locals(value)


def shows_text(value: Value) -> bool:
    """Whether a text's stand-in is among what a value may be or hold."""
    inside = value.items is not None and any(map(shows_text, value.items))
    return inside or hides(value.strings) or hides(value.held) or hides(value.keys)
