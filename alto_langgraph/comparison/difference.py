"""Finds the first thing in which two observations differ, and shows it to a reader."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Styled

from alto_langgraph.comparison.identity import Text, links, made_up, names, write
from alto_langgraph.comparison.observation import Observation, Record, Section
from alto_langgraph.comparison.plain import Bag, Thing

MISSING = "(nothing)"
LONGEST = 600


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing in which two runs differ.

    Args:
        where: Part of the run: superstep, checkpoint, exception, ...
        what: Whose: stream mode and namespace, or "".
        path: Way into the value, e.g. `["log"][3]`.
        stock: What the first side has there, ids blanked or named.
        alto: What the second side has there.
    """

    where: str
    what: str
    path: str
    stock: str
    alto: str

    def __str__(self) -> str:
        return f"{self.title}\n" + "\n".join(f"{sign} {line}" for sign, line in self._lines())

    @property
    def title(self) -> str:
        """Where the runs differ, in one line."""
        return ", ".join(filter(None, [self.where, self.what, f"at {self.path}" if self.path else ""])) + ":"

    def to_dict(self) -> dict[str, str]:
        """The fields, for JSON."""
        return asdict(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Styled(self.title, style="bold")
        for sign, line in self._lines():
            yield Styled(f"{sign} {line}", style={"-": "red", "+": "green"}.get(sign, "dim"))

    def _lines(self) -> Iterator[tuple[str, str]]:
        before, after = (_wrapped(side) for side in (self.stock, self.alto))
        for line in difflib.ndiff(before, after):
            if line[0] != "?":
                yield line[0], line[2:]


def difference(stock: Observation, alto: Observation) -> Difference | None:
    """The first difference between two observations, or None if an app can't tell the two runs apart.

    Compared in order: each turn's exception, its supersteps, interrupts, output and state, then the history, then what is stored.
    Made-up ids may differ, but must link the same places; inside a superstep the order of different tasks' events is free.
    """
    mine, theirs = list(stock.sections()), list(alto.sections())
    keep = _trees(mine) & _trees(theirs)
    left, right = (_written(sections, keep) for sections in (mine, theirs))
    titles = list(dict.fromkeys([s.title for s in mine] + [s.title for s in theirs]))
    for title in titles:
        found = _unmatched(left.get(title, []), right.get(title, []))
        if found:
            return _described(title, *found, keep)
    loose = {section.title for section in mine if not section.linked}
    return _unlinked([title for title in titles if title not in loose], left, right)


def _trees(sections: Sequence[Section]) -> frozenset[str]:
    return made_up(record.tree for section in sections for record in section.records)


Written = tuple[Record, Text]


def _written(sections: Sequence[Section], keep: frozenset[str]) -> dict[str, list[Written]]:
    found: dict[str, list[Written]] = {}
    for section in sections:
        found.setdefault(section.title, []).extend((record, write(record.tree, keep)) for record in section.records)
    return found


def _unmatched(left: list[Written], right: list[Written]) -> tuple[Record | None, Record | None] | None:
    """The first record that only one side has, with the other side's most similar leftover."""
    mine, theirs = Counter(text.skeleton for _, text in left), Counter(text.skeleton for _, text in right)
    if mine == theirs:
        return None
    extra = _leftover(left, mine - theirs)
    other = _leftover(right, theirs - mine)
    if not extra:
        return None, other[0][0]
    alike = [found for found in other if _kind(found[0]) == _kind(extra[0][0])]
    skeleton = extra[0][1].skeleton
    best = max(alike, key=lambda found: _likeness(skeleton, found[1].skeleton), default=None)
    return extra[0][0], best[0] if best else None


def _leftover(records: list[Written], missing: Counter[str]) -> list[Written]:
    missing, left = Counter(missing), []
    for record, text in records:
        if missing[text.skeleton] > 0:
            missing[text.skeleton] -= 1
            left.append((record, text))
    return left


def _kind(record: Record) -> str:
    return record.label.split(" of ")[0]


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a[:2000], b[:2000], autojunk=False).quick_ratio()


