"""Reads attributes and items: of the state, of the app's objects, and of containers that the code makes itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cached_property
from types import FunctionType
from typing import Any, cast

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.declared import bare, element, member, members
from alto_langgraph.plan.harmless import is_client
from alto_langgraph.plan.known import DOING_RESOURCES
from alto_langgraph.plan.made import lists
from alto_langgraph.plan.naming import Scope
from alto_langgraph.plan.origin import is_user_code
from alto_langgraph.plan.requests import Requests
from alto_langgraph.plan.values import CONFIGS, NO_NAMES, UNKNOWN, Held, Kind, Value, any_of, either, holding, names_of


class Attributes(Requests):
    """Reading of what is inside values."""

    def attribute(self, base: Value, name: str) -> Value:
        """An attribute of a value."""
        self.word(name)
        if base.kind is Kind.STATE:
            found = self._state_attribute(base, name)
            return any_of([found, *(self._known_attribute(held, base, name) for held in base.known)]) if base.known else found
        if base.kind is Kind.RUNTIME:
            return self.runtime_attribute(name)
        if base.kind is Kind.REQUEST:
            return self.request_attribute(base, name)
        if base.kind is Kind.CLIENT or any(is_client(type(h.it)) for h in base.known):
            return UNKNOWN if name in DOING_RESOURCES else Value(kind=Kind.CLIENT)
        if base.known:
            return any_of([self._known_attribute(held, base, name) for held in base.known])
        if base.kind in CONFIGS:
            return UNKNOWN
        return self._part(base, name)

    def _known_attribute(self, held: Held, base: Value, name: str) -> Value:
        found = self.attribute_of(held, name)
        if found is None:
            return self._property(type(held.it), base, name) or self._part(base, name)
        kept = self.made.contents(base.own)
        return found if kept is None else either(found, self.element(kept))

    def _property(self, cls: Any, base: Value, name: str) -> Value | None:
        """What a property of the app's gives; None if there is none of that name."""
        found = self.static(cls, name) if isinstance(cls, type) else None
        if isinstance(found, cached_property):
            function: Any = found.func
        else:
            function = found.fget if isinstance(found, property) else None
        if isinstance(function, FunctionType) and is_user_code(cls, self.home):
            return self.call_function(function, Call((base,)), name)
        return None

    def _state_attribute(self, base: Value, name: str) -> Value:
        cls = bare(base.hint)
        found = inspect.getattr_static(cls, name, None) if isinstance(cls, type) else None
        if (given := self._property(cls, base, name)) is not None:
            return given
        odd = name.startswith("__") or (name not in members(cls) and (hasattr(dict, name) or hasattr(type(found), "__get__")))
        if odd or callable(found) or self.own_method(base, "__getattr__") or self.own_method(base, "__getattribute__"):
            self.report.read_all()
            return base._replace(kind=Kind.ANY, hint=None)
        return self.state_key(base, name)

    def _part(self, base: Value, name: str) -> Value:
        if base.kind in (Kind.PLAIN, Kind.ANSWERING) and not base.own and not base.inner:
            return Value(kind=base.kind if base.kind is Kind.ANSWERING else Kind.ANY)
        given = self._property(bare(base.hint), base, name)
        return given if given is not None else self.element(base, member(base.hint, name))

    def item(self, base: Value, key: Value) -> Value:
        """`base[key]`."""
        if (method := self.own_method(base, "__getitem__")) is not None:
            return self.call_function(method, Call((base, key)), "__getitem__")
        if base.kind is Kind.STATE:
            if key.strings:
                return any_of([self.state_key(base, name) for name in key.strings])
            self.report.read_all()
        if base.kind in CONFIGS:
            return self.config_key(base, key)
        return self.element(base, self.member_hint(base, key.strings) or element(base.hint))

    def items_of(self, value: Value) -> Value:
        """What iterating over a value gives."""
        if value.items is not None:
            return any_of(cast(Iterable[Value], value.items))
        item = self.element(value, element(value.hint, iterating=True))
        if value.hint is dict:
            return item._replace(strings=self.made.keys(value))
        return item._replace(strings=None) if value.own - lists(value.own) else item

    def sum_of(self, left: Value, right: Value) -> Value:
        """A container that holds what two containers hold; or a text made of two, and then nothing is known of it."""
        out = holding([self.made.inside(left), self.made.inside(right)])
        texts = NO_NAMES if left.strings == right.strings == NO_NAMES else None
        keys = names_of(self.made.keys(left), self.made.keys(right))
        return out._replace(keys=keys, strings=texts, held=names_of(out.held, texts))

    # methods of base classes

    def call_super(self, attribute: str, call: Call, name: str) -> Value:
        """A call of `super().attribute(...)`."""
        this, owner = self._this()
        classes = [held.it if isinstance(held.it, type) else type(held.it) for held in this.known] or [bare(this.hint)]
        for order in (cls.__mro__ for cls in classes if isinstance(cls, type) and owner in cls.__mro__):
            for cls in order[order.index(owner) + 1 :]:
                found = vars(cls).get(attribute)
                if found is not None:
                    function = self.of_object(getattr(found, "__func__", found), name)
                    return self.call(function, call if isinstance(found, staticmethod) else call.behind(this), name)
        return self.unknown(call, name, this)

    def _this(self) -> tuple[Value, Any]:
        """The first argument of the method that is read, and the class that defines it."""
        scope: Scope | None = self.scope
        while scope is not None:
            if "__class__" in scope.cells:
                return next(iter(scope.env.values()), UNKNOWN), scope.cells["__class__"].cell_contents
            scope = scope.parent
        return UNKNOWN, None
