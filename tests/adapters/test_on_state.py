"""Tasks that edges trigger run ahead too: past siblings that don't concern them, and before nodes they follow but don't need."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph.loop import CommittingAsync, CommittingSync
from alto_langgraph.adapters.langgraph.naming import Naming
from alto_langgraph.adapters.langgraph.seam import PUSH, TASKS
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.driver.tempo import SURE
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.tags import Tag
from tests.adapters.signals import Signals, aheard, heard, say, signals


def merge(old: dict[str, int], new: dict[str, int]) -> dict[str, int]:
    return {**old, **new}


class State(TypedDict, total=False):
    seed: int
    a: int
    b: int
    c: int
    d: int
    bag: Annotated[dict[str, int], merge]
    out: Annotated[list[str], operator.add]


def listing(old: list[str], new: list[str]) -> list[str]:
    return [*old, *new]


class Listed(State, total=False):
    rows: Annotated[list[str], listing]


def graph_of(*functions: Callable[..., Any], edges: str, schema: Any = State, **metadata: Any) -> Any:
    """Nodes by their functions' names; `edges` like "START>a a>b", a join like "a+b>c"."""
    builder = StateGraph(schema)
    for function in functions:
        builder.add_node(function.__name__, function, metadata=metadata)
    for edge in edges.split():
        start, end = edge.split(">")
        starts = [START if name == "START" else name for name in start.split("+")]
        builder.add_edge(starts if len(starts) > 1 else starts[0], end)
    return builder.compile()


async def run(graph: Any, **given: Any) -> tuple[Any, Signals]:
    with signals() as seen:
        return await graph.ainvoke({"seed": 1, **given}), seen


async def a(state: State) -> State:
    """Ends when everything that may pass it has."""
    await aheard("c")
    return {"a": state["seed"] + 1, "out": ["a"]}


async def b(state: State) -> State:
    say("b")
    return {"b": state["seed"] + 2, "bag": {"b": state["seed"]}}


async def c(state: State) -> State:
    say("c")
    return {"c": state["b"] + 3, "bag": {"c": len(state["bag"])}}


def total(state: State) -> State:
    return {"d": state["a"] + state["c"]}


async def test_past_an_unrelated_sibling() -> None:
    got, seen = await run(graph_of(a, b, c, total, edges="START>a START>b b>c a+c>total"))
    assert got == {"seed": 1, "a": 2, "b": 3, "c": 6, "d": 8, "bag": {"b": 1, "c": 1}, "out": ["a"]}
    assert seen.ahead["c"] == 1 and seen.ran["c"] == 1


def test_past_an_unrelated_sibling_on_threads() -> None:
    def slow(state: State) -> State:
        heard("later")
        return {"a": state["seed"]}

    def quick(state: State) -> State:
        return {"b": state["seed"]}

    def later(state: State) -> State:
        say("later")
        return {"c": state["b"]}

    with signals() as seen:
        assert graph_of(slow, quick, later, edges="START>slow START>quick quick>later").invoke({"seed": 1})["c"] == 1
    assert seen.ahead["later"] == 1


async def test_before_the_node_that_it_follows() -> None:
    async def first(state: State) -> State:
        await aheard("third")
        return {"a": state["seed"]}

    async def second(state: State) -> State:
        return {"b": state["seed"]}

    async def third(state: State) -> State:
        await aheard("fourth")
        say("third")
        return {"c": state["seed"]}

    async def fourth(state: State) -> State:
        say("fourth")
        return {"d": state["seed"] + len(state.get("out", []))}

    got, seen = await run(
        graph_of(first, second, third, fourth, edges="START>first first>second second>third third>fourth", effects="idempotent")
    )
    assert got == {"seed": 1, "a": 1, "b": 1, "c": 1, "d": 1, "out": [], "bag": {}}
    assert seen.ahead == {"second": 1, "third": 1, "fourth": 1, "first": 0, "__start__": 0}


