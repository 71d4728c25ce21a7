"""Ports between the rooms, and the facts a run tells its observers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from alto_langgraph.tags import Tag

OPTIONS_KEY = "alto"
"""Key under a run config's `configurable` that carries options for that run."""

Outcome = Literal["completed", "failed", "interrupted", "cancelled"]
Operation = Literal["chat", "embeddings", "retrieval"]


class TaskStarted(NamedTuple):
    """A task's node begins to run.

    Args:
        namespace: Checkpoint-namespace node names of the (sub)graph, outermost first; empty at the root.
        tag: The task. Unique within one run of one (sub)graph.
        node: Node name.
        step: Superstep in which the task commits.
        ahead: True if that superstep hasn't been reached yet.
        parents: Tags of the tasks whose results this one needs, as far as they are known by now.
        at: `time.perf_counter()` seconds.
        speculative: It runs ahead, and may turn out not to be wanted.
        issued: When it could have begun, were there a thread and a place for it; None for when its superstep was opened.
    """

    namespace: tuple[str, ...]
    tag: Tag
    node: str
    step: int
    ahead: bool
    parents: tuple[Tag, ...]
    at: float
    speculative: bool = False
    issued: float | None = None


class TaskFinished(NamedTuple):
    """A task's node has returned, raised or been cancelled; `at` in `time.perf_counter()` seconds.

    It is told where `TaskStarted` was: by the same thread and in the same context. `failures` are those of attempts that the node's
    retry policy has let go by, and when.
    """

    namespace: tuple[str, ...]
    tag: Tag
    outcome: Outcome
    at: float
    error: BaseException | None = None
    failures: tuple[tuple[BaseException, float], ...] = ()


class TaskCommitted(NamedTuple):
    """LangGraph's loop has taken a task's writes, or its error; `at` in `time.perf_counter()` seconds.

    `parents` are all of them, as far as anybody traces the run.
    """

    namespace: tuple[str, ...]
    tag: Tag
    step: int
    at: float
    parents: tuple[Tag, ...] = ()


class TaskCached(NamedTuple):
    """A task needn't run, as its node's cache has what it comes to; `at` in `time.perf_counter()` seconds."""

    namespace: tuple[str, ...]
    tag: Tag
    node: str
    step: int
    at: float


class TaskSquashed(NamedTuple):
    """An early run was thrown away; its task runs again in order, or never."""

    namespace: tuple[str, ...]
    tag: Tag
    reason: str
    at: float


class StepOpened(NamedTuple):
    """LangGraph's loop has reached a superstep with these tasks; `checkpoint` is the id of the one that it starts from, if it is saved."""

    namespace: tuple[str, ...]
    step: int
    tags: tuple[Tag, ...]
    at: float
    checkpoint: str | None = None


class AskedInVain(NamedTuple):
    """A squashed early run that has asked models is over.

    Args:
        namespace: As in `TaskStarted`.
        tag: The task.
        calls: Calls of chat models (`invoke` and `ainvoke`).
        tokens: What they were answered until then: tokens as the models count them, or pieces of an answer that broke off.
        at: `time.perf_counter()` seconds.
    """

    namespace: tuple[str, ...]
    tag: Tag
    calls: int
    tokens: int
    at: float


class RunFinished(NamedTuple):
    """A run of a graph is over, and all that ran in it; `at` in `time.perf_counter()` seconds. Only who traces the run is told."""

    namespace: tuple[str, ...]
    outcome: Outcome
    error: BaseException | None
    at: float


Fact = TaskStarted | TaskFinished | TaskCommitted | TaskCached | TaskSquashed | StepOpened | AskedInVain | RunFinished


@dataclass(frozen=True, slots=True)
class RanAhead:
    """What running ahead came to, in one run or in all of a graph's.

    Args:
        started: Tasks started before their superstep.
        used: Those of them whose result their superstep has taken.
        squashed: How many were thrown away, by the reason.
        calls: Model calls that these had made.
        tokens: Tokens that they were answered.
        replayed: Processor seconds in which nodes' code was run again on parts of answers; of one run nobody counts it.
        answered: Tokens that those were answered which were used; of one run nobody counts them.
    """

    started: int = 0
    used: int = 0
    squashed: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    tokens: int = 0
    replayed: float = 0.0
    answered: int = 0

    @property
    def thrown_away(self) -> int:
        """How many were, for whatever reason."""
        return sum(self.squashed.values())

    @property
    def reasons(self) -> str:
        """Why, the commonest first."""
        commonest = sorted(self.squashed.items(), key=lambda item: (-item[1], item[0]))
        return "; ".join(f"{reason} ({times} ×)" if times > 1 else reason for reason, times in commonest)


