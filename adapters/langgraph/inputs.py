"""Knows what a node, or a path function, of a graph is given: the keys of a schema, in a dict or in an instance of a class."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from typing import Any

from langgraph.managed.base import is_managed_value
from pydantic import BaseModel

from alto_langgraph.plan.model import NOBODY, CallablePlan

_OWN = ("__post_init__", "__new__", "__setattr__", "__getattr__", "__getattribute__", "__getitem__", "__contains__", "__iter__", "__len__")
"""What code of a dataclass's own may look at any of its fields by."""


@dataclasses.dataclass(frozen=True)
class Input:
    """What a callable is given.

    Args:
        schema: The type that says so.
        keys: State keys in it.
        managed: Managed values in it, by key.
        others: Keys of the graph that it lacks.
        whole: Making it looks at every key.
        required: Keys without which it can't be made.
        is_dict: It is a dict.
    """

    schema: Any
    keys: frozenset[str]
    managed: frozenset[str]
    others: frozenset[str]
    whole: bool
    required: frozenset[str]
    is_dict: bool

    def bound(self, plan: CallablePlan) -> CallablePlan:
        """The plan of a callable that is given this: its reads are keys of this, and it writes keys of the graph."""
        everything = self.keys | self.managed
        if self.whole or plan.reads is None or (self.keys == {"__root__"} and plan.reads):
            reads = everything
        else:
            reads = (plan.reads | self.required) - self.others
        sources = plan.sources if reads == plan.reads else dataclasses.replace(plan.sources, reads="schema")
        return dataclasses.replace(plan, reads=reads - self.managed, managed=reads & self.managed, sources=sources)


class Inputs:
    """What the nodes and path functions of one graph are given, by schema."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._known: dict[Any, Input] = {}

    def of(self, schema: Any) -> Input:
        """What a callable with this schema is given."""
        if schema not in self._known:
            self._known[schema] = _input_of(self._builder, schema)
        return self._known[schema]


def _input_of(builder: Any, schema: Any) -> Input:
    entries = builder.schemas[schema]
    managed = frozenset(key for key, value in entries.items() if is_managed_value(value))
    keys = frozenset(entries) - managed
    whole, required = _making(schema, keys)
    built = isinstance(schema, type) and (issubclass(schema, BaseModel) or dataclasses.is_dataclass(schema))
    others = frozenset((*builder.channels, *builder.managed)) - keys - managed
    return Input(schema, keys, managed, others, whole, required, not built and "__root__" not in keys)


def _making(schema: Any, keys: frozenset[str]) -> tuple[bool, frozenset[str]]:
    """Whether making an input looks at all keys, and keys that it can't be made without."""
    if not isinstance(schema, type) or keys == {"__root__"}:
        return False, NOBODY
    if issubclass(schema, BaseModel):
        return True, frozenset(name for name, entry in schema.model_fields.items() if entry.is_required())
    if not dataclasses.is_dataclass(schema):
        return False, NOBODY
    init = inspect.getattr_static(schema, "__init__")
    made = not hasattr(schema, "__pydantic_fields__") and getattr(init, "__code__", None) is not None and _is_written(init)
    own = any(_defines(schema, name) for name in _OWN)
    return own or not made, frozenset(_required(dataclasses.fields(schema)))


def _is_written(init: Any) -> bool:
    """Whether `dataclass` has written an `__init__`, which then only keeps its arguments."""
    return bool(init.__code__.co_filename.startswith("<"))


def _defines(schema: type, name: str) -> bool:
    found = inspect.getattr_static(schema, name, None)
    frozen = name == "__setattr__" and getattr(schema, "__dataclass_params__").frozen  # noqa: B009
    return found is not None and found is not getattr(object, name, None) and not frozen


def _required(fields: Iterable[dataclasses.Field[Any]]) -> Iterable[str]:
    missing = dataclasses.MISSING
    return (f.name for f in fields if f.init and f.default is missing and f.default_factory is missing)
