"""Which keys of the state a function reads and writes, in the styles people write."""

import functools
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest
from langgraph.types import Command, Send
from pydantic import BaseModel

from alto_langgraph.plan.access import analyse

KEY = "docs"
KEYS = ("a", "b")


class State(TypedDict, total=False):
    docs: list[str]
    question: str


class Model(BaseModel):
    docs: list[str] = []
    question: str = ""

    @property
    def both(self) -> str:
        return self.question + str(self.docs)


@dataclass
class Data:
    docs: list[str] = field(default_factory=list)
    question: str = ""


def subscript(state):
    return {"n": state["docs"], "m": state["question"]}


def get(state):
    return {"n": state.get("docs", []), "m": state.get("question")}


def constant(state):
    return {"n": state[KEY]}


def several_constants(state):
    return {"n": [state[key] for key in KEYS]}


def attribute(state: Model):
    return {"n": state.docs}


def in_property(state: Model):
    return {"n": state.both}


def dataclass_state(state: Data):
    return {"n": len(state.docs), "q": state.question.upper()}


def matched(state):
    match state:
        case {"docs": [first, *_]}:
            return {"n": first}
        case {"question": question}:
            return {"n": question}
    return {}


def contained(state):
    return {"n": "docs" in state}


def pick(state, key):
    return state[key]


def by_helper(state):
    return {"n": pick(state, "docs") + pick(state, key="question")}


def early(state):
    if not state["question"]:
        return {"n": 0}
    return {"m": state["docs"]}


def inner_function(state):
    def inner():
        return state["docs"]

    return {"n": inner()}


def inner_lambda(state):
    return {"n": sorted([3, 1], key=lambda x: state["docs"][x])}


def comprehension(state):
    return {"n": [d + state["question"] for d in state["docs"] if d]}


async def asynchronous(state):
    return {"n": state["docs"]}


def walrus(state):
    if docs := state.get("docs"):
        return {"n": docs}
    return None


def renamed(state):
    s = state
    return {"n": s["docs"]}


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def decorated(state):
    return {"n": state["docs"]}


def check(function):
    @functools.wraps(function)
    def wrapper(state):
        if not state["question"]:
            raise ValueError
        return function(state)

    return wrapper


@check
def looked_at_by_decorator(state):
    return {"n": state["docs"]}


@functools.lru_cache
def cached(state):
    return {"n": state["docs"]}


class Node:
    key = "docs"

    def __init__(self, other="question"):
        self.other = other

    def run(self, state):
        return {"n": state[self.key], "m": state[self.other]}

    def __call__(self, state):
        return self.run(state)

    @staticmethod
    def static(state):
        return {"n": state["docs"]}

    @classmethod
    def by_class(cls, state):
        return {"n": state[cls.key]}


def with_key(key, state):
    return {"n": state[key]}


def make(key):
    def node(state):
        return {"n": state[key]}

    return node


@pytest.mark.parametrize(
    ("function", "reads"),
    [
        (subscript, {"docs", "question"}),
        (get, {"docs", "question"}),
        (constant, {"docs"}),
        (several_constants, {"a", "b"}),
        (attribute, {"docs"}),
        (in_property, {"docs", "question"}),
        (dataclass_state, {"docs", "question"}),
        (matched, {"docs", "question"}),
        (contained, {"docs"}),
        (by_helper, {"docs", "question"}),
        (early, {"docs", "question"}),
        (inner_function, {"docs"}),
        (inner_lambda, {"docs"}),
        (comprehension, {"docs", "question"}),
        (asynchronous, {"docs"}),
        (walrus, {"docs"}),
        (renamed, {"docs"}),
        (decorated, {"docs"}),
        (looked_at_by_decorator, {"docs", "question"}),
        (cached, {"docs"}),
        (lambda state: {"n": state["docs"]}, {"docs"}),
        (Node().run, {"docs", "question"}),
        (Node("x"), {"docs", "x"}),
        (Node.static, {"docs"}),
        (Node.by_class, {"docs"}),
        (functools.partial(with_key, "docs"), {"docs"}),
        (functools.partial(pick, key="docs"), {"docs"}),
        (make("docs"), {"docs"}),
        (operator.itemgetter("docs"), {"docs"}),
    ],
)
def test_reads_are_found(function: Any, reads: set[str]) -> None:
    assert analyse(function).reads == reads


def unpacked(state):
    return {**state, "n": 1}


def returned(state):
    return state


def copied(state):
    new = dict(state)
    new["n"] = 1
    return new


def iterated(state):
    return {"n": [k for k in state]}


def handed_to_unknown(state):
    return {"n": eval("state", {"state": state})}


def dynamic(state):
    key = state["which"]
    return {"n": state[key]}


def formatted(state):
    return {"n": f"{state}"}


def packed(state):
    return {"n": [state]}


def items(state):
    return {"n": sorted(state.items())}


def sent(state):
    return [Send("x", state)]


def by_keywords(state):
    return make("docs")(**state)