class Fragment(NamedTuple):
    """What a task has come to, told as soon as it has, and again when that is certain.

    Args:
        tag: The task, as `current_tag()` names it inside; None where nobody can tell.
        node: Its node. As in LangGraph's `updates`, `__interrupt__` stands for what the run waits for.
        update: What `stream_mode="updates"` shows of it; None once it is thrown away.
        committed: False when the task has completed and True when the run has taken what it came to, which is when `updates` shows
            it. None says that what was told before was thrown away: it never will be, though the task may yet run again.
    """

    tag: Tag | None
    node: str
    update: Any
    committed: bool | None


Hook = Callable[[Callable[[], None]], None]
"""Has something called once, when a thing has happened; at once if it has already."""


def _never(call: Callable[[], None]) -> None:
    """The thing won't happen."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The task whose code asks something, as those see it who serve many: model servers, retrievers.

    Args:
        run: Names the outermost run of the process that the task belongs to.
        began: When that run began, in `time.perf_counter()` seconds.
        tag: The task, from the outermost run down, as `current_tag()` gives it.
        ahead: Its superstep hasn't been reached yet.
        speculative: It, or what it descends from, may yet turn out not to be wanted: a guess, or a fragment of an unfinished answer.
        remaining: How many other tasks of its graph are known and haven't finished: what is put together next waits for these, too.
        on_end: When the run has ended, by whatever way.
        on_unwanted: When nobody wants any more what the task comes to. In async code the task is cancelled then, too; on threads
            nothing else says so.
    """

    run: str
    began: float
    tag: Tag
    ahead: bool
    speculative: bool
    remaining: int = 0
    on_end: Hook = field(default=_never, compare=False, repr=False)
    on_unwanted: Hook = field(default=_never, compare=False, repr=False)


CALLER_OF: list[Callable[[], Caller | None]] = []
"""Who can tell the caller: filled by the room that knows, when it is loaded."""


def caller() -> Caller | None:
    """The task whose code is running here; None outside of alto's runs, and under stock LangGraph."""
    return next((known for tell in CALLER_OF if (known := tell()) is not None), None)


class Observer(Protocol):
    """Hears what a run does. It may be called from several threads; what it raises is ignored."""

    def observe(self, fact: Fact) -> None:
        """Takes one fact; must return quickly."""


@dataclass(frozen=True, slots=True)
class NodeTold:
    """What a trace says of a node: its effect class, and what keeps it from running ahead ("" if nothing does)."""

    effects: str
    kept_back: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a graph, for whoever traces it.

    Args:
        graph: The graph's name.
        namespace: As in `TaskStarted`.
        thread: Its `thread_id`, if it has one.
        resumed: It goes on from a checkpoint.
        began: `time.perf_counter()` seconds.
        window: The option.
        most: Its `max_concurrency`, if there is one.
        node: Tells of a node.
        real: What the app calls a task; None as long as that isn't known. What a tracer is told may carry names of alto's own.
        named: Tags that facts to come may name as parents, of supersteps that are over.
    """

    graph: str
    namespace: tuple[str, ...]
    thread: str | None
    resumed: bool
    began: float
    window: int
    most: int | None
    node: Callable[[str], NodeTold]
    real: Callable[[Tag], Tag | None]
    named: Callable[[], Collection[Tag]]


TRACING = "alto_langgraph.tracing"
"""The room that traces, loaded with the first run that is traced, or graph that asks for it.

Its `begin(run, asked)` gives an observer of a run, or None; its `set_up()` does beforehand what would block an event loop.
"""
CALLS: ContextVar[Any] = ContextVar("alto_calls", default=None)
"""What hears of the model and tool calls of the code that is running, if its run is traced: a callback handler of LangChain's."""


class Served(Protocol):
    """Traces what answers several at once; filled in by the room that traces, when it is loaded."""

    def asker(self) -> Any:
        """The fragment whose code is running."""

    def served(self, operation: Operation, name: str, askers: Sequence[Any]) -> AbstractContextManager[None]:
        """Around the answering."""


SERVED: list[Served] = []


def asker() -> Any:
    """Whoever asks here, for `served`; None where nothing is traced. To be kept by those who answer later, and several at once."""
    return SERVED[0].asker() if SERVED else None


def served(operation: Operation, name: str, askers: Sequence[Any]) -> AbstractContextManager[None]:
    """Around a call that answers one or several askers: one span, below the first of them and linked to all.

    Args:
        operation: What is done.
        name: The model or data source.
        askers: What `asker` gave where each of them asked.
    """
    traced = [it for it in askers if it is not None]
    return SERVED[0].served(operation, name, traced) if traced else nullcontext()


def is_traced(asked: bool | None) -> bool:
    """Whether runs are traced: where that is asked for, or if nobody says so, where OpenTelemetry has a provider of spans."""
    if asked is not None:
        return asked
    trace = sys.modules.get("opentelemetry.trace")
    return trace is not None and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


OBSERVER: ContextVar[Observer | None] = ContextVar("alto_observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Tells `observer` the facts of every alto run started inside the block (nested subgraphs included)."""
    token = OBSERVER.set(observer)
    try:
        yield
    finally:
        OBSERVER.reset(token)
