"""`compare` builds both sides from whatever it is given, proves them equal, measures them and reports."""

import xml.etree.ElementTree as Xml
from collections.abc import Callable
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from rich.console import Console

import alto_langgraph
from alto_langgraph.comparison import Comparison, Facts, compare
from alto_langgraph.comparison.inputs import check_input
from alto_langgraph.comparison.sides import sides
from alto_langgraph.exceptions import OptionsError, TargetError
from alto_langgraph.graph import StateGraph as AltoStateGraph
from alto_langgraph.protocols import observed_by
from tests.comparison.apps import Log, State, chat, fan_out

ITEMS = {"items": [3, 1, 2]}


def alto_builder() -> Any:
    builder = fan_out(sub=True)
    builder.__class__ = AltoStateGraph
    return builder


TARGETS: dict[str, Callable[[], Any]] = {
    "a builder of LangGraph's": lambda: fan_out(sub=True),
    "a builder of alto's": alto_builder,
    "a compiled graph of LangGraph's": lambda: fan_out(sub=True).compile(),
    "a compiled graph of alto's": lambda: alto_builder().compile(),
    "an optimized graph": lambda: alto_langgraph.optimize(fan_out(sub=True).compile()),
    "a function": lambda: lambda: fan_out(sub=True),
}


def heard(graph: Any, config: Any = None) -> Facts:
    facts = Facts()
    with observed_by(facts):
        graph.invoke(ITEMS, config)
    return facts


@pytest.mark.parametrize("kind", TARGETS)
def test_whatever_is_given_has_a_side_that_alto_runs_and_one_that_it_does_not(kind: str) -> None:
    both = sides(TARGETS[kind]())
    for side, runs in ((both.stock, False), (both.alto, True), (both.in_order, True)):
        facts = heard(side.fresh(), side.config({"configurable": {"thread_id": "1"}})).heard
        assert bool(facts) == runs
        assert {fact.namespace for fact in facts} <= {(), ("sub",)}
    assert type(both.stock.fresh()).__module__ == "langgraph.graph.state"


def test_a_graph_of_alto_that_a_node_calls_runs_as_stock_on_the_stock_side() -> None:
    inner = alto_builder().compile()
    outer = StateGraph(State)
    outer.add_node("call", lambda state: {"log": inner.invoke({"items": state["items"]})["log"]})
    outer.add_edge(START, "call")
    both = sides(outer)
    stock, alto = (heard(side.fresh(), side.config({"configurable": {"thread_id": "1"}})).heard for side in (both.stock, both.alto))
    assert not stock
    assert any(fact.namespace == () for fact in alto)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("sync", [True, False])
def test_both_sides_are_equal_and_timed(kind: str, sync: bool) -> None:
    heard: list[tuple[str, int, int]] = []
    found = compare(TARGETS[kind](), ITEMS, runs=2, sync=sync, progress=lambda *told: heard.append(told))
    assert found.equal, str(found.difference)
    assert found.stock is not None
    assert found.alto is not None
    assert len(found.stock.seconds) == len(found.alto.seconds) == 2
    assert min(found.stock.seconds) < found.stock.median < max(found.stock.seconds)
    assert found.ratio == found.alto.median / found.stock.median
    assert [done for _, done, _ in heard] == list(range(8))
    assert {total for _, _, total in heard} == {8}
    assert len(found.work) == 2 + 3 + 3 + 3 + 2  # the input, the split, two stages, the subgraphs, the reduction after either
    assert 0 < found.critical_path.seconds <= found.superstep_bound + 1e-9
    assert [bar.tag for bar in found.stock_timeline.bars] and found.alto_timeline is not None  # type: ignore[union-attr]


def test_both_timelines_call_the_same_task_by_one_name() -> None:
    found = compare(fan_out(), ITEMS, runs=1)
    assert found.stock_timeline is not None
    assert found.alto_timeline is not None
    assert {bar.tag for bar in found.stock_timeline.bars} == {bar.tag for bar in found.alto_timeline.bars}
    assert not any(bar.ahead for bar in found.stock_timeline.bars)


async def test_it_works_inside_a_running_loop() -> None:
    assert compare(chat(), {"messages": []}, runs=1).equal


def test_several_turns_of_one_thread_are_compared() -> None:
    found = compare(fan_out(asks=True), ITEMS, then=[Command(resume="yes")], runs=1, checkpointer=InMemorySaver)
    assert found.equal, str(found.difference)
    assert found.observation.output["log"][-1] == "yes"
    assert found.observation.history
    assert found.critical_path.seconds > 0
    assert any(tag.path[0] == ("turn", 1) for tag in found.critical_path.tags)


