"""LangGraph's own runner, with adoption where it would run a task, and waiting that costs the same however wide the superstep."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from types import MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph import seam
from alto_langgraph.adapters.langgraph.ahead import LEFT, Ahead
from alto_langgraph.adapters.langgraph.attempt import aattempt, attempt, plain
from alto_langgraph.adapters.langgraph.carrying import MARK, Marked
from alto_langgraph.adapters.langgraph.facts import noting
from alto_langgraph.adapters.langgraph.fragments import borrows
from alto_langgraph.adapters.langgraph.prepare import fenced_call
from alto_langgraph.adapters.langgraph.seam import (
    CONF,
    CONFIG_KEY_CALL,
    FuturesDict,
    PregelRunner,
    rebind,
)
from alto_langgraph.driver.early import Early, Retreat
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing

AGAIN = "its superstep had to run it again"
NO_THREAD = "its superstep came before a thread was free for it"

run_with_retry = rebind(seam.run_with_retry, _should_retry_on=noting(seam.should_retry_on))
arun_with_retry = rebind(seam.arun_with_retry, _should_retry_on=noting(seam.should_retry_on))

# ---- early runs


async def run_early(loop: Committing, early: Early) -> Any:
    """Runs a task ahead of its superstep, retries and timeouts included, under the run's own limit of concurrency."""
    if loop.gate is None:
        return await _run_early(loop, early)
    try:
        if loop.spare is not None:
            await loop.spare.passage(early)
        async with loop.gate:
            return await _run_early(loop, early)
    finally:
        early.leave()


async def _run_early(loop: Committing, early: Early) -> Any:
    with _told_early(loop, early):
        configurable = {CONFIG_KEY_CALL: partial(fenced_call, early)}
        inside = early.task.timeout is not None or early.task.subgraphs
        if not loop.use_astream and not inside and plain(early.task, None, {}):
            return await aattempt(early.task, configurable)
        task = replace(early.task, proc=_Inside(early)) if inside else early.task
        return await arun_with_retry(task, None, stream=loop.use_astream, configurable=configurable)


class _Inside:
    """A node under a timeout, or with a graph in it.

    Under a timeout it runs in an asyncio task of its own: LangGraph cancels that one without waiting for it. What a graph in it
    commands (`Command.PARENT`) goes through the node's conditional edges on the event loop, where they can't wait for the state.
    """

    def __init__(self, early: Early) -> None:
        self._early = early

    async def ainvoke(self, input: Any, config: Any) -> Any:
        self._note()
        try:
            return await self._early.task.proc.ainvoke(input, config)
        except ParentCommand:
            await self._pass()
            raise

    async def astream(self, input: Any, config: Any) -> AsyncIterator[Any]:
        self._note()
        try:
            async for chunk in self._early.task.proc.astream(input, config):
                yield chunk
        except ParentCommand:
            await self._pass()
            raise

    async def _pass(self) -> None:
        self._early.reach_route()
        await self._early.passage()

    def _note(self) -> None:
        if (inside := asyncio.current_task()) is not None:
            self._early.inside.append(inside)


def run_early_sync(loop: Committing, early: Early) -> Any:
    """`run_early` on a thread."""
    try:
        if loop.spare is not None:
            loop.spare.wait(early)
        with loop.places or nullcontext():
            if early.abandoned:  # while it waited for a place
                return None
            with _told_early(loop, early):
                return run_with_retry(early.task, None, configurable={CONFIG_KEY_CALL: partial(fenced_call, early)})
    finally:
        early.leave()


def _told(loop: Committing, tag: Tag | None, task: PregelExecutableTask, step: int) -> AbstractContextManager[None]:
    issuing = loop.ahead
    telling = issuing.telling if issuing is not None else None
    return telling.running(tag, task, step) if telling and tag is not None else nullcontext()


def _told_early(loop: Committing, early: Early) -> AbstractContextManager[None]:
    if (issuing := loop.ahead) is None or (telling := issuing.telling) is None:
        return nullcontext()
    return telling.running(early.tag, early.task, early.step, early, speculative=issuing.is_uncertain(early.tag))


# ---- what LangGraph's runner calls for a task


def arun_or_adopt(
    task: PregelExecutableTask, retry_policy: Any, stream: bool = False, *, configurable: dict[str, Any], **kwargs: Any
) -> Awaitable[Any]:
    """Adopts the early run of `task` if there is one, else runs it."""
    marked: Marked | None = task.config[CONF].pop(MARK, None)
    if not stream and plain(task, retry_policy, kwargs):
        run = partial(aattempt, task, configurable)
    else:
        run = partial(arun_with_retry, task, retry_policy, stream=stream, configurable=configurable, **kwargs)
    return run() if marked is None else _arun_marked(marked, task, run)


