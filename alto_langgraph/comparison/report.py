"""Draws timelines and writes the report that `compare` leaves behind; everything that comes from the app is escaped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from alto_langgraph.comparison.timeline import START, Bar, Timeline
from alto_langgraph.tags import Tag
from alto_langgraph.traces.colours import coloured

LEFT, RIGHT, TOP, GAP, TALLEST, HEIGHT = 64, 16, 40, 44, 14, 320
"""Pixels: margins, room above each side and between them, tallest lane, and most of one side's height."""


@dataclass(frozen=True, slots=True)
class Box:
    """A bar, placed in the picture in pixels."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str
    ahead: bool
    lost: bool
    critical: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One side's timeline."""

    name: str
    seconds: str
    top: float
    bottom: float
    end: float
    boxes: list[Box]
    barriers: list[float]


def timeline_svg(stock: Timeline, alto: Timeline, *, critical: Iterable[Tag] = (), width: int = 960) -> str:
    """Both sides above each other on one time axis, a lane per fragment; for a report, a README or a notebook.

    Args:
        stock: Timeline of a run superstep by superstep; its barriers are drawn.
        alto: Timeline of a run with work ahead.
        critical: Tasks to outline: the critical path.
        width: Of the picture, in pixels.
    """
    longest = max(stock.seconds, alto.seconds) or 1.0
    scale = (width - LEFT - RIGHT) / longest
    lanes = _lanes((stock, alto))
    colours = _colours((*stock.bars, *alto.bars))
    row = min(TALLEST, HEIGHT / max(lanes.count, 1))
    marked = frozenset(critical)
    panels: list[Panel] = []
    top = float(TOP)
    for name, side in (("stock", stock), ("alto", alto)):
        bottom = top + lanes.count * row
        boxes = [_box(bar, top + lanes.rows[number, at] * row, row, scale, colours, marked) for number, at, bar in _placed(side, panels)]
        barriers = [LEFT + at * scale for at in side.barriers] if name == "stock" else []
        panels.append(Panel(name, f"{side.seconds:.2f} s", top, bottom, LEFT + side.seconds * scale, boxes, barriers))
        top = bottom + GAP
    ticks = [(LEFT + at * scale, text) for at, text in _ticks(longest)]
    height = top - GAP + 64
    return _ENVIRONMENT.get_template("timeline.svg.j2").render(
        panels=panels, ticks=ticks, legend=list(colours.items()), width=width, height=height, left=LEFT
    )


def _placed(side: Timeline, before: Sequence[Panel]) -> Iterator[tuple[int, int, Bar]]:
    return ((len(before), at, bar) for at, bar in enumerate(side.bars) if bar.node != START)


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Row of each bar, by (side, its place in the timeline); a fragment has the same rows on both sides."""

    rows: dict[tuple[int, int], int]
    count: int


def _lanes(sides: Sequence[Timeline]) -> _Lanes:
    fragments: dict[Tag, dict[tuple[int, int], int]] = defaultdict(dict)
    heights: dict[Tag, int] = defaultdict(lambda: 1)
    for number, side in enumerate(sides):
        ends: dict[Tag, list[float]] = defaultdict(list)
        for at, bar in enumerate(side.bars):
            if bar.node == START:
                continue
            fragment = _fragment(bar.tag)
            free = ends[fragment]
            row = next((row for row, end in enumerate(free) if end <= bar.start), len(free))
            free[row : row + 1] = [bar.end]
            fragments[fragment][number, at] = row
            heights[fragment] = max(heights[fragment], len(free))
    rows: dict[tuple[int, int], int] = {}
    base = 0
    for fragment in sorted(fragments):
        rows |= {place: base + row for place, row in fragments[fragment].items()}
        base += heights[fragment]
    return _Lanes(rows, base)


def _fragment(tag: Tag) -> Tag:
    """Tasks that no `Send` split off share lanes; each fragment has its own, with what comes of it."""
    turn = 1 if tag.path and tag.path[0][0] == "turn" else 0
    path = tag.path[turn:]
    return Tag(path[:2]) if len(path) > 1 else Tag()


def _colours(bars: Iterable[Bar]) -> dict[str, str]:
    return coloured(bar.node for bar in sorted(bars, key=lambda bar: bar.start) if bar.node != START)


def _box(bar: Bar, y: float, row: float, scale: float, colours: dict[str, str], critical: frozenset[Tag]) -> Box:
    state = " (thrown away)" if bar.lost else " (ahead)" if bar.ahead else ""
    title = f"{bar.tag}: {bar.start:.3f} s to {bar.end:.3f} s, superstep {bar.step}{state}"
    pad = row * 0.1
    width = max(bar.seconds * scale, 0.5)
    x = LEFT + bar.start * scale
    return Box(x, y + pad, width, row - 2 * pad, colours[bar.node], title, bar.ahead, bar.lost, bar.tag in critical and not bar.lost)


def _ticks(longest: float) -> list[tuple[float, str]]:
    """At most ten round times up to `longest` seconds."""
    steps = (base * 10.0**power for power in range(-5, 6) for base in (1, 2, 5))
    step = next(step for step in steps if longest / step <= 10)
    return [(number * step, f"{number * step:g} s") for number in range(int(longest / step) + 1)]


def page(**parts: Any) -> str:
    """The report as one HTML page that loads nothing."""
    picture = Markup(parts.pop("picture"))  # made by `timeline_svg`, which escapes what it is given
    return _ENVIRONMENT.get_template("report.html.j2").render(picture=picture, **parts)


_ENVIRONMENT = Environment(
    loader=PackageLoader("alto_langgraph.comparison", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
