"""What nodes and path functions of a graph are given, and so what they can read: the keys of their schemas."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from pydantic import BaseModel, field_validator

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.model import NodePlan


class State(TypedDict, total=False):
    a: str
    b: str
    c: Annotated[list[str], operator.add]
    steps: RemainingSteps
    last: IsLastStep


class Narrow(TypedDict, total=False):
    a: str
    steps: RemainingSteps


class Private(TypedDict, total=False):
    secret: str


class Model(BaseModel):
    a: str = ""
    b: str


class Validated(BaseModel):
    a: str = ""

    @field_validator("a")
    @classmethod
    def check(cls, value: str) -> str:
        return value.strip()


@dataclass
class Data:
    a: str = ""
    b: list[str] = field(default_factory=list)


@dataclass
class Needy:
    a: str
    b: str = ""


@dataclass
class Nosy:
    a: str = ""
    b: str = ""

    def __post_init__(self) -> None:
        self.a = self.a or self.b


@dataclass(frozen=True)
class Frozen:
    a: str = ""
    b: str = ""


def graph(node: Any, schema: Any = State, path: Any = None, **options: Any) -> StateGraph[Any]:
    builder: StateGraph[Any] = StateGraph(schema)
    builder.add_node("n", node, **options)
    builder.add_edge(START, "n")
    if path is not None:
        builder.add_conditional_edges("n", path, ["n"])
    return builder


def planned(node: Any, schema: Any = State, path: Any = None, **options: Any) -> NodePlan:
    return lower(graph(node, schema, path, **options).compile()).nodes["n"]


def reads_a(state):
    return {"b": state["a"]}


def reads_everything(state):
    return {"b": str(state)}


def narrow(state: Narrow):
    return {"b": str(state)}


def other_key(state: Narrow):
    return {"b": state.get("b")}


def private(state: Private):
    return {"b": state["secret"]}


@pytest.mark.parametrize(
    ("node", "options", "reads", "source"),
    [
        (reads_a, {}, {"a"}, "code"),
        (reads_everything, {}, {"a", "b", "c"}, "schema"),
        (narrow, {}, {"a"}, "schema"),
        (reads_everything, {"input_schema": Narrow}, {"a"}, "schema"),
        (reads_a, {"input_schema": Private}, set(), "schema"),
        (other_key, {}, set(), "schema"),
        (private, {}, {"secret"}, "code"),
        (lambda state: {"b": "x"}, {}, set(), "code"),
        (lambda state: eval("f")(state), {}, {"a", "b", "c"}, "schema"),
    ],
)
def test_reads_are_keys_of_the_schema(node: Any, options: dict[str, Any], reads: set[str], source: str) -> None:
    found = planned(node, **options)
    assert found.function.reads == reads
    assert found.function.sources.reads == source


def by_attribute(state):
    return {"b": state.a}


def no_state(state):
    return {"b": "x"}


@pytest.mark.parametrize(
    ("schema", "node", "reads", "whole"),
    [
        (Model, by_attribute, {"a", "b"}, True),
        (Model, no_state, {"a", "b"}, True),
        (Validated, no_state, {"a"}, True),
        (Data, by_attribute, {"a"}, False),
        (Data, no_state, set(), False),
        (Needy, no_state, {"a"}, False),
        (Nosy, no_state, {"a", "b"}, True),
        (Frozen, by_attribute, {"a"}, False),
        (State, no_state, set(), False),
    ],
)
def test_making_an_instance_may_look_at_every_key(schema: Any, node: Any, reads: set[str], whole: bool) -> None:
    found = planned(node, schema)
    assert (found.function.reads, found.whole) == (reads, whole)


def counts_steps(state):
    return {"b": str(state["steps"]) + state["a"]}


def is_last(state):
    return "n" if state["last"] else "n"


def test_managed_values_are_no_state_keys_and_are_named() -> None:
    found = planned(counts_steps, path=is_last)
    assert (found.function.reads, found.function.managed) == ({"a"}, {"steps"})
    assert (found.routes[0].reads, found.routes[0].managed) == (set(), {"last"})
    assert planned(reads_everything).function.managed == {"steps", "last"}


def looks(state):
    return "n" if state["a"] else "n"


def looks_everywhere(state):
    return eval("f")(state)


def looks_narrowly(state: Narrow):
    return "n" if len(state) else "n"


def test_path_functions_are_bounded_too() -> None:
    assert planned(no_state, path=looks).routes[0].reads == {"a"}
    assert planned(no_state, path=looks_everywhere).routes[0].reads == {"a", "b", "c"}
    assert planned(no_state, path=looks_narrowly).routes[0].reads == {"a"}
    assert planned(narrow, path=looks_everywhere).routes[0].reads == {"a"}  # LangGraph shows it what it shows the node
    assert planned(no_state, Model, path=looks).routes[0].reads == {"a", "b"}


def appends(state):
    state["c"].append("x")
    return "n"


def test_path_functions_write_what_they_change_in_place() -> None:
    found = planned(no_state, path=appends)
    assert (found.routes[0].writes, found.writes) == ({"c"}, {"b", "c"})
    assert planned(no_state, path=looks).writes == {"b"}
    assert planned(no_state, path=looks_everywhere).writes is None


def test_writes_are_keys_of_the_graph() -> None:
    assert planned(lambda state: {"b": 1, "no such": 2}).function.writes == {"b"}


def test_a_state_that_is_no_dict_is_read_and_written_whole() -> None:
    def node(state):
        return [state[0]]

    builder = StateGraph(Annotated[list, operator.add])
    builder.add_node("n", node)
    builder.add_edge(START, "n")
    found = lower(builder.compile()).nodes["n"].function
    assert (found.reads, found.writes) == ({"__root__"}, {"__root__"})


@pytest.mark.parametrize("schema", [Model, Validated, Data, Needy, Nosy, Frozen])
def test_what_is_said_not_to_be_read_makes_no_difference_to_a_run(schema: Any) -> None:
    def run(node: Callable[[Any], Any], state: dict[str, Any]) -> Any:
        builder: StateGraph[Any] = StateGraph(State)
        builder.add_node("n", node, input_schema=schema)
        builder.add_edge(START, "n")
        try:
            return builder.compile().invoke(state)["c"]
        except Exception as error:
            return type(error)

    def node(state):
        return {"c": [state.a]}

    reads = planned(node, input_schema=schema).function.reads or set()
    full = {"a": "x", "b": "y"}
    for key in full.keys() - reads:
        assert run(node, full) == run(node, {k: v for k, v in full.items() if k != key})
        assert run(node, full) == run(node, {**full, key: object()})
