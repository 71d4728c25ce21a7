"""Tells whose code is running. Nothing is worked out, and next to nothing kept for it, before somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alto_langgraph.adapters.langgraph.calling import call_in
from alto_langgraph.adapters.langgraph.lineage import LOOPS, Relating, named
from alto_langgraph.adapters.langgraph.prepare import ReadAhead
from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_READ, NS_END, NS_SEP
from alto_langgraph.driver.early import CURRENT, Early
from alto_langgraph.protocols import Caller
from alto_langgraph.tags import Tag

_CALL = "call"
"""Split of the second and any later graph that a task runs; the tasks of the first one stand right below it."""

Pairs = tuple[tuple[str, int], ...]


def tag_in(config: Any) -> Tag | None:
    """The tag of the innermost task of alto's whose code runs under `config`, or of the tool call in it; None if there is none."""
    return _whole(_around_each(config), lambda frame: call_in(frame.read))


def caller_in(config: Any) -> Caller | None:
    """The same task, as those see it that it asks something; None if there is none."""
    frames = [*_around_each(config)]
    tag = _whole(frames)
    if tag is None:
        return None
    outermost, innermost = frames[-1], frames[0]
    early = [(frame.loop, frame.early) for frame in frames if frame.early is not None]
    return Caller(
        run=outermost.loop.known_as,
        began=outermost.loop.began,
        tag=tag,
        ahead=any(not run.adopted for _, run in early),
        speculative=any(_is_uncertain(loop, run) for loop, run in early),
        remaining=_beside(innermost),
        on_end=outermost.loop.on_end,
        on_unwanted=partial(_on_unwanted, [run for _, run in early]),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """A task, and the loop and early run (if it is one) that it is a task of."""

    tag: Tag
    loop: Relating
    early: Early | None
    read: Any = None


def _around_each(config: Any) -> Iterator[_Frame]:
    """The task whose code runs under `config`, then the one that runs its graph, and so on outwards."""
    while config is not None:
        conf = config.get(CONF) or {}
        known = _task(conf.get(CONFIG_KEY_READ))
        if known is None:
            config = _around(conf)
        else:
            yield known
            loop = known.loop
            config = loop.config if CONFIG_KEY_READ in loop.config[CONF] else loop.outside


def _whole(frames: Iterable[_Frame], below: Callable[[_Frame], Pairs] = lambda _: ()) -> Tag | None:
    """The tag that goes through all of these, innermost first, and what is `below` each."""
    pairs: Pairs = ()
    for frame in frames:
        pairs = (*_call(frame.loop), *frame.tag.path, *below(frame), *pairs)
    return Tag(pairs) if pairs else None


def early_in(config: Any) -> Early | None:
    """The innermost early run whose code runs under `config`."""
    known = loop_of((config.get(CONF) or {}).get(CONFIG_KEY_READ))
    return known[1] if known is not None and known[1] is not None else CURRENT.get()


def _is_uncertain(loop: Relating, early: Early) -> bool:
    issuing = getattr(loop, "ahead", None)
    return issuing is not None and not early.adopted and issuing.is_uncertain(early.tag)


def _beside(frame: _Frame) -> int:
    """How many tasks of the same graph haven't finished, without that one."""
    issuing = getattr(frame.loop, "ahead", None)
    return max(issuing.unfinished - 1, 0) if issuing is not None else 0


def _on_unwanted(earlies: Sequence[Early], call: Callable[[], None]) -> None:
    for early in earlies:
        early.on_close(call)


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


def _task(read: Any) -> _Frame | None:
    """The task that reads the state with `read`."""
    if (found := loop_of(read)) is None:
        return None
    loop, early = found
    if early is not None:
        return _Frame(early.shown or early.tag, loop, early, read)
    scratchpad, _, _, writes = read.args
    lineage = loop.lineage and loop.lineage.at(scratchpad.step)
    return _Frame(named(writes.path, writes.name, scratchpad.step, lineage), loop, None, read)


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
