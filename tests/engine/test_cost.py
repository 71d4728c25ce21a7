"""What the engine does per task doesn't grow with the number of tasks: lines executed are counted, never time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from alto_langgraph.engine.events import Closed, Finished, Offer, Opened, RouteReached, Start
from alto_langgraph.plan.model import NodePlan
from alto_langgraph.tags import Tag
from tests.engine.validation import Told, node, validate


def lines(work: Callable[[], None]) -> int:
    """Lines of the engine's room that `work` executes; each round of a loop counts."""
    count = 0

    def each_line(frame: Any, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return each_line

    def each_call(frame: Any, event: str, arg: object) -> Any:
        return each_line if "alto_langgraph.engine" in frame.f_globals["__name__"] else None

    before = sys.gettrace()
    sys.settrace(each_call)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def pipeline(width: int, nodes: tuple[NodePlan, ...], *, backwards: bool = False, objects: bool = False, routed: bool = False) -> None:
    """`width` tasks of `a` send one task each to `b`, those to `c`; each goes as far ahead as it can."""
    engine = Told(*nodes, window=256).engine
    held = [frozenset({i}) if objects else frozenset() for i in range(width)]
    tags = [Tag((("run", 0), ("a", i))) for i in range(width)]
    waiting = {tag: held[i] for i, tag in enumerate(tags)}
    place = {tag: i for i, tag in enumerate(tags)}
    step, ended = 1, 0
    while tags:
        started: list[Tag] = []

        def tell(event: Any, started: list[Tag] = started) -> None:
            started += [i.tag for i in engine.handle(event) if isinstance(i, Start)]

        def finish(tag: Tag, following: list[Tag]) -> None:
            name = "abc"[tag.depth - 2 : tag.depth - 1]
            offers: tuple[Offer, ...] = ()
            if name in "ab":
                child = tag.child("b" if name == "a" else "c", 0)
                place[child] = place[tag]
                offers = (Offer(child, child.path[-1][0], held[place[tag]]),)
                following.append(child)
            tell(Finished(tag, offers))

        following: list[Tag] = []
        done = {tag for tag in tags if tag not in waiting and engine.tasks[tag].phase.value == "completed"}
        tell(Opened(step, tuple(Offer(tag, tag.path[-1][0], waiting.get(tag, frozenset())) for tag in tags), 100))
        for tag in reversed(tags) if backwards else tags:
            if tag in done:
                following.append(tag.child("c", 0))
            else:
                finish(tag, following)
                ended += 1
            while started:
                early = started.pop(0)
                if routed:
                    tell(RouteReached(early))
        tell(Closed(step))
        waiting, tags, step = {}, sorted(set(following), key=lambda tag: tag.path), step + 1
        tags = [tag for tag in tags if tag.depth <= 4]
    validate(engine)
    assert ended == 3 * width
    assert not engine.tasks


SHAPES = {
    "plain": ((node("a", sends="b"), node("b", sends="c"), node("c")), {}),
    "backwards": ((node("a", sends="b"), node("b", sends="c"), node("c")), {"backwards": True}),
    "changing operands": (tuple(node(n, mutates=True, sends=s) for n, s in (("a", "b"), ("b", "c"), ("c", ""))), {"objects": True}),
    "behind what may interrupt": ((node("a", sends="b", interrupts=True), node("b", sends="c"), node("c")), {}),
    "edges that read nothing": (
        (node("a", sends="b"), node("b", sends="c", reads=""), node("c", reads="")),
        {"routed": True},
    ),
    "edges that wait": (
        (node("a", sends="b", writes="x"), node("b", sends="c", reads="x"), node("c", reads="x")),
        {"routed": True},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_lines_per_task_do_not_grow_with_the_width(shape: str) -> None:
    nodes, options = SHAPES[shape]
    narrow, wide = (lines(lambda width=width: pipeline(width, nodes, **options)) / width for width in (100, 3_000))  # type: ignore[misc]
    assert wide <= 1.1 * narrow, f"{narrow:.0f} lines a task at 100, {wide:.0f} at 3,000"
