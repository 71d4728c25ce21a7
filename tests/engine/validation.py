"""Checks everything that must always hold inside the engine; every engine test ends in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from alto_langgraph.engine.engine import LIMIT, OPENING, PROVISIONAL, WAITING, Engine
from alto_langgraph.engine.events import Event, Instruction
from alto_langgraph.engine.ledger import COMING
from alto_langgraph.engine.task import Phase, Task
from alto_langgraph.plan.model import CallablePlan, Effects, NodePlan, Plan, SharedUse
from alto_langgraph.plan.passing import FARTHEST

OVER = {Phase.COMPLETED, Phase.FAILED}


def validate(engine: Engine) -> None:
    """Fails an assertion if the engine's books don't agree with each other."""
    tasks = list(engine.tasks.values())
    _tasks_and_steps_agree(engine)
    _phases_fit(engine, tasks)
    _ledger_agrees(engine, tasks)
    _ancestry_agrees(engine, tasks)
    _those_that_wait_will_be_woken(engine, tasks)
    assert engine.occupancy == sum(task.ahead for task in tasks) + len(engine.guesses), "occupancy isn't the number of early runs"
    assert engine.occupancy <= engine.window
    routers = {guess.router for guess in engine.guesses._by_tag.values()}
    assert routers <= {task.tag for task in tasks if task.unfinished}, "a guess whose router has decided, or isn't known"


def _tasks_and_steps_agree(engine: Engine) -> None:
    assert {tag: task.tag for tag, task in engine.tasks.items()} == {tag: tag for tag in engine.tasks}
    indexed = {tag: (step, task) for step, tasks in engine.roster.steps.items() for tag, task in tasks.items()}
    assert indexed == {tag: (task.step, task) for tag, task in engine.tasks.items()}
    assert all(engine.roster.steps.values()), "an empty superstep is kept"
    assert engine.idle == all(task.step <= engine.step for task in engine.tasks.values())
    assert all(step >= engine.step for step in engine.roster.steps), "something of a closed superstep is left"


def _phases_fit(engine: Engine, tasks: Iterable[Task]) -> None:
    for task in tasks:
        beyond = task.step > engine.step
        assert task.phase is not Phase.COMMITTED, f"{task.tag} is committed and still known"
        if not beyond:
            assert task.phase is Phase.RUNNING or task.phase in OVER, f"{task.tag} of the open superstep is {task.phase}"
        if task.ahead:
            assert beyond, f"{task.tag} is ahead of a superstep that is open"
            assert task.node in (engine.passing.reads if task.pulled else engine.ahead)
        assert task.ahead == (beyond and (task.phase is Phase.RUNNING or task.phase in OVER)), f"{task.tag} {task.phase}, {task.ahead=}"
        if task.phase is Phase.COMPLETED:
            assert not task.unfinished, f"{task.tag} is completed and counts as unfinished"
        else:
            assert task.unfinished, f"{task.tag} is {task.phase} and counts as finished"
    for tag, task in engine._at_route.items():
        assert engine.tasks.get(tag) is task, f"{tag} waits at its edges and isn't known"
        assert task.ahead and task.phase is Phase.RUNNING, f"{tag} waits at its edges and is {task.phase}"


def _ledger_agrees(engine: Engine, tasks: Iterable[Task]) -> None:
    ledger = engine.ledger
    unfinished = Counter((task.step, task.node) for task in tasks if task.unfinished)
    assert {(step, node): n for step, counts in ledger._unfinished.items() for node, n in counts.items()} == unfinished
    holders: Counter[tuple[int | None, int, str]] = Counter()
    for task in tasks:
        if task.unfinished and ledger.holding:
            plan = engine.plan.nodes.get(task.node)
            for operand in {None} if task.operands is None or plan is None or plan.changes_state else task.operands:
                holders[operand, task.step, task.node] += 1
    booked = {(operand, *place): n for operand, places in ledger._holders.items() for place, n in places.items()}
    assert booked == holders
    assert all(engine.ledger._unfinished.values()) and all(ledger._holders.values()), "an empty count is kept"


def _ancestry_agrees(engine: Engine, tasks: Iterable[Task]) -> None:
    at_work = Counter(task.tag.path[:depth] for task in tasks if task.unfinished for depth in range(1, task.tag.depth + 1))
    assert engine.roster.ancestry._at_work == at_work


def _those_that_wait_will_be_woken(engine: Engine, tasks: Iterable[Task]) -> None:
    """No wake-up may be lost: whatever a waiting task is filed under must still be going to be lifted."""
    filed: dict[Task, list[Hashable]] = {}
    for key, waiting in engine._blocked.items():
        for task in waiting:
            if engine.tasks.get(task.tag) is task and task.phase is Phase.WAITING:
                filed.setdefault(task, []).append(key)
    ready = Counter(task for task in engine._ready if engine.tasks.get(task.tag) is task and task.phase is Phase.READY)
    assert all(n == 1 for n in ready.values()), "a task is ready twice"
    soon = engine.step + engine.ledger.finished(engine.step)
    for task in tasks:
        may = task.node in engine.passing.reads and not task.expected if task.pulled else task.node in engine.ahead and task.alone
        if task.phase is Phase.READY:
            assert may
            assert task in ready or task.step <= soon, f"{task.tag} is ready and nothing will start it"
        elif task.phase is Phase.WAITING and may:
            assert len(filed.get(task, ())) == 1, f"{task.tag} waits and is filed under {filed.get(task)}"
            (key,) = filed[task]
            assert _stands(engine, task, key), f"{task.tag} waits for {key}, which is over"
        else:
            assert task not in filed


def _stands(engine: Engine, task: Task, key: Any) -> bool:
    if key == LIMIT:
        return task.step > engine.limit
    if key == WAITING:
        return task.pulled and not engine._waited
    if key == OPENING:
        return task.pulled and task.step > engine.step + FARTHEST
    if key == PROVISIONAL:
        return task.provisional and task.node not in engine.repeatable
    if key == COMING:
        return engine._between or _blocker_afresh(engine, task) is not None
    *operand, step, node = key
    ledger = engine.ledger
    counts: Any = ledger._holders.get(operand[0]) if operand else ledger._unfinished.get(step)
    found = (counts or {}).get((step, node) if operand else node)
    return bool(found) and step < task.step


def _blocker_afresh(engine: Engine, task: Task) -> Hashable | None:
    """What forbids the task, worked out without what the ledger remembers."""
    ledger = engine.ledger
    remembered, ledger._coming = ledger._coming, None
    blocker = ledger.blocker(task)
    ledger._coming = remembered
    assert (ledger.blocker(task) is None) == (blocker is None), "the ledger remembers what is no longer so"
    return blocker


class Told:
    """An engine that is validated after every event, or all that are known together."""

    def __init__(
        self,
        *nodes: NodePlan,
        window: int = 256,
        fenced: Iterable[str] = (),
        keys: str = "xy",
        steady: str = "xy",
        repeatable: frozenset[str] = frozenset(),
    ) -> None:
        plan = Plan({node.name: node for node in nodes})
        ahead = frozenset(plan.nodes) - set(fenced)
        self.engine = Engine(plan, window=window, ahead=ahead, keys=frozenset(keys), steady=frozenset(steady), repeatable=repeatable)

    def __call__(self, *events: Event) -> list[Instruction]:
        answer = self.engine.handle(*events)
        validate(self.engine)
        return answer


def node(
    name: str,
    *,
    follow: str = "",
    sends: str = "",
    reads: str | None = None,
    writes: str | None = "",
    interrupts: bool = False,
    mutates: bool = False,
    steers: bool = False,
    uses: str = "",
    changes: str = "",
    operands: str = "",
    certain: str = "",
    joined: str = "",
    effects: Effects = Effects.PURE,
) -> NodePlan:
    """A node that is known to do nothing but what is said.

    Args:
        name: Its name.
        follow: Names (one letter each) of nodes that may follow by an edge.
        sends: Names of nodes that may follow by a Send.
        reads: Keys its conditional edge reads; None if it has none, "*" if unknown.
        writes: Keys it may write; None if unknown.
        interrupts: It may call `interrupt()`.
        mutates: It may change its operands in place.
        steers: Its conditional edge may change in place what it reads.
        uses: Names of shared objects it reads.
        changes: Names of shared objects it changes.
        operands: Keys that its own function reads.
        certain: Names of nodes among `follow` that are certain to follow; all of them if it has no conditional edge.
        joined: Names of nodes that follow by a join with others.
        effects: How far its work reaches.
    """
    shares = tuple(SharedUse(ord(n), n, n in uses, n in changes) for n in sorted({*uses, *changes}))
    function = _callable(
        writes=None if writes is None else frozenset(writes),
        may_interrupt=interrupts,
        mutates=mutates,
        shares=shares,
        reads=frozenset(operands),
        effects=effects,
    )
    routes = () if reads is None else (_callable(reads=None if reads == "*" else frozenset(reads), mutates=steers),)
    edges = frozenset(follow) - frozenset(sends)
    return NodePlan(
        name,
        function,
        routes,
        targets=frozenset(follow + sends + joined),
        pulls=frozenset(follow),
        sends=frozenset(sends),
        certain=edges & frozenset(certain) if routes else edges,
    )


def _callable(**known: Any) -> CallablePlan:
    nothing = {"reads": frozenset(), "writes": frozenset(), "effects": Effects.PURE, "goes": frozenset(), "sends": frozenset()}
    no = dict.fromkeys(("may_interrupt", "sees_identity", "uses_store", "mutates", "subgraph"), False)
    return CallablePlan(**{**nothing, **no, "returns": frozenset(), "goes_up": frozenset(), **known})