def test_a_difference_ends_the_comparison_and_is_shown() -> None:
    calls = count()

    def app() -> Any:
        number = next(calls)
        graph = StateGraph(State)
        graph.add_node("count", lambda state: {"log": [f"<script>{number}</script>"]})
        graph.add_edge(START, "count")
        return graph

    found = compare(app, {"log": []}, runs=1)
    assert not found.equal
    assert found.stock is None
    assert found.ratio is None
    assert found.to_dict()["equal"] is False
    assert '- "<script>' in str(found)
    assert "The sides differ." in rendered(found)


def test_an_exception_that_both_sides_raise_is_equal_and_not_timed() -> None:
    graph = StateGraph(State)
    graph.add_node("fail", lambda state: state["nothing"])
    graph.add_edge(START, "fail")
    found = compare(graph, ITEMS, runs=1)
    assert found.equal
    assert found.stock is None
    assert found.to_dict()["error"] == "KeyError"
    assert "same KeyError" in found.verdict


def test_runs_leave_no_trace_in_a_store() -> None:
    store = InMemoryStore()

    def remember(state: Log, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        seen = len(runtime.store.search(("seen",)))
        runtime.store.put(("seen",), str(seen), {"n": seen})
        return {"log": [seen]}

    graph = StateGraph(Log)
    graph.add_node("remember", remember)
    graph.add_edge(START, "remember")
    found = compare(graph.compile(store=store), {"log": []}, runs=2, sync=True)
    assert found.equal, str(found.difference)
    assert found.observation.output == {"log": [0]}
    assert not store.search(("seen",))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(TargetError, match="A int can't be compared"):
        compare(3, {})
    with pytest.raises(TargetError, match="without arguments"):
        compare(lambda needed: needed, {})
    with pytest.raises(OptionsError, match="`runs` must be at least 1"):
        compare(fan_out(), ITEMS, runs=0)
    with pytest.raises(OptionsError, match="windwo"):
        compare(fan_out(), ITEMS, options={"windwo": 3})


def rendered(found: Comparison) -> str:
    out = StringIO()
    Console(file=out, width=200).print(found)
    return out.getvalue()


def test_the_report_is_one_page_that_loads_nothing_and_escapes_the_app(tmp_path: Path) -> None:
    graph = StateGraph(State)
    graph.add_node("<b>&", lambda state: {"log": [1]})
    graph.add_edge(START, "<b>&")
    found = compare(graph, ITEMS, runs=1, slots=2)
    found.to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;" in text
    assert not any(word in text for word in ("<script", "<link", "src=", "@import", "url("))
    assert "ideal with 2 slots" in text
    picture = Xml.fromstring(found.timeline_svg())
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 2
    assert all(title and title.startswith("<b>&[1]: ") for title in titles)


def test_the_picture_draws_every_task_on_both_sides_and_the_barriers_on_one() -> None:
    found = compare(fan_out(sub=True), ITEMS, runs=1)
    picture = Xml.fromstring(found.timeline_svg())
    svg = "{http://www.w3.org/2000/svg}"
    boxes = [rect for rect in picture.iter(f"{svg}rect") if rect.find(f"{svg}title") is not None]
    assert len(boxes) == 2 * (len(found.work) - 1)  # all but the input
    outlined = [box for box in boxes if box.get("stroke")]
    assert len(outlined) == 2 * (len(found.critical_path.tags) - 1)
    assert len([line for line in picture.iter(f"{svg}line") if line.get("stroke-dasharray")]) == 5
    for box in boxes:
        assert 64 <= float(box.attrib["x"]) < 960
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= 945


def test_the_figures_are_the_same_in_text_json_and_terminal() -> None:
    found = compare(fan_out(), ITEMS, runs=2, slots=1)
    figures = found.to_dict()
    assert found.ratio is not None
    assert figures["ratio"] == found.ratio
    assert figures["ideal"] == {"seconds": found.ideal, "slots": 1}
    assert found.ideal >= found.critical_path.seconds
    for text in (str(found), rendered(found)):
        assert f"{found.ratio:.3f}" in text
        assert "ideal with 1 slots" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"itemz": [1]}, "no `itemz`. Did you mean `items`"),
        ({"nothing": 1}, "no `nothing`. It has `items`"),
        ({"items": 3}, "a list as `items`, not a whole number"),
        ({"items": None}, "not null"),
        ([1, 2], "takes an object with `items`"),
    ],
)
def test_an_input_that_cannot_fit_is_told_before_anything_runs(given: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        check_input(fan_out().compile(), given)


@pytest.mark.parametrize("given", [{}, {"items": [1]}, {"messages": "a reducer takes text too"}, {"log": []}])
def test_an_input_that_may_fit_is_let_through(given: Any) -> None:
    graph = fan_out().compile()
    check_input(graph, given)
    assert graph.get_graph() is not None
