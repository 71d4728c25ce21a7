"""What is said of splits and reductions: by the app's own words where its code shows them, by the nodes' names where it doesn't."""

from __future__ import annotations

import functools
import io
import operator
from itertools import islice
from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from rich.console import Console
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.explain import Explanation, explain
from alto_langgraph.plan.iterating import iterated
from alto_langgraph.plan.levels import Levels
from alto_langgraph.plan.model import CallablePlan, NodePlan, Plan

GOAL = "write"


class State(TypedDict, total=False):
    sections: list[Any]
    answer: str
    drafts: Annotated[list[str], operator.add]
    final: str


# ---- names, in the styles that people write


def by_key(state):
    return [Send("write", {"section": s}) for s in state["sections"]]


def by_get(state):
    return [Send("write", s) for s in state.get("sections", [])]


def by_attribute(state):
    return [Send("write", s) for s in state.plan.sections]


def by_variable(state):
    sections = state["plan"]
    return [Send(GOAL, s) for s in sections]


def counted(state):
    return [Send("write", (i, s)) for i, s in enumerate(state["sections"])]


def sliced(state):
    return [Send("write", s) for s in islice(sorted(state["sections"][:5]), 3)]


def by_place(state):
    return [Send("write", state["sections"][i]) for i in range(len(state["sections"]))]


def filtered(state):
    return [Send("write", s) for s in [s for s in state["sections"] if s]]


def or_nothing(state):
    return [Send("write", s) for s in state["sections"] or []]


def of_a_dict(state):
    return [Send("write", {k: v}) for k, v in state["sections"].items()]


def mapped(state):
    return list(map(lambda s: Send("write", s), state["sections"]))  # noqa: C417 - people do


def appended(state):
    sends = []
    for s in state["sections"]:
        if s:
            sends.append(Send("write", s))
    return sends


def in_a_command(state):
    return Command(update={}, goto=[Send(node="write", arg=s) for s in state["sections"]])


def nested(state):
    return [Send("write", s) for chapter in state["chapters"] for s in chapter["sections"]]


async def awaited(state):
    sends = [Send("write", s) async for s in state["sections"]]
    async for section in state["sections"]:
        sends.append(Send("write", section))
    return sends


@functools.wraps(by_key)
def wrapped(state):
    return by_key(state)


STYLES = [
    by_key,
    by_get,
    by_attribute,
    by_variable,
    counted,
    sliced,
    by_place,
    filtered,
    or_nothing,
    of_a_dict,
    mapped,
    appended,
    in_a_command,
    nested,
    awaited,
    wrapped,
    functools.partial(by_key),
]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: getattr(style, "__name__", "partial"))
def test_a_split_goes_by_the_name_of_what_is_iterated_over(style: Any) -> None:
    assert iterated([style]) == (("write", "sections"),)


def by_lines(state):
    return [Send("write", line) for line in state["answer"].split("\n")]


def by_letter(state):
    return [Send("write", x) for x in state["answer"].split("\n")]


def by_turns(state):
    return [Send("write", state) for _ in range(3)]


def once(state):
    return [Send("write", state)]


def to_either(state):
    return [Send("write" if s else "skip", s) for s in state["sections"]]


def to_wherever(state):
    return [Send(s.kind, s) for s in state["sections"]]


def to_two(state):
    return [Send("write", s) for s in state["sections"]] + [Send("skip", line) for line in state["answer"].split()]


@pytest.mark.parametrize(
    ("style", "names"),
    [
        (by_lines, [("write", "line")]),
        (by_letter, [("write", "write")]),
        (by_turns, [("write", "write")]),
        (once, []),
        (to_either, [("write", "sections"), ("skip", "sections")]),
        (to_wherever, [("", "sections")]),
        (to_two, [("write", "sections"), ("skip", "line")]),
        (print, []),
        (eval("lambda state: [Send('write', s) for s in state['sections']]"), []),
    ],
)
def test_else_by_the_name_of_the_variable_or_of_the_node(style: Any, names: list[tuple[str, str]]) -> None:
    assert iterated([style]) == tuple(names)


def test_what_cannot_be_read_tells_nothing() -> None:
    class Odd:
        @property
        def __wrapped__(self) -> Any:
            raise ZeroDivisionError

    assert iterated([Odd()]) == ()


# ---- graphs


def plan(state):
    return {"sections": ["a", "b"]}


def write(given):
    return Command(goto=[Send("check", sentence) for sentence in given["text"].split(".")])


def check(given):
    return {"drafts": [given]}


def report(state):
    return {"final": "".join(state["drafts"])}


def document(route: Any = by_key) -> Any:
    builder: Any = StateGraph(State)
    for node in (plan, write, check, report):
        builder.add_node(node)
    builder.add_edge(START, "plan").add_conditional_edges("plan", route, ["write"])
    return builder


