"""Whether a function may change its operands in place."""

import copy
import json
import math
import random
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage

from alto_langgraph.plan.access import analyse

llm = FakeListChatModel(responses=["x"])


@dataclass
class Section:
    name: str = ""
    content: str = ""
    parts: list[str] = field(default_factory=list)

    def fill(self, text):
        self.content = text

    def text(self):
        return self.name + self.content


class State(TypedDict, total=False):
    section: Section
    sections: list[Section]
    question: str
    n: int
    docs: list[str]


def item(state):
    state["x"] = 1


def attribute(state):
    state["section"].content = "x"


def deep(state):
    state["a"]["b"].append(1)


def alias(state):
    docs = state["docs"]
    docs.sort()


def augmented(state):
    docs = state["docs"]
    docs += [1]


def augmented_item(state):
    state["docs"][0] += 1


def deleted(state):
    del state["docs"][0]


def looped(state):
    for doc in state["docs"]:
        doc["seen"] = True


def enumerated(state):
    for _, doc in enumerate(state["docs"]):
        doc.append(1)


def zipped(state):
    for doc, _ in zip(state["docs"], [1, 2], strict=False):
        doc.update(a=1)


def comprehension(state):
    return {"x": [d.pop() for d in state["docs"]]}


def by_helper(state):
    change(state["docs"])


def change(docs):
    docs.append(1)


def by_method(state: State):
    state["section"].fill("x")


def in_container(state):
    found = {"docs": state["docs"]}
    found["docs"].append(1)


def in_grown_list(state):
    found = []
    found.append(state["docs"])
    found[0].append(1)


def shallow_copy(state):
    docs = list(state["docs"])
    docs[0]["x"] = 1


def to_unknown(state):
    eval("f")(state["docs"])


def unknown_method(state):
    state["doc"].refresh()


def shuffled(state):
    random.shuffle(state["docs"])


def in_inner_function(state):
    def inner():
        state["docs"].append(1)

    inner()


def handed_over_function(state):
    list(map(lambda d: d.append(1), state["docs"]))


def conditional(state):
    docs = state["docs"] if state["x"] else []
    docs.append(1)


def second_round(state):
    out = []
    for d in state["docs"]:
        out.append(1)
        out = d
    return {}


def unpacked(state):
    first, *rest = state["docs"]
    rest[0].append(1)


def with_default(state):
    state.get("docs", []).append(1)


def setattr_call(state):
    setattr(state["section"], "content", "x")  # noqa: B010


@pytest.mark.parametrize(
    "function",
    [
        item,
        attribute,
        deep,
        alias,
        augmented,
        augmented_item,
        deleted,
        looped,
        enumerated,
        zipped,
        comprehension,
        by_helper,
        by_method,
        in_container,
        in_grown_list,
        shallow_copy,
        to_unknown,
        unknown_method,
        shuffled,
        in_inner_function,
        handed_over_function,
        conditional,
        second_round,
        unpacked,
        with_default,
        setattr_call,
        lambda state: state["docs"].append(1),
    ],
)
def test_changing_an_operand_is_found(function: Any) -> None:
    plan = analyse(function)
    assert plan.mutates
    assert any("in place" in line for line in plan.evidence)


def looks(state):
    return {"n": len(state["docs"]), "m": ", ".join(state["docs"]), "s": f"{state['docs']}", "x": json.dumps(state["docs"])}


def own_list(state):
    out = []
    for d in state["docs"]:
        out.append(d)
    out.sort()
    return {"docs": out}


def own_copy(state):
    docs = list(state["docs"])
    docs.append(1)
    more = [*state["docs"]]
    more.pop()
    new = state["docs"] + [1]
    new.append(2)
    part = state["docs"][:2]
    part.append(1)
    return {"docs": docs}


def deep_copy(state):
    docs = copy.deepcopy(state["docs"])
    docs[0]["x"] = 1
    return {"docs": docs}


def asks(state):
    return {"x": llm.invoke(state["messages"])}


async def asks_asynchronously(state, config):
    prompt = [HumanMessage(content=state["question"])]
    return {"x": (await llm.ainvoke(prompt, config)).content}


def immutable_to_unknown(state: State):
    return {"x": eval("f")(state["question"], state["n"])}


def immutable_sum(state: State):
    n = state["n"]
    n += 1
    return {"n": n}


def reading_method(state: State):
    return {"x": state["section"].text()}


def mathematics(state):
    return {"x": math.sqrt(state["n"]), "y": max(state["docs"]), "z": sorted(state["docs"])}


def own_object(state: State):
    section = Section(name="x")
    section.content = state["question"]
    section.parts.append("x")
    return {"section": section}


@pytest.mark.parametrize(
    "function",
    [
        looks,
        own_list,
        own_copy,
        deep_copy,
        asks,
        asks_asynchronously,
        immutable_to_unknown,
        immutable_sum,
        reading_method,
        mathematics,
        own_object,
    ],
)
def test_looking_and_working_on_own_things_is_no_change(function: Any) -> None:
    assert not analyse(function).mutates, analyse(function).evidence