async def test_only_as_far_as_it_needs_nothing_of_what_it_passes() -> None:
    async def first(state: State) -> State:
        await aheard("third")
        say("first")
        return {"a": state["seed"] + 1}

    async def second(state: State) -> State:
        await aheard("first")
        return {"b": state["a"] + 1}

    async def third(state: State) -> State:
        say("third")
        return {"c": state["seed"]}

    got, seen = await run(graph_of(first, second, third, edges="START>first first>second second>third", effects="idempotent"))
    assert (got["a"], got["b"], got["c"]) == (2, 3, 1)
    assert seen.ahead["third"] == 1 and seen.ahead["second"] == 0


async def test_a_sibling_that_may_write_what_is_read_holds_it_up() -> None:
    async def slow(state: State) -> State:
        await aheard("b")
        return {"bag": {"slow": 5}}

    got, seen = await run(graph_of(slow, b, c, edges="START>slow START>b b>c"))
    assert got["bag"] == {"slow": 5, "b": 1, "c": 2}
    assert seen.ahead["c"] == 0


@pytest.mark.parametrize("option", [["send"], ["send", "chain"]])
async def test_not_without_leave(option: list[str]) -> None:
    async def alone(state: State) -> State:
        await aheard("b")
        return {"a": 1}

    compiled = graph_of(alone, b, c, edges="START>alone START>b b>c")
    with signals() as seen:
        await compiled.ainvoke({"seed": 1}, {"configurable": {"alto": {"issue": option}}})
    assert seen.ahead["c"] == 0


async def test_writes_are_added_in_the_loops_order_not_in_that_of_finishing() -> None:
    """`alpha` finishes after `beta`; the reader, ahead, finds what the loop will make of both, to the object."""

    async def aside(state: State) -> State:
        await aheard("reader")
        return {"a": 1}

    async def alpha(state: State) -> State:
        await aheard("beta")
        return {"out": ["alpha"]}

    async def beta(state: State) -> State:
        say("beta")
        return {"out": ["beta"]}

    async def reader(state: State) -> State:
        say("reader")
        return {"d": len(state["out"][0])}

    got, seen = await run(graph_of(aside, alpha, beta, reader, edges="START>aside START>alpha START>beta alpha+beta>reader"))
    assert (got["out"], got["d"]) == (["alpha", "beta"], 5)
    assert seen.ahead["reader"] == seen.ran["reader"] == 1 and not seen.squashed


class TestWhatItRestsOn:
    async def test_a_hint_that_is_wrong(self) -> None:
        """`slow` writes more than it says, so what `c` has looked at isn't so: it runs again."""

        async def slow(state: State) -> State:
            await aheard("c")
            return {"bag": {"slow": 7}}

        builder = StateGraph(State).add_node("slow", slow, metadata={"writes": ["a"]}).add_node("b", b).add_node("c", c)
        builder.add_edge(START, "slow").add_edge(START, "b").add_edge("b", "c")
        got, seen = await run(builder.compile())
        assert got["bag"] == {"slow": 7, "b": 1, "c": 2}
        assert (seen.ahead["c"], seen.ran["c"]) == (1, 2)
        assert [reason for _, reason in seen.squashed] == ["`bag` was written by a task that it wasn't expected of"]

    async def test_a_chain_behind_a_wrong_hint(self) -> None:
        """What was started on what the squashed task wrote is squashed too."""

        async def slow(state: State) -> State:
            await aheard("after")
            return {"b": 100}

        async def after(state: State) -> State:
            say("after")
            return {"d": state["c"]}

        builder = StateGraph(State).add_node("slow", slow, metadata={"writes": []})
        builder.add_node("b", lambda state: {}).add_node("c", c).add_node("after", after)
        builder.add_edge(START, "slow").add_edge(START, "b").add_edge("b", "c").add_edge("c", "after")
        got, seen = await run(builder.compile(), b=1)
        assert (got["b"], got["c"], got["d"]) == (100, 103, 103)
        assert seen.ran["c"] == 2 and seen.ran["after"] == 2

    async def test_a_reducer_runs_once_and_both_hold_what_it_made(self) -> None:
        made: list[int] = []
        held: list[int] = []

        async def slow(state: Listed) -> Listed:
            await aheard("look")
            return {"a": 1}

        async def row(state: Listed) -> Listed:
            return {"rows": ["x"]}

        async def look(state: Listed) -> Listed:
            say("look")
            held.append(id(state["rows"]))
            return {"b": 1}

        async def again(state: Listed) -> Listed:
            made.append(id(state["rows"]))
            return {}

        builder = StateGraph(Listed).add_node("slow", slow).add_node("row", row).add_node("again", again)
        builder.add_node("look", look, metadata={"effects": "idempotent"})
        builder.add_edge(START, "slow").add_edge(START, "row").add_edge("row", "look").add_edge("look", "again")
        got, seen = await run(builder.compile())
        assert seen.ahead["look"] == 1
        assert got["rows"] == ["x"]
        assert held == made == [id(got["rows"])]


