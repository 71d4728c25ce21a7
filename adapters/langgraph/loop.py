"""LangGraph's own loops as the commit stage: alto listens to them, and adds what makes a wide superstep cost linear."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.ahead import Ahead
from alto_langgraph.adapters.langgraph.announcing import Announcing
from alto_langgraph.adapters.langgraph.callbacks import Quiet
from alto_langgraph.adapters.langgraph.collector import PER_TASK, VERY_WIDE, ease, relax
from alto_langgraph.adapters.langgraph.current import current_caller
from alto_langgraph.adapters.langgraph.emitting import Emitting
from alto_langgraph.adapters.langgraph.incremental import Incremental
from alto_langgraph.adapters.langgraph.lineage import Relating
from alto_langgraph.adapters.langgraph.listening import listen
from alto_langgraph.adapters.langgraph.prepare import FastTopic
from alto_langgraph.adapters.langgraph.putting import Putting
from alto_langgraph.adapters.langgraph.runner import run_early, run_early_sync
from alto_langgraph.adapters.langgraph.seam import (
    CONF,
    CONFIG_KEY_READ,
    NULL_TASK_ID,
    TASKS,
    AsyncPregelLoop,
    SyncPregelLoop,
    Topic,
)
from alto_langgraph.adapters.langgraph.whose import loop_of
from alto_langgraph.driver.alarm import Alarm
from alto_langgraph.driver.budget import Budget
from alto_langgraph.driver.early import CURRENT, Early, Retreat
from alto_langgraph.driver.producing import Producer
from alto_langgraph.driver.spare import Spare
from alto_langgraph.driver.tempo import WHILE, WHILE_ON_THREADS
from alto_langgraph.protocols import CALLER_OF, OBSERVER, is_traced

CALLER_OF.append(current_caller)

_ALARM = Alarm(WHILE_ON_THREADS)

WIDE = 16
"""From this many pending writes or Sends on, alto's linear ways cost less than LangGraph's plain ones."""


class Committing(Relating, Announcing, Emitting, Putting, Incremental):
    """What both loops add to LangGraph's: superclasses do all of the committing."""

    ahead: Ahead | None = None
    use_astream = can_cancel = False
    runner: Any = None
    _context: contextvars.Context
    _may_listen = False
    _writers: set[str] | None = None
    _eased = 0
    _joins: tuple[Any, ...] | None = None

    @property
    def gate(self) -> asyncio.Semaphore | None:
        """What keeps to `max_concurrency` in an async run."""
        return None

    places: threading.Semaphore | None = None
    """The same on threads."""
    spare: Spare | None = None
    """What of that may be ahead: one less, as LangGraph runs a task that is alone in its superstep without a place."""
    a_while = WHILE
    """Seconds that a superstep has to take before work is started ahead of it that doesn't come by a `Send`."""
    grace = WHILE / 2
    """Seconds by which an alarm may come late on an event loop that isn't busy."""

    def _launch(self, early: Early) -> None:
        raise NotImplementedError

    def in_turn(self, call: Callable[[], None]) -> None:
        """Calls something where early runs may be launched: at once, if that is here."""
        raise NotImplementedError

    def aside(self, call: Callable[[], None]) -> None:
        """Calls something that takes its time, where nobody has to wait for it."""
        raise NotImplementedError

    def release(self, early: Early) -> None:
        """Lets out what an adopted run has said, behind what was said before in the run."""
        raise NotImplementedError

    def _soon(self, call: Callable[[], None], *, early: bool = False) -> None:
        """Calls something once what has happened together is known; `early` if it happened to an early run."""
        raise NotImplementedError

    def _alarm(self, call: Callable[[], None]) -> Callable[[], object]:
        """Calls something when the superstep has taken `a_while`; returns what calls it off."""
        raise NotImplementedError

    def _on_exit(self) -> None:
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.manager is not None:
            self.manager = Quiet(self.manager)  # type: ignore[assignment]

    def tick(self) -> bool:
        sends = self.channels.get(TASKS)
        if isinstance(sends, Topic) and len(sends.values) >= WIDE:
            self._widen(sends)
        more = super().tick()
        if more:
            if self.ahead is None:
                self._look_ahead()
            if self.ahead is not None:
                self.ahead.opened()
        return more

    @cached_property
    def budget(self) -> Budget:
        """What may be spent on running code again: one for all graphs of a run."""
        outer = loop_of(self.config[CONF].get(CONFIG_KEY_READ))
        return getattr(outer and outer[0], "budget", None) or Budget()

    @property
    def graph(self) -> Any:
        """The graph that runs, if it is one of alto's."""
        graph = getattr(self._migrate_checkpoint, "__self__", None)
        return graph if hasattr(graph, "alto_staging") else None

    def _look_ahead(self) -> None:
        if (graph := self.graph) is None:
            return
        if not self._may_listen:
            self._may_listen, self._context = True, contextvars.copy_context()
            listen()
        staging = graph.alto_staging
        options = graph.alto_options_of(self.config)
        several = len(self.tasks) > 1 or OBSERVER.get() is not None or staging.has_chains or is_traced(options.trace)
        if several or (staging.has_routers and "route" in options.issue):
            self._issue(graph, options)

    def _issue(self, graph: Any, options: Any) -> Ahead:
        if most := self.config.get("max_concurrency"):
            self.spare = Spare(most - 1)
        self.ahead = Ahead(self, graph.alto_staging, options, self._launch, self._soon, self._alarm)
        if self.ahead.telling is not None:
            self.stack.push(self.ahead.telling.run_finished)  # called when nothing of the run is left
        self._on_exit()
        return self.ahead

    def producer(self, task: PregelExecutableTask, early: Early | None, attempt: Any) -> Producer | None:
        """Listens to what a running task is answered; None if nothing may start on a part of that."""
        if not self._may_listen or (graph := self.graph) is None:
            return None
        ahead = self.ahead
        if ahead is None:
            options = graph.alto_options_of(self.config)
            if "stream" not in options.issue or not options.window:
                return None
            ahead = self._issue(graph, options)
            self.in_turn(ahead.opened)
        return ahead.producer(task, early, attempt)

    def _cached(self, tasks: Iterable[PregelExecutableTask]) -> None:
        """Tasks that needn't run, as the cache has what they come to."""
        if self.ahead is not None:
            for task in tasks:
                self.ahead.cached(task)

    def _handling(self, failed: PregelExecutableTask, handler: PregelExecutableTask | None) -> PregelExecutableTask | None:
        """A task that handles another one's error joins the superstep."""
        if handler is not None and self.ahead is not None:
            self.ahead.joined(failed, handler)
        return handler

    def _context_of(self, early: Early) -> contextvars.Context:
        """The run's own context, wherever the news came in that lets `early` start."""
        context = self._context.copy()
        context.run(CURRENT.set, early)
        return context

    def after_tick(self) -> None:
        self._keep_joins()
        if self.ahead is not None:
            self.ahead.closing(self.step)
        super().after_tick()
        self._relax()
        self._writers = None
        if self.ahead is not None:
            self.ahead.closed()

    def _keep_joins(self) -> None:
        """Leaves what joins have seen before this superstep to a checkpointer still at work; else LangGraph would change it in place.

        Saving goes on beside the superstep, which is over sooner here than under LangGraph: where tasks had run already, and on an event
        loop also where a single task takes no time. A saver that has further to go than to memory sees that change under LangGraph, too,
        and so does one on a thread, unless the superstep takes longer than the interpreter lets one thread go on.
        """
        if (saving := getattr(self, "_put_checkpoint_fut", None)) is None or saving.done():
            return
        quick = self.can_cancel and isinstance(self.checkpointer, InMemorySaver)
        if not quick and (self.ahead is None or not self.ahead.has_adopted):
            return
        if self._joins is None:
            self._joins = tuple(channel for channel in self.channels.values() if hasattr(channel, "seen"))
        for channel in self._joins:
            channel.seen = set(channel.seen)

    def _widen(self, sends: Topic[Any]) -> None:
        if type(sends) is Topic:
            fast = FastTopic(sends.typ, sends.accumulate)
            fast.key, fast.values = sends.key, sends.values
            self.channels[TASKS] = fast  # type: ignore[index]
        if len(sends.values) >= VERY_WIDE:
            self._eased = PER_TASK * len(sends.values)
            ease(self._eased)
            self.stack.callback(self._relax)

    def _relax(self) -> None:
        if self._eased:
            relax(self._eased)
            self._eased = 0

    def put_writes(self, task_id: str, writes: Any, **kwargs: Any) -> None:
        # LangGraph filters all pending writes for earlier ones of this task. If there are none, it needs to see none:
        # so n tasks cost n, not n squared.
        pending = self.checkpoint_pending_writes
        if len(pending) < WIDE or task_id == NULL_TASK_ID:
            super().put_writes(task_id, writes, **kwargs)
            return
        if self._writers is None:
            self._writers = {write[0] for write in pending}
        if task_id in self._writers:
            super().put_writes(task_id, writes, **kwargs)
            return
        self._writers.add(task_id)
        self.checkpoint_pending_writes = []
        try:
            super().put_writes(task_id, writes, **kwargs)
        finally:
            pending.extend(self.checkpoint_pending_writes)
            self.checkpoint_pending_writes = pending


