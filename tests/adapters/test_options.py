"""Where options come from, and that stock is really stock: switched off, outside the tested range, or after an error of alto's own."""

from __future__ import annotations

import operator
import warnings
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.pregel import main as pregel
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph import graph as adapter
from alto_langgraph.adapters.langgraph import running, seam
from alto_langgraph.adapters.langgraph.loop import CommittingAsync, CommittingSync
from alto_langgraph.engine.engine import Engine
from alto_langgraph.exceptions import AltoWarning, OptionsError
from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.options import AltoOptions
from tests.adapters.signals import Signals, aheard, say, signals


class State(TypedDict, total=False):
    wait: bool
    out: Annotated[list[str], operator.add]


async def beside(state: State) -> State:
    if state.get("wait"):
        await aheard("early 0", "early 1")
    return {"out": ["beside"]}


async def send(state: State) -> Command[Any]:
    return Command(update={"out": ["send"]}, goto=[Send("early", i) for i in range(2)])


async def early(item: int) -> Command[Any]:
    say(f"early {item}")
    return Command(update={"out": [f"early {item}"]}, goto=[Send("last", item)])


async def last(item: int) -> State:
    return {"out": [f"last {item}"]}


ANSWER = ["beside", "send", "early 0", "early 1", "last 0", "last 1"]


def build(side: Any = Alto, **options: Any) -> Any:
    graph = side(State).add_node("send", send, destinations=("early",)).add_node("early", early, destinations=("last",))
    graph.add_node("last", last).add_node("beside", beside)
    return graph.add_edge(START, "send").add_edge(START, "beside").compile(**options)


async def ahead(graph: Any, *, wait: bool = False, **alto: Any) -> Signals:
    with signals() as seen:
        config = {"configurable": {"alto": alto, "thread_id": "t"}} if alto else {"configurable": {"thread_id": "t"}}
        got = await graph.ainvoke({"wait": wait}, config)
    assert got["out"] == ANSWER
    return seen


class TestWhereTheyComeFrom:
    async def test_by_default_work_runs_ahead(self) -> None:
        assert (await ahead(build(), wait=True)).ahead["early"] == 2

    @pytest.mark.parametrize("options", [AltoOptions(window=0), {"window": 0}, False, {"enabled": False}, {"issue": []}])
    async def test_from_compile(self, options: Any) -> None:
        assert not +(await ahead(build(alto=options))).ahead

    async def test_effects_leave_only_what_is_proved(self) -> None:
        """`early` speaks to the test; `last` does nothing but answer."""
        assert set(+(await ahead(build(alto={"effects": "pure"}))).ahead) <= {"last"}

    async def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALTO_WINDOW", "0")
        assert build().alto_options.window == 0
        assert not +(await ahead(build())).ahead

    async def test_code_overrules_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALTO_WINDOW", "0")
        assert (await ahead(build(alto={"window": 5}), wait=True)).ahead["early"] == 2

    async def test_a_runs_config_overrules_the_graph_field_by_field(self) -> None:
        graph = build(alto={"window": 0, "events": "live"})
        assert (await ahead(graph, wait=True, window=9)).ahead["early"] == 2
        assert not +(await ahead(graph)).ahead
        assert graph.alto_options_of({"configurable": {"alto": {"window": 9}}}) == AltoOptions(window=9, events="live")

    async def test_with_config(self) -> None:
        graph = build().with_config({"configurable": {"alto": {"window": 0}}})
        assert not +(await ahead(graph)).ahead

    async def test_a_runs_options_reach_its_subgraphs(self) -> None:
        outer = Alto(State).add_node("inner", build()).add_edge(START, "inner").compile()
        assert (await ahead(outer, wait=True)).ahead["early"] == 2
        assert not +(await ahead(outer, window=0)).ahead

    @pytest.mark.parametrize("window", [1, 2])
    async def test_the_window_bounds_early_work(self, window: int) -> None:
        assert (await ahead(build(), window=window)).ahead["early"] <= window

    async def test_they_do_not_show_in_checkpoints(self) -> None:
        saver = InMemorySaver()
        await ahead(build(checkpointer=saver), wait=True, window=7)
        kept = [c async for c in saver.alist({"configurable": {"thread_id": "t"}})]
        assert kept and not any("alto" in str(c.metadata) for c in kept)


class TestBadOnes:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"window": -1}, "window: Input should be greater than or equal to 0"),
            ({"windw": 1}, "windw: Extra inputs"),
            ({"events": "soon"}, "events: Input should be 'held' or 'live'"),
            (7, "Options must be AltoOptions, a mapping or a bool, not int"),
        ],
    )
    def test_name_the_field_and_the_choices(self, options: Any, said: str) -> None:
        with pytest.raises(OptionsError, match=said):
            build(alto=options)

    async def test_in_a_runs_config(self) -> None:
        with pytest.raises(OptionsError, match=r"windw.*Options are enabled, window"):
            await build().ainvoke({}, {"configurable": {"alto": {"windw": 1}}})
        with pytest.raises(OptionsError, match="windw"):
            build().invoke({}, {"configurable": {"alto": {"windw": 1}}})

    def test_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALTO_WINDOW", "many")
        with pytest.raises(OptionsError, match="window"):
            build()