class TestWhatMayNot:
    async def held_up(self, slow: Any, later: Any, schema: Any = State) -> None:
        """`later`, behind `quick`, starts only when `slow`, beside that, has ended."""

        async def quick(state: Any) -> Any:
            say("quick")
            return {"b": 5}

        compiled = graph_of(slow, quick, later, edges="START>slow START>quick quick>later", schema=schema)
        with signals() as seen:
            await compiled.ainvoke({"seed": 1, "bag": {"n": 1}})
        assert seen.ran["later"] == 1 and seen.ahead["later"] == 0

    async def test_change_the_state_in_place(self) -> None:
        async def slow(state: State) -> State:
            await aheard("quick")
            return {"a": state["bag"]["n"]}

        async def later(state: State) -> State:
            state["bag"]["n"] += 1
            return {}

        await self.held_up(slow, later)

    async def test_pass_one_that_changes_the_state_in_place(self) -> None:
        async def slow(state: State) -> State:
            await aheard("quick")
            state["bag"]["n"] += 1
            return {}

        async def later(state: State) -> State:
            return {"c": state["bag"]["n"]}

        await self.held_up(slow, later)

    async def test_look_at_a_state_class_that_sees_all_of_it(self) -> None:
        class Model(BaseModel):
            seed: int = 0
            a: int = 0
            b: int = 0
            bag: dict[str, int] = {}

            @field_validator("b")
            @classmethod
            def checked(cls, value: int) -> int:
                return value

        async def slow(state: Model) -> Any:
            await aheard("quick")
            return {"a": 1}

        async def later(state: Model) -> Any:
            return {"b": state.b}

        await self.held_up(slow, later, Model)

    async def test_speak_past_the_state_along_an_edge(self) -> None:
        """`fill` and `search` share a list that only the edge between them orders."""
        shelf: list[int] = []

        async def fill(state: State) -> State:
            shelf.append(state["seed"])
            return {"a": 1}

        async def search(state: State) -> State:
            return {"out": [str(len(shelf))]}

        got, seen = await run(graph_of(fill, search, edges="START>fill fill>search"))
        assert got["out"] == ["1"]
        assert seen.ahead["search"] == 0


@pytest.mark.parametrize("saved", [False, True])
async def test_a_router_behind_an_early_task_looks_at_the_state_of_its_own_superstep(saved: bool) -> None:
    """Its path function reads what its own branch has written early, and nothing of the slow sibling's."""

    async def slow(state: State) -> State:
        await aheard("done")
        return {"a": 1}

    async def routed(state: State) -> State:
        return {"d": state["b"], "bag": {"routed": len(state["bag"])}}

    async def done(state: State) -> State:
        say("done")
        return {"out": [f"{state['d']} {sorted(state['bag'])}"]}

    async def wrong(state: State) -> State:
        return {"out": ["wrong"]}

    def route(state: State) -> Literal["done", "wrong"]:
        return "done" if state["bag"] == {"b": 1, "routed": 1} and state["d"] == 3 else "wrong"

    builder = StateGraph(State)
    for node in (slow, b, routed, done, wrong):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "slow").add_edge(START, "b").add_edge("b", "routed").add_conditional_edges("routed", route)
    got, seen = await run(builder.compile())
    assert got["out"] == ["3 ['b', 'routed']"]
    assert seen.ahead["routed"] == 1 and seen.ahead["done"] == 1


