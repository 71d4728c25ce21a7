"""Nodes of random graphs that ask a streaming model and send the parts of its answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing import graph_specs
from alto_langgraph.testing.ask_specs import AnswerForm, Ask, AskedBy, Asks, Payload, Trap
from alto_langgraph.testing.asked_model import MOST, AskedModel, answer_to, parts_for
from alto_langgraph.testing.fuzz import compare, features, judge, script, steady
from alto_langgraph.testing.graph_runs import Played, play
from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Choice, Graph, Key, Node, Out
from alto_langgraph.testing.node_source import metadata
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.replies import Reply
from alto_langgraph.testing.shrink import shrink
from alto_langgraph.testing.state_source import State

pytestmark = pytest.mark.filterwarnings("ignore")

SENT = Out("b", 0, MOST, of="answer")
SEED = 4
"""An input whose answer has several parts."""


def asking(sent_by: str = "command", coroutine: bool = True, payload: Payload = "dict", key: str = "parts_a", **its: Any) -> Graph:
    """A node that asks and one that gets the parts."""
    out = replace(SENT, payload=payload, of="answer" if sent_by == "command" else key)
    way = Choice(((out,),))
    ways: dict[str, Any] = {"command": way} if sent_by == "command" else {"routes": (way,)}
    asks = Node("a", writes=("log", key), coroutine=coroutine, ask=Ask(**{"key": key, "alias": payload == "alias", **its}), **ways)
    return Graph((asks, Node("b", writes=("log",), coroutine=coroutine)), ("a",), keys=(Key(key, "parts"),))


def played(graph: Graph, side: Any = Stock, **how: Any) -> Played:
    return play(Case(graph, **{"seed": SEED, "modes": (), "coroutine": graph.nodes[0].coroutine, **how}), side)


def answer(graph: Graph, **how: Any) -> Any:
    run = played(graph, **how)
    assert run.turns[0].error is None, run.turns[0].error
    return run.turns[0].value


PROMPTS = [f"a asks for {form} {place}" for form in get_args(AnswerForm) for place in range(3)]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_streamed_or_whole_sync_or_async_an_answer_is_the_same(prompt: str) -> None:
    model = AskedModel()
    tools = [{"name": "look_up", "parameters": {"properties": {"text": {"type": "string"}}}, "description": ""}]
    bound = model.bind_tools(tools) if " tools " in prompt else model

    async def streamed() -> Any:
        return [chunk async for chunk in bound.astream(prompt)]

    whole = bound.invoke(prompt)
    for chunks in (list(bound.stream(prompt)), asyncio.run(streamed())):
        added = chunks[0]
        for chunk in chunks[1:]:
            added += chunk
        assert added.content == whole.content
        assert added.tool_calls == whole.tool_calls
    later = asyncio.run(bound.ainvoke(prompt))
    assert (later.content, later.tool_calls) == (whole.content, whole.tool_calls)


def test_a_stream_breaks_as_the_whole_answer_does() -> None:
    prompt = next(p for place in range(0, 97, 3) if len(parts_for(p := f"a asks for lines {place} or breaks")) > 2)
    model = AskedModel()
    with pytest.raises(ConnectionError, match="the stream broke"):
        model.invoke(prompt)
    told: list[str] = []
    with pytest.raises(ConnectionError, match="the stream broke"):
        told.extend(str(chunk.content) for chunk in model.stream(prompt))
    assert "".join(told)
    assert str(answer_to(prompt)).startswith("".join(told))


def test_answers_are_empty_single_alike_and_of_several_scripts() -> None:
    answers = [parts_for(f"a asks for lines {place}") for place in range(97)]
    assert {0, 1, MOST} <= set(map(len, answers))
    assert any(len(set(parts)) < len(parts) for parts in answers)
    assert any(not "".join(parts).isascii() for parts in answers)
    assert 20 < sum("agreed" in "".join(parts) for parts in answers) < 77


@pytest.mark.parametrize("coroutine", [False, True])
@pytest.mark.parametrize("by", ["command", "route"])
@pytest.mark.parametrize("form", get_args(AnswerForm))
def test_each_part_of_an_answer_in_any_form_is_sent(form: AnswerForm, by: str, coroutine: bool) -> None:
    asked: tuple[AskedBy, ...] = get_args(AskedBy)
    for way in asked:
        graph = asking(by, coroutine, form=form, by=way)
        value = answer(graph)
        assert len(value["log"]) == 1 + len(value["parts_a"])
        assert value == answer(asking(by, coroutine, form=form)), way


@pytest.mark.parametrize("times", get_args(Asks))
def test_a_node_asks_more_than_once(times: Asks) -> None:
    texts = [source(asking(coroutine=coroutine, times=times)).split("def build")[-1] for coroutine in (False, True)]
    calls = [text.count("invoke(") + 2 * text.count(".batch(") for text in texts]
    assert calls == ([1, 1] if times == "once" else [2, 2])
    assert answer(asking(times=times)) == answer(asking(times=times, coroutine=False))


@pytest.mark.parametrize("payload", get_args(Payload))
def test_whatever_is_sent_of_a_part_shows_in_the_answer(payload: Payload) -> None:
    values = [answer(asking(payload=payload), seed=seed) for seed in range(SEED, SEED + 12)]
    for value in values:
        key = next(key for key in value if key.startswith("parts_a"))
        told = [entry for entry in value["log"] if entry.startswith("b:")]
        assert len(told) == len(value[key])
        assert len(set(told)) >= min(len({str(part) for part in value[key]}), 2), "unlike parts, alike answers"
    assert any(len(value["log"]) > 2 for value in values)


@pytest.mark.parametrize("takes", ["change", "return"])
def test_what_is_sent_is_also_held_by_the_state(takes: Any) -> None:
    graph = asking(payload="alias", key="parts_a_grown")
    asks, gets = graph.nodes
    keys = (*graph.keys, Key("kept_grown", "list"))
    taken = replace(graph, nodes=(asks, replace(gets, takes=takes, writes=("log", "kept_grown"))), keys=keys)
    value = next(value for seed in range(20) if len((value := answer(taken, seed=seed))["log"]) > 2)
    marks = [part["marks_grown"] for part in value["parts_a_grown"]]
    assert [len(mark) for mark in marks] == [int(takes == "change")] * len(marks)
    assert takes != "return" or value["kept_grown"] == marks


TRAPPED = [trap for trap in get_args(Trap) if trap not in ("breaks", "raises", "mutates", "whole")]


@pytest.mark.parametrize("trap", TRAPPED)
def test_a_trap_changes_what_is_sent_or_is_counted(trap: Trap) -> None:
    plain, trapped = asking(), asking(traps=(trap,))
    if trap.startswith("counts"):
        assert played(trapped).turns[0].runs["a"] == 1
        assert played(plain).turns[0].runs["a"] == 0
        return
    if trap == "silent":
        assert "silent.ainvoke" in source(trapped).replace("a_asked = (silent)", "").replace("a_asked", "silent")
        assert answer(plain) == answer(trapped)
        return
    assert any(answer(plain, seed=seed) != answer(trapped, seed=seed) for seed in range(30))


def test_a_node_that_changes_its_input_doesnt_show_it_under_stock() -> None:
    once = asking(traps=("mutates",))
    assert "seen_grown" not in answer(once)
    text = source(once)
    assert text.index("state['seen_grown'] = ") > text.index("parts = ")


@pytest.mark.parametrize(("trap", "error"), [("raises", "Boom"), ("breaks", "ConnectionError")])
def test_the_node_or_the_model_fails_for_some_answers(trap: Trap, error: str) -> None:
    errors = Counter(turn.error and turn.error[0] for seed in range(40) for turn in played(asking(traps=(trap,)), seed=seed).turns)
    assert errors.keys() == {None, error}


def test_the_last_part_goes_elsewhere() -> None:
    graph = asking()
    outs = (replace(SENT, which="all but the last"), replace(SENT, to="c", which="last"))
    nodes = (replace(graph.nodes[0], command=Choice((outs,))), graph.nodes[1], replace(graph.nodes[1], name="c"))
    value = answer(replace(graph, nodes=nodes))
    told = Counter(entry.partition(":")[0] for entry in value["log"])
    assert told == {key: n for key, n in {"a": 1, "b": len(value["parts_a"]) - 1, "c": 1}.items() if n}


def test_metadata_of_a_node_that_asks_says_only_what_is_true() -> None:
    graph = asking()
    pure = replace(graph.nodes[0], declared="pure")
    assert metadata(pure, State(graph)) == "metadata={'reads': ['seed'], 'writes': ['log', 'parts_a'], 'effects': 'idempotent'}"
    counting = replace(pure, ask=Ask(key="parts_a", traps=("counts last",)))
    assert "effects" not in metadata(counting, State(graph))


def test_a_node_that_hangs_does_so_in_the_middle_of_its_answer() -> None:
    case = {"turns": ("cancel",), "at": "a", "modes": ("messages",)}
    cut, whole = (played(asking(), **how).turns[0] for how in (case, {"modes": ("messages",)}))
    assert cut.error == ("CancelledError", "")
    chunks, every = ([event.data[0] for event in turn.arrived] for turn in (cut, whole))
    assert 0 < len(chunks) < len(every)
    assert chunks == every[: len(chunks)]


def words(kind: str, names: object) -> list[str]:
    return [f"{kind} {name}" for name in get_args(names)]


def test_draws_of_nodes_that_ask_cover_every_feature() -> None:
    seen = Counter(feature for seed in range(400) for feature in features(draw(seed, asking=True)))
    wanted = ["parts by command", "parts by route", "parts in the state", "last part elsewhere", "takes change", "takes return"]
    wanted += [*words("answer", AnswerForm), *words("asked by", AskedBy), *words("answers", Asks), *words("payload", Payload)]
    wanted += [*words("trap", Trap), "sync", "async", "turn cancel", "asks", "retry", "says", "store", "child", "key parts"]
    wanted += words("streams", Literal["yes", "no"])
    assert [feature for feature in wanted if seen[feature] < 3] == []
    assert seen["asks a model"] >= 395  # in a graph of subgraphs alone nobody can
    modes = {mode for seed in range(100) for mode in draw(seed, asking=True).modes}
    assert {"messages", "custom"} <= modes


def test_a_few_of_all_graphs_have_nodes_that_ask() -> None:
    asks = sum("asks a model" in features(draw(seed)) for seed in range(500))
    assert 8 <= asks <= 40


def test_a_seed_always_draws_the_same_questions() -> None:
    drawn = [draw(seed, asking=True) for seed in range(50)]
    assert drawn == [draw(seed, asking=True) for seed in range(50)]
    assert [eval(repr(case), vars(graph_specs)) for case in drawn] == drawn


def test_what_the_model_does_takes_no_part_in_chance() -> None:
    assert steady(Case(asking(), seed=SEED, modes=("values", "messages")))
    assert steady(Case(asking(coroutine=False), seed=SEED, coroutine=False, modes=("values", "messages")))


class Hasty(Stock[Any, Any, Any, Any]):
    """Sends the first part of an answer twice."""

    def add_node(self, node: Any, action: Any = None, **how: Any) -> Any:
        async def twice(state: Any) -> Any:
            command = await action(state)
            return replace(command, goto=[*command.goto[:1], *command.goto])

        return super().add_node(node, twice if "model" in action.__code__.co_freevars else action, **how)


def test_a_part_too_many_is_found_made_small_and_shown(tmp_path: Path) -> None:
    case = Case(asking(form="json", traps=("sorted", "distinct")), seed=SEED, saver="memory", modes=("values", "messages"))
    assert compare(case, Alto)[0] is None
    difference, hasty = compare(case, Hasty)
    assert difference is not None
    assert hasty is not None
    assert hasty.turns[0].error is None
    small = shrink(case, lambda smaller: compare(smaller, Hasty)[0] is not None, seconds=60)
    assert small.graph.nodes[0].ask == Ask()
    assert small.saver == "none"
    (tmp_path / "shows.py").write_text(script(small, "langgraph.graph.state:StateGraph", difference))
    done = subprocess.run([sys.executable, "shows.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "equal", done.stderr


CUT: ContextVar[bool] = ContextVar("answers are cut", default=False)


class Trusting(Stock[Any, Any, Any, Any]):
    """Sends what `a` says of half of its answer, and only the rest of what it says of the whole: no validation."""

    def add_node(self, node: Any, action: Any = None, **how: Any) -> Any:
        async def early(state: Any) -> Any:
            token = CUT.set(True)
            try:
                first = (await action(state)).goto[:-1]
            finally:
                CUT.reset(token)
            command = await action(state)
            return replace(command, goto=[*first, *command.goto[len(first) :]])

        return super().add_node(node, early if node == "a" else action, **how)


@pytest.mark.parametrize("trap", ["", "sorted", "reversed", "numbered"])
def test_who_trusts_the_first_parts_of_an_answer_is_found(trap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = AskedModel._reply

    def cut(*args: Any, **how: Any) -> Reply:
        reply = whole(*args, **how)
        return replace(reply, text=reply.text[: len(reply.text) // 2]) if CUT.get() else reply

    monkeypatch.setattr(AskedModel, "_reply", cut)
    graph = asking(traps=(trap,) if trap else ())
    differ = [compare(Case(graph, seed=seed), Trusting)[0] is not None for seed in range(20)]
    assert not played(graph, Trusting).failed
    assert any(differ) == bool(trap)


class Repeating(Stock[Any, Any, Any, Any]):
    """Runs `a` twice, as a replay would of a node that mustn't be repeated."""

    def add_node(self, node: Any, action: Any = None, **how: Any) -> Any:
        async def twice(state: Any) -> Any:
            await action(state)
            return await action(state)

        return super().add_node(node, twice if node == "a" else action, **how)


def test_a_node_that_counts_shows_that_it_ran_twice() -> None:
    counting = Case(asking(traps=("counts last",)), seed=SEED)
    assert compare(counting, Alto)[0] is None
    assert compare(counting, Repeating)[0] == ("turn 0 > times that nodes ran > a", 1, 2)
    declared = replace(counting, graph=replace(counting.graph, nodes=(replace(counting.graph.nodes[0], declared="effects"), Node("b"))))
    assert compare(declared, Repeating)[0] == ("turn 0 > times that nodes ran > a", 1, 2)
    assert compare(Case(asking(), seed=SEED), Repeating)[0] is None


def test_how_much_failing_nodes_leave_running_is_chance() -> None:
    """Two nodes that each gather two answers fail ahead, and leave one each; under stock it depends on their times how many have failed."""
    verdict = judge(8400657, asking=True)
    assert verdict.difference is None
    assert verdict.unsteady