class TestStock:
    @pytest.fixture
    def loops(self, monkeypatch: pytest.MonkeyPatch) -> list[type]:
        """The classes of the loops that runs make."""
        made: list[type] = []

        for scope in (vars(pregel), running.stream.__globals__, running.astream.__globals__):
            for name in ("SyncPregelLoop", "AsyncPregelLoop"):
                plain = scope[name]
                monkeypatch.setitem(scope, name, type("Watched", (plain,), {"__init__": _noting(plain, made)}))
        return made

    @pytest.mark.parametrize("how", ["environment", "compile", "run"])
    async def test_switched_off_makes_langgraphs_own_loop(self, how: str, loops: list[type], monkeypatch: pytest.MonkeyPatch) -> None:
        if how == "environment":
            monkeypatch.setenv("ALTO_ENABLED", "0")
        graph = build(alto=False) if how == "compile" else build()
        await ahead(graph, **({"enabled": False} if how == "run" else {}))
        simple = Alto(State).add_node("last", lambda state: {"out": ["x"]}).add_edge(START, "last")
        off: Any = False if how != "environment" else None
        assert simple.compile(alto=off).invoke({})["out"] == ["x"]
        assert loops == [seam.AsyncPregelLoop, seam.SyncPregelLoop]

    async def test_switched_on_makes_altos(self, loops: list[type]) -> None:
        await ahead(build())
        Alto(State).add_node("last", lambda state: {"out": ["x"]}).add_edge(START, "last").compile().invoke({})
        assert loops == [CommittingAsync, CommittingSync]

    async def test_stock_graphs_in_the_same_process_stay_stock(self, loops: list[type]) -> None:
        await ahead(build(Stock))
        assert loops == [seam.AsyncPregelLoop]

    async def test_outside_the_tested_range_it_warns_once(self, loops: list[type], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(seam, "UNAVAILABLE", "langgraph 9.9 is outside the tested range")
        monkeypatch.setattr(adapter, "_warned", set())
        with pytest.warns(AltoWarning, match=r"as stock LangGraph does: langgraph 9\.9 is outside the tested range"):
            await ahead(build())
        await ahead(build())  # a second warning would be an error
        assert loops == [seam.AsyncPregelLoop] * 2

    def test_names_that_langgraph_lacks_are_told(self) -> None:
        with pytest.raises(AttributeError, match=r"langgraph\.pregel.* has no NoSuchName"):
            seam.rebind(pregel.Pregel.stream, NoSuchName=1)


def _noting(plain: Any, made: list[type]) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        made.append(plain)
        plain.__init__(self, *args, **kwargs)

    return __init__


class TestAnErrorOfItsOwn:
    @pytest.mark.parametrize("after", range(12))
    async def test_anywhere_gives_stocks_answer(self, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whichever event the engine fails on."""
        handle, left = Engine.handle, after

        def fails(self: Engine, *events: Any) -> Any:
            nonlocal left
            left -= 1
            if left == -1:
                raise RuntimeError("a bug")
            return handle(self, *events)

        monkeypatch.setattr(Engine, "handle", fails)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            seen = await ahead(build(), wait=after >= 3)
        assert [w.category for w in caught] == ([AltoWarning] if left < 0 else [])
        assert all("in order, after an error of its own: RuntimeError('a bug')" in str(w.message) for w in caught)
        assert seen.now == 0

    def test_on_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(self: Engine, *events: Any) -> Any:
            raise RuntimeError("a bug")

        monkeypatch.setattr(Engine, "handle", fails)

        def spread(state: State) -> Command[Any]:
            return Command(goto=[Send("one", i) for i in range(3)])

        graph = Alto(State).add_node("spread", spread, destinations=("one",)).add_node("one", lambda item: {"out": [str(item)]})
        graph.add_node("again", spread, destinations=("one",)).add_edge(START, "spread").add_edge(START, "again")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            got = graph.compile().invoke({})
        assert got["out"] == ["0", "1", "2"] * 2
        assert len(caught) <= 1


@pytest.mark.parametrize(("installed", "inside"), [("1.1.9", False), ("1.2.0", True), ("1.2.99", True), ("1.3.0", False), ("2.0", False)])
def test_a_langgraph_outside_the_tested_range_is_told_from_one_inside(
    installed: str, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "version", lambda name: installed)
    found = seam._outside_tested_range()
    assert found is None if inside else found is not None and f"langgraph {installed} is outside the tested range" in found
