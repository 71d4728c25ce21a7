"""An engine without an engine: its measured batch curve, its slots and its queue, under loads of many runs. Deterministic."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from alto_langgraph.adapters.vllm.policy import Policy, Untold
from alto_langgraph.protocols import Caller
from alto_langgraph.tags import Tag

CURVE = ((1, 370.0), (8, 3_300.0), (32, 6_300.0), (64, 6_600.0), (128, 6_700.0), (256, 6_600.0))
"""Tokens a second at so many requests at once, as measured on two cores (vLLM 0.32 on CPU, a model of 4M parameters)."""


class LeastServed(Untold):
    """The run that was served least goes first."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}

    def priority(self, caller: Caller | None, now: float) -> int:
        return self._calls.get(caller.run, 0) if caller is not None else 0

    def served(self, caller: Caller | None, prompt: int, answer: int) -> None:
        if caller is not None:
            self._calls[caller.run] = self._calls.get(caller.run, 0) + 1


class OldestFirst(Untold):
    """The run that began first goes first."""

    def priority(self, caller: Caller | None, now: float) -> int:
        return int(caller.began * 1_000) if caller is not None else 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a run: its answer's length, and which of the run's calls it waits for."""

    tokens: int
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A run that begins at `at` seconds, of a kind."""

    at: float
    kind: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """What is known of an engine.

    Args:
        curve: Tokens a second at so many requests at once, rising.
        slots: Most requests at once (`max_num_seqs`).
        overhead: Seconds that a request takes besides: on its way, in the tokenizer, for its first token.
    """

    curve: tuple[tuple[int, float], ...] = CURVE
    slots: int = 64
    overhead: float = 0.0

    def speed(self, running: int) -> float:
        """Tokens a second of each of so many requests at once."""
        sizes = [size for size, _ in self.curve]
        place = bisect_left(sizes, running)
        if place == len(sizes):
            return self.curve[-1][1] / running
        size, total = self.curve[place]
        if size == running or not place:
            return total / size
        below, less = self.curve[place - 1]
        return (less + (total - less) * (running - below) / (size - below)) / running

    @property
    def capacity(self) -> float:
        """Tokens a second at best with its slots."""
        return max(running * self.speed(running) for running in range(1, self.slots + 1))

    def unloaded(self, run: Arrival) -> float:
        """Seconds that a run takes where nothing else runs."""
        return simulate([Arrival(0.0, run.kind, run.calls)], Untold(), self)[0].took


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a run took from its arrival."""

    kind: str
    at: float
    took: float


@dataclass(slots=True)
class _Run:
    name: str
    arrival: Arrival
    waits: list[int] = field(default_factory=list)
    followers: list[list[int]] = field(default_factory=list)
    open: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        calls = self.arrival.calls
        self.waits = [len(call.after) for call in calls]
        self.followers = [[] for _ in calls]
        for number, call in enumerate(calls):
            for before in call.after:
                self.followers[before].append(number)
        self.open = len(calls)

    def caller(self, number: int) -> Caller:
        tag = Tag((("call", number),))
        return Caller(self.name, self.arrival.at, tag, ahead=False, speculative=False, remaining=self.asked)


def simulate(arrivals: Sequence[Arrival], policy: Policy, engine: Engine = Engine()) -> list[Ran]:
    """What each run takes, in the order of their arrival.

    Requests that run share the engine evenly; a slot that falls free goes to the one that waits with the least priority, the
    first come of several, as in vLLM. Nothing that runs is interrupted.
    """
    runs = [_Run(f"run {number}", arrival) for number, arrival in enumerate(arrivals)]
    order = count()
    events: list[tuple[float, int, int, int]] = [(run.arrival.at, next(order), number, -1) for number, run in enumerate(runs)]
    heapq.heapify(events)
    waiting: list[tuple[int, int, int, int]] = []
    running: list[tuple[float, int, int, int]] = []  # by how far the engine's progress has to come
    took = [0.0] * len(runs)
    now = progress = 0.0

    def ask(number: int, call: int) -> None:
        runs[number].asked += 1
        heapq.heappush(waiting, (policy.priority(runs[number].caller(call), now), next(order), number, call))

    while events or running:
        speed = engine.speed(len(running)) if running else 0.0
        done = now + (running[0][0] - progress) / speed if running else float("inf")
        if events and events[0][0] <= done:
            at, _, number, call = heapq.heappop(events)
            progress += (at - now) * speed
            now = at
            run = runs[number]
            if call < 0:
                for first, waits in enumerate(run.waits):
                    if not waits:
                        heapq.heappush(events, (now + engine.overhead, next(order), number, first))
            else:
                ask(number, call)
        else:
            now, progress = done, running[0][0]
            _, _, number, call = heapq.heappop(running)
            run = runs[number]
            run.open -= 1
            run.asked -= 1
            policy.served(run.caller(call), 0, run.arrival.calls[call].tokens)
            for follower in run.followers[call]:
                run.waits[follower] -= 1
                if not run.waits[follower]:
                    heapq.heappush(events, (now + engine.overhead, next(order), number, follower))
            if not run.open:
                took[number] = now - run.arrival.at
                policy.ended(run.name)
        while waiting and len(running) < engine.slots and not (events and events[0][0] <= now):
            _, _, number, call = heapq.heappop(waiting)
            heapq.heappush(running, (progress + runs[number].arrival.calls[call].tokens, next(order), number, call))
    return [Ran(run.arrival.kind, run.arrival.at, seconds) for run, seconds in zip(runs, took, strict=True)]


# ---- loads


def _times(rng: random.Random, rate: float) -> Iterator[float]:
    at = 0.0
    while True:
        at += rng.expovariate(rate)
        yield at


def chain(lengths: Sequence[int]) -> tuple[Call, ...]:
    """Calls one after the other."""
    return tuple(Call(tokens, (number - 1,) if number else ()) for number, tokens in enumerate(lengths))


def mixed(
    load: float,
    runs: int,
    engine: Engine = Engine(),
    *,
    seed: int = 0,
    long: int = 20,
    short: int = 2,
    share: float = 0.25,
    tokens: int = 64,
) -> list[Arrival]:
    """Long runs and short ones, by chance; `load` over the engine's capacity."""
    rng = random.Random(seed)
    mean = tokens * (share * long + (1 - share) * short)
    times = _times(rng, load * engine.capacity / mean)
    kinds = ("long" if rng.random() < share else "short" for _ in range(runs))
    return [Arrival(next(times), kind, chain([tokens] * (long if kind == "long" else short))) for kind in kinds]


def verification(
    rate: float, runs: int, *, seed: int = 0, pipelined: bool = True, width: int = 8, median: float = 48.0, sigma: float = 0.6
) -> list[Arrival]:
    """Runs that plan, look at each of `width` parts in two stages, and conclude; `rate` runs a second."""
    rng = random.Random(seed)
    times = _times(rng, rate)

    def length() -> int:
        return max(4, min(400, round(rng.lognormvariate(0.0, sigma) * median)))

    def calls() -> Iterator[Call]:
        first, second = range(1, width + 1), range(width + 1, 2 * width + 1)
        yield Call(length())
        yield from (Call(length(), (0,)) for _ in first)
        yield from (Call(length(), (number - width,) if pipelined else tuple(first)) for number in second)
        yield Call(length(), tuple(second))

    return [Arrival(next(times), "verification", tuple(calls())) for _ in range(runs)]
