"""Compares text that differs only by made-up ids: blanks them, and tells whether they link the same places.

Ids that LangGraph makes (checkpoints, tasks, interrupts, runs, messages) depend on the clock, so two equal runs have
different ones. Two things must still be equal: everything around the ids, and which places carry the same id. The first is
the *skeleton*. For the second each id gets a *colour* from the places it occurs in and from the colours beside it there,
refined until nothing changes, so that the order in which siblings happened to arrive has no say. What occurs literally on
both sides (a constant of the app, a thread's name) is no made-up id and is compared as it stands.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alto_langgraph.comparison.plain import Bag, Thing

ID = r"(?P<id>(?<![0-9a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f]))"
TIME = r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:?\d\d|Z)?)"
ADDRESS = r"(?P<address>0x[0-9a-f]{6,16}\b)"
MADE_UP = re.compile(f"{ID}|{TIME}|{ADDRESS}")
BLANK = {"id": "‹id›", "time": "‹time›", "address": "‹address›"}


@dataclass(frozen=True, slots=True)
class Text:
    """A value written down with its made-up ids taken out: equal skeletons say the same of different ids.

    Args:
        skeleton: The text, each id blanked.
        ids: The ids, in the skeleton's order.
        slots: For each id its position; ids of items that are alike but for them, in a dict or bag, share theirs.
    """

    skeleton: str
    ids: tuple[str, ...] = ()
    slots: tuple[int, ...] = ()

    def named(self, names: dict[str, str]) -> str:
        """The text with each id under its name."""
        first, *parts = self.skeleton.split(BLANK["id"])
        return first + "".join(f"‹{names.get(id, 'id')}›{part}" for part, id in zip(parts, self.ids, strict=True))


@dataclass(slots=True)
class _Writing:
    keep: frozenset[str]
    out: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def add(self, tree: Any) -> None:
        if isinstance(tree, str):
            self.out.append(self.blanked(json.dumps(tree, ensure_ascii=False)))
        elif isinstance(tree, list | tuple):
            self.out.append("[" if isinstance(tree, list) else "(")
            for item in tree:
                self.add(item)
                self.out.append(", ")
            self.out.append("]" if isinstance(tree, list) else ")")
        elif isinstance(tree, Thing):
            self.out.append(tree.kind)
            self.add(tree.parts)
        elif isinstance(tree, dict | Bag):
            self.add_sorted(sorted(_items(tree, self.keep), key=lambda text: text.skeleton))
        else:
            self.out.append(self.blanked(repr(tree)))

    def add_sorted(self, items: list[Text]) -> None:
        """Adds items whose order says nothing; those that are alike share slots."""
        base = len(self.slots)
        for before, item in zip([None, *items], items, strict=False):
            if before is None or before.skeleton != item.skeleton:
                base = len(self.slots)
            self.slots.extend(base + slot for slot in item.slots)
            self.ids.extend(item.ids)
        self.out.append("{" + ", ".join(item.skeleton for item in items) + "}")

    def blanked(self, text: str) -> str:
        return MADE_UP.sub(self.blank, text) if len(text) > 8 else text

    def blank(self, found: re.Match[str]) -> str:
        if found[0] in self.keep:
            return found[0]
        if found.lastgroup == "id":
            self.slots.append(len(self.slots))
            self.ids.append(found[0])
        return BLANK[found.lastgroup or "id"]


def write(tree: Any, keep: frozenset[str]) -> Text:
    """A plain value as text, dicts and bags in an order that doesn't depend on ids; what is in `keep` stands as it is."""
    writing = _Writing(keep)
    writing.add(tree)
    return Text("".join(writing.out), tuple(writing.ids), tuple(writing.slots))


def _items(tree: dict[Any, Any] | Bag, keep: frozenset[str]) -> list[Text]:
    if isinstance(tree, Bag):
        return [write(item, keep) for item in tree.items]
    return [_joined(write(key, keep), write(value, keep)) for key, value in tree.items()]


def _joined(key: Text, value: Text) -> Text:
    offset = len(key.ids)
    return Text(f"{key.skeleton}: {value.skeleton}", key.ids + value.ids, key.slots + tuple(offset + slot for slot in value.slots))


def made_up(trees: Iterable[Any]) -> frozenset[str]:
    """Everything in these plain values that looks like a made-up id, time or address."""
    return frozenset(found[0] for tree in trees for text in _strings(tree) for found in MADE_UP.finditer(text))


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        if len(tree) > 6:
            yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(tree, Thing):
        yield from _strings(tree.parts)
    elif isinstance(tree, list | tuple | Bag):
        for item in tree.items if isinstance(tree, Bag) else tree:
            yield from _strings(item)
    elif not isinstance(tree, int | float | None):
        yield repr(tree)


Place = tuple[int, Text]
"""The number of a section, and a text that stands in it."""

Linked = tuple[str, tuple[tuple[int, int], ...]]
"""A skeleton and, per id in it, slot and colour."""


def links(places: Sequence[Place]) -> list[Linked]:
    """For each text what it says and which other texts it shares ids with; isomorphic sides have equal answers."""
    colour = _colours(places)
    return [(text.skeleton, _coloured(text, colour)) for _, text in places]


def _colours(places: Sequence[Place], rounds: int = 12) -> dict[str, int]:
    """For each id a number that says where it occurs and beside which others, refined until nothing changes."""
    linked = [(hash((section, text.skeleton)), text) for section, text in places if text.ids]
    colour = {id: 0 for _, text in linked for id in text.ids}
    classes = 0
    for _ in range(rounds):
        seen: dict[str, list[int]] = defaultdict(list)
        for place, text in linked:
            whole = hash((place, _coloured(text, colour)))
            for slot, id in zip(text.slots, text.ids, strict=True):
                seen[id].append(hash((whole, slot)))
        colour = {id: hash((colour[id], tuple(sorted(where)))) for id, where in seen.items()}
        if classes == (classes := len(set(colour.values()))):
            break
    return colour


def _coloured(text: Text, colour: dict[str, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((slot, colour[id]) for slot, id in zip(text.slots, text.ids, strict=True)))


def names(places: Sequence[Place]) -> dict[str, str]:
    """Readable names for ids, by first appearance in an order that doesn't depend on them."""
    ordered = sorted(places, key=lambda place: (place[0], place[1].skeleton))
    ids = dict.fromkeys(id for _, text in ordered for id in text.ids)
    return {id: f"id{number}" for number, id in enumerate(ids, 1)}
