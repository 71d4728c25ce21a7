"""Random programs, run by a plain barrier and by a loop that the engine helps, without anything of LangGraph or asyncio."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import (
    Adopt,
    Cancel,
    Closed,
    Ended,
    Event,
    Failed,
    Finished,
    Instruction,
    Offer,
    Opened,
    Pass,
    Retreated,
    RouteReached,
    Start,
    Waited,
)
from alto_langgraph.plan.model import Effects, Join, NodePlan, Plan
from alto_langgraph.plan.passing import Passing
from alto_langgraph.tags import Tag
from tests.engine.validation import node, validate

KEYS = "xyz"
STEADY = "xy"
"""`z` forgets its value when a superstep doesn't write it."""
OVERWRITING = "x"
"""Whoever has written `x` sees what it has written, whatever was there before."""
OBJECTS = (1, 2, 3)

Result = tuple[Tag, object, object, object]
Commit = tuple[int, tuple[Result, ...]]
"""A superstep's number and, in order: task, what it saw of shared objects, of the state, and what its conditional edge read."""


@dataclass(frozen=True)
class Program:
    """A graph and what its nodes do, all drawn from a seed. What a task does depends only on its tag and what its edge reads."""

    seed: int

    @cached_property
    def nodes(self) -> Mapping[str, NodePlan]:
        draw = random.Random(f"nodes {self.seed}")
        names = "abcdef"[: draw.randint(2, 6)]

        def some(of: str, chance: float) -> str:
            return "".join(letter for letter in of if draw.random() < chance)

        def one(name: str) -> NodePlan:
            return node(
                name,
                follow=some(names, 0.22),
                sends=some(names, 0.4),
                reads=draw.choice([None, None, "x", "y", "xy", "z", "*"]),
                writes=draw.choice(["", "", "x", "y", "z", None]),
                interrupts=draw.random() < 0.05,
                mutates=draw.random() < 0.15,
                uses=some("kl", 0.1),
                changes=some("kl", 0.1),
                operands=some("xyz", 0.3),
                certain=some(names, 0.3),
                joined="".join(join.end for join in sorted(self.joins, key=str) if name in join.starts),
                effects=draw.choice([Effects.PURE, Effects.IDEMPOTENT, Effects.UNKNOWN]),
            )

        return {name: one(name) for name in names}

    @cached_property
    def joins(self) -> frozenset[Join]:
        draw = random.Random(f"joins {self.seed}")
        names = "abcdef"[: random.Random(f"nodes {self.seed}").randint(2, 6)]
        number = draw.choice([0, 1, 1, 2, 3])
        return frozenset(Join(frozenset(draw.sample(names, 2)), draw.choice(names)) for _ in range(number))

    def joined(self, tag: Tag) -> frozenset[Join]:
        """Joins that a task comes to."""
        return frozenset(join for join in self.joins if name_of(tag) in join.starts)

    @cached_property
    def last_step(self) -> int:
        return random.Random(f"end {self.seed}").randint(2, 6)

    @cached_property
    def fails(self) -> bool:
        """Whether tasks of this program may raise."""
        return random.Random(f"fails {self.seed}").random() < 0.2

    def first(self) -> list[Offer]:
        draw = random.Random(f"first {self.seed}")
        return [self._offer(Tag((("__start__", 0), (draw.choice([*self.nodes]), i)))) for i in range(draw.randint(1, 5))]

    def writes(self, tag: Tag) -> str:
        declared = self.nodes[name_of(tag)].function.writes
        draw = random.Random(f"writes {self.seed} {tag}")
        return "".join(k for k in KEYS if (declared is None or k in declared) and draw.random() < 0.7)

    def overwrites(self, tag: Tag) -> frozenset[str]:
        """Keys of which the task itself sees what it has written."""
        return frozenset(self.writes(tag)) & frozenset(OVERWRITING)

    def sends(self, tag: Tag, read: object) -> list[Offer]:
        draw = random.Random(f"sends {self.seed} {tag} {read}")
        targets = sorted(self.nodes[name_of(tag)].sends or ())
        number = draw.choice([0, 1, 1, 2, 3]) if targets else 0
        return [self._offer(tag.child(draw.choice(targets), i)) for i in range(number)]

    def follow(self, tag: Tag, read: object) -> set[str]:
        """Nodes that follow by an edge: some always, the rest if the conditional edge says so."""
        plan = self.nodes[name_of(tag)]
        edges = sorted((plan.pulls or frozenset()) - (plan.sends or frozenset()))
        draw = random.Random(f"follow {self.seed} {tag.path[-1]} {read}")
        return {name for name in edges if name in plan.certain or draw.random() < 0.6}

    def interrupts(self, tag: Tag) -> bool:
        return self.nodes[name_of(tag)].may_interrupt

    def raises(self, tag: Tag) -> bool:
        return self.fails and random.Random(f"raises {self.seed} {tag}").random() < 0.1

    def retreats(self, tag: Tag) -> bool:
        """Whether its early run meets a fence that nobody foresaw."""
        return random.Random(f"retreats {self.seed} {tag}").random() < 0.1

    def _offer(self, tag: Tag) -> Offer:
        draw = random.Random(f"operands {self.seed} {tag}")
        held = frozenset(draw.sample(OBJECTS, draw.choice([0, 0, 0, 1, 2])))
        return Offer(tag, name_of(tag), None if draw.random() < 0.03 else held)


