"""Reads calls: follows the app's own functions, knows libraries' by table, and expects anything of the rest."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from alto_langgraph.plan import marks
from alto_langgraph.plan.arguments import Call, defaults_of, mark, owner
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.harmless import is_harmless
from alto_langgraph.plan.known import HANDING_METHODS, RUNNING_METHODS, Known, known_function
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.origin import is_user_code
from alto_langgraph.plan.reading import Reading, Scope
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.values import (
    NO_NAMES,
    NOTHING,
    OPERAND,
    PLAIN,
    UNKNOWN,
    Held,
    Kind,
    Local,
    Value,
    any_of,
    either,
    holding,
    names_of,
)


class Calls(Reading):
    """Reading of calls of plain values; calls of methods come on top."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._results: dict[Any, Value | None] = {}
        self._open: list[Tree] = []

    def call(self, target: Value, call: Call, name: str) -> Value:
        """What calling `target` may return; reports what it touches."""
        results = [self.call_local(local, call) for local in target.functions]
        results += [self.call_object(held, call) for held in target.known]
        if results:
            return any_of(results)
        if target.kind is Kind.ANSWERING:
            self.report.reach(Effects.IDEMPOTENT, f"`{name}`")
            return UNKNOWN
        if target.kind is Kind.RUNNABLE:
            return self.run_parts(target, call, name)
        if target.kind is Kind.PLAIN and not target.own and not target.inner:
            return UNKNOWN
        return self.unknown(call, name, target)

    def unknown(self, call: Call, name: str, target: Value | None = None) -> Value:
        """A call of something that can't be read: it may change what it gets, and call the functions that it gets."""
        self.report.reach(Effects.UNKNOWN, f"`{name}`")
        verb = name.rpartition(".")[2]
        if verb == "interrupt":
            self.report.pauses = True
        operands = (target, *call.values) if target is not None else call.values
        self.escape(operands, f"`{name}`", runs=verb in RUNNING_METHODS)
        self.run_callbacks(call.values, any_of(operands))
        return self.derived(operands)

    def derived(self, values: Iterable[Value]) -> Value:
        """Something unknown that may be, or hold, any part of `values`."""
        reach = frozenset[int]().union(*map(self.made.reach, values))
        return Value(reach, reach)

    def run_callbacks(self, values: Iterable[Value], given: Value) -> None:
        """Reads functions that are handed to someone who may call them, with whatever else was handed over."""
        for function in self.callbacks(values):
            item = self.derived([given])._replace(kind=given.kind if given.kind is Kind.STATE else Kind.ANY)
            self.call(function, Call(spread=item), "callback")

    # objects of the app

    def call_object(self, held: Held, call: Call) -> Value:
        """A call of an object of the running app."""
        it, name = held.it, held.name
        if isinstance(it, partial):
            first = tuple(self.of_object(a, f"argument of {name}") for a in it.args)
            named = {k: self.of_object(v, k) for k, v in it.keywords.items()}
            return self.call(
                self.of_object(it.func, name), Call((*first, *call.args), named | call.keywords, call.spread, call.discarded), name
            )
        if isinstance(it, MethodType):
            return self.call(self.of_object(it.__func__, name), call.behind(self.of_object(it.__self__, owner(name))), name)
        if isinstance(it, FunctionType):
            return self._call_function(it, call, name)
        if isinstance(it, type):
            return self._call_class(it, call, name)
        if isinstance(it, BuiltinFunctionType) and it.__self__ is not None and not inspect.ismodule(it.__self__):
            return self.call_method(self.of_object(it.__self__, owner(name)), it.__name__, call, name)
        if callable(wrapped := getattr(it, "__wrapped__", None)) and self.plan_of(it) is None:
            return self.call(self.of_object(wrapped, name), call, name)
        if (plan := self.plan_of(it)) is not None:
            return self.run_plan(it, call, name, plan)
        own = inspect.getattr_static(type(it), "__call__", None)
        if isinstance(own, FunctionType) and is_user_code(own, self.home, own.__code__):
            return self._call_function(own, call.behind(self.of_object(it, name)), name)
        known = known_function(it)
        return self.known(known, call, name) if known is not None else self.unknown(call, name, self.of_object(it, name))

    def run_plan(self, it: Any, call: Call, name: str, plan: Any = None) -> Value:
        """Something that LangChain or LangGraph runs is invoked."""
        plan = plan or self.plan_of(it)
        out = self.derived(call.values)
        self.contain(*call.values)
        self.report.absorb(plan, name, operands=OPERAND in out.own)
        if plan.mutates:
            self.made.put(out.own, out, None)
        return out

    def run_parts(self, target: Value, call: Call, name: str) -> Value:
        """A chain put together on the spot is invoked: whatever is in it runs."""
        self.report.reach(Effects.IDEMPOTENT, f"`{name}`")
        self.contain(*call.values)
        self.touch(target)
        given = any_of(call.values)
        for part in target.parts:
            if isinstance(part, Local):
                self.call_local(part, Call(spread=given))
            elif (plan := self.plan_of(part.it)) is not None:
                self.run_plan(part.it, call, part.name, plan)
            elif callable(part.it) and not is_harmless_object(part.it):
                self.call_object(part, Call(spread=given))
        return self.derived(call.values)

    def known(self, known: Known, call: Call, name: str) -> Value:
        """A call of something in the tables."""
        self.report.reach(known.effects, f"`{name}`")
        self.show(*call.values)
        if known.changes:
            places = any_of(call.values).own
            self.report.mutate(places, f"passed to `{name}`")
            self.made.put(places, holding(call.values), None)
        self._run_handed_over(call, name)
        if known.fresh:
            return PLAIN
        whole = holding(call.values)
        return whole._replace(own=whole.inner, kind=Kind.ANY)

    def _run_handed_over(self, call: Call, name: str) -> None:
        """Functions given to `map`, `sorted(key=...)`, `to_thread`: they get the other arguments, or their items."""
        verb, args = name.rpartition(".")[2], call.args
        if verb == "run_in_executor":
            args = args[1:]
        if verb in HANDING_METHODS and self.callbacks(args[:1]):
            rest = Call(tuple(self.element(v) for v in args[1:])) if verb == "map" else Call(args[1:], call.keywords, call.spread)
            self.call(args[0], rest, name)
        else:
            self.run_callbacks(call.values, any_of(call.values))

    def _call_class(self, cls: type, call: Call, name: str) -> Value:
        full = f"{cls.__module__}.{cls.__qualname__}"
        if full == "langgraph.types.Send":
            return self._send(call)
        if full == "langgraph.types.Command":
            return self._command(call)
        if hasattr(cls, "__total__") and issubclass(cls, dict):  # a TypedDict
            cls = dict
        if cls is dict or cls is list or cls is tuple or cls is set:
            return self._copy(cls, call)
        if issubclass(cls, BaseException) or cls in (object, super):
            self.show(*call.values)
            return UNKNOWN
        made = holding(call.values)._replace(hint=cls)
        self.contain(*call.values)
        init = inspect.getattr_static(cls, "__init__", None)
        if is_user_code(cls, self.home):
            if isinstance(init, FunctionType) and is_user_code(init, self.home, init.__code__):
                if init.__code__.co_filename.startswith("<"):  # written by `dataclass`: it only keeps its arguments
                    init = inspect.getattr_static(cls, "__post_init__", None)
                    call = Call()
                if not isinstance(init, FunctionType):
                    return made
                self._call_function(init, call.behind(made), f"{name}.__init__")
            return made
        value = self.of_class(cls, name)
        if value is not None:
            self.run_callbacks(call.values, any_of(call.values))
            return value._replace(parts=made.parts)
        known = known_function(cls)
        if known is not None:
            self.known(known, call, name)
            return PLAIN if known.fresh else made
        return self.unknown(call, name)

    def of_class(self, cls: type, name: str) -> Value | None:
        """What a new instance of a library's class is, if it is a model, a parser or a client."""
        raise NotImplementedError

    def _copy(self, cls: type, call: Call) -> Value:
        self.contain(*call.values)
        whole = holding([self.element(v) for v in call.args] + list(call.keywords.values()))
        if cls is not dict:
            return whole
        keys = names_of(frozenset(call.keywords), self.made.keys(any_of(call.args)) if call.args else NO_NAMES)
        return whole._replace(keys=None if call.spread is not None else keys, hint=dict)

    def _send(self, call: Call) -> Value:
        node = call.keywords.get("node") or (call.args[0] if call.args else UNKNOWN)
        self.report.sends = names_of(self.report.sends, node.strings if call.spread is None else None)
        self.contain(*call.values)
        return holding(call.values)._replace(strings=NO_NAMES, keys=NO_NAMES, parts=())

    def _command(self, call: Call) -> Value:
        goto = call.keywords.get("goto", NOTHING)
        if "graph" in call.keywords:
            self.report.goes_up = names_of(self.report.goes_up, goto.strings if call.spread is None else None)
        elif call.spread is None:
            self.report.goes = names_of(self.report.goes, goto.strings)
        else:
            self.report.goes = None
        self.contain(*call.values)
        update = call.keywords.get("update", NOTHING)
        keys = update.keys if call.spread is None else None
        return holding(call.values)._replace(own=frozenset(k for k in update.own if k < 0), strings=NO_NAMES, keys=keys, parts=())

    # functions

    def _call_function(self, function: FunctionType, call: Call, name: str) -> Value:
        if marks.pauses(function) or marks.gives_store(function):
            self.show(*call.values)
            return UNKNOWN
        if not is_user_code(function, self.home, function.__code__):
            return self._call_library(function, call, name)
        tree = tree_of(function)
        if tree is None:
            self.report.absorb(read_code(function, self.describe), name, operands=OPERAND in self.derived(call.values).own)
            return self.unknown(call, name)
        key = (
            function,
            self.made.version,
            *map(mark, call.args),
            *((k, mark(v)) for k, v in call.keywords.items()),
            call.spread and mark(call.spread),
        )
        if key not in self._results:
            self._results[key] = None
            self._results[key] = self.read(tree, Scope(function, {}), call, function)
        done = self._results[key]
        return done if done is not None else self.derived(call.values)

    def _call_library(self, function: FunctionType, call: Call, name: str) -> Value:
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
        wrapped = getattr(function, "__wrapped__", None)
        if isinstance(wrapped, FunctionType) and is_user_code(wrapped, self.home, wrapped.__code__):
            return self._call_function(wrapped, call, name)
        known = known_function(function)
        return self.known(known, call, name) if known is not None else self.unknown(call, name)

    def call_local(self, local: Local, call: Call) -> Value:
        """A call of a function defined inside the one that is read."""
        if local.tree in self._open:
            return self.derived(call.values)
        return self.read(local.tree, Scope(local.scope.function, {}, local.scope), call, None)

    def read(self, tree: Tree, scope: Scope, call: Call, function: FunctionType | None) -> Value:
        """Reads a function's body with its arguments bound, and tells what it may return."""
        outside, self.scope = self.scope, scope
        quiet, self.quiet = self.quiet, False
        self._open.append(tree)
        try:
            self._bind(tree.args, call, function)
            if isinstance(tree, ast.Lambda):
                return self.evaluate(tree.body)
            self.run(tree.body)
            return any_of(scope.returns)
        finally:
            self._open.pop()
            self.scope, self.quiet = outside, quiet

    def _bind(self, arguments: ast.arguments, call: Call, function: FunctionType | None) -> None:
        env, given, named = self.scope.env, list(call.args), dict(call.keywords)
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = defaults_of(positional, arguments, function)
        for parameter in (*positional, *arguments.kwonlyargs):
            name = parameter.arg
            if given and parameter in positional:
                env[name] = given.pop(0)
            elif name in named:
                env[name] = named.pop(name)
            else:
                env[name] = self._unbound(name, defaults, call)
        if arguments.vararg is not None:
            rest = [*given, *([call.spread] if call.spread is not None else [])]
            bound = holding(rest)
            env[arguments.vararg.arg] = bound if call.spread is not None else bound._replace(items=tuple(given))
        if arguments.kwarg is not None:
            env[arguments.kwarg.arg] = holding([*named.values(), *([call.spread] if call.spread is not None else [])])

    def _unbound(self, name: str, defaults: dict[str, Any], call: Call) -> Value:
        value = self.injected(name)
        if value is None and name in defaults:
            default = defaults[name]
            value = default if isinstance(default, Value) else self.of_object(default, name)
        if value is None:
            value = call.spread if call.spread is not None else UNKNOWN
        return value if call.spread is None else either(value, call.spread)

    def call_method(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        """A call of `base.attribute(...)`."""
        raise NotImplementedError


def is_harmless_object(it: Any) -> bool:
    """Whether an object that isn't a function can be left alone where a chain holds it."""
    return not isinstance(it, FunctionType | MethodType | partial) and is_harmless(it)
