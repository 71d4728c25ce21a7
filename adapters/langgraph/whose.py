"""Tells whose code is running. Nothing is worked out, and next to nothing kept for it, before somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alto_langgraph.adapters.langgraph.lineage import LOOPS, Relating, named
from alto_langgraph.adapters.langgraph.prepare import ReadAhead
from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_READ, NS_END, NS_SEP
from alto_langgraph.driver.early import CURRENT, Early
from alto_langgraph.tags import Tag

_CALL = "call"
"""Split of the second and any later graph that a task runs; the tasks of the first one stand right below it."""

Pairs = tuple[tuple[str, int], ...]


def tag_in(config: Any) -> Tag | None:
    """The tag of the innermost task of alto's whose code runs under `config`; None if there is none."""
    pairs: Pairs = ()
    while config is not None:
        conf = config.get(CONF) or {}
        known = _task(conf.get(CONFIG_KEY_READ))
        if known is None:
            config = _around(conf)
        else:
            tag, loop = known
            pairs = (*_call(loop), *tag.path, *pairs)
            config = loop.config if CONFIG_KEY_READ in loop.config[CONF] else loop.outside
    return Tag(pairs) if pairs else None


def early_in(config: Any) -> Early | None:
    """The innermost early run whose code runs under `config`."""
    known = loop_of((config.get(CONF) or {}).get(CONFIG_KEY_READ))
    return known[1] if known is not None and known[1] is not None else CURRENT.get()


def loop_of(read: Any) -> tuple[Relating, Early | None] | None:
    """The loop of the task that reads the state with `read`, and its early run if it is one."""
    args: tuple[Any, ...] = getattr(read, "args", ())
    ahead = getattr(read, "func", None)
    early = ahead.early if isinstance(ahead, ReadAhead) else None
    if len(args) != 4:
        return None
    channels = getattr(args[1], "live", args[1])
    loop = LOOPS.get(id(channels))
    return (loop, early) if loop is not None and loop.channels is channels else None


def _task(read: Any) -> tuple[Tag, Relating] | None:
    """The task that reads the state with `read`, and the loop that it belongs to."""
    if (found := loop_of(read)) is None:
        return None
    loop, early = found
    if early is not None:
        return early.shown or early.tag, loop
    scratchpad, _, _, writes = read.args
    lineage = loop.lineage and loop.lineage.at(scratchpad.step)
    return named(writes.path, writes.name, scratchpad.step, lineage), loop


def _call(loop: Relating) -> Pairs:
    """Which of the graphs that one task runs this is, unless it is the first."""
    *_, last = str(loop.config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")).split(NS_SEP)
    return ((_CALL, int(last)),) if last.isdigit() else ()


def _around(conf: Mapping[str, Any]) -> Any:
    """The config of the task of alto's that runs LangGraph's own graph which `conf` belongs to."""
    names = str(conf.get(CONFIG_KEY_CHECKPOINT_NS, "")).split(NS_SEP)
    for id in (name.partition(NS_END)[2] for name in reversed(names)):
        for task in _tasks(id):
            return task.config
    return None


def _tasks(id: str) -> Iterator[Any]:
    early = CURRENT.get()
    while early is not None:
        if early.task.id == id:
            yield early.task
        early = early.outer
    for loop in [ref() for ref in LOOPS.valuerefs()]:  # at once: other threads begin runs meanwhile
        if loop is not None and (task := getattr(loop, "tasks", {}).get(id)) is not None:
            yield task
