"""Reads calls of what the analysis knows by name: LangGraph's own, and what looks at attributes or at other functions' names."""

from __future__ import annotations

import ast
import inspect
import logging
import operator
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import FunctionType
from typing import Any

from alto_langgraph.plan.arguments import Call, mark
from alto_langgraph.plan.following import Following
from alto_langgraph.plan.known import known_function
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.origin import TRANSPARENT, decorates, package
from alto_langgraph.plan.values import NO_NAMES, NOTHING, PLAIN, UNKNOWN, Bound, Kind, Value, any_of, holding, names_of, text

_PUSHING = {
    "langgraph.graph.message.push_message": "messages",
    "langgraph.graph.ui.push_ui_message": "ui",
    "langgraph.graph.ui.delete_ui_message": "ui",
}
_PARENT = "__parent__"


class Special(Following):
    """Reading of calls of known functions and classes, each in its own way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound: dict[Any, Bound] = {}

    def special(self, it: Any, call: Call, name: str) -> Value | None:
        """What calling `it` may return; None if it is nothing special."""
        reader = _READERS.get(id(it))
        if reader is not None:
            return reader(self, call, name)
        if isinstance(it, FunctionType) and isinstance(registry := getattr(it, "registry", None), Mapping):  # of `singledispatch`
            return any_of([self.call(self.of_object(function, name), call, name) for function in registry.values()])
        return self._get_items(it, call) if isinstance(it, operator.itemgetter) else None

    # the names and frames of functions

    def _frame(self, call: Call, name: str) -> Value:
        self.report.reach(Effects.UNKNOWN, f"`{name}`")
        self.look_anywhere(name)
        return UNKNOWN

    def _evaluated(self, call: Call, name: str) -> Value:
        self.report.sees_names = True
        texts = self.peek(call.args[0].strings) if len(call.values) == 1 and call.args else None
        written = [_expression(text) for text in texts] if name == "eval" and texts else []
        if written and None not in written:
            return any_of([self.evaluate(expression) for expression in written if expression is not None])
        self.escape([self.in_sight()], f"`{name}`")
        return self.unknown(call, name)

    def _names(self, call: Call, name: str) -> Value | None:
        if call.values:
            return None
        names = self.in_sight()
        self.contain(names)
        return names._replace(own=names.inner)

    # attributes and types

    def _seen(self, call: Call, name: str) -> Value | None:
        if name == "type" and len(call.values) > 1:
            return None
        return UNKNOWN if name == "type" else PLAIN

    def _getattr(self, call: Call, name: str) -> Value | None:
        names = self.peek(call.args[1].strings) if len(call.args) > 1 else None
        if not names or call.spread is not None:
            return None
        return any_of([*(self.attribute(call.args[0], attribute) for attribute in names), *call.args[2:]])

    def _hasattr(self, call: Call, name: str) -> Value | None:
        return None if self._getattr(call, name) is None else PLAIN

    def attribute(self, base: Value, name: str) -> Value:
        """An attribute of a value."""
        raise NotImplementedError

    def _logger(self, call: Call, name: str) -> Value:
        self.show(*call.values)
        return self.of_object(logging.getLogger(), name)

    # functions made of functions

    def _partial(self, call: Call, name: str) -> Value | None:
        if not call.args or call.spread is not None:
            return None
        rest = Call(call.args[1:], call.keywords)
        key = (mark(call.args[0]), *rest.marks())
        bound = self._bound.setdefault(key, Bound(call.args[0], rest))
        return holding(call.values)._replace(kind=Kind.PLAIN, functions=(bound,), parts=())

    def _get_items(self, it: operator.itemgetter[Any], call: Call) -> Value | None:
        keys = it.__reduce__()[1]
        if len(call.values) != 1 or not all(isinstance(key, str) for key in keys):
            return None
        items = [self.item(call.values[0], text(key)) for key in keys]
        return holding(items)._replace(items=tuple(items)) if len(items) > 1 else items[0]

    def item(self, base: Value, key: Value) -> Value:
        """`base[key]`."""
        raise NotImplementedError

    def _next(self, call: Call, name: str) -> Value | None:
        if not call.args:
            return None
        return any_of([self.element(call.args[0]), *call.args[1:]])

    # LangGraph's own

    def send(self, call: Call) -> Value:
        """A `Send` is made."""
        node = call.keywords.get("node") or (call.args[0] if call.args else UNKNOWN)
        self.report.sends = names_of(self.report.sends, node.strings if call.spread is None else None)
        self.contain(*call.values)
        return holding(call.values)._replace(held=NO_NAMES, keys=NO_NAMES, parts=())

    def command(self, call: Call) -> Value:
        """A `Command` is made."""
        self.contain(*call.values)
        goto, update = call.keywords.get("goto", NOTHING), call.keywords.get("update", NOTHING)
        goes, keys = names_of(goto.strings, self.made.held(goto)), self.made.keys(update)
        if call.spread is not None or call.args:
            goes = keys = None
        graph = call.keywords.get("graph", NOTHING)
        surely = len(graph.known) == 1 and graph.known[0].it == _PARENT and graph is self.of_object(graph.known[0].it, "graph")
        here = not surely  # what may be None, too, is another value
        self.peek(graph.strings)
        if graph is not NOTHING or call.spread is not None:
            self.report.goes_up = names_of(self.report.goes_up, goes)
            self.report.writes_up = names_of(self.report.writes_up, keys)
        if here:
            self.report.goes = names_of(self.report.goes, goes)
        own = frozenset(k for k in update.own if k < 0)
        return holding(call.values)._replace(own=own if here else frozenset(), held=NO_NAMES, keys=keys if here else NO_NAMES, parts=())

    def call_library(self, function: FunctionType, call: Call, name: str) -> Value:
        """A call of a library's function."""
        full = f"{function.__module__}.{function.__qualname__}"
        if full in ("langgraph.config.get_config", "langchain_core.runnables.config.ensure_config"):
            return Value(kind=Kind.CONFIG)
        if full == "langgraph.runtime.get_runtime":
            return Value(kind=Kind.RUNTIME)
        if full in (
            "langgraph.config.get_stream_writer",
            "langchain.chat_models.base.init_chat_model",
            "langchain.embeddings.base.init_embeddings",
        ):
            return Value(kind=Kind.ANSWERING)
        if full in _PUSHING:
            self.show(*call.values)
            key = call.keywords.get("state_key")
            self.report.push(frozenset({_PUSHING[full]}) if key is None and call.spread is None else key and key.strings)
            return UNKNOWN
        if decorates(function, self.home):
            followed = self.call(self.of_object(vars(function)["__wrapped__"], name), call, name)
            return followed if package(function) in TRANSPARENT else any_of([followed, self.unknown(call, name)])
        known = known_function(function)
        return self.known(known, call, name) if known is not None else self.unknown(call, name)

    def known(self, known: Any, call: Call, name: str) -> Value:
        """A call of something in the tables."""
        raise NotImplementedError


@cache
def _expression(written: str) -> ast.expr | None:
    try:
        return ast.parse(written.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


_KNOWN: list[tuple[Callable[[Any, Call, str], Value | None], tuple[object, ...]]] = [
    (Special._evaluated, (eval, exec)),
    (Special._names, (locals, vars, dir)),
    (Special._frame, (inspect.currentframe, inspect.stack, inspect.trace, inspect.getouterframes, inspect.getinnerframes, sys._getframe)),
    (Special._seen, (isinstance, issubclass, callable, id, type)),
    (Special._getattr, (getattr,)),
    (Special._hasattr, (hasattr,)),
    (Special._next, (next, anext)),
    (Special._partial, (partial,)),
    (Special._logger, (logging.getLogger,)),
]
_READERS = {id(function): reader for reader, functions in _KNOWN for function in functions}
