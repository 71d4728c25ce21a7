"""Makes a task before its superstep is there, with LangGraph's own code, and gives it its real names later."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.configuring import prepare_single_task
from alto_langgraph.adapters.langgraph.seam import (
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_READ_STATE,
    CONFIG_KEY_STREAM,
    PULL,
    PUSH,
    TASKS,
    PregelLoop,
    StreamProtocol,
    Topic,
    checkpoint_null_version,
)
from alto_langgraph.adapters.langgraph.shadow import View
from alto_langgraph.driver.early import CURRENT, Early
from alto_langgraph.tags import Tag


class FastTopic(Topic[Send]):
    """The channel of pending Sends without a copy per look: LangGraph looks once per Send and never changes what it sees."""

    def get(self) -> Sequence[Send]:
        return self.values if self.values else super().get()


class _Row:
    """A list of Sends of which only the one at `index` can be looked at."""

    def __init__(self, index: int, send: Send) -> None:
        self._index, self._send = index, send

    def is_available(self) -> bool:
        return True

    def get(self) -> _Row:
        return self

    def __len__(self) -> int:
        return self._index + 1

    def __getitem__(self, index: int) -> Send:
        return self._send


class _Written:
    """A channel that triggers the node behind it."""

    def is_available(self) -> bool:
        return True


class FencedSaver(BaseCheckpointSaver[Any]):
    """Stands where the checkpointer would be in an early run: checkpoints carry the task's id, which its superstep gives."""

    def __init__(self, early: Early) -> None:
        """Without the base class's set-up: there is nothing to save with."""
        self.__early = early

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") or name == "_FencedSaver__early":
            return object.__getattribute__(self, name)
        self.__early.retreat("it runs a graph that saves checkpoints")


def fenced_call(early: Early, *args: Any, **kwargs: Any) -> Any:
    """Stands where LangGraph's `@task` call would be in an early run."""
    early.retreat("it calls a @task, which is numbered within its superstep")


def prepare_sent(loop: PregelLoop, send: Send, early: Early, index: int, proc: Any) -> PregelExecutableTask | None:
    """The task that `send` will become in `early.step`, under provisional names; None if LangGraph would ignore the Send.

    Args:
        loop: The run.
        send: The packet, as a task wrote it.
        early: The early run.
        index: Makes the provisional names unique within the run.
        proc: The node's runnable, gated.
    """
    return _prepare(loop, (PUSH, index), loop.checkpoint, {TASKS: _Row(index, send)}, early, proc)


def prepare_pulled(loop: PregelLoop, state: Mapping[str, Any], early: Early, proc: Any) -> PregelExecutableTask | None:
    """The task that an edge will trigger in `early.step`, under provisional names; None if LangGraph wouldn't make one.

    Args:
        loop: The run.
        state: Channels as they will be at the start of that superstep, as far as the task's input depends on them.
        early: The early run.
        proc: The node's runnable, gated.
    """
    view = View(loop.channels)
    view.over = {**state, **dict.fromkeys(loop.nodes[early.node].triggers, _Written())}
    return _prepare(loop, (PULL, early.node), {**loop.checkpoint, "versions_seen": {}}, view, early, proc)


def prepare_unseen(loop: PregelLoop, tag: Tag, node: str, step: int, state: dict[str, Any]) -> tuple[PregelExecutableTask, Any] | None:
    """The same of a task that is only run to see what it would send, and what reads the state for it."""
    early = Early(tag, node, step, outer=None, live=False, on_route=lambda early: None)
    task = prepare_pulled(loop, state, early, loop.nodes[node].node)
    if task is None:
        return None
    early.view.over = state
    return task, read_ahead(task.config["configurable"][CONFIG_KEY_READ])


