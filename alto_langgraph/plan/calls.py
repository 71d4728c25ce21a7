"""Reads calls: follows the app's own functions, knows libraries' by table, and expects anything of the rest."""

from __future__ import annotations

import inspect
import operator
from collections import OrderedDict
from functools import partial
from types import BuiltinFunctionType, ClassMethodDescriptorType, FunctionType, MethodDescriptorType, MethodType, WrapperDescriptorType
from typing import Any

from alto_langgraph.plan.arguments import Call, owner
from alto_langgraph.plan.declared import update_keys, validators
from alto_langgraph.plan.harmless import is_harmless
from alto_langgraph.plan.known import HANDING_METHODS, RUNNING_METHODS, Known, known_function
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.origin import is_user_code
from alto_langgraph.plan.special import Special
from alto_langgraph.plan.values import NO_NAMES, NOTHING, PLAIN, UNKNOWN, Bound, Held, Kind, Local, Value, any_of, holding, names_of

_METHODS = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
_LISTING = frozenset(
    {
        "list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "zip", "enumerate", "filter", "itertools.chain", "chain",
        "chain.from_iterable", "dict.fromkeys", "OrderedDict.fromkeys",
    }
)  # fmt: skip
"""Known functions whose results hold what their arguments hold."""
_CHOOSING = frozenset({"min", "max"})
"""Known functions whose result is one of what their arguments hold."""