def dumped(state: Model):
    return {"n": state.model_dump()}


HOLDER = Node()


def stored(state):
    HOLDER.state = state  # type: ignore[attr-defined]
    return {"n": 1}


def got_by_name(state: Model):
    return {"n": getattr(state, "do" + "cs")}


def merged(state):
    return {"n": state | {"x": 1}}


class Pair(NamedTuple):
    a: int
    b: int


def unpacked_tuple(state):
    a, _ = state
    return {"n": a}


@pytest.mark.parametrize(
    "function",
    [
        unpacked,
        returned,
        copied,
        iterated,
        handed_to_unknown,
        dynamic,
        formatted,
        packed,
        items,
        sent,
        by_keywords,
        dumped,
        stored,
        got_by_name,
        merged,
        unpacked_tuple,
        len,
    ],
)
def test_what_cannot_be_told_is_all(function: Any) -> None:
    assert analyse(function).reads is None


class Update(TypedDict):
    docs: list[str]


def typed(state) -> Update:
    return eval("f")("x")


def typed_or_nothing(state) -> Update | None:
    return eval("f")("x")


def typed_as_model(state) -> Model:
    return eval("f")("x")


def typed_as_either(state) -> "Either":
    return eval("f")("x")


def typed_as_any_dict(state) -> dict[str, Any]:
    return eval("f")("x")


def typed_too_narrowly(state) -> Update:
    return {"docs": [], "other": 1}  # type: ignore[typeddict-unknown-key]


class Either(TypedDict):
    question: str


def made_typed(state):
    return Update(docs=["a"])


def built_up(state):
    out = {"a": 1}
    out["b"] = 2
    if state["x"]:
        out.update({"c": 3})
    return out


def command(state):
    return Command(update={"a": 1, "b": 2}, goto="x")


def command_list(state):
    return [Command(update={"a": 1}), Command(goto="y")]


def nothing(state):
    state["x"]


def by_dict_call(state):
    return dict(a=1, b=2)


def joined(state):
    return {"a": 1} | {"b": 2}


def spread_known(state):
    base = {"a": 1}
    return {**base, "b": 2}


def from_helper(state):
    return by_dict_call(state)


def conditional(state):
    return {"a": 1} if state["x"] else {"b": 2}


def tried(state):
    try:
        return {"a": state["x"]}
    except KeyError:
        return {"b": 1}


def only_sends(state):
    return [Send("x", {"d": d}) for d in state["docs"]]


@pytest.mark.parametrize(
    ("function", "writes"),
    [
        (early, {"n", "m"}),
        (typed, {"docs"}),
        (typed_or_nothing, {"docs"}),
        (typed_as_model, {"docs", "question"}),
        (typed_as_either, {"question"}),
        (typed_as_any_dict, None),
        (typed_too_narrowly, {"docs", "other"}),
        (made_typed, {"docs"}),
        (built_up, {"a", "b", "c"}),
        (command, {"a", "b"}),
        (command_list, {"a"}),
        (nothing, set()),
        (by_dict_call, {"a", "b"}),
        (joined, {"a", "b"}),
        (spread_known, {"a", "b"}),
        (from_helper, {"a", "b"}),
        (conditional, {"a", "b"}),
        (tried, {"a", "b"}),
        (only_sends, set()),
        (walrus, {"n"}),
        (lambda state: {"a": 1}, {"a"}),
        (unpacked, None),
        (returned, None),
        (copied, None),
        (handed_to_unknown, None),
    ],
)
def test_writes(function: Any, writes: set[str] | None) -> None:
    assert analyse(function).writes == writes


@pytest.mark.parametrize(
    ("function", "source"),
    [(typed, "annotation"), (typed_too_narrowly, "code"), (typed_as_any_dict, "unknown"), (by_dict_call, "code")],
)
def test_the_code_goes_before_the_annotation(function: Any, source: str) -> None:
    assert analyse(function).sources.writes == source


def dynamic_write(state):
    return {state["key"]: 1}


def grown_elsewhere(state):
    out: dict[str, Any] = {}
    fill(out)
    return out


def fill(out):
    out["a"] = 1


def setdefault(state):
    out = {"a": 1}
    out.setdefault("b", 2)
    return out


def set_in_alias(state):
    out = {"a": 1}
    other = out
    other["b"] = 2
    return out


@pytest.mark.parametrize("function", [dynamic_write, grown_elsewhere, setdefault, set_in_alias])
def test_writes_that_grow_out_of_sight_are_not_missed(function: Any) -> None:
    writes = analyse(function).writes
    assert writes is None or "b" in writes or (function is grown_elsewhere and "a" in writes)


class Annotations(TypedDict):
    total: Annotated[int, operator.add]


def test_the_type_of_the_state_may_come_from_the_graph() -> None:
    def node(state):
        total = state["total"]
        total += 1
        return {"total": total}

    assert analyse(node).mutates
    assert not analyse(node, state=Annotations).mutates
