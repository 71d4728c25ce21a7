"""A support-desk graph with fifteen state fields and a loop, its state as TypedDict, dataclass or pydantic model from one table."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import field, make_dataclass
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START
from pydantic import AfterValidator, Field, create_model

from benchmarks.sides import Side

Kind = Literal["typed_dict", "dataclass", "pydantic"]


def newest(old: Any, new: Any) -> Any:
    """Reducer: the last word wins."""
    return new


def known(old: Any, new: Any) -> Any:
    """Reducer: an empty value doesn't replace one."""
    return new or old


Record = dict[str, Any]
Records = list[Record]


def keyed_by_text(value: Any) -> Any:
    """Validator: every record in a field is keyed by strings."""
    for record in value if isinstance(value, list) else [value]:
        if isinstance(record, dict) and not all(isinstance(key, str) for key in record):
            raise ValueError("keys must be strings")
    return value


FIELDS: dict[str, tuple[Any, Any, Any]] = {
    "messages": (Records, operator.add, list),
    "events": (Records, operator.add, list),
    "drafts": (Records, operator.add, list),
    "topics": (Records, operator.add, list),
    "medium": (str | None, known, None),
    "mail_thread": (str | None, known, None),
    "bot": (str | None, None, None),
    "rules": (Records | None, None, None),
    "memories": (Records | None, None, None),
    "reply": (Record | None, newest, None),
    "issue": (Record | None, known, None),
    "user": (Record | None, known, None),
    "company": (Record | None, known, None),
    "participants": (Record, operator.or_, dict),
    "notified": (Record, operator.or_, dict),
}
"""Type, reducer and default (a type to call, or None) by field."""

ROUTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "intake": ("messages", ("events", "medium")),
    "triage": ("events", ("reply", "issue")),
    "look_up": ("reply", ("rules",)),
    "draft": ("events", ("topics", "drafts", "memories")),
    "enrich": ("topics", ("user", "company", "mail_thread", "participants", "bot", "notified")),
    "answer": ("drafts", ("messages",)),
}
"""What each node reads and writes; `look_up` and `draft` run side by side."""


def schema(kind: Kind) -> Any:
    """The state's type."""
    types = {name: Annotated[t, AfterValidator(keyed_by_text), *([r] if r else [])] for name, (t, r, _) in FIELDS.items()}
    if kind == "typed_dict":
        return TypedDict("State", types)  # type: ignore[operator]
    if kind == "dataclass":
        return make_dataclass("State", [(n, t, _default(FIELDS[n][2], field)) for n, t in types.items()], kw_only=True)
    return create_model("State", **{n: (t, _default(FIELDS[n][2], Field)) for n, t in types.items()})  # type: ignore[call-overload]


def _default(default: Any, declare: Any) -> Any:
    return declare(default_factory=default) if default else declare(default=None)


def route(kind: Kind, source: str, targets: tuple[str, ...], width: int) -> Callable[[Any], Record]:
    """A node that carries what it reads over to the fields it writes, and fills text fields with `width` characters."""

    def node(state: Any) -> Record:
        value = state[source] if kind == "typed_dict" else getattr(state, source)
        records = value if isinstance(value, list) else [value]
        return {name: _fitting(FIELDS[name][0], records, width) for name in targets}

    return node


def _fitting(wanted: Any, records: Records, width: int) -> Any:
    if wanted in (Records, Records | None):
        return records
    return "x" * width if wanted == str | None else records[-1]


def build(kind: Kind) -> Callable[[Side, tuple[int, int]], Any]:
    """The graph; it loops until there are more messages than the width."""

    def graph(side: Side, size: tuple[int, int]) -> Any:
        width = size[1]
        builder = side.StateGraph(schema(kind))
        for name, (source, targets) in ROUTES.items():
            builder.add_node(name, route(kind, source, targets, width))
        builder.add_edge(START, "intake")
        builder.add_edge("intake", "triage")
        builder.add_edge("triage", "look_up")
        builder.add_edge("triage", "draft")
        builder.add_edge(["look_up", "draft"], "enrich")
        builder.add_edge("enrich", "answer")

        def again(state: Any) -> str:
            messages = state["messages"] if kind == "typed_dict" else state.messages
            return END if len(messages) > width else "intake"

        builder.add_conditional_edges("answer", again, ["intake", END])
        return builder.compile

    return graph


def message(size: tuple[int, int]) -> dict[str, Records]:
    """One message that is a table of `size[0]` cells, in rows of at most five."""
    cells = size[0]
    row = {str(column) * 10: ["hello" * 6, True, 1, 6_327_816_386_138, None] * 5 for column in range(5 if cells > 9 else 3)}
    return {"messages": [{str(place) * 10: row for place in range(cells // len(row))}]}
