"""Keeps track of containers that the code makes itself, so that what is put into one is found through any of its names."""

from __future__ import annotations

import ast
from typing import Any

from alto_langgraph.plan.values import NO_NAMES, NOTHING, Held, Kind, Local, Value, either, holding, names_of


class Made:
    """The containers made so far. Each place in the code that makes some counts as one; its key is negative.

    `version` grows whenever something is put into one.
    """

    def __init__(self) -> None:
        self.version = 0
        self._numbers: dict[ast.AST, int] = {}
        self._contents: dict[int, Value] = {}
        self._keys: dict[int, frozenset[str] | None] = {}

    def new(self, node: ast.AST) -> frozenset[int]:
        """The key of what `node` makes."""
        return frozenset({self._numbers.setdefault(node, -1 - len(self._numbers))})

    def put(self, places: frozenset[int], value: Value, keys: frozenset[str] | None = NO_NAMES) -> None:
        """`value` holds what is put into any of `places`, under `keys`."""
        for place in places:
            if place < 0:
                before = self._contents.get(place, NOTHING), self._keys.get(place, NO_NAMES)
                after = either(before[0], value), names_of(before[1], keys)
                if after != before:
                    self._contents[place], self._keys[place] = after
                    self.version += 1

    def reach(self, value: Value) -> frozenset[int]:
        """Keys of everything that can be got at through a value."""
        found, waiting = set(value.own | value.inner), list(value.own | value.inner)
        while waiting:
            contents = self._contents.get(waiting.pop())
            if contents is not None:
                new = (contents.own | contents.inner) - found
                found |= new
                waiting.extend(new)
        return frozenset(found)

    def keys(self, value: Value) -> frozenset[str] | None:
        """Keys of the state update that a value is, with those put into it since it was made."""
        keys = value.keys
        for place in value.own:
            keys = names_of(keys, self._keys.get(place, NO_NAMES))
        return keys

    def strings(self, value: Value) -> frozenset[str] | None:
        """Every string that a value may be or hold."""
        strings = value.strings
        for place in self.reach(value):
            strings = names_of(strings, self._contents[place].strings) if place in self._contents else strings
        return strings

    def inside(self, value: Value, hint: Any = None) -> Value:
        """Any one thing that can be got out of a value."""
        whole = value
        for place in value.own:
            if place in self._contents:
                whole = either(whole, holding([self._contents[place]]))
        known = tuple(p for p in whole.parts if isinstance(p, Held))
        functions = tuple(p for p in whole.parts if isinstance(p, Local))
        reach = self.reach(whole)
        return Value(reach, reach, Kind.ANY, known, functions, hint, self.strings(value), None, None, whole.parts)