class _Shielded(asyncio.Future[Any]):
    """What a task comes to, like `asyncio.shield`, but says at once that whoever waits for it has been cancelled."""

    def __init__(self, task: asyncio.Task[Any], on_cancel: Callable[[], None]) -> None:
        super().__init__()
        self._on_cancel = on_cancel
        task.add_done_callback(self._end)

    def cancel(self, msg: Any = None) -> bool:
        self._on_cancel()
        return super().cancel(msg)

    def _end(self, task: asyncio.Task[Any]) -> None:
        if self.done():
            return
        if task.cancelled():
            super().cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())


class CommittingAsync(Committing, AsyncPregelLoop):
    """For `astream` and what builds on it."""

    _leaving = _given_up = False
    can_cancel = True

    @property
    def gate(self) -> asyncio.Semaphore | None:
        return getattr(getattr(self.submit, "__self__", None), "semaphore", None)

    async def __aexit__(self, *error: Any) -> bool | None:
        """LangGraph's, and none of what runs inside is left running.

        LangGraph cancels a task that it gives up twice. The second time would reach the loop of a subgraph that is just
        leaving, before it has cancelled its own tasks, and often before it has begun: then nothing is saved either.
        """
        if error[0] is None:
            return await super().__aexit__(*error)
        self.stack.callback(self._begin_to_leave)
        leaving = asyncio.create_task(super().__aexit__(*error))
        given_up: asyncio.CancelledError | None = None
        while not leaving.done():  # anyio cancels at every turn of the event loop
            try:
                await _Shielded(leaving, self._give_up)
            except asyncio.CancelledError as cancelled:
                given_up = given_up or cancelled
            except BaseException:
                break
        if given_up is None:
            return leaving.result()
        given_up.args = (*given_up.args, leaving)
        raise given_up

    def _begin_to_leave(self) -> None:
        self._leaving = True

    def _give_up(self) -> None:
        self._given_up |= not self._leaving

    def _suppress_interrupt(self, *error: Any) -> bool | None:
        suppressed: bool | None = None if self._given_up else super()._suppress_interrupt(*error)
        return suppressed

    def _on_exit(self) -> None:
        self.stack.push_async_callback(self._end)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._event_loop = asyncio.get_running_loop()

    def _launch(self, early: Early) -> None:
        context = self._context_of(early)
        task = self._event_loop.create_task(run_early(self, early), name=early.node, context=context)
        early.future = task
        task.add_done_callback(partial(self._early_done, early), context=context)

    def _early_done(self, early: Early, future: asyncio.Task[Any]) -> None:
        _report(self, early, None if future.cancelled() else future.exception(), future.cancelled())

    def in_turn(self, call: Callable[[], None]) -> None:
        try:
            here = asyncio.get_running_loop() is self._event_loop
        except RuntimeError:
            here = False
        if here:
            self._context.copy().run(call)
        else:
            self._event_loop.call_soon_threadsafe(call, context=self._context)

    def aside(self, call: Callable[[], None]) -> None:
        call()  # which starts a task

    def release(self, early: Early) -> None:
        # As LangGraph hands on what tasks say: what subgraphs have said before is still on its way.
        self._event_loop.call_soon(early.release)

    def _soon(self, call: Callable[[], None], *, early: bool = False) -> None:
        self._event_loop.call_soon(call, context=self._context)

    def _alarm(self, call: Callable[[], None]) -> Callable[[], object]:
        return self._event_loop.call_later(WHILE, call, context=self._context).cancel

    async def aschedule_error_handler(self, failed_task: Any, error: BaseException) -> Any:
        return self._handling(failed_task, await super().aschedule_error_handler(failed_task, error))

    async def amatch_cached_writes(self) -> Any:
        matched = await super().amatch_cached_writes()
        self._cached(matched)
        return matched

    async def _end(self) -> None:
        """Nothing that was started ahead is left running."""
        if self.ahead is not None:
            ended = [task for early in self.ahead.end() for task in (early.future, *early.inside)]
            ending = [task for task in (*ended, *self.ahead.ending) if not task.done()]
            if ending:
                await asyncio.wait(ending)
            self.ahead = None


