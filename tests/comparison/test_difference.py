"""Equal runs are equal, however their siblings race; every kind of difference is found and told."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from alto_langgraph.comparison import MODES, Observation, arecord, difference, record
from tests.comparison.apps import Knobs, State, chat, fan_out, racing

ITEMS = {"items": [3, 1, 1, 2]}
RESUMED: list[Any] = [Command(resume="yes")]


def seen(builder: Any, *, saver: Any = None, given: Any = ITEMS, **how: Any) -> Observation:
    return record(builder.compile(checkpointer=saver), given, **{"sync": True, **how})


def told(one: Any, other: Any, **how: Any) -> str:
    """The difference between runs of two builders, as text."""
    saver = how.pop("saver", lambda: None)
    found = difference(seen(one, saver=saver(), **how), seen(other, saver=saver(), **how))
    assert found is not None
    assert found.stock != found.alto
    assert found.to_dict()["where"] == found.where
    return str(found)


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("saver", [lambda: None, InMemorySaver])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_the_same_program_compares_equal_however_siblings_race(saver: Any, sync: bool, durability: str) -> None:
    asks = saver is InMemorySaver
    runs = [
        seen(fan_out(asks=asks, sub=True), saver=saver(), then=RESUMED if asks else (), sync=sync, durability=durability if asks else None)
        for _ in range(3)
    ]
    assert [difference(runs[0], run) for run in runs[1:]] == [None, None]
    assert runs[0].error is None
    assert {event.mode for turn in runs[0].turns for event in turn.events} >= {"values", "updates", "tasks", "debug", "custom"}
    assert bool(runs[0].history) == bool(runs[0].stored) == asks


def test_runs_on_sqlite_compare_equal(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        with SqliteSaver.from_conn_string(str(tmp_path / name)) as saver:
            runs.append(seen(fan_out(asks=True, sub=True), saver=saver, then=RESUMED))
    assert difference(*runs) is None
    assert len(runs[0].history) == len(runs[0].stored[""]) > 4


async def test_runs_on_async_sqlite_compare_equal_inside_a_running_loop(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / name)) as saver:
            graph = fan_out(asks=True, sub=True).compile(checkpointer=saver)
            runs.append(await arecord(graph, ITEMS, then=RESUMED))
    assert difference(*runs) is None
    assert runs[0].stored


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("subgraphs", [True, False])
def test_each_stream_mode_alone_compares_equal(mode: str, subgraphs: bool) -> None:
    runs = [seen(fan_out(sub=True), stream_mode=mode, subgraphs=subgraphs) for _ in range(3)]
    assert [difference(runs[0], run) for run in runs[1:]] == [None, None]


async def test_streamed_messages_compare_equal_and_differ_by_order_and_text() -> None:
    runs = [await arecord(chat().compile(), {"messages": []}) for _ in range(3)]
    assert [difference(runs[0], run) for run in runs[1:]] == [None, None]
    assert sum(event.mode == "messages" for event in runs[0].turns[0].events) > 6
    one, other = [
        await arecord(chat(Knobs(words=words)).compile(), {"messages": []}, stream_mode="messages") for words in ("a b c", "b a c")
    ]
    found = difference(one, other)
    assert found is not None
    assert (found.what, found.stock, found.alto) == ("messages", '"a"', '"b"')


def test_a_record_can_be_made_inside_a_running_loop_of_a_notebook() -> None:
    async def cell() -> Observation:
        return record(chat().compile(), {"messages": []})

    import asyncio

    assert asyncio.run(cell()).error is None


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        pytest.param(Knobs(answer="other"), '- "done"', id="final state"),
        pytest.param(Knobs(swapped=True), "values", id="order of tasks"),
        pytest.param(Knobs(silent=True), "custom", id="missing event"),
        pytest.param(Knobs(said=("two", "one")), "custom", id="order of events of one task"),
        pytest.param(Knobs(metadata="fancy"), '- "plain"', id="task metadata"),
        pytest.param(Knobs(sub_answer="outer"), " of sub:‹id›", id="inside a subgraph"),
        pytest.param(Knobs(late=True), "superstep", id="superstep of a task"),
        pytest.param(Knobs(failure="broken"), "exception", id="exception"),
    ],
)
def test_a_difference_is_found_and_told(knobs: Knobs, expected: str) -> None:
    assert expected in told(fan_out(sub=True), fan_out(knobs, sub=True))


def test_exceptions_differ_by_type_text_and_notes() -> None:
    broken = Knobs(failure="broken")
    assert difference(seen(fan_out(broken)), seen(fan_out(broken))) is None
    assert '- "broken"\n+ "split"' in told(fan_out(broken), fan_out(Knobs(failure="split")))
    assert "KeyError" in told(fan_out(broken), fan_out(Knobs(failure="broken", failing=KeyError)))
    assert "look here" in told(fan_out(broken), fan_out(Knobs(failure="broken", note="look here")))


def test_interrupts_and_checkpoints_differ() -> None:
    assert '+ "really?"' in told(fan_out(asks=True), fan_out(Knobs(question="really?"), asks=True), saver=InMemorySaver)
    one, other = (seen(fan_out(asks=True), saver=InMemorySaver(), then=[Command(resume=answer)]) for answer in ("yes", "no"))
    found = difference(one, other)
    assert found is not None
    assert (found.stock, found.alto) == ('"yes"', '"no"')
    assert found.where.startswith("turn 1")


def test_a_turn_may_be_made_from_the_interrupts_it_answers() -> None:
    def answer(interrupts: tuple[Any, ...]) -> Any:
        return Command(resume={interrupts[0].id: interrupts[0].value.upper()})

    run = seen(fan_out(asks=True), saver=InMemorySaver(), then=[answer])
    assert run.output["log"][-1] == "GO ON?"


def test_stored_checkpoints_are_compared_though_no_event_shows_them() -> None:
    one, other = (seen(fan_out(), saver=InMemorySaver(), config={"metadata": {"who": who}}, stream_mode="values") for who in "ab")
    found = difference(one, other)
    assert found is not None
    assert "metadata" in found.path


def test_siblings_of_a_failing_task_may_have_got_anywhere() -> None:
    runs = [seen(racing(), given={"items": [0, 1, 2, 3]}, saver=InMemorySaver(), sync=False) for _ in range(6)]
    assert [difference(runs[0], run) for run in runs[1:]] == [None] * 5
    assert "other" in told(racing(), racing("other"), given={"items": [0, 1, 2, 3]}, sync=False)


def test_supersteps_before_a_failing_one_are_compared_strictly() -> None:
    assert "otherwise" in told(racing(), racing(before="otherwise"), given={"items": [0, 1, 2]}, sync=False)


def test_an_event_that_comes_a_superstep_late_is_a_difference() -> None:
    from dataclasses import replace

    run = seen(fan_out())
    (turn,) = run.turns
    late = next(event for event in turn.events if event.mode == "updates")
    moved = replace(late, steps=(late.steps[0] + 1,))
    shifted = replace(run, turns=(replace(turn, events=tuple(moved if event is late else event for event in turn.events)),))
    found = difference(run, shifted)
    assert found is not None
    assert found.what == "updates"
    assert found.alto == "(nothing)"


def test_ids_must_link_the_same_places() -> None:
    def app(linked: bool) -> Any:
        def name(state: State) -> dict[str, Any]:
            from uuid import uuid4

            mine, other = str(uuid4()), str(uuid4())
            return {"log": [mine, mine if linked else other]}

        graph = StateGraph(State)
        graph.add_node("name", name)
        graph.add_edge(START, "name")
        return graph

    assert difference(seen(app(True)), seen(app(True))) is None
    assert "ids link other places" in told(app(True), app(False))


def test_constants_that_look_like_ids_are_compared_as_they_stand() -> None:
    first, second = "0" * 32, "1" * 32

    def app(order: list[str]) -> Any:
        graph = StateGraph(State)
        graph.add_node("name", lambda state: {"log": [*state["log"], *order]})
        graph.add_edge(START, "name")
        return graph

    given = {"log": [first, second]}
    assert first in told(app([first]), app([second]), given=given)


def test_values_are_kept_as_they_were_when_they_were_seen() -> None:
    shared: list[int] = []

    def app() -> Any:
        graph = StateGraph(State)
        graph.add_node("a", lambda state: {"log": [shared]})
        graph.add_node("b", lambda state: shared.append(1))
        graph.add_edge(START, "a")
        graph.add_edge("a", "b")
        return graph

    run = seen(app())
    updates = [event.payload for event in run.turns[0].events if event.mode == "updates"]
    assert updates[0] == {"a": {"log": [[]]}}


def test_input_is_copied_for_each_run() -> None:
    graph = StateGraph(State)
    graph.add_node("a", lambda state: state["items"].append(9))
    graph.add_edge(START, "a")
    given = {"items": [1]}
    seen(graph, given=given)
    assert given == {"items": [1]}


def test_objects_of_an_app_are_compared_by_what_they_hold() -> None:
    from dataclasses import make_dataclass

    point = make_dataclass("Point", ["x", "y"])

    class Opaque:
        def __init__(self, inside: Any) -> None:
            self.inside = inside

    def app(value: Any) -> Any:
        graph = StateGraph(State)
        graph.add_node("a", lambda state: {"log": [value]})
        graph.add_edge(START, "a")
        return graph

    for value, same, other in [
        (point(1, 2), point(1, 2), point(1, 3)),
        (Opaque([1]), Opaque([1]), Opaque([2])),
        ({3, 1}, {1, 3}, {1, 4}),
        (1, 1, True),
        (1, 1, 1.0),
        ((1, 2), (1, 2), [1, 2]),
        (KeyError("a"), KeyError("a"), KeyError("b")),
        (Opaque, Opaque, State),
    ]:
        assert difference(seen(app(value)), seen(app(same))) is None
        assert difference(seen(app(value)), seen(app(other))) is not None