async def _arun_marked(marked: Marked, task: PregelExecutableTask, run: Callable[[], Awaitable[Any]]) -> Any:
    if marked.early is not None:
        marked.early.awaited = True
        try:
            if marked.early.future.done():
                await _take_turns(marked, task)
            while not (marked.early.released or marked.early.borrowed):
                await asyncio.sleep(0)
            result = await marked.early.future
        except (Retreat, GraphInterrupt):
            pass  # again, in order: what it met carries names that only its superstep gives
        except BaseException as error:
            if marked.early.fence is None or isinstance(error, asyncio.CancelledError):
                _take_over(marked.early, task, error)
                _count(marked, marked.early, LEFT if isinstance(error, asyncio.CancelledError) else None)
                raise
        else:
            if marked.early.fence is None and not borrows(marked.early):
                _take_over(marked.early, task)
                _count(marked, marked.early)
                return result
        _count(marked, marked.early, AGAIN)
    async with (None if marked.placed else marked.loop.gate) or nullcontext():
        return await _arun_in_order(marked, task, run)


async def _take_turns(marked: Marked, task: PregelExecutableTask) -> None:
    """Lets the event loop turn as often as the quickest run in order would: meanwhile a checkpointer sees the superstep before.

    LangGraph hands it objects that the next superstep goes on to change, such as what a join has seen.
    """
    if marked.loop.checkpointer is not None:
        for _ in range(2 * len(getattr(task.proc, "steps", (task.proc,)))):
            await asyncio.sleep(0)


async def _arun_in_order(marked: Marked, task: PregelExecutableTask, run: Callable[[], Awaitable[Any]]) -> Any:
    with _told(marked.loop, marked.tag, task, marked.step):
        return await run()


def run_or_adopt(task: PregelExecutableTask, retry_policy: Any, *, configurable: dict[str, Any], **kwargs: Any) -> Any:
    """`arun_or_adopt` on a thread."""
    marked: Marked | None = task.config[CONF].pop(MARK, None)
    if marked is None and plain(task, retry_policy, kwargs):
        return attempt(task, configurable)
    run = partial(run_with_retry, task, retry_policy, configurable=configurable, **kwargs)
    return run() if marked is None else _run_marked(marked, task, run)


def _run_marked(marked: Marked, task: PregelExecutableTask, run: Callable[[], Any]) -> Any:
    again = AGAIN
    if marked.early is None:
        pass
    elif marked.early.future.cancel():  # it still waits for a thread
        again = NO_THREAD
    else:
        marked.early.awaited = True
        try:
            result = marked.early.future.result()
        except (Retreat, GraphInterrupt):
            pass
        except BaseException as error:
            if marked.early.fence is None:
                _take_over(marked.early, task, error)
                _count(marked, marked.early)
                raise
        else:
            if marked.early.fence is None and not borrows(marked.early):
                _take_over(marked.early, task)
                _count(marked, marked.early)
                return result
    if marked.early is not None:
        _count(marked, marked.early, again)
    with (None if marked.placed else marked.loop.places) or nullcontext(), _told(marked.loop, marked.tag, task, marked.step):
        return run()


def _count(marked: Marked, early: Early, in_vain: str | None = None) -> None:
    """What became of an early run: its superstep has taken what it came to, or it was in vain."""
    if (ahead := marked.loop.ahead) is None:
        return
    if in_vain is not None:
        ahead.in_vain(early, early.fence or in_vain)
    else:
        ahead.staging.tally.used(early.asked)


def _take_over(early: Early, task: PregelExecutableTask, error: BaseException | None = None) -> None:
    """Gives LangGraph's task what its early run has written, and the error its real name."""
    if early.borrowed:  # until now it might have had to run again
        early.release()
    task.writes.extend(early.task.writes)
    if notes := getattr(error, "__notes__", None):
        notes[:] = [note.replace(early.task.id, task.id) for note in notes]


# ---- waiting

QUIET = 0.001
"""Seconds without news after which a superstep on threads counts as waiting for slow tasks."""
PATIENCE = 0.1
"""Seconds after which the issue stage is told, quiet or not."""


class ReadyFutures(FuturesDict[Any, Any]):
    """LangGraph's futures of a superstep, which know by themselves which of them are done."""

    waiter: asyncio.Future[None] | None = None
    restless_since = 0.0
    idle: threading.Event | None = None
    ready: SimpleQueue[Any]
    _begun = False

    def _begin(self) -> None:
        """Not when it is made: a superstep of one task mostly needs no futures."""
        self._begun = True
        self.ready = SimpleQueue()
        commit: Any = self.callback()
        if isinstance(commit, MethodType):
            commit.__self__.futures = weakref.ref(self)  # type: ignore[attr-defined]

    def __setitem__(self, key: Any, value: PregelExecutableTask | None) -> None:
        if not self._begun:
            self._begin()
        super().__setitem__(key, value)
        if value is None:
            key.add_done_callback(self._arrive)

    def on_done(self, task: PregelExecutableTask, fut: Any) -> None:
        try:
            super().on_done(task, fut)
        finally:
            self._arrive(fut)
            if self.idle is not None and not self.counter:
                self.idle.set()

    def wait_until_committed(self) -> None:
        """Waits for the tasks still on threads, and until what they wrote is with the loop, as a run ends by an error."""
        self.idle = threading.Event()
        if self.counter:
            self.idle.wait()

    def _arrive(self, future: Any) -> None:
        self.ready.put(future)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def next(self, timeout: float | None) -> Any:
        """Waits for the next to be done.

        While tasks finish in quick succession the issue stage isn't told: they will have finished their superstep before
        anything could be started ahead of it.

        Raises:
            queue.Empty: none was within `timeout` seconds.
        """
        commit: Any = self.callback()
        ahead = commit.__self__.ahead if commit is not None else None
        if ahead is not None and ahead.has_news:
            self.restless_since = self.restless_since or monotonic()
            try:
                return self.ready.get(timeout=QUIET if monotonic() < self.restless_since + PATIENCE else 0)
            except Empty:
                ahead.catch_up()
                self.restless_since = 0.0
        return self.ready.get(timeout=timeout)

    def take(self, *first: Any) -> set[Any]:
        """The futures that have become done since the last look, and `first`; beside one that has failed, all that are done.

        A failure may end the superstep, and then LangGraph wants to have seen the others that have failed: theirs may be handled.
        """
        done = set(first)
        while not self.ready.empty():
            done.add(self.ready.get_nowait())
        if any(map(_has_failed, done)):
            done.update(future for future in self if future.done())
        return {future for future in done if future in self}


