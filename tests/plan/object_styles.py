"""Functions whose state is an object, in the styles people write."""

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from langgraph.types import Command


@dataclass
class State:
    docs: list[str] = field(default_factory=list)
    question: str = ""
    n: int = 0
    notes: dict[str, str] = field(default_factory=dict)
    flags: list[bool] = field(default_factory=list)
    which: str = "n"
    limit: ClassVar[int] = 3

    @property
    def both(self) -> str:
        return self.question + str(self.docs)

    @cached_property
    def first(self) -> Any:
        return self.docs[0] if self.docs else self.n

    def shown(self, extra=0):
        return [self.n, extra]

    def get(self, key):
        return [self.which, getattr(self, key, None)]

    def grow(self):
        self.docs.append("x")

    def __getitem__(self, key):
        return [self.question, getattr(self, key)]

    def __contains__(self, key):
        return bool(self.flags)

    def __len__(self):
        return len(self.notes)


def make(values):
    return State(**values)


def by_attribute(state: State):
    return {"out": state.docs, "n": state.n}


def by_property(state: State):
    return {"out": state.both}


def by_cached_property(state: State):
    return {"out": state.first}


def by_method(state: State):
    return {"out": state.shown(extra=state.question)}


def by_own_get(state: State):
    return {"out": state.get("docs")}


def by_own_item(state: State):
    return {"out": state["n"]}


def by_own_membership(state: State):
    return {"out": "docs" in state}


def by_own_length(state: State):
    return {"out": 1 if state else 0}


def by_class_attribute(state: State):
    return {"out": state.docs[: state.limit]}


def by_getattr(state: State):
    return {"out": getattr(state, "docs"), "n": getattr(state, "missing", state.n)}


def by_named_getattr(state: State):
    return {"out": getattr(state, state.which)}


def by_hasattr(state: State):
    return {"out": hasattr(state, "docs")}


def by_vars(state: State):
    return {"out": vars(state)["n"]}


def by_own_dict(state: State):
    return {"out": state.__dict__["n"]}


def by_asdict(state: State):
    return {"out": dataclasses.asdict(state)["question"]}


def by_replace(state: State):
    return {"out": dataclasses.replace(state, n=1).docs}


def by_match(state: State):
    match state:
        case State(n=0, question=question):
            return {"out": question}
        case State(docs=[first, *_]):
            return {"out": first}
    return None


def by_repr(state: State):
    return {"out": repr(state)}


def by_equality(state: State):
    return {"out": state == State()}


def by_unbound_method(state: State):
    return {"out": State.shown(state)}


def by_bound_method(state: State):
    shown = state.shown
    return {"out": shown()}


def by_fields(state: State):
    return {"out": [getattr(state, f.name) for f in dataclasses.fields(state)]}


def by_changing(state: State):
    state.docs.append("x")
    return {"out": 1}


def by_changing_method(state: State):
    state.grow()
    return {"out": 1}


def by_setting(state: State):
    state.n = 3
    return state


def by_setattr(state: State):
    setattr(state, "n", 3)
    return {"out": state.n}


def by_returning_one(state: State):
    return State(docs=state.docs)


def by_returning_replaced(state: State):
    return dataclasses.replace(state, n=1)


def by_command(state: State):
    return Command(update=State(n=state.n), goto="x")


def by_helper(state: State):
    return {"out": helper(state)}


def helper(s):
    return [s.n, s.question]


def by_typed_helper(state: State):
    return {"out": typed_helper(state)}


def typed_helper(s: State):
    return s.both


STYLES = [value for name, value in list(globals().items()) if name.startswith("by_")]