class CommittingSync(Committing, SyncPregelLoop):
    """For `stream` and what builds on it; early runs have threads of their own, so that one that waits never blocks one that commits."""

    a_while, grace = WHILE_ON_THREADS, WHILE_ON_THREADS * 1.5  # a thread looks now and then
    _pool: ThreadPoolExecutor | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._writing = threading.RLock()

    def _on_exit(self) -> None:
        self.stack.callback(self._end)
        if most := self.config.get("max_concurrency"):
            self.places = threading.Semaphore(most)

    def put_writes(self, task_id: str, writes: Any, **kwargs: Any) -> None:
        if len(getattr(self, "tasks", ())) < 2:
            super().put_writes(task_id, writes, **kwargs)
            return
        with self._writing:
            super().put_writes(task_id, writes, **kwargs)

    def schedule_error_handler(self, failed_task: Any, error: BaseException) -> Any:
        return self._handling(failed_task, super().schedule_error_handler(failed_task, error))

    def match_cached_writes(self) -> Any:
        matched = super().match_cached_writes()
        self._cached(matched)
        return matched

    @property
    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            # As many threads as LangGraph's own pool has; where they are limited, some may have to wait.
            most = min(32, (os.cpu_count() or 1) + 4)
            self._pool = ThreadPoolExecutor(max(most, self.config.get("max_concurrency") or 0), thread_name_prefix="alto")
        return self._pool

    def _launch(self, early: Early) -> None:
        context = self._context_of(early)
        early.future = self._threads.submit(context.run, run_early_sync, self, early)
        early.future.add_done_callback(partial(self._early_done, early))

    def _early_done(self, early: Early, future: Any) -> None:
        _report(self, early, None if future.cancelled() else future.exception(), future.cancelled())

    def in_turn(self, call: Callable[[], None]) -> None:
        call()

    def aside(self, call: Callable[[], None]) -> None:
        self._threads.submit(self._context.copy().run, call)

    def release(self, early: Early) -> None:
        early.release()

    def _soon(self, call: Callable[[], None], *, early: bool = False) -> None:
        if early:  # else the runner does, when it has waited a moment (`ReadyFutures.next`)
            call()

    def _alarm(self, call: Callable[[], None]) -> Callable[[], object]:
        _ALARM.set(call)
        return partial(_ALARM.off, call)

    def _end(self) -> None:
        if self.ahead is not None:
            self.ahead.end()
            self.ahead = None
        # LangGraph shuts its threads down as soon as tasks are done, before the last of them has handed over what it wrote.
        futures = runner.futures and runner.futures() if (runner := self.runner and self.runner()) else None
        if futures is not None:
            futures.wait_until_committed()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


CommittingAsync.__name__, CommittingSync.__name__ = AsyncPregelLoop.__name__, SyncPregelLoop.__name__  # errors may tell them


def _report(loop: Committing, early: Early, error: BaseException | None, cancelled: bool) -> None:
    ahead = loop.ahead  # a run that ends on another thread lets go of it
    if ahead is None or cancelled:
        return
    if early.fence is not None or isinstance(error, Retreat):
        ahead.early_retreated(early, early.fence or str(error))
    else:
        ahead.early_finished(early, error)
