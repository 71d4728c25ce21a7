"""Reads method calls: on the state, on the app's objects, on models and chains, and on values of unknown type."""

from __future__ import annotations

import inspect
import os
from types import ClassMethodDescriptorType, FunctionType, ModuleType

from alto_langgraph.plan import known as tables
from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.calls import Calls
from alto_langgraph.plan.declared import bare, element
from alto_langgraph.plan.harmless import is_answering, is_client, is_harmless, is_langchain, is_runnable
from alto_langgraph.plan.made import lists
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.operands import OPERAND
from alto_langgraph.plan.origin import decorates, is_user_code
from alto_langgraph.plan.values import CONFIGS, PLAIN, STATE, UNKNOWN, Held, Kind, Value, any_of, either, holding, names_of, text

_BUILTIN_CONTAINERS = (list, dict, set, bytearray)
_CONTAINER_MODULES = frozenset({"collections", "_collections", "queue", "_queue", "_io"})
_GROWING = frozenset({"append", "extend", "insert", "add", "appendleft", "extendleft", "put", "put_nowait"})
"""Methods that put updates into a list of them."""

_STORES_DOCUMENTS = frozenset({"VectorStore", "BaseRetriever", "DocumentIndex"})
_UNHEARD = frozenset({"Embeddings", "BaseDocumentCompressor"})
"""LangChain's base classes to which nobody listens when their instances are asked."""
_FILE_METHODS = frozenset(
    {"exists", "is_file", "is_dir", "read_text", "read_bytes", "joinpath", "with_suffix", "with_name", "resolve", "absolute"}
)


