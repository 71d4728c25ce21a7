"""Any schedule of completions gives the commits of a plain barrier; nothing runs that the barrier wouldn't run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.engine.simulation import Ahead, Program, barrier, is_pulled
from tests.engine.validation import validate

SEEDS = st.integers(0, 1_000_000)


def lazily(draw: random.Random, moves: list[Any]) -> Any:
    return moves[0]


def eagerly(draw: random.Random, moves: list[Any]) -> Any:
    """Early work gets as far as it can before the loop moves on."""
    return moves[-1]


def any_order(draw: random.Random, moves: list[Any]) -> Any:
    return draw.choice(moves)


def run(program: Program, choose: Callable[[random.Random, list[Any]], Any], seed: int = 0, window: int = 256) -> Ahead:
    ahead, draw = Ahead(program, window), random.Random(seed)
    while moves := ahead.moves():
        choose(draw, moves)()
    return ahead


def check(ahead: Ahead) -> None:
    commits, ran = barrier(ahead.program)
    assert ahead.world.commits == commits
    if not ahead.program.fails:
        assert set(ahead.started) <= ran | ahead.guessed_wrong


@example(program=3639, schedule=55, window=5)  # shared objects of a task that isn't known yet
@example(program=23, schedule=1, window=5)
@example(program=36426, schedule=295, window=5)  # a guess is given up for what passed its edges when the guess was made
@given(program=SEEDS, schedule=SEEDS, window=st.sampled_from([1, 2, 5, 256]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_schedule_gives_the_barriers_commits(program: int, schedule: int, window: int) -> None:
    check(run(Program(program), any_order, schedule, window))


@example(program=1)
@example(program=5)  # a join leads to what was guessed
@given(program=SEEDS)
@settings(max_examples=100, deadline=None)
def test_extreme_schedules_give_the_barriers_commits(program: int) -> None:
    check(run(Program(program), eagerly))
    check(run(Program(program), lazily))


def test_the_programs_are_worth_running() -> None:
    """They start ahead, adopt, retreat, squash, fail and interrupt."""
    seen: Counter[str] = Counter()
    for seed in range(100, 300):
        ahead = run(Program(seed), eagerly)
        seen["started"] += bool(ahead.started)
        seen["pulled"] += any(map(is_pulled, ahead.started))
        seen["guessed right"] += bool(ahead.guessed - ahead.guessed_wrong)
        seen["guessed wrong"] += bool(ahead.guessed_wrong)
        seen["joined"] += bool(ahead.joined)
        seen["squashed"] += bool(ahead.squashed)
        seen["failed"] += any(job.failed for job in ahead.open)
        seen["interrupted"] += any(ahead.program.interrupts(job.offer.tag) for job in ahead.open)
        seen["far"] += any(tag.depth >= 4 for tag in ahead.started)
        seen["long"] += ahead.step >= 5
    assert len(seen) == 10 and min(seen.values()) >= 5, seen


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses what happens, and finds the shortest history that breaks something."""

    ahead: Ahead

    @initialize(program=SEEDS, window=st.sampled_from([0, 1, 3, 256]))
    def begin(self, program: int, window: int) -> None:
        self.ahead = Ahead(Program(program), window)

    @precondition(lambda self: self.ahead.moves())
    @rule(choice=st.integers(0, 30))
    def something_happens(self, choice: int) -> None:
        moves = self.ahead.moves()
        moves[choice % len(moves)]()

    @precondition(lambda self: self.ahead.moves())
    @rule()
    def the_run_is_cancelled(self) -> None:
        self.ahead._end()
        assert self.ahead.engine.occupancy == 0

    @precondition(lambda self: not self.ahead.moves())
    @rule()
    def the_run_stays_over(self) -> None:
        assert self.ahead.engine.idle and not self.ahead.early

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "ahead"):
            validate(self.ahead.engine)
            assert len(self.ahead.started) == len(set(self.ahead.started))

    @invariant()
    def commits_are_a_beginning_of_the_barriers(self) -> None:
        if hasattr(self, "ahead"):
            commits, _ = barrier(self.ahead.program)
            assert self.ahead.world.commits == commits[: len(self.ahead.world.commits)]


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("schedule", range(5))
def test_the_same_program_and_schedule_give_the_same_run(schedule: int) -> None:
    once, again = (run(Program(7), any_order, schedule) for _ in range(2))
    assert once.started == again.started and once.world.commits == again.world.commits