def _prepare(loop: PregelLoop, path: Any, checkpoint: Any, channels: Any, early: Early, proc: Any) -> PregelExecutableTask | None:
    task: Any = prepare_single_task(
        path,
        None,
        checkpoint=checkpoint,
        checkpoint_id_bytes=binascii.unhexlify(loop.checkpoint["id"].replace("-", "")),
        checkpoint_null_version=checkpoint_null_version(loop.checkpoint),
        pending_writes=[],
        processes=loop.nodes,
        channels=channels,
        managed=loop.managed,
        config=loop.config,
        step=early.step,
        stop=loop.stop,
        for_execution=True,
        store=loop.store,
        checkpointer=loop.checkpointer,
        manager=loop.manager,
        cache_policy=loop.cache_policy,
        retry_policy=loop.retry_policy,
    )
    if task is None:
        return None
    conf = task.config["configurable"]
    early.view = View(loop.channels)
    conf[CONFIG_KEY_READ] = _looking_at(early, conf[CONFIG_KEY_READ])
    if (read_state := conf.get(CONFIG_KEY_READ_STATE)) is not None:
        conf[CONFIG_KEY_READ_STATE] = partial(_state_ahead, early, read_state)
    if (stream := conf.get(CONFIG_KEY_STREAM)) is not None:
        conf[CONFIG_KEY_STREAM] = _said_by(early, stream)
    if conf[CONFIG_KEY_CHECKPOINTER] is not None and conf[CONFIG_KEY_CHECKPOINTER] is not False:
        conf[CONFIG_KEY_CHECKPOINTER] = FencedSaver(early)
    ahead: PregelExecutableTask = replace(task, proc=proc)
    return ahead


def _said_by(early: Early, stream: Any) -> Any:
    """The stream that subgraphs write to, knowing whose subgraphs they are: LangGraph also writes from threads that don't."""

    def say(chunk: Any) -> None:
        if CURRENT.get() is not None:
            stream(chunk)
            return
        token = CURRENT.set(early)
        try:
            stream(chunk)
        finally:
            CURRENT.reset(token)

    return StreamProtocol(say, stream.modes)


class ReadAhead:
    """LangGraph's own way of reading the state, for an early run: it waits until the state is there.

    Of a task that shows of the state nothing but its `glimpse`, and only asks for all of it as a matter of course, it doesn't.
    """

    def __init__(self, early: Early, read: Callable[..., Any]) -> None:
        self.early, self.read = early, read

    def __call__(self, scratchpad: Any, channels: Any, managed: Any, task: Any, select: Any, fresh: bool = False) -> Any:
        if self.early.glimpse is not None and not self.early.passed:
            return self.early.glimpse
        self.early.wait()
        return self.read(scratchpad, channels, managed, task, select, fresh)


def _state_ahead(early: Early, read_state: Any) -> Any:
    """As `ReadAhead`, of the state as an edge would bring it."""
    if early.glimpse is not None and not early.passed:
        return early.glimpse
    early.wait()
    proc, managed, _channels = read_state.args
    return read_state.func(proc, managed, early.view, **read_state.keywords)


def read_ahead(read: Any) -> Any:
    """LangGraph's own way of reading the state, of a task that was prepared here: without waiting."""
    return partial(read.func.read, *read.args)


def _looking_at(early: Early, read: Any) -> Any:
    """As `read`, arguments in the same places: code of LangGraph's looks for the channels there."""
    scratchpad, _channels, managed, task = read.args
    return partial(ReadAhead(early, read.func), scratchpad, early.view, managed, task)


def renaming(early: PregelExecutableTask, real: PregelExecutableTask) -> Callable[[Any], Any] | None:
    """What turns events said under the early task's names into events under the real ones; None if the names agree."""
    if early.id == real.id and early.path == real.path:
        return None

    def rename(value: Any) -> Any:
        if type(value) is str:
            return value.replace(early.id, real.id) if early.id in value else value
        if type(value) is tuple:
            return real.path if value == early.path else tuple(map(rename, value))
        if type(value) is list:
            return [*map(rename, value)]
        if type(value) is dict:
            return {key: rename(item) for key, item in value.items()}
        return value

    def rename_event(item: Any) -> Any:
        namespace, mode, payload = item
        if mode == "custom":
            return (rename(namespace), mode, payload)
        if mode == "messages" and type(payload) is tuple:
            return (rename(namespace), mode, (payload[0], *map(rename, payload[1:])))
        return (rename(namespace), mode, rename(payload))

    return rename_event
