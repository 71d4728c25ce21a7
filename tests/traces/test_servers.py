"""How many a server takes at a time is told from when calls began and ended, and nothing is told where there is no limit."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable

import pytest

from alto_langgraph.traces.servers import Server, servers
from tests.traces.spans import Recorded


def served(arrivals: Iterable[float], seconds: Iterable[float], places: int) -> list[tuple[float, float, float]]:
    """What a server with so many places makes of calls: when each came, when it was served, when it was done."""
    free = [0.0] * places
    found = []
    for came, takes in zip(arrivals, seconds, strict=True):
        begun = max(came, heapq.heappop(free))
        heapq.heappush(free, begun + takes)
        found.append((came, begun, begun + takes))
    return found


def server_of(calls: list[tuple[float, float, float]], **told: float) -> Server:
    made = Recorded(end=1000)
    for number, (came, _, done) in enumerate(calls):
        made.chat(made.fragment(f"__start__[0]/a[{number}]", came, done), came, done)
    run = made.trace().main
    assert run is not None
    return servers(run)["chat m"]


@pytest.mark.parametrize("places", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("burst", [True, False])
def test_places_are_counted(places: int, sigma: float, burst: bool) -> None:
    draw = random.Random(f"{places} {sigma} {burst}")
    arrivals = sorted(draw.uniform(0, 0.001 if burst else 20 / places) for _ in range(60))
    calls = served(arrivals, [draw.lognormvariate(0, sigma) * draw.uniform(0.99, 1.01) for _ in arrivals], places)
    found = server_of(calls)
    assert found.places is not None
    assert abs(found.places - places) <= places // 8, "few calls over many places leave room for doubt"
    if found.places == places:
        waits = [begun - came for came, begun, _ in calls]
        assert [found.waits[call] for call in found.asked] == pytest.approx(waits, abs=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_where_nobody_waits_no_limit_is_seen(seed: int) -> None:
    draw = random.Random(seed)
    arrivals = sorted(draw.choice([draw.uniform(0, 0.001), draw.uniform(0, 3)]) for _ in range(draw.choice([6, 16, 60])))
    seconds = [draw.choice([draw.lognormvariate(0, 0.7), float(draw.randint(1, 5))]) for _ in arrivals]
    assert server_of(served(arrivals, seconds, 1000)).places is None


def test_what_the_server_says_goes_before_what_is_guessed() -> None:
    made = Recorded(end=100)
    for number in range(8):
        start = float(number // 2)
        chat = made.chat(made.fragment(f"__start__[0]/a[{number}]", 0, start + 1), 0, start + 1)
        made.span("llm_request", chat, 0, start + 1, {"gen_ai.latency.time_in_queue": start})
    run = made.trace().main
    assert run is not None
    found = servers(run)["chat m"]
    assert (found.places, sorted(found.waits.values())) == (2, [0, 0, 1, 1, 2, 2, 3, 3])


def test_a_node_that_asks_nobody_is_a_server_of_its_own() -> None:
    made = Recorded(end=100)
    for number, (came, _, done) in enumerate(served([n / 1e5 for n in range(20)], [1 + (n * 7 % 5) / 10 for n in range(20)], 4)):
        made.fragment(f"__start__[0]/search[{number}]", came, done)
    run = made.trace().main
    assert run is not None
    assert servers(run)["search"].places == 4


def test_a_call_that_was_cancelled_in_line_takes_no_place() -> None:
    calls = served([n / 1e5 for n in range(30)], [1 + (n * 7 % 5) / 10 for n in range(30)], 3)
    made = Recorded(end=1000)
    for number, (came, _, done) in enumerate(calls):
        made.chat(made.fragment(f"__start__[0]/a[{number}]", came, done), came, done)
        if number % 5 == 0:
            made.chat(made.fragment(f"__start__[0]/b[{number}]", came, 0.4, outcome="squashed"), came, 0.4)
    run = made.trace().main
    assert run is not None
    assert servers(run)["chat m"].places == 3