def is_pulled(tag: Tag) -> bool:
    """Whether an edge triggers it."""
    return len(tag.path) == 1 and tag.path[0][0] != "__start__"


def place(tag: Tag) -> tuple[object, ...]:
    """Sorts the tasks of a superstep: those behind edges by name, before those that are sent to."""
    return (len(tag.path), tag.path[0][0], *(index for _, index in tag.path[1:]))


def name_of(tag: Tag) -> str:
    return tag.path[-1][0]


@dataclass
class Job:
    """One run of a task."""

    offer: Offer
    step: int
    seen: object = None
    state: object = None
    read: object = None
    returned: bool = False
    over: bool = False
    failed: bool = False


@dataclass
class World:
    """What tasks touch: state, shared objects, operands; and which tasks of later supersteps follow from it."""

    program: Program
    state: dict[str, Tag | None] = field(default_factory=lambda: dict.fromkeys(KEYS))
    touched: dict[object, set[tuple[int, Tag]]] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    ended: list[Job] = field(default_factory=list)
    arrived: dict[Join, frozenset[str]] = field(default_factory=dict)
    step: int = 1

    def begin(self, job: Job) -> None:
        """Tasks look at shared objects when they begin; `end` checks that nothing was changed too early or too late."""
        job.seen = self._look(job)
        job.state = self._operands(job)
        for thing in self._things(job, changed=True):
            self.touched.setdefault(thing, set()).add((job.step, job.offer.tag))

    def read(self, job: Job) -> None:
        """The conditional edge reads the state, with its own task's writes in it."""
        own = dict.fromkeys(self.program.overwrites(job.offer.tag), job.offer.tag)
        for route in self.program.nodes[job.offer.node].routes:
            keys = KEYS if route.reads is None else sorted(route.reads)
            job.read = tuple((key, str({**self._state(job.step), **own}[key])) for key in keys)

    def end(self, job: Job) -> None:
        assert job.seen == self._look(job), f"what {job.offer.tag} uses has changed under it"
        self.ended.append(job)

    def check(self, job: Job) -> None:
        """Whoever is adopted must have seen the state as it is now."""
        assert job.state == self._operands(job), f"{job.offer.tag} has seen a state that never was"

    def result(self, job: Job) -> Result:
        return (job.offer.tag, job.seen, job.state, job.read)

    def _operands(self, job: Job) -> object:
        """What a task that an edge has triggered reads of the state."""
        if not is_pulled(job.offer.tag):
            return None
        state = self._state(job.step)
        return tuple((key, str(state[key])) for key in sorted(self.program.nodes[job.offer.node].function.reads or ()))

    def _state(self, step: int) -> dict[str, Tag | None]:
        """The state at the start of a superstep, as far as finished tasks determine it."""
        state = dict(self.state)
        for at in range(self.step, step):
            for job in sorted((job for job in self.ended if job.step == at), key=lambda job: place(job.offer.tag)):
                state |= dict.fromkeys(self.program.writes(job.offer.tag), job.offer.tag)
        return state

    def commit(self, step: int, jobs: list[Job]) -> list[Offer]:
        """Ends a superstep; returns the next one's tasks in order."""
        jobs = sorted(jobs, key=lambda job: place(job.offer.tag))
        self.commits.append((step, tuple(map(self.result, jobs))))
        self.step = step + 1
        for key in set(KEYS) - set(STEADY):
            self.state[key] = None
        for job in jobs:
            for key in self.program.writes(job.offer.tag):
                self.state[key] = job.offer.tag
        sent = [offer for job in jobs for offer in self.program.sends(job.offer.tag, job.read)]
        pulled = sorted({name for job in jobs for name in self.program.follow(job.offer.tag, job.read)} | self._join(jobs))
        return sent + [Offer(Tag(((name, step + 1),)), name, None) for name in pulled]

    def _join(self, jobs: list[Job]) -> set[str]:
        """Books who has come to joins; returns the nodes that they trigger."""
        for job in jobs:
            for join in self.program.joined(job.offer.tag):
                self.arrived[join] = self.arrived.get(join, frozenset()) | {name_of(job.offer.tag)}
        complete = {join for join, names in self.arrived.items() if names == join.starts}
        for join in complete:
            del self.arrived[join]
        return {join.end for join in complete}

    def _look(self, job: Job) -> object:
        """Who has changed what the task uses, those beside it apart: they race under a barrier too."""
        return tuple(
            (thing, sorted(str(tag) for step, tag in self.touched.get(thing, ()) if step != job.step))
            for thing in sorted(self._things(job, changed=False), key=str)
        )

    def _things(self, job: Job, *, changed: bool) -> Iterator[object]:
        plan = self.program.nodes[job.offer.node]
        for use in plan.shares:
            if use.writes if changed else use.reads:
                yield use.name
        if plan.mutates or not changed:
            yield from OBJECTS if job.offer.operands is None else job.offer.operands