async def test_a_command_that_goes_on() -> None:
    async def slow(state: State) -> State:
        await aheard("c")
        return {"a": 1}

    async def goes(state: State) -> Command[Literal["c"]]:
        return Command(update={"b": 4, "bag": {"x": 1}}, goto="c")

    got, seen = await run(graph_of(slow, goes, c, edges="START>slow START>goes"))
    assert got["c"] == 7 and seen.ahead["c"] == 1


async def test_the_order_of_what_is_noted_outside_the_state() -> None:
    """Stages that need nothing of each other, but write a log that somebody may read after the run."""
    noted: list[str] = []

    async def first(state: State) -> State:
        noted.append("first")
        return {"a": state["seed"]}

    async def second(state: State) -> State:
        noted.append("second")
        return {"b": state["seed"]}

    async def third(state: State) -> State:
        return {"c": state["seed"]}

    _, seen = await run(graph_of(first, second, third, edges="START>first first>second second>third"))
    assert noted == ["first", "second"]
    assert seen.ahead["second"] == seen.ahead["third"] == 0


async def test_a_checkpoint_sees_what_a_join_has_seen_before_the_next_superstep_goes_on() -> None:
    """LangGraph hands the saver the join's own set, which the next superstep adds to."""

    async def slow(state: State) -> State:
        await asyncio.sleep(0.01)
        return {"a": 1}

    async def quick(state: State) -> State:
        return {}

    async def later(state: State) -> State:
        return {"b": state["seed"]}

    def build(side: Any) -> Any:
        builder = side(State).add_node("slow", slow).add_node("quick", quick).add_node("later", later).add_node("end", quick)
        builder.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "later").add_edge(["slow", "later"], "end")
        return builder.compile(checkpointer=InMemorySaver())

    config = {"configurable": {"thread_id": "1"}}
    stock, alto = [await arecord(build(side), {"seed": 1}, config=config) for side in (Stock, StateGraph)]
    found = difference(stock, alto)
    assert found is None, str(found)


def test_the_place_of_a_send_whose_writing_nobody_saw() -> None:
    """A resumed superstep: the Sends of a task that ran before come first, and their children stay in that order."""
    naming, sent = Naming(), [Send("e", n) for n in range(3)]
    (known, _), _ = naming.children(Tag((("d", 2),)), [(TASKS, sent[1]), (TASKS, sent[2])])
    row = SimpleNamespace(is_available=lambda: True, get=lambda: sent)
    tasks: Any = [SimpleNamespace(id=str(n), name="e", path=(PUSH, n)) for n in range(3)]
    naming.opened(tasks, {TASKS: row}, 3)
    first, second, third = naming.tags.values()
    assert second == known and first != known
    assert sorted([third, second, first], key=naming.place) == [first, second, third]
    children = [tag.child("g", n) for tag in (first, second) for n in range(2)]
    backwards = children[::-1]
    assert sorted(backwards, key=naming.place) == children


class TestWhatIsKnownToBeSlow:
    """Nothing waits to see again that a node takes a while."""

    @staticmethod
    def unrung(monkeypatch: pytest.MonkeyPatch) -> None:
        for loop in (CommittingAsync, CommittingSync):
            monkeypatch.setattr(loop, "_alarm", lambda self, call: lambda: None)

    async def test_async(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compiled = graph_of(a, b, c, total, edges="START>a START>b b>c a+c>total")
        for _ in range(SURE):
            await run(compiled)
        self.unrung(monkeypatch)
        _, seen = await run(compiled)
        assert seen.ahead["c"] == 1

    def test_sync(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(state: State) -> State:
            heard("later")
            return {"a": state["seed"]}

        def later(state: State) -> State:
            say("later")
            return {"c": state["seed"]}

        compiled = graph_of(slow, later, edges="START>slow slow>later", effects="idempotent")
        for rung in (*[True] * SURE, False):
            if not rung:
                self.unrung(monkeypatch)
            with signals() as seen:
                compiled.invoke({"seed": 1})
            assert seen.ahead["later"] == 1
