"""What the engine is told (past participles) and what it answers (imperatives)."""

from __future__ import annotations

from dataclasses import dataclass

from alto_langgraph.plan.model import Join
from alto_langgraph.tags import Tag


@dataclass(frozen=True, slots=True)
class Offer:
    """A task whose whole input is known: a `Send` of a finished task.

    Args:
        tag: The task.
        node: Its node.
        operands: Identities of the mutable objects its input holds; None if they can't be told.
        alone: Neither it nor another task of its own superstep may change anything that its input holds.
    """

    tag: Tag
    node: str
    operands: frozenset[int] | None = frozenset()
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """LangGraph's loop has reached a superstep.

    Args:
        step: Its number.
        tasks: Its tasks.
        limit: Nothing beyond this superstep may start.
        arrived: For each join that some but not all of its starts have come to, those that have.
        deferred: Nodes that something led to before, and that run only when nothing else does.
    """

    step: int
    tasks: tuple[Offer, ...]
    limit: int
    arrived: tuple[tuple[Join, frozenset[str]], ...] = ()
    deferred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Waited:
    """The open superstep has taken a while: work ahead of it, that an edge triggers, is worth what starting it early costs."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A task would send these on a part of what it makes them of: of its answer, if it is running, or of what it waits for.

    Args:
        tag: The task.
        offers: What it would send, besides what it is known to, in order.
    """

    tag: Tag
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Relayed:
    """A part of what a running task is answered has gone through nodes behind it: they will probably come, and may stream.

    Args:
        tag: The running task.
        nodes: One behind the other, a superstep each.
    """

    tag: Tag
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a task has streamed isn't what it would send now."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Finished:
    """A task has run to its end.

    Args:
        tag: The task.
        offers: The Sends among its writes, in order.
        goes: Nodes that its other writes may trigger, joins aside.
        certain: Those of them that are certain to run in the next superstep.
        arrives: Joins that it comes to.
        confirmed: Those of its offers that it had streamed before, and that turned out right.
    """

    tag: Tag
    offers: tuple[Offer, ...] = ()
    goes: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    arrives: frozenset[Join] = frozenset()
    confirmed: frozenset[Tag] = frozenset()


@dataclass(frozen=True, slots=True)
class Failed:
    """A task has raised."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Retreated:
    """An early run has met something that only its own superstep may do."""

    tag: Tag
    reason: str


@dataclass(frozen=True, slots=True)
class RouteReached:
    """An early run's node has returned; its conditional edges are about to read the state.

    Args:
        tag: The task.
        wrote: State keys that it has written itself, and whose value it sees is just that, whatever was there before.
    """

    tag: Tag
    wrote: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Closed:
    """LangGraph's loop has committed superstep `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over, however it ended."""


Event = Opened | Waited | Streamed | Relayed | Withdrawn | Finished | Failed | Retreated | RouteReached | Closed | Ended


@dataclass(frozen=True, slots=True)
class Start:
    """Start this task ahead of its superstep.

    Args:
        tag: The task.
        node: Its node.
        step: Its superstep.
        pulled: Its input is the state at the start of that.
        guessed: It may never come: a router hasn't decided yet.
    """

    tag: Tag
    node: str
    step: int
    pulled: bool = False
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Adopt:
    """The loop has asked for this task: give it the early run, finished or not."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Run:
    """The loop has asked for this task and there is no early run of it: run it in order."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing unfinished can change what this early run's conditional edges read: let them read."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this early run and forget it."""

    tag: Tag
    reason: str


Instruction = Start | Adopt | Run | Pass | Cancel
