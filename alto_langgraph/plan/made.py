"""Keeps track of what is put into objects, so that it is found again through any of their names."""

from __future__ import annotations

import ast
from itertools import count
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from alto_langgraph.plan.values import NO_NAMES, NOTHING, Held, Kind, Value, any_of, either, holding, names_of

_numbers = count(1)
_versions = count(1)
_classes: WeakKeyDictionary[type, int] = WeakKeyDictionary()


class Put(NamedTuple):
    """`value` holds what was put into any of `places`, under `keys`; or `value` is what a name stands for from now on."""

    places: frozenset[int]
    value: Value
    keys: frozenset[str] | None
    name: bool = False


class Made:
    """What was put into which object.

    Each place in the code that makes containers counts as one object; its key is negative, and even if it makes dicts. `version`
    changes whenever what is known does: where it is the same, so is what is known. `log` tells what was put anywhere, in order, and
    `leaked` whether anything was put into an object that was there before.
    """

    def __init__(self) -> None:
        self.version = 0
        self.log: list[Put] = []
        self.leaked = False
        self._contents: dict[int, Value] = {}
        self._keys: dict[int, frozenset[str] | None] = {}
        self._named: dict[int, Value] = {}

    def new(self, node: ast.AST | type, *, mapping: bool = False) -> frozenset[int]:
        """The key of what `node` makes, a dict if `mapping`, or of all instances of a class."""
        if isinstance(node, type):
            number = _classes.get(node)
            if number is None:
                _classes[node] = number = -2 * next(_numbers) - 1
            return frozenset({number})
        name = "alto_dict" if mapping else "alto_list"
        number = getattr(node, name, None)
        if number is None:
            number = -2 * next(_numbers) - (not mapping)
            setattr(node, name, number)
        return frozenset({number})

    def put(self, places: frozenset[int], value: Value, keys: frozenset[str] | None = NO_NAMES) -> None:
        """`value` holds what is put into any of `places`, under `keys`."""
        self.again(Put(places, value, keys))

    def name(self, key: int, value: Value) -> None:
        """A global, a closure's cell or an attribute, known by its key, may be `value` from now on."""
        self.again(Put(frozenset({key}), value, NO_NAMES, name=True))

    def again(self, put: Put) -> None:
        """Does what an entry of a log tells."""
        news = not self.leaked and any(place >= 0 for place in put.places)
        self.leaked |= news
        for place in put.places:
            if put.name:
                news |= self._change(self._named, place, put.value)
            else:
                news |= self._change(self._contents, place, put.value)
                before = self._keys.get(place, NO_NAMES)
                if (after := names_of(before, put.keys)) != before:
                    self._keys[place] = after
                    news = True
        if news:  # else the log would double with each call of what has been called before
            self.log.append(put)
            self.version = next(_versions)

    def _change(self, table: dict[int, Value], place: int, value: Value) -> bool:
        before = table.get(place, NOTHING)
        after = either(before, value)
        if after == before:
            return False
        table[place] = after
        return True

    def named(self, key: int) -> Value | None:
        """What a name was set to since reading began; None if it wasn't."""
        return self._named.get(key) if self._named else None

    def contents(self, places: frozenset[int]) -> Value | None:
        """What was put into any of `places` since reading began; None if nothing was."""
        found = [self._contents[place] for place in places if place in self._contents]
        return any_of(found) if found else None

    def reach(self, value: Value) -> frozenset[int]:
        """Keys of everything that can be got at through a value."""
        contents = self._contents
        if not contents:
            return value.own | value.inner if value.inner else value.own
        found = set(value.own | value.inner)
        waiting = list(found)
        while waiting:
            inside = contents.get(waiting.pop())
            if inside is not None:
                new = (inside.own | inside.inner) - found
                found |= new
                waiting.extend(new)
        return frozenset(found)

    def keys(self, value: Value) -> frozenset[str] | None:
        """Keys of the state update that a value is, with those put into it since it was made."""
        keys = value.keys
        for place in value.own:
            keys = names_of(keys, self._keys.get(place, NO_NAMES))
        return keys

    def held(self, value: Value) -> frozenset[str] | None:
        """Every string that a value may hold, with those put into it since it was made."""
        held = value.held
        if self._contents:
            for place in self.reach(value):
                held = names_of(held, self._contents[place].held) if place in self._contents else held
        return held

    def inside(self, value: Value, hint: Any = None) -> Value:
        """Any one thing that can be got out of a value."""
        whole = value
        for place in value.own:
            if place in self._contents:
                whole = either(whole, holding([self._contents[place]]))
        if not whole.parts:
            known: tuple[Any, ...] = ()
            functions: tuple[Any, ...] = ()
        else:
            known = tuple(p for p in whole.parts if isinstance(p, Held))
            functions = tuple(p for p in whole.parts if not isinstance(p, Held))
        reach = self.reach(whole)
        held = self.held(value)
        texts = held if value.strings == NO_NAMES else None  # else it may be a string, and then it holds its letters
        return Value(reach, reach, Kind.ANY, known, functions, hint, texts, None, None, whole.parts, held)


def lists(places: frozenset[int]) -> frozenset[int]:
    """Those of `places` that aren't known to be dicts."""
    return frozenset(place for place in places if place >= 0 or place % 2)