def barrier(program: Program) -> tuple[list[Commit], set[Tag]]:
    """Superstep after superstep, as LangGraph does; returns the commits and every task that ran."""
    world, tasks, ran, step = World(program), program.first(), set[Tag](), 1
    while tasks and step <= program.last_step:
        jobs = [Job(offer, step) for offer in tasks]
        for job in jobs:
            ran.add(job.offer.tag)
            world.begin(job)
            world.read(job)
        if any(program.interrupts(j.offer.tag) or program.raises(j.offer.tag) for j in jobs):
            break
        tasks = world.commit(step, jobs)
        step += 1
    return world.commits, ran


class Ahead:
    """The same with the engine's help; `moves` says what could happen next.

    Args:
        program: What is run.
        window: The engine's.
    """

    def __init__(self, program: Program, window: int = 256) -> None:
        self.program, self.world = program, World(program)
        may = frozenset(name for name, plan in program.nodes.items() if not plan.may_interrupt)
        plan = Plan(program.nodes, joins=program.joins)
        reads = {name: program.nodes[name].function.reads or frozenset() for name in may if not program.nodes[name].mutates}
        self.passing = Passing(plan, {name: keys for name, keys in reads.items() if keys <= set(STEADY)})
        self.engine = Engine(
            plan,
            window=window,
            ahead=may,
            passing=self.passing,
            keys=frozenset(KEYS),
            steady=frozenset(STEADY),
            likely=self._likely if program.seed % 4 else None,
            guesses=1 + program.seed % 5,
        )
        self.step, self.over, self.closed = 0, False, True
        self.next = program.first()
        self.open: list[Job] = []
        self.early: dict[Tag, Job] = {}
        self.started: list[Tag] = []
        self.joined: list[Tag] = []
        self.guessed: set[Tag] = set()
        self.guessed_wrong: set[Tag] = set()
        self.squashed: set[Tag] = set()

    def _likely(self, router: str) -> list[str]:
        """A guess that may be right or wrong."""
        possible = sorted(self.passing.guessable(router))
        return [name for name in possible if random.Random(f"{self.program.seed} {router} {name} {len(self.started)}").random() < 0.9]

    def moves(self) -> list[Callable[[], None]]:
        """Everything that can happen now, the loop's own moves first."""
        if self.over:
            return []
        possible: list[Callable[[], None]] = []
        if self.closed:
            possible.append(self._opening)
        elif all(job.over for job in self.open) or any(job.failed for job in self.open):
            possible.append(self._closing)
        for job in [*self.open, *self.early.values()]:
            if not job.over and not (job.returned and job.offer.tag in self.early):
                possible.append(lambda job=job: self._go_on(job))  # type: ignore[misc]
        return possible

    # ---- the loop

    def _opening(self) -> None:
        self.step += 1
        if not self.next or self.step > self.program.last_step:
            self._end()
            return
        self.closed, self.open = False, []
        offers = {offer.tag: offer for offer in self.next}
        arrived = tuple(self.world.arrived.items())
        answer = self._handle(Opened(self.step, tuple(self.next), self.program.last_step, arrived))
        asked = [i for i in answer if not isinstance(i, Start | Pass | Cancel)]
        assert [i.tag for i in asked] == [*offers], "the loop's tasks are answered in its order"
        for instruction in asked:
            if isinstance(instruction, Adopt):
                self.open.append(job := self.early.pop(instruction.tag))
                self.world.check(job)
                if job.returned and not job.over:
                    self._pass(job)
            else:
                self.open.append(job := Job(offers[instruction.tag], self.step))
                self.world.begin(job)
        self._carry_out([i for i in answer if i not in asked])
        self._carry_out(self._handle(Waited()))

    def _closing(self) -> None:
        if any(job.failed for job in self.open):
            self._end()
            return
        self.closed = True
        self.next = self.world.commit(self.step, self.open)
        self._carry_out(self._handle(Closed(self.step)))

    def _end(self) -> None:
        self.over = True
        self._carry_out(self._handle(Ended()))
        assert not self.early, "early runs outlive the run"

    # ---- tasks

    def _go_on(self, job: Job) -> None:
        tag = job.offer.tag
        if tag in self.early and self.program.retreats(tag) and not self._changes(job):
            self._carry_out(self._handle(Retreated(tag, "a fence")))
        elif self.program.raises(tag) or self.program.interrupts(tag):
            job.over = job.failed = True
            self._carry_out(self._handle(Failed(tag)))
        elif tag in self.early and self.program.nodes[job.offer.node].routes:
            job.returned = True
            self._carry_out(self._handle(RouteReached(tag, self.program.overwrites(tag))))
        else:
            self._pass(job)

    def _pass(self, job: Job) -> None:
        self.world.read(job)
        self.world.end(job)
        job.over = True
        tag = job.offer.tag
        sent, goes = self.program.sends(tag, job.read), self.program.follow(tag, job.read)
        self._carry_out(self._handle(Finished(tag, tuple(sent), frozenset(goes), frozenset(goes), self.program.joined(tag))))

    def _changes(self, job: Job) -> bool:
        """What it has changed already would show when it runs again."""
        plan = self.program.nodes[job.offer.node]
        return plan.mutates or any(use.writes for use in plan.shares)

    # ---- the engine

    def _handle(self, event: Event) -> list[Instruction]:
        answer = self.engine.handle(event)
        validate(self.engine)
        return answer

    def _carry_out(self, answer: list[Instruction]) -> None:
        for instruction in answer:
            match instruction:
                case Start(tag, name, step, pulled, guessed):
                    assert tag not in self.started or tag in self.guessed_wrong, f"{tag} is started ahead twice"
                    assert self.step < step <= self.program.last_step
                    assert pulled == is_pulled(tag)
                    assert name in (self.passing.reads if pulled else self.engine.ahead)
                    self.started.append(tag)
                    if guessed:
                        self.guessed.add(tag)
                        assert self.program.nodes[name].function.effects <= Effects.IDEMPOTENT
                    elif self.engine.tasks[tag].awaits:
                        self.joined.append(tag)
                    operands = None if guessed else self.engine.tasks[tag].operands
                    self.early[tag] = job = Job(Offer(tag, name, operands), step)
                    self.world.begin(job)
                case Cancel(tag):
                    job = self.early.pop(tag)
                    if tag in self.guessed:
                        self.guessed_wrong.add(tag)
                        self.world.ended = [other for other in self.world.ended if other is not job]
                    self.squashed.add(tag)
                case Pass():
                    pass
                case other:
                    raise AssertionError(f"unexpected {other}")
        for instruction in answer:  # what passes goes on when all else is carried out
            if isinstance(instruction, Pass) and instruction.tag in self.early:
                self._pass(self.early[instruction.tag])