def _has_failed(future: Any) -> bool:
    return not future.cancelled() and (error := future.exception()) is not None and not isinstance(error, GraphBubbleUp)


async def wait_async(futures: ReadyFutures, *, return_when: str, timeout: float | None = None) -> tuple[set[Any], int]:
    """`asyncio.wait` for the first to complete, at a cost that doesn't depend on how many there are; (done, number of others)."""
    while not (done := futures.take()):
        futures.waiter = asyncio.get_running_loop().create_future()
        if timeout is None:
            await futures.waiter
            continue
        try:
            await asyncio.wait_for(futures.waiter, timeout)
        except TimeoutError:
            break
    return done, len(futures) - len(done)


def wait_sync(futures: ReadyFutures, *, return_when: str, timeout: float | None = None) -> tuple[set[Any], int]:
    """`concurrent.futures.wait` for the first to complete, likewise."""
    while not (done := futures.take()):
        try:
            done = futures.take(futures.next(timeout))
        except Empty:
            break
        if done:
            break
    return done, len(futures) - len(done)


_ASYNCIO = SimpleNamespace(**{**vars(asyncio), "wait": wait_async})
_CONCURRENT = SimpleNamespace(futures=SimpleNamespace(**{**vars(concurrent.futures), "wait": wait_sync}))


def _submit_placed(submit: Callable[..., Any], places: threading.Semaphore, run: Callable[..., Any], *args: Any, **how: Any) -> Any:
    return submit(run, *args, **how) if run is run_or_adopt else submit(partial(_in_place, places, run), *args, **how)


def _in_place(places: threading.Semaphore, run: Callable[..., Any], *args: Any, **how: Any) -> Any:
    with places:
        return run(*args, **how)


class Runner(PregelRunner):
    """LangGraph's runner, told to adopt."""

    tick = rebind(PregelRunner.tick, run_with_retry=run_or_adopt, FuturesDict=ReadyFutures, concurrent=_CONCURRENT)
    atick = rebind(PregelRunner.atick, arun_with_retry=arun_or_adopt, FuturesDict=ReadyFutures, asyncio=_ASYNCIO)

    futures: weakref.ref[ReadyFutures] | None = None
    """Those of the superstep in progress."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._loop: Committing = kwargs["put_writes"]().__self__
        self._loop.use_astream = self.use_astream
        self._loop.runner = weakref.ref(self)
        if self._loop.config.get("max_concurrency"):
            gated = self._placed if self._loop.gate is None else self._ungated_if_adopted
            self._submit, self.submit = self.submit, gated  # type: ignore[assignment]

    def _ungated_if_adopted(self) -> Callable[..., Any]:
        """LangGraph's `submit`, except that waiting for an early run, which has a place of its own, takes none of `max_concurrency`."""

        def submit(run: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
            inner: Any = self._submit()
            marked = task.config[CONF].get(MARK) if run is arun_or_adopt else None
            if marked is None or marked.early is None:
                if marked is not None:
                    task.config[CONF][MARK] = marked._replace(placed=True)
                return inner(run, task, *args, **kwargs)
            executor = inner.__self__
            gate, executor.semaphore = executor.semaphore, None
            try:
                return inner(run, task, *args, **kwargs)
            finally:
                executor.semaphore = gate

        return submit

    def _placed(self) -> Callable[..., Any]:
        """LangGraph's `submit`, except that what isn't a task of the superstep (a `@task` call) takes a place by itself."""
        inner: Any = self._submit()
        places = self._loop.places
        return inner if places is None else partial(_submit_placed, inner, places)

    @property
    def ahead(self) -> Ahead | None:
        """The run's issue stage, once it has one."""
        return self._loop.ahead

    def commit(self, task: PregelExecutableTask, exception: BaseException | None) -> None:
        super().commit(task, exception)
        if (ahead := self._loop.ahead) is not None:
            ahead.finished(task, exception is not None)