def explained(builder: Any) -> Explanation:
    return explain(lower(builder.compile()))


def levels(found: Explanation) -> list[tuple[str, str, str]]:
    return [(split.level, split.source, split.target) for split in found.splits]


def reductions(found: Explanation) -> list[tuple[str, str, str]]:
    return [(reduction.level, reduction.way, reduction.name) for reduction in found.reductions]


def test_levels_nest() -> None:
    found = explained(document().add_edge("check", "report"))
    assert levels(found) == [("sections[i]", "plan", "write"), ("sections[i]/sentence[j]", "write", "check")]
    assert reductions(found) == [("sections[i]/sentence[j]", "reducer", "drafts"), ("sections[i]/sentence[j]", "edge", "report")]


def test_a_split_behind_a_reduction_begins_anew() -> None:
    builder = document().add_edge("write", "report")
    builder.add_conditional_edges("report", lambda state: [Send("check", claim) for claim in state["final"]], ["check"])
    found = explained(builder)
    assert ("final[i]", "report", "check") in levels(found)
    assert ("sections[i]", "edge", "report") in reductions(found)
    assert ("final[i]", "reducer", "drafts") in reductions(found)


def test_deferred_nodes_joins_and_the_end_of_the_run_reduce() -> None:
    builder = StateGraph(State)
    builder.add_node("write", check).add_node("other", check).add_node("late", report, defer=True).add_node("both", report)
    builder.add_conditional_edges(START, by_key, ["write"])
    builder.add_conditional_edges(START, lambda state: [Send("other", line) for line in state["answer"].split()], ["other"])
    builder.add_edge("write", "late").add_edge(["write", "other"], "both")
    found = reductions(explained(builder))
    assert found == [
        ("line[i]", "reducer", "drafts"),
        ("line[i]", "join", "both"),
        ("sections[i]", "reducer", "drafts"),
        ("sections[i]", "join", "both"),
        ("sections[i]", "deferred", "late"),
    ]
    builder = StateGraph(State).add_node("write", report)
    assert reductions(explained(builder.add_conditional_edges(START, by_key, ["write"]))) == [("sections[i]", "end", "")]


def again(given):
    return Command(update={"drafts": []}, goto=[Send("again", part) for part in given["parts"]])


def test_a_loop_of_sends_is_shown_with_its_second_turn() -> None:
    builder: Any = StateGraph(State).add_node(again).add_edge(START, "again")
    assert levels(explained(builder)) == [
        ("parts[i]", "again", "again"),
        ("parts[i]/parts[j]", "again", "again"),
        ("parts[i]/parts[j]/parts[k]", "again", "again"),
    ]


def test_where_the_code_cannot_be_read_nodes_give_the_names() -> None:
    unread = eval("lambda state: [Send('write', s) for s in state['sections']]", {"Send": Send})
    found = explained(document(unread).add_edge("check", "report"))
    assert levels(found) == [("write[i]", "plan", "write"), ("write[i]/sentence[j]", "write", "check")]


def test_of_a_graph_of_which_nothing_is_known_nothing_is_said() -> None:
    found = Levels(Plan({name: NodePlan(name, CallablePlan()) for name in "abc"}))
    assert (found.splits, found.reductions) == ((), ())


def test_a_graph_in_which_everything_sends_to_everything_is_cut_short() -> None:
    names = [f"n{number}" for number in range(30)]
    everyone = frozenset(names)
    found = Levels(Plan({name: NodePlan(name, CallablePlan(), targets=everyone, sends=everyone) for name in names}, entry=everyone))
    assert 30 <= len(found.splits) < 10_000


def test_text_dict_terminal_and_mermaid_say_the_same() -> None:
    found = explained(document().add_edge("check", "report"))
    lines = [
        "splits into sections[i]  (plan -> write)",
        "splits into sections[i]/sentence[j]  (write -> check)",
        "reduces sections[i]/sentence[j]  (key `drafts`, node `report`)",
    ]
    assert str(found).splitlines()[-3:] == lines
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(found)
    shown = console.export_text()
    assert all(line in shown for line in lines)
    assert found.to_dict()["splits"][0] == {"level": "sections[i]", "source": "plan", "target": "write"}
    assert found.to_dict()["reductions"][1] == {"level": "sections[i]/sentence[j]", "way": "edge", "name": "report"}
    assert 'n2_plan -.->|"sections"| n3_write' in found.mermaid()


def test_a_graph_inside_has_levels_of_its_own() -> None:
    builder: Any = StateGraph(State).add_node("inside", document().compile()).add_edge(START, "inside")
    found = explained(builder)
    assert found.splits == ()
    assert levels(found.subgraphs["inside"])[0] == ("sections[i]", "plan", "write")
    assert "  splits into sections[i]  (plan -> write)" in str(found).splitlines()
