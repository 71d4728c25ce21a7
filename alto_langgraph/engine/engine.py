"""The issue stage: told what happened, it answers what to do. Pure: no clock, no I/O, no LangGraph."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Hashable, Iterable

from alto_langgraph.engine.closing import Part
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
    Relayed,
    Retreated,
    RouteReached,
    Run,
    Start,
    Streamed,
    Waited,
    Withdrawn,
)
from alto_langgraph.engine.guesses import Guess, Guesses
from alto_langgraph.engine.ledger import COMING, NEVER, Ledger
from alto_langgraph.engine.roster import Roster
from alto_langgraph.engine.task import Phase, Task
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.plan.model import Plan
from alto_langgraph.plan.passing import FARTHEST, Passing
from alto_langgraph.tags import Tag

LIMIT = ("limit",)
"""What blocks a task beyond the last superstep that may be issued into."""
WAITING = ("waiting",)
"""What blocks a task that an edge triggers until the open superstep has taken a while."""
OPENING = ("opening",)
"""What blocks a task until the next superstep opens: it is too far ahead, or between two, when nobody knows what comes."""
PROVISIONAL = ("provisional",)
"""What blocks a task that may turn out wrong, and that can't be thrown away."""


class Engine:
    """Decides which tasks of later supersteps start now, which results are adopted, and which runs are thrown away.

    Every event costs amortised O(1) per task concerned, whatever the number of tasks in the run.

    Args:
        plan: What is known of the graph.
        window: Most early runs not yet adopted at any time.
        ahead: Nodes of which a `Send` may be started early at all in this run.
        passing: What a task that an edge triggers may pass; names the nodes of which one may be started early in this run.
        keys: All state keys.
        steady: Those state keys whose value only changes when a task writes them.
        likely: Nodes that an edge will probably trigger when a task of a node has finished; none if nothing is to be guessed.
        guesses: Most early runs at a time of which it isn't certain that they will be needed.
        repeatable: Nodes that may be started though it may turn out wrong.
        gathering: Nodes that may send something on a part of what edges lead to them with.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        window: int,
        ahead: frozenset[str],
        passing: Passing | None = None,
        keys: frozenset[str] = frozenset(),
        steady: frozenset[str] = frozenset(),
        likely: Callable[[str], Iterable[str]] | None = None,
        guesses: int = 0,
        repeatable: frozenset[str] = frozenset(),
        gathering: frozenset[str] = frozenset(),
    ) -> None:
        self.plan, self.window, self.ahead, self.repeatable = plan, window, ahead, repeatable
        self.passing = passing or Passing(plan, {})
        self.ledger = Ledger(plan, self.passing, keys, steady)
        self.roster = Roster(gathering)
        self.tasks = self.roster.tasks
        self.step, self.limit = -1, -1
        self.occupancy = 0
        self._between = self._waited = False
        self._ready: deque[Task] = deque()
        self._blocked: dict[Hashable, list[Task]] = {}
        self._at_route: dict[Tag, Task] = {}
        self._passing_now: list[Task] = []
        self._likely = likely
        self.guesses = Guesses(guesses)
        self._undecided_routers: deque[Task] = deque()
        self._dropped: list[Instruction] = []
        self._handlers: dict[type, Callable[..., list[Instruction]]] = {
            Opened: self._opened,
            Waited: self._has_waited,
            Streamed: self._streamed,
            Relayed: self._relayed,
            Withdrawn: self._withdrawn,
            Finished: self._finished,
            Failed: self._failed,
            Retreated: self._retreated,
            RouteReached: self._route_reached,
            Closed: self._closed,
            Ended: self._ended,
        }

    def handle(self, *events: Event) -> list[Instruction]:
        """Takes events that are known together; returns what to do after them, in order.

        What one of them cancels may have ended itself in that moment: its own event counts no more.

        Raises:
            IllegalTransitionError: an event can't follow from the ones before it.
        """
        answer: list[Instruction] = []
        cancelled: set[Tag] = set()
        for event in events:
            if not cancelled or getattr(event, "tag", None) not in cancelled:
                told = self._take(event)
                cancelled.update(instruction.tag for instruction in told if isinstance(instruction, Cancel))
                answer += told
        answer += self._let_pass() + self._issue() + self._guess()
        dropped, self._dropped = self._dropped, []
        return dropped + answer

    def _take(self, event: Event) -> list[Instruction]:
        guess = self.guesses.get(getattr(event, "tag", None)) if self.guesses else None
        if guess is None:
            return self._handlers[type(event)](event)
        if isinstance(event, Retreated):
            self.guesses.take(guess.task.tag)
            self._drop_guess(guess, event.reason)
        else:
            guess.told.append(event)
        return []

    @property
    def idle(self) -> bool:
        """True if no task is known beyond the open superstep."""
        return not any(step > self.step for step in self.roster.steps)

    def closed(self, task: Task, *, holes: bool, level: int) -> Part:
        """The part of what `task` waits for that is closed, by ancestors of that depth; with `holes` also behind what is open."""
        reads = self.passing.reads.get(task.node, frozenset())
        return self.roster.closed(task, lambda node: not reads.isdisjoint(self.ledger.writes(node)), holes=holes, level=level)

    def may_write(self, keys: frozenset[str], step: int, but: Container[Tag]) -> bool:
        """Whether an unfinished task before superstep `step`, besides some, may write some of `keys`."""
        others = (task for task in self.tasks.values() if task.unfinished and task.step < step and task.tag not in but)
        return any(not keys.isdisjoint(self.ledger.writes(node)) for node in {task.node for task in others})

    # ---- events

    def _opened(self, event: Opened) -> list[Instruction]:
        if event.step <= self.step:
            raise IllegalTransitionError(f"Superstep {event.step} opened after superstep {self.step}.")
        self.step, self.limit, self._between, self._waited = event.step, event.limit, False, False
        self.ledger.open(event.step, dict(event.arrived), event.deferred)
        asked = {offer.tag for offer in event.tasks}
        answer = [self._open_task(offer) for offer in event.tasks]
        for task in [t for t in self.roster.of(event.step) if t.tag not in asked]:
            answer += self._squash(task, "its superstep came without it")
        for key in (LIMIT, COMING, OPENING):
            self._wake(key)
        return answer

    def _has_waited(self, event: Waited) -> list[Instruction]:
        self._waited = True
        for step, node in {(task.step, task.node) for task in self.tasks.values() if task.unfinished and self._is_running(task)}:
            self._foresee(node, step)
        if self._likely is not None:
            self._undecided_routers.extend(task for task in self.tasks.values() if task.unfinished and self._is_running(task))
        self._wake(WAITING)
        return []

    def _is_running(self, task: Task) -> bool:
        return task.ahead or task.step == self.step

    def _open_task(self, offer: Offer) -> Instruction:
        task = self.tasks.get(offer.tag)
        if task is None:
            self._know(Task(offer.tag, offer.node, self.step, offer.operands, Phase.RUNNING))
            return Run(offer.tag)
        task.producer, task.fragment = None, False
        if task.ahead and task.phase is not Phase.SQUASHED:
            task.ahead = False
            self.occupancy -= 1
            self._at_route.pop(task.tag, None)
            return Adopt(offer.tag)
        task.move(Phase.RUNNING)
        return Run(offer.tag)

    def _finished(self, event: Finished) -> list[Instruction]:
        task = self.roster.known(event.tag)
        task.move(Phase.COMPLETED)
        self._at_route.pop(task.tag, None)
        self.ledger.trigger(task.step + 1, event.goes)
        answer = self._drop_children(task, "the complete answer says otherwise", event.confirmed)
        self._send(task, (offer for offer in event.offers if offer.tag not in event.confirmed), fragment=False)
        self._pull(event.certain, task.step + 1)
        self.ledger.arrive(task.step, task.node, event.arrives)
        for join in event.arrives:
            for step in self.ledger.joins.complete(join):
                self._pull((join.end,), step + 1, join.starts)
        self._settle(task)
        self._decided(task)
        return answer

    def _streamed(self, event: Streamed) -> list[Instruction]:
        task = self.roster.known(event.tag)
        if task.phase is not Phase.RUNNING and not self.roster.waits(task):
            raise IllegalTransitionError(f"Task {task.tag} is {task.phase.value} and streams no more.", node=task.node)
        self._send(task, event.offers, fragment=True)
        return []

    def _relayed(self, event: Relayed) -> list[Instruction]:
        step = self.roster.known(event.tag).step
        for distance, node in enumerate(event.nodes, start=1):
            tag = Tag(((node, step + distance),))
            if tag not in self.tasks:
                self._know(Task(tag, node, step + distance, None, Phase.WAITING, pulled=True, expected=True))
            self.roster.relays(tag)
        return []

    def _withdrawn(self, event: Withdrawn) -> list[Instruction]:
        return self._drop_children(self.roster.known(event.tag), "more of the answer says otherwise")

    def _send(self, task: Task, offers: Iterable[Offer], *, fragment: bool) -> None:
        children = [
            self._know(Task(o.tag, o.node, task.step + 1, o.operands, Phase.WAITING, alone=o.alone, producer=task, fragment=fragment))
            for o in offers
        ]
        task.children += children
        for child in children:
            self._place(child)

    def _drop_children(self, task: Task, reason: str, confirmed: frozenset[Tag] = frozenset()) -> list[Instruction]:
        """Throws away what a task has sent, but for those `confirmed`, which don't depend on anything more."""
        if not task.children:
            return []
        children, task.children = task.children, []
        answer: list[Instruction] = []
        for child in children:
            if child.tag in confirmed:
                child.fragment = False
                task.children.append(child)
            else:
                answer += self._squash(child, reason)
        self._wake(PROVISIONAL)
        return answer

    def _failed(self, event: Failed) -> list[Instruction]:
        # It stays unfinished for those behind it: an error handler may still run in its place.
        task = self.roster.known(event.tag)
        task.move(Phase.FAILED)
        self._at_route.pop(task.tag, None)
        self._decided(task)
        return self._drop_children(task, f"`{task.node}` has failed")

    def _retreated(self, event: Retreated) -> list[Instruction]:
        task = self.roster.known(event.tag)
        if not task.ahead:
            # Adopted already: the loop runs it again at once.
            self._at_route.pop(task.tag, None)
            return [*self._drop_children(task, event.reason), Run(task.tag)]
        self._decided(task)
        self._free(task)
        task.move(Phase.SQUASHED)
        if not task.unfinished:  # what it assumed was wrong
            task.unfinished = True
            self.ledger.joins.withdraw(task.step, task.node)
            self.ledger.add(task)
            self.roster.ancestry.begin(task.tag)
        return [Cancel(task.tag, event.reason), *self._drop_children(task, event.reason)]

    def _route_reached(self, event: RouteReached) -> list[Instruction]:
        task = self.roster.known(event.tag)
        task.wrote = event.wrote
        self._at_route[task.tag] = task
        self._place_at_route(task)
        return []

    def _closed(self, event: Closed) -> list[Instruction]:
        for task in self.roster.of(event.step):
            if task.phase in (Phase.COMPLETED, Phase.FAILED):
                task.move(Phase.COMMITTED)
            self._decided(task)
            self._settle(task)
            self.roster.forget(task)
        self.ledger.close(event.step)
        self._between = True  # until the next superstep opens, its tasks aren't known
        return []

    def _ended(self, event: Ended) -> list[Instruction]:
        answer: list[Instruction] = []
        for guess in self.guesses.take_all():
            self._drop_guess(guess, "the run ended")
        for task in list(self.tasks.values()):
            if task.step > self.step or task.ahead:
                answer += self._squash(task, "the run ended")
        self._ready.clear()
        self._blocked.clear()
        return answer

    # ---- issuing

    def _pull(self, nodes: Iterable[str], step: int, awaits: frozenset[str] = frozenset()) -> None:
        """Tasks that edges are certain to trigger in superstep `step`; if by a join, once its starts `awaits` are finished."""
        for node in sorted(nodes):
            tag = Tag(((node, step),))
            if node not in self.passing.reads or step <= self.step:
                continue
            if (known := self.tasks.get(tag)) is not None:
                self._also(known, awaits)
            elif tag in self.guesses and not awaits:
                self._confirm(tag)
            else:
                if (guess := self.guesses.take(tag)) is not None:  # a join leads to it, in this superstep or another one
                    self._drop_guess(guess, "a join leads to it")
                self._place(self._know(Task(tag, node, step, None, Phase.WAITING, pulled=True, awaits=awaits)))

    def _also(self, task: Task, awaits: frozenset[str]) -> None:
        """Something else triggers a task too; what is certain stays so."""
        if task.expected:
            task.expected, task.awaits = False, awaits
            self._place(task)
            return
        if task.awaits:
            task.awaits = awaits and task.awaits | awaits
            self._wake(COMING)

    def _foresee(self, node: str, step: int) -> None:
        """Tasks that are certain to follow one of `node` in superstep `step`, and needn't wait for it."""
        for follower, distance in self.passing.foreseen(node):
            self._pull((follower,), step + distance)

    def _place(self, task: Task) -> None:
        if not task.pulled and (task.node not in self.ahead or not task.alone):
            return  # it waits for its superstep
        blocker = self._blocker(task)
        if blocker is None and task.awaits and not self.ledger.joins.is_due(task.node, task.step):
            self._drop(task)
        elif blocker is None:
            if task.phase is Phase.WAITING:
                task.move(Phase.READY)
            self._ready.append(task)
        else:
            self._blocked.setdefault(blocker, []).append(task)

    def _blocker(self, task: Task) -> Hashable | None:
        if task.step > self.limit:
            return LIMIT
        if task.pulled and task.step > self.step + FARTHEST:
            return OPENING
        if task.node not in self.repeatable and task.provisional:
            return PROVISIONAL
        return WAITING if task.pulled and not self._waited else self.ledger.blocker(task)

    def _drop(self, task: Task) -> None:
        """What a join triggers comes in another superstep than was thought."""
        task.move(Phase.SQUASHED)
        self._dropped += self._drop_children(task, "what it comes of comes in another superstep")
        self.ledger.drop(task)
        self.roster.forget(task)
        self._settle(task)

    def _wake(self, key: Hashable) -> None:
        for task in self._blocked.pop(key, ()):
            if task.phase is Phase.WAITING and task.step > self.step:
                self._place(task)
            elif task.tag in self._at_route:
                self._place_at_route(task)

    def _place_at_route(self, task: Task) -> None:
        blocker = self._undecided(task)
        if blocker is None:
            self._passing_now.append(task)
        elif blocker is not NEVER:
            self._blocked.setdefault(blocker, []).append(task)

    def _undecided(self, task: Task) -> Hashable | None:
        if not task.ahead:
            return None
        return OPENING if self._between else self.ledger.undecided(task)

    def _let_pass(self) -> list[Instruction]:
        """Lets pass what waits at its edges and has nothing before it any more that could change what they read."""
        waiting, self._passing_now = self._passing_now, []
        answer: list[Instruction] = []
        for task in waiting:
            if self._at_route.get(task.tag) is not task:
                continue
            if self._undecided(task) is None:
                del self._at_route[task.tag]
                answer.append(Pass(task.tag))
            else:
                self._place_at_route(task)
        return answer

    def _issue(self) -> list[Instruction]:
        answer: list[Instruction] = []
        while self.guesses and self._ready and self.occupancy >= self.window:
            self._drop_guess(self.guesses.take_newest(), "certain work needs its place")
        while self._ready and self.occupancy < self.window and not self._between:
            task = self._ready.popleft()
            if task.phase is not Phase.READY or task.step <= self.step + self.ledger.finished(self.step):
                continue  # the loop comes for it at once
            if blocker := self._blocker(task):
                # Became blocked while the window was full.
                task.move(Phase.WAITING)
                self._blocked.setdefault(blocker, []).append(task)
                continue
            task.move(Phase.RUNNING)
            task.ahead = True
            self.occupancy += 1
            answer.append(Start(task.tag, task.node, task.step, task.pulled))
            if self._waited:
                self._foresee(task.node, task.step)
                if self._likely is not None:
                    self._undecided_routers.append(task)
        return answer

    # ---- guessing

    def _guess(self) -> list[Instruction]:
        """Starts what undecided routers will probably lead to, where nothing but their decision is open."""
        answer: list[Instruction] = []
        while self._undecided_routers and not self._between:
            router = self._undecided_routers.popleft()
            if self._likely is None or not router.unfinished or router.phase is not Phase.RUNNING:
                continue
            for node in self._likely(router.node):
                if self._may_guess(guess := self._make_guess(router, node)):
                    self.guesses.add(guess)
                    self.occupancy += 1
                    answer.append(Start(guess.task.tag, node, guess.task.step, pulled=True, guessed=True))
        return answer

    def _make_guess(self, router: Task, node: str) -> Guess:
        step = router.step + 1
        return Guess(Task(Tag(((node, step),)), node, step, None, Phase.WAITING, pulled=True), router.tag)

    def _may_guess(self, guess: Guess) -> bool:
        task = guess.task
        if self.guesses.full or self.occupancy >= self.window or task.tag in self.tasks or task.tag in self.guesses:
            return False
        return task.node in self.passing.reads and self._blocker(task) is None

    def _confirm(self, tag: Tag) -> None:
        """The router has led where it was thought to: the task is one like any other, and what happened to it happens now."""
        if (guess := self.guesses.take(tag)) is None:
            return
        task = self._know(guess.task)
        for phase in (Phase.READY, Phase.RUNNING):
            task.move(phase)
        task.ahead = True
        for event in guess.told:
            self._dropped += self._handlers[type(event)](event)

    def _decided(self, router: Task) -> None:
        """What a router was thought to lead to, and doesn't, is thrown away."""
        for guess in self.guesses.take_of(router.tag) if self.guesses else ():
            self._drop_guess(guess, f"`{router.node}` didn't lead to it")

    def _drop_guess(self, guess: Guess, reason: str) -> None:
        self.occupancy -= 1
        self._dropped.append(Cancel(guess.task.tag, reason))

    def _settle(self, task: Task) -> None:
        if task.unfinished:
            self.roster.ancestry.end(task.tag)
        for key in self.ledger.settle(task):
            self._wake(key)

    def _free(self, task: Task) -> None:
        if task.ahead:
            task.ahead = False
            self.occupancy -= 1
        self._at_route.pop(task.tag, None)

    def _squash(self, task: Task, reason: str) -> list[Instruction]:
        """Throws a task away, with all that it has sent."""
        answer: list[Instruction] = []
        doomed = [task]
        while doomed:
            task = doomed.pop()
            if self.tasks.get(task.tag) is not task:
                continue
            started = task.ahead
            self._decided(task)
            self._free(task)
            if task.phase is not Phase.SQUASHED:
                task.move(Phase.SQUASHED)
            self._settle(task)
            self.roster.forget(task)
            answer += [Cancel(task.tag, reason)] if started else []
            doomed += reversed(task.children)
        return answer

    def _know(self, task: Task) -> Task:
        self.roster.know(task)
        self.ledger.add(task)
        return task