class Calls(Special):
    """Reading of calls of plain values; calls of methods come on top."""

    def call(self, target: Value, call: Call, name: str) -> Value:
        """What calling `target` may return; reports what it touches."""
        results = [self._call_made(function, call, name) for function in target.functions]
        results += [self.call_object(held, call) for held in target.known]
        if results:
            return any_of(results)
        if target.kind is Kind.ANSWERING:
            self.report.reach(Effects.IDEMPOTENT, f"`{name}`")
            given = [self.made.contents(value.own) or PLAIN if value.kind is Kind.REQUEST else value for value in call.values]
            self.contain(*given)  # who is asked doesn't look at what else a request has
            return UNKNOWN
        if target.kind is Kind.RUNNABLE:
            return self.run_parts(target, call, name)
        if target.kind is Kind.PLAIN and not target.own and not target.inner:
            if target != NOTHING:  # None can't be called
                self.contain(*call.values)
            return UNKNOWN
        return self.unknown(call, name, target)

    def _call_made(self, function: Local | Bound, call: Call, name: str) -> Value:
        if isinstance(function, Local):
            return self.call_local(function, call)
        return self.call(function.target, call.over(function.call), name)

    def unknown(self, call: Call, name: str, target: Value | None = None) -> Value:
        """A call of something that can't be read: it may change what it gets, and call the functions that it gets."""
        self.report.reach(Effects.UNKNOWN, f"`{name}`")
        verb = name.rpartition(".")[2]
        if verb == "interrupt":
            self.report.pauses = True
        operands = (target, *call.values) if target is not None else call.values
        self.escape(operands, f"`{name}`", runs=verb in RUNNING_METHODS)
        self.run_callbacks(call.values, *operands)
        return self.derived(operands)._replace(kind=Kind.FOREIGN)

    # objects of the app

    def call_object(self, held: Held, call: Call) -> Value:
        """A call of an object of the running app."""
        it, name = held.it, held.name
        if isinstance(it, partial):
            first = tuple(self.of_object(a, f"argument of {name}") for a in it.args)
            named = {k: self.of_object(v, k) for k, v in it.keywords.items()}
            return self.call(self.of_object(it.func, name), call.over(Call(first, named)), name)
        if isinstance(it, MethodType):
            return self.call(self.of_object(it.__func__, name), call.behind(self.of_object(it.__self__, owner(name))), name)
        if (special := self.special(it, call, name)) is not None:
            return special
        if isinstance(it, FunctionType):
            return self.call_function(it, call, name)
        if isinstance(it, type):
            return self._call_class(it, call, name)
        if isinstance(it, _METHODS) and call.args and type(it) is not ClassMethodDescriptorType:
            method = self.call_method if call.args[0].kind is Kind.STATE else self.by_name
            return method(call.args[0], it.__name__, call.rest(), name)
        if isinstance(it, BuiltinFunctionType) and it.__self__ is not None and not inspect.ismodule(it.__self__):
            if isinstance(it.__self__, type) and (known := known_function(it)) is not None:
                return self.known(known, call, name)
            return self.call_method(self.of_object(it.__self__, owner(name)), it.__name__, call, name)
        if callable(wrapped := getattr(it, "__wrapped__", None)) and self.plan_of(it) is None:
            return self.call(self.of_object(wrapped, name), call, name)
        if (plan := self.plan_of(it)) is not None:
            return self.run_plan(it, call, name, plan)
        own = self.static(type(it), "__call__")
        if isinstance(own, FunctionType) and is_user_code(own, self.home, own.__code__):
            return self.call_function(own, call.behind(self.of_object(it, name)), name)
        known = known_function(it)
        return self.known(known, call, name) if known is not None else self.unknown(call, name, self.of_object(it, name))

    def run_plan(self, it: Any, call: Call, name: str, plan: Any = None) -> Value:
        """Something that LangChain or LangGraph runs is invoked."""
        plan = plan or self.plan_of(it)
        values = list(call.values)
        if values and values[0].kind is Kind.STATE and plan.reads is not None:  # it gets the state, and looks at some of it
            values[0] = holding([self.state_key(values[0], key) for key in plan.reads])
        self.contain(*values)
        self.report.absorb(plan, name, self.derived(call.values).own)
        out = self.derived(values)
        if plan.mutates:
            self.made.put(out.own, out, None)
        return out._replace(keys=plan.updates if name.endswith("invoke") else None)

    def run_parts(self, target: Value, call: Call, name: str) -> Value:
        """A chain put together on the spot is invoked: whatever is in it runs."""
        self.report.reach(Effects.IDEMPOTENT, f"`{name}`")
        self.contain(*call.values)
        self.touch(target)
        given = any_of(call.values)
        for part in target.parts:
            if not isinstance(part, Held):
                self._call_made(part, Call(spread=given), name)
            elif (plan := self.plan_of(part.it)) is not None:
                self.run_plan(part.it, call, part.name, plan)
            elif callable(part.it) and not _is_harmless_object(part.it):
                self.call_object(part, Call(spread=given))
        return self.derived(call.values)

    def known(self, known: Known, call: Call, name: str) -> Value:
        """A call of something in the tables."""
        if known.effects is Effects.IDEMPOTENT:
            self.report.ask(f"`{name}`")
        self.report.reach(known.effects, f"`{name}`")
        if self._hands_over(call, name):
            return self._call_handed_over(call, name)
        self.show(*call.values)
        if known.changes:
            places = any_of(call.values).own
            self.report.mutate(places, f"passed to `{name}`")
            self.made.put(places, holding(call.values), None)
        self.run_callbacks(call.values)
        if known.fresh:
            return PLAIN
        return self._known_result(call, name)

    def _known_result(self, call: Call, name: str) -> Value:
        """What something in the tables returns: a list of what its arguments hold, one of that, or something made of it."""
        whole = holding(call.values)._replace(strings=None, held=None)
        if name in _LISTING:
            own = self.made.new(call.node) if call.node is not None else frozenset[int]()
            return holding([self.items_of(value) for value in call.args])._replace(own=own)
        if name in _CHOOSING:
            items = any_of([self.items_of(value) for value in call.args] if len(call.args) == 1 else call.args)
            whole = whole._replace(strings=items.strings, held=items.held)
        return whole._replace(own=whole.inner, kind=Kind.ANY)

    def items_of(self, value: Value) -> Value:
        """What iterating over a value gives."""
        raise NotImplementedError

    def _hands_over(self, call: Call, name: str) -> bool:
        """Whether a function that is among the arguments is called with those behind it."""
        verb = name.rpartition(".")[2]
        place = 1 if verb == "run_in_executor" else 0
        return verb in HANDING_METHODS and bool(self.callbacks(call.args[place : place + 1])) and call.spread is None

    def _call_handed_over(self, call: Call, name: str) -> Value:
        """Functions given to `map`, `to_thread` and the like: they get the other arguments, or their items."""
        verb, args = name.rpartition(".")[2], call.args
        if verb == "run_in_executor":
            self.contain(args[0])
            args = args[1:]
        rest = Call(tuple(self.element(v) for v in args[1:])) if verb == "map" else Call(args[1:], call.keywords)
        result = self.call(args[0], rest, name)
        if verb != "map":
            return result
        whole = holding([result])
        return whole._replace(own=whole.inner)

    # classes

    def _call_class(self, cls: type, call: Call, name: str) -> Value:
        full = f"{cls.__module__}.{cls.__qualname__}"
        if full == "langgraph.types.Send":
            return self.send(call)
        if full == "langgraph.types.Command":
            return self.command(call)
        if full == "langchain.agents.middleware.types.ExtendedModelResponse":
            extra = call.keywords.get("command") or any_of(call.args[1:2])
            self.report.push(self.made.keys(extra) if call.spread is None else None)
        if (hasattr(cls, "__total__") and issubclass(cls, dict)) or cls is OrderedDict:  # a TypedDict
            cls = dict
        if cls is dict or cls is list or cls is tuple or cls is set:
            return self._copy(cls, call)
        if issubclass(cls, BaseException) or cls in (object, super):
            self.show(*call.values)
            return UNKNOWN
        made = holding(call.values)._replace(hint=cls, keys=update_keys(cls), strings=None, held=None)
        self.contain(*call.values)
        if is_user_code(cls, self.home):
            return self._call_users_class(cls, call, name, made)
        value = self.of_class(cls, name)
        if value is not None:
            self.run_callbacks(call.values)
            return value._replace(parts=made.parts)
        known = known_function(cls)
        if known is not None:
            result = self.known(known, call, name)
            if known.fresh or made.keys is not None or call.node is None:
                return result if known.fresh else made
            return result._replace(own=self.made.new(call.node, mapping=issubclass(cls, dict)))
        return self.unknown(call, name)

    def _call_users_class(self, cls: type, call: Call, name: str, made: Value) -> Value:
        made = made._replace(own=self.made.new(cls))
        self.made.put(made.own, made._replace(own=frozenset()))
        init = self.static(cls, "__init__")
        if not (isinstance(init, FunctionType) and is_user_code(init, self.home, init.__code__)):
            init = self.static(cls, "model_post_init")  # a pydantic model's
            call = Call(spread=UNKNOWN)
        elif init.__code__.co_filename.startswith("<"):  # written by `dataclass`: it only keeps its arguments
            init = self.static(cls, "__post_init__")
            call = Call(spread=UNKNOWN)
        if isinstance(init, FunctionType) and is_user_code(init, self.home, init.__code__):
            self.call_function(init, call.behind(made), f"{name}.__init__")
        for validator in validators(cls):
            self.call(self.of_object(validator, name), Call(spread=made), name)
        return made

    def of_class(self, cls: type, name: str) -> Value | None:
        """What a new instance of a library's class is, if it is a model, a parser or a client."""
        raise NotImplementedError

    def _copy(self, cls: type, call: Call) -> Value:
        self.contain(*call.values)
        own = self.made.new(call.node, mapping=cls is dict) if call.node is not None else frozenset[int]()
        keys = self.made.keys(any_of(call.args)) if call.args else NO_NAMES
        if cls is not dict:
            whole = holding([self.items_of(v) for v in call.args])
            return whole._replace(own=own, keys=keys if cls in (list, tuple) else None)
        whole = holding([*(self.element(v) for v in call.args), *call.keywords.values()])
        return whole._replace(own=own, keys=names_of(frozenset(call.keywords), keys) if call.spread is None else None, hint=dict)

    def call_method(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        """A call of `base.attribute(...)`."""
        raise NotImplementedError

    def by_name(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        """A method of a value whose type isn't known, or of a plain container: judged by its name."""
        raise NotImplementedError


def _is_harmless_object(it: Any) -> bool:
    """Whether an object that isn't a function can be left alone where a chain holds it."""
    return not isinstance(it, FunctionType | MethodType | partial | operator.itemgetter) and is_harmless(it)