def _described(title: str, stock: Record | None, alto: Record | None, keep: frozenset[str]) -> Difference:
    label = write((stock or alto or Record("", "")).label, keep).skeleton.strip('"')
    if stock is None or alto is None:
        sides = [MISSING if side is None else _short(_seen(side.tree), keep) for side in (stock, alto)]
        return Difference(title, label, "", *sides)
    path, mine, theirs = _descend(_seen(stock.tree), _seen(alto.tree), keep)
    return Difference(title, label, path, *(MISSING if side is _NOTHING else _short(side, keep) for side in (mine, theirs)))


def _seen(tree: Any) -> Any:
    """What of a record the reader should see: an event's payloads, not the bookkeeping around them."""
    match tree:
        case (tuple(), str(), [payload]):
            return payload
        case (tuple(), str(), list(payloads)):
            return payloads
        case _:
            return tree


_NOTHING: Any = object()


def _descend(a: Any, b: Any, keep: frozenset[str]) -> tuple[str, Any, Any]:
    """Walks down as long as the difference lies in one part; returns the way and both parts."""
    for step, mine, theirs in _parts(a, b, keep):
        if mine is _NOTHING or theirs is _NOTHING:
            return step, mine, theirs
        if write(mine, keep).skeleton != write(theirs, keep).skeleton:
            way, *ends = _descend(mine, theirs, keep)
            return step + way, ends[0], ends[1]
    return "", a, b


def _parts(a: Any, b: Any, keep: frozenset[str]) -> Iterator[tuple[str, Any, Any]]:
    if type(a) is not type(b):
        return
    if isinstance(a, Thing):
        if a.kind == b.kind:
            mine, theirs = a.parts, b.parts
            yield from ((f".{name}", mine.get(name, _NOTHING), theirs.get(name, _NOTHING)) for name in {**mine, **theirs})
    elif isinstance(a, dict):
        mine, theirs = ({write(key, keep).skeleton: value for key, value in side.items()} for side in (a, b))
        yield from ((f"[{name}]", mine.get(name, _NOTHING), theirs.get(name, _NOTHING)) for name in {**mine, **theirs})
    elif isinstance(a, list | tuple):
        for place in range(max(len(a), len(b))):
            yield f"[{place}]", a[place] if place < len(a) else _NOTHING, b[place] if place < len(b) else _NOTHING
    elif isinstance(a, Bag):
        found = _unmatched(*([(Record("", item), write(item, keep)) for item in side.items] for side in (a, b)))
        if found:
            yield "{…}", *(_NOTHING if record is None else record.tree for record in found)


def _unlinked(titles: list[str], left: dict[str, list[Written]], right: dict[str, list[Written]]) -> Difference | None:
    """The first difference in which places share an id, all else being equal."""
    sides = []
    for written in (left, right):
        places = [(number, text) for number, title in enumerate(titles) for _, text in written.get(title, [])]
        if not any(text.ids for _, text in places):
            return None
        sides.append((places, links(places), names(places)))
    for number, title in enumerate(titles):
        mine, theirs = (_of_section(number, places, linked) for places, linked, _ in sides)
        if mine.keys() != theirs.keys():
            only_mine, only_theirs = (
                min((text.named(named) for key, text in own.items() if key not in other), default=MISSING)
                for own, other, named in ((mine, theirs, sides[0][2]), (theirs, mine, sides[1][2]))
            )
            return Difference(title, "ids link other places", "", _clipped(only_mine), _clipped(only_theirs))
    return None


def _of_section(number: int, places: Sequence[tuple[int, Text]], linked: Sequence[Hashable]) -> dict[Any, Text]:
    counts: Counter[Hashable] = Counter()
    found: dict[Any, Text] = {}
    for (section, text), key in zip(places, linked, strict=True):
        if section == number:
            counts[key] += 1
            found[key, counts[key]] = text
    return found


def _short(tree: Any, keep: frozenset[str]) -> str:
    return _clipped(write(tree, keep).skeleton)


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _wrapped(text: str) -> list[str]:
    """A long value on several lines, so that a line diff shows where it differs."""
    return text.replace(", ", ",\n").split("\n") if len(text) > 80 else [text]
