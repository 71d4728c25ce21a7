"""Turns what a run's stream says into fragments: what tasks come to, as soon as they have, and again when it is committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from typing import Any, NamedTuple

from langchain_core.runnables.config import merge_configs, var_child_runnable_config

from alto_langgraph.driver.equality import same
from alto_langgraph.protocols import Fragment
from alto_langgraph.tags import Tag

COMPLETED, THROWN_AWAY, WHOSE = "alto completed", "alto thrown away", "alto whose"
"""Stream modes of alto's own, which nobody but `astream_fragments` listens to."""
AT_ONCE = frozenset({COMPLETED, THROWN_AWAY})
"""Those that say something of early runs, so they don't wait for what early runs say to be let out."""
_MODES = ("updates", COMPLETED, THROWN_AWAY, WHOSE)
_EAGER = "custom"
"""With this mode, LangGraph hands events on while its tasks run."""
_INTERRUPT, _METADATA = "__interrupt__", "__metadata__"


class Named(NamedTuple):
    """A task, and what it has come to where that is known.

    Args:
        tag: The task.
        node: Its node.
        update: As the mode `updates` shows it.
    """

    tag: Tag | None
    node: str
    update: Any = None


class Told:
    """What was told of one run and isn't committed yet."""

    def __init__(self) -> None:
        self._waiting: dict[Tag, Named] = {}
        self._whose: dict[tuple[str, ...], Named] = {}

    def hear(self, mode: str, payload: Any, namespace: tuple[str, ...] = ()) -> Iterator[Fragment]:
        """What an event of the run's stream tells."""
        if mode == COMPLETED:
            yield from self._completed(payload)
        elif mode == THROWN_AWAY:
            yield from self._throw_away([tag for tag in self._waiting if tag in payload])
        elif mode == WHOSE:
            self._whose[namespace] = payload
        elif mode == "updates":
            yield from self._committed(payload, self._whose.pop(namespace, None))

    def end(self) -> Iterator[Fragment]:
        """The run is over: what hasn't been committed never will be."""
        yield from self._throw_away([*self._waiting])

    def _completed(self, task: Named) -> Iterator[Fragment]:
        if task.tag is not None:
            if (before := self._waiting.get(task.tag)) is not None:
                if same(before.update, task.update):
                    return
                yield from self._throw_away([task.tag])
            self._waiting[task.tag] = task
        yield Fragment(*task, committed=False)

    def _committed(self, event: dict[str, Any], whose: Named | None) -> Iterator[Fragment]:
        for node, update in event.items():
            if node == _METADATA:
                continue
            tag = whose.tag if whose is not None and node in (whose.node, _INTERRUPT) else None
            if node != _INTERRUPT:
                yield from self._completed(Named(tag, node, update))
                if tag is not None:
                    del self._waiting[tag]
            yield Fragment(tag, node, update, committed=True)

    def _throw_away(self, tags: list[Tag]) -> Iterator[Fragment]:
        for tag in tags:
            yield Fragment(tag, self._waiting.pop(tag).node, None, committed=None)


def fragments(graph: Any, input: Any, config: Any, subgraphs: bool, how: dict[str, Any]) -> Iterator[Fragment]:
    """For `stream_fragments`."""
    told = Told()
    # LangGraph waits for events on one of the threads that `max_concurrency` leaves it, and for ever if it leaves it one.
    limited = merge_configs(var_child_runnable_config.get(), graph.config, config).get("max_concurrency")
    modes = [*_MODES] if limited else [*_MODES, _EAGER]
    with closing(graph.stream(input, config, stream_mode=modes, subgraphs=subgraphs, **how)) as events:
        try:
            for event in events:
                yield from told.hear(*_parts(event))
        except Exception:
            yield from told.end()
            raise
    yield from told.end()


async def afragments(graph: Any, input: Any, config: Any, subgraphs: bool, how: dict[str, Any]) -> AsyncIterator[Fragment]:
    """For `astream_fragments`."""
    told = Told()
    async with aclosing(graph.astream(input, config, stream_mode=[*_MODES, _EAGER], subgraphs=subgraphs, **how)) as events:
        try:
            async for event in events:
                for fragment in told.hear(*_parts(event)):
                    yield fragment
        except Exception:
            for fragment in told.end():
                yield fragment
            raise
    for fragment in told.end():
        yield fragment


def _parts(event: tuple[Any, ...]) -> tuple[Any, ...]:
    """Mode, payload and, where subgraphs are told of, namespace."""
    return event if len(event) == 2 else (event[1], event[2], event[0])