class Methods(Calls):
    """Reading of method calls."""

    def of_class(self, cls: type, name: str) -> Value | None:
        """What a new instance of a library's class is, if it is a model, a parser or a client."""
        if is_answering(cls):
            return Value(kind=Kind.ANSWERING)
        if is_client(cls):
            return Value(kind=Kind.CLIENT)
        return Value(kind=Kind.RUNNABLE) if is_runnable(cls) else None

    def call_method(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        """A call of `base.attribute(...)`."""
        self.word(attribute)
        if base.kind is Kind.STATE:
            found = self._on_state(base, attribute, call, name)
            return any_of([found, *(self._on_object(held, base, attribute, call, name) for held in base.known)]) if base.known else found
        if base.known:
            return any_of([self._on_object(held, base, attribute, call, name) for held in base.known])
        return self._on_value(base, attribute, call, name)

    def _on_state(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        names = call.args[0].strings if call.args else None
        if attribute in ("get", "__getitem__", "__contains__") and names and self.own_method(base, attribute) is None:
            default = call.args[1:2] or tuple(call.keywords.values())
            found = any_of([*(self.state_key(base, key) for key in names), *default])
            return PLAIN if attribute == "__contains__" else found
        if attribute in ("setdefault", "pop") and names and call.spread is None and self.own_method(base, attribute) is None:
            self.report.mutate((OPERAND,), f"`{name}`")
            self.made.put(frozenset({OPERAND}), holding(call.args[1:2]), None)
            return any_of([*(self.state_key(base, key) for key in names), *call.args[1:2]])
        if (method := self.own_method(base, attribute)) is not None:
            return self.call_function(method, call.behind(base), name)
        self.report.read_all()
        return self.by_name(base._replace(kind=Kind.ANY, hint=None), attribute, call, name)

    def own_method(self, base: Value, attribute: str) -> FunctionType | None:
        """A method that the value's declared class, if it is one of the app's, defines."""
        cls = bare(base.hint)
        found = inspect.getattr_static(cls, attribute, None) if isinstance(cls, type) else None
        return found if isinstance(found, FunctionType) and is_user_code(found, self.home, found.__code__) else None

    def _on_object(self, held: Held, base: Value, attribute: str, call: Call, name: str) -> Value:
        it = held.it
        if isinstance(it, ModuleType | type):
            found = self.attribute_of(held, attribute)
            if found is not None and not (isinstance(it, type) and is_user_code(it, self.home) and _makes_instances(found)):
                return self.call(found, call, name)
            return self._on_class(it, attribute, call, name) if isinstance(it, type) else self.unknown(call, name)
        if base.kind is Kind.ANSWERING or is_answering(type(it)):
            return self._on_answering(base, attribute, call, name)
        if is_client(type(it)):
            return self._on_client(attribute, call, name)
        plan = self.plan_of(it)
        if plan is not None:
            return self._on_runnable(held, base, attribute, call, name)
        if isinstance(it, str | bytes):
            self.show(*call.values)
            return PLAIN
        own = self.static(type(it), attribute)
        function = own.__func__ if isinstance(own, staticmethod | classmethod) else own
        if isinstance(function, FunctionType) and (is_user_code(function, self.home, function.__code__) or decorates(function, self.home)):
            return self._own_function(own, function, held, call, name)
        if attribute in _instance_names(it) and (found := self.attribute_of(held, attribute)) is not None:
            return self.call(found, call, name)
        if is_harmless(it):
            return self._on_harmless(it, base, attribute, call, name)
        if isinstance(it, _BUILTIN_CONTAINERS) or type(it).__module__ in _CONTAINER_MODULES or it is os.environ:
            return self.by_name(base, attribute, call, name)
        if is_langchain(type(it), _STORES_DOCUMENTS) and attribute.startswith(tables.SEARCHING):
            self.report.ask(f"`{name}`")
            self.show(*call.values, base)
            return UNKNOWN
        if is_langchain(type(it), _STORES_DOCUMENTS) and attribute == "as_retriever":
            return Value(base.own, base.inner, Kind.RUNNABLE)
        return self.unknown(call, name, base)

    def _own_function(self, own: object, function: FunctionType, held: Held, call: Call, name: str) -> Value:
        if isinstance(own, staticmethod):
            return self.call_function(function, call, name)
        first = type(held.it) if isinstance(own, classmethod) else held.it
        return self.call_function(function, call.behind(self.of_object(first, held.name)), name)

    def _on_class(self, cls: type, attribute: str, call: Call, name: str) -> Value:
        if is_user_code(cls, self.home) or (known := tables.known_function(cls)) is None:
            made = self.of_class(cls, name)  # a library's own constructor, such as Prompt.from_template
            if made is not None or attribute.startswith("model_"):
                self.show(*call.values)
                return made or holding(call.values)._replace(hint=cls)
            return self.unknown(call, name)
        return self.known(known, call, name)

    def _on_harmless(self, it: object, base: Value, attribute: str, call: Call, name: str) -> Value:
        if attribute in tables.HANDING_METHODS:
            return self.by_name(base, attribute, call, name)
        reaches_out = type(it).__module__.startswith(("pathlib", "rich")) and attribute not in tables.PLAIN_METHODS | _FILE_METHODS
        self.report.reach(Effects.UNKNOWN if reaches_out else Effects.PURE, f"`{name}`")
        self.show(*call.values)
        self.run_callbacks(call.values)
        return PLAIN if attribute in tables.PLAIN_METHODS else UNKNOWN

    def _on_answering(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        if attribute in tables.COMPOSING_METHODS or attribute == "as_retriever":
            self.contain(*call.values)
            parts = holding(call.values).parts if attribute in ("pipe", "with_fallbacks", "assign") else ()
            return base._replace(kind=Kind.RUNNABLE, parts=base.parts + base.known + parts, known=()) if parts else base
        self.report.reach(Effects.IDEMPOTENT, f"`{name}`")
        if any(is_langchain(type(held.it), _UNHEARD) for held in base.known):
            self.report.ask(f"`{name}`")
        self.contain(*call.values)
        return UNKNOWN

    def _on_client(self, attribute: str, call: Call, name: str) -> Value:
        if attribute in tables.ASKING_METHODS:
            self.report.ask(f"`{name}`")
        else:
            self.report.reach(Effects.UNKNOWN, f"`{name}`")
        self.show(*call.values)
        return UNKNOWN

    def _on_runnable(self, held: Held, base: Value, attribute: str, call: Call, name: str) -> Value:
        if attribute in tables.COMPOSING_METHODS:
            self.contain(*call.values)
            return Value(kind=Kind.RUNNABLE, parts=(held, *base.parts, *holding(call.values).parts))
        if attribute in tables.RUNNING_METHODS:
            return self.run_plan(held.it, call, name)
        own = getattr(type(held.it), attribute, None)
        if isinstance(own, FunctionType) and is_user_code(own, self.home, own.__code__):
            return self.call_function(own, call.behind(base), name)
        if attribute.removeprefix("a").startswith(("get_state", "update_state", "bulk_update_state")):
            self.see_checkpoints(name)
        self.run_plan(held.it, call, name)
        return self.unknown(call, name)

    def _on_value(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        if base.kind in CONFIGS and attribute == "get":
            return self.config_key(base, call.args[0] if call.args else UNKNOWN)
        if base.kind is Kind.RUNTIME:
            return self.call(self.runtime_attribute(attribute), call, name)
        if base.kind is Kind.ANSWERING:
            return self._on_answering(base, attribute, call, name)
        if base.kind is Kind.CLIENT:
            return self._on_client(attribute, call, name)
        if base.kind is Kind.RUNNABLE:
            if attribute in tables.COMPOSING_METHODS:
                self.contain(*call.values)
                return base._replace(parts=base.parts + holding(call.values).parts)
            return self.run_parts(base, call, name)
        if (method := self.own_method(base, attribute)) is not None:
            return self.call_function(method, call.behind(base), name)
        return self.by_name(base, attribute, call, name)

    def by_name(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        """A method of a value whose type isn't known, or of a plain container: judged by its name."""
        if attribute in tables.HANDING_METHODS and (attribute in ("create_task", "ensure_future") or self.callbacks(call.args[:2])):
            return self.known(tables.Known(Effects.PURE), call, name)
        if attribute in tables.MUTATING_METHODS and base.kind is not Kind.PLAIN:
            return self._changing(base, attribute, call, name)
        if attribute in tables.LOOKING_METHODS or base.kind is Kind.PLAIN:
            return self._looking(base, attribute, call)
        if not base.own and not base.inner and attribute.startswith(("get_", "is_", "has_", "to_", "as_")):
            self.show(*call.values)
            return UNKNOWN
        return self.unknown(call, name, base)

    def _changing(self, base: Value, attribute: str, call: Call, name: str) -> Value:
        self.report.mutate(base.own, f"`{name}`")
        if not (attribute in tables.WRITE_ONLY_METHODS and call.discarded):
            self.report.touch(base.own)
        self.contain(*(v for v in call.values if v.own != base.own))
        self._put(base.own, attribute, call)
        if attribute in ("pop", "popitem", "popleft", "setdefault", "get_nowait"):
            default = any_of(call.args[1:2]) if call.args[1:2] else None
            out = self.part(self.made.inside(base, element(base.hint)))
            if attribute == "popitem":
                keys = self.made.keys(base)
                out = holding([out, UNKNOWN if keys is None else text(*keys)])._replace(own=out.own)
            return either(out, default) if default is not None else out
        return PLAIN

    def _put(self, places: frozenset[int], attribute: str, call: Call) -> None:
        """What a changing method is given goes into the object, and if that is a list of updates, their keys do."""
        if attribute in _GROWING:
            self.made.put(lists(places), holding(call.values), self.new_keys(attribute, call))
            self.made.put(places - lists(places), holding(call.values))
        else:
            self.made.put(places, holding(call.values), self.new_keys(attribute, call))

    def new_keys(self, attribute: str, call: Call) -> frozenset[str] | None:
        """Keys that a changing method may put into a dict, or into the updates of a list."""
        if call.spread is not None:
            return None
        if attribute in _GROWING:
            return self.made.keys(any_of(call.args[1:] if attribute == "insert" else call.values))
        if attribute == "update":
            keys: frozenset[str] | None = frozenset(call.keywords)
            for value in call.args:
                keys = names_of(keys, self.made.keys(value))
            return keys
        return call.args[0].strings if attribute in ("setdefault", "__setitem__", "move_to_end") and call.args else frozenset()

    def _looking(self, base: Value, attribute: str, call: Call) -> Value:
        self.touch(base)
        self.show(*call.values)
        self.run_callbacks(call.values)
        if attribute in tables.PLAIN_METHODS:
            return Value(kind=Kind.PLAIN) if not call.values else PLAIN
        if base.kind is Kind.PLAIN:
            return UNKNOWN
        names = call.args[0].strings if call.args else None
        hint = self.member_hint(base, names) if attribute == "get" else None
        if attribute in ("get", "values", "items", "__getitem__"):
            found = self.element(base, hint or (element(base.hint) if attribute == "get" else None))
            out = either(found, any_of(call.args[1:2])) if call.args[1:2] else found
            items = holding([out])._replace(own=out.own, keys=None)
            if attribute == "items":
                items = items._replace(held=names_of(items.held, self.made.keys(base)))
            return out if attribute in ("get", "__getitem__") else items
        return Value(
            frozenset(),
            self.made.reach(base),
            hint=base.hint if attribute in ("copy", "model_copy") else None,
            keys=self.made.keys(base),
            parts=base.parts,
        )

    # the run's config and runtime

    def config_key(self, base: Value, key: Value) -> Value:
        """An entry of the run's config, or of one of its two inner mappings."""
        names = self.peek(key.strings)
        if base.kind is Kind.CONFIG and names is not None:
            if "configurable" in names:
                return Value(kind=Kind.CONFIGURABLE)
            return Value(kind=Kind.METADATA) if "metadata" in names else UNKNOWN
        if names is None or names & tables.IDS:
            self.report.identity = True
            self.report.note("looks at the run's config by a name that may be an id")
        return UNKNOWN

    def runtime_attribute(self, attribute: str) -> Value:
        """An attribute of LangGraph's `Runtime`, or of a tool's."""
        if attribute == "store":
            self.report.store = True
        elif attribute in ("execution_info", "server_info", "task_id", "tool_call_id"):
            self.report.identity |= attribute != "tool_call_id"
        elif attribute == "context":
            number = abs(hash("runtime.context")) + 1
            key = frozenset({number})
            self.report.names.setdefault(number, "runtime.context")
            return Value(key, key)
        elif attribute == "config":
            return Value(kind=Kind.CONFIG)
        elif attribute == "stream_writer":
            return Value(kind=Kind.ANSWERING)
        elif attribute == "state":
            return STATE
        return UNKNOWN


def _makes_instances(method: Value) -> bool:
    """Whether it is a method in C of a class, such as `dict.fromkeys`, which a derived class makes do what its own methods do."""
    return any(isinstance(held.it, ClassMethodDescriptorType) for held in method.known)


def _instance_names(it: object) -> dict[str, object]:
    try:
        return vars(it)
    except TypeError:
        return {}
