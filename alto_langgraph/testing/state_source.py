"""Writes the state of a described graph as Python source: its class, how a function reads it, what is written to a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alto_langgraph.testing.graph_specs import Choice, Graph, Key, Kind, Node, Style
from alto_langgraph.testing.supersteps import outs_of, routers

EVERY = {
    key.name: key
    for key in (
        Key("seed", given=True),
        Key("last"),
        Key("box", given=True),
        Key("log", "list"),
        Key("total", "sum"),
        Key("mix", "fold"),
        Key("turn", "sum"),
    )
}
"""Keys that every graph has."""

TYPES: dict[Kind, str] = {
    "last": "int",
    "sum": "Annotated[int, operator.add]",
    "fold": "Annotated[int, fold]",
    "list": "Annotated[list, operator.add]",
    "extend": "Annotated[list, extend]",
    "merge": "Annotated[dict, merge]",
    "messages": "Annotated[list, add_messages]",
    "any": "Annotated[int, AnyValue]",
    "once": "Annotated[int, EphemeralValue]",
    "topic": "Annotated[list, Topic(int)]",
    "untracked": "Annotated[int, UntrackedValue]",
    "delta": "Annotated[list, DeltaChannel(gather)]",
    "parts": "list",
}
WRITTEN: dict[Kind, str] = {
    "last": "n % 83",
    "sum": "n % 5",
    "fold": "n % 89",
    "list": "[f'@:{n % 97}']",
    "extend": "[f'@:{n % 97}']",
    "merge": "{f'{n % 3}': n % 71}",
    "messages": "[said('@', n)]",
    "any": "n % 43",
    "once": "n % 47",
    "topic": "n % 53",
    "untracked": "n % 59",
    "delta": "[n % 67]",
    "parts": "[f'@ {n % 7}', f'@ {n % 11}']",
}
"""What a node named @ writes."""
KEPT = "kept_grown"
"""The key to which nodes write what they were sent."""

REDUCED: tuple[Kind, ...] = ("sum", "fold", "list", "extend", "merge", "messages")
"""Kinds that have a reducer, so that there is always a value."""


@dataclass(frozen=True)
class State:
    """The state of one graph, as its source needs it."""

    graph: Graph

    @property
    def keys(self) -> dict[str, Key]:
        """All keys, by name."""
        return EVERY | {key.name: key for key in self.graph.keys}

    @property
    def name(self) -> str:
        """The name of its class; the one of every graph if it needs no other."""
        return "State" if self.graph.state == "typed" and not self._own() else "Keys"

    @property
    def looks_left(self) -> bool:
        """Whether any node looks at how many supersteps are left."""
        return any("left" in node.looks for node in self.graph.nodes)

    def node(self, name: str) -> Node | None:
        """The node of this name, if it is one's."""
        return next((node for node in self.graph.nodes if node.name == name), None)

    def _own(self) -> bool:
        return bool(self.graph.keys) or self.graph.box != "list" or self.looks_left

    def source(self) -> Iterator[str]:
        """The lines of its class, if it needs one of its own."""
        if self.name == "State":
            return
        own = [key for key in self.graph.keys if not key.private]
        if self.graph.state == "typed":
            yield "class Keys(State, total=False):"
            yield from (f"    {key.name}: {TYPES[key.kind]}" for key in own)
            yield from self._typed_extras()
        else:
            yield from ["@dataclass", "class Keys:"] if self.graph.state == "dataclass" else ["class Keys(BaseModel):"]
            yield f"    box: {self.graph.box} = {self._fresh(self.graph.box)}"
            yield from (f"    {key.name}: {TYPES[key.kind]} = {self._default(key)}" for key in EVERY.values() if key.name != "box")
            yield from (f"    {key.name}: {TYPES[key.kind]} = {self._default(key)}" for key in own)
            yield from ["    left: RemainingSteps = 0"] if self.looks_left else []

    def _typed_extras(self) -> Iterator[str]:
        yield f"    box: {self.graph.box}"
        if self.looks_left:
            yield "    left: RemainingSteps"

    def _default(self, key: Key) -> str:
        kind = TYPES[key.kind].removeprefix("Annotated[").split(",")[0]
        return "0" if kind == "int" else self._fresh(kind)

    def _fresh(self, kind: str) -> str:
        return f"field(default_factory={kind})" if self.graph.state == "dataclass" else f"{kind}()"

    def narrow(self, node: Node) -> bool:
        """Whether the node has a schema of its own."""
        return not node.child and (node.style == "schema" or any(self.keys[key].private for key in node.reads if key in self.keys))

    def narrow_source(self, node: Node) -> Iterator[str]:
        """The node's own schema."""
        yield f"class {node.name}_keys(TypedDict, total=False):"
        keys = (self.touched(node) | self._routed(node) or {"seed"}) - {"left"}
        yield from (f"    {name}: {TYPES[self.keys[name].kind] if name != 'box' else self.graph.box}" for name in sorted(keys))
        if "left" in node.looks:
            yield "    left: RemainingSteps"

    def touched(self, node: Node) -> set[str]:
        """Every key that the node's function looks at."""
        if node.style == "whole" and not any(self.keys[key].private for key in node.reads if key in self.keys):
            return {key.name for key in self.keys.values() if not key.private} | ({"left"} if self.looks_left else set())
        keys = {key for key in node.reads if key in self.keys} | ({"left"} if "left" in node.looks else set())
        if node.edits and self.messages:
            keys.add(self.messages)
        keys |= {"seed"} if node.style == "computed" else set()
        keys |= self._routed(node) if node.style == "whole" else set()  # of its own schema, which its routes have widened
        return keys | ({"box"} if node.box else set()) | self._needed((node.command,) if node.command else ())

    def _routed(self, node: Node) -> set[str]:
        """Every key that the path functions behind the node look at."""
        return {key for choice in node.routes for key in choice.reads if key in self.keys} | self._needed(node.routes)

    def _needed(self, choices: Iterable[Choice]) -> set[str]:
        """Keys that routers look at besides those they read."""
        outs = [out for choice in choices for option in choice.options for out in option]
        listed = {out.of for out in outs if out.of in self.keys}
        return listed | ({"turn"} if any(out.turns for out in outs) else set()) | ({"box"} if any(out.box for out in outs) else set())

    def written(self, node: Node) -> tuple[str, ...]:
        """The keys of the node's update; not those that no schema has."""
        readers = {key for other in self.graph.nodes for key in other.reads if self.narrow(other)}
        return tuple(key for key in node.writes if key in self.keys and (not self.keys[key].private or key in readers))

    @property
    def messages(self) -> str | None:
        """The key that holds messages, if there is one."""
        return next((key.name for key in self.graph.keys if key.kind == "messages"), None)

    def value(self, node: Node, key: str) -> str:
        """The expression that the node writes to a key."""
        kind = self.keys[key].kind
        if key == "turn":
            return "1"
        if node.ask and key == node.ask.key:
            return "parts"
        if node.takes == "return" and key == KEPT:
            return "[value(state, 'marks_grown', [])]"
        if node.edits and key == self.messages:
            return f"edited({self.read(node.name, key, raw=True, narrow=self.narrow(node))}, n)"
        text = WRITTEN[kind].replace("@", node.name)
        return f"Overwrite({text})" if key in node.resets and kind in REDUCED and kind != "messages" else text

    def sent(self, name: str) -> bool:
        """Whether a `Send` may lead to this node."""
        return any(out.to == name and out.spread is not None for out in outs_of(routers(self.graph)))

    def read(self, node: str, key: str, *, style: Style = "get", default: str = "", raw: bool = False, narrow: bool = False) -> str:
        """The expression that reads a key, in the function of this node; of a message its text if not `raw`."""
        text = self._read(node, key, style, f", {default}" if default else "", narrow)
        return f"texts({text})" if not raw and key in self.keys and self.keys[key].kind == "messages" else text

    def _read(self, node: str, key: str, style: Style, default: str, narrow: bool) -> str:
        known = self.keys.get(key)
        if style == "copy":
            return f"seen.get({key!r})"
        if narrow or self.graph.state == "typed":
            there = known and (known.given or known.kind in REDUCED)
            return f"state[{key!r}]" if style == "item" and there and not self.sent(node) else f"state.get({key!r}{default})"
        if self.sent(node):
            return f"value(state, {key!r}{default})"
        return f"state.{key}" if known or key == "left" else "None"

    def numbered(self, name: str, given: Choice | Node, narrow: bool) -> Iterator[str]:
        """The statements that leave in `n` a number made of everything that is read; `narrow`ly, from a dict of few keys."""
        keys = self._order(given)
        style = given.style
        typed, sent = narrow or self.graph.state == "typed", self.sent(name)
        if style in ("spread", "copy") and sent and not typed:
            style = "helper"
        spread = "state" if typed else "vars(state)" if self.graph.state == "dataclass" else "dict(state)"
        more = looks(given) if isinstance(given, Node) else []
        parts = [self.read(name, key, style=style, narrow=narrow) for key in keys]
        if style == "copy":
            yield f"seen = {{**{spread}}}"
        elif style == "unpack" and keys:
            yield f"{', '.join(keys)} = {', '.join(parts)}"
            parts = keys
        elif style == "spread" and keys:
            yield f"def {name}_parts({', '.join(f'{key}=None' for key in keys)}, **rest):"
            yield f"    return [{', '.join(self._text(key) for key in keys)}]"
            parts = [f"*{name}_parts(**{spread})"]
        elif style == "helper":
            plain = [key for key in keys if self._text(key) == key]
            texts = [self.read(name, key, narrow=narrow) for key in keys if key not in plain]
            parts = [f"*look({', '.join(['state', *map(repr, plain)])})", *texts]
        elif style == "computed" and typed:
            plain = [key for key in keys if self._text(key) == key]
            texts = [self.read(name, key, narrow=narrow) for key in keys if key not in plain]
            parts = [f"*[state.get(key) for key in {' '.join(plain)!r}.split()[state.get('seed', 0) % {len(plain) or 1} :]]", *texts]
        elif style == "whole" and typed:
            but = ["box", *(key.name for key in self.keys.values() if key.kind == "messages")]
            parts = [f"*everything(state, {', '.join(map(repr, but))})"]
        yield f"n = number({', '.join([repr(name), *parts, *more])})"

    def _order(self, given: Choice | Node) -> list[str]:
        left = isinstance(given, Node) and "left" in given.looks and not (given.style == "whole" and self.graph.state == "typed")
        keys = [key for key in dict.fromkeys(given.reads) if key in self.keys]
        return sorted(keys, key=lambda key: self._text(key) != key) + (["left"] if left else [])

    def _text(self, key: str) -> str:
        return f"texts({key})" if key in self.keys and self.keys[key].kind == "messages" else key


def looks(node: Node) -> list[str]:
    """The expressions that read what the node looks at besides the state."""
    config = "get_config()" if node.asking == "call" else "config"
    runtime = "get_runtime()" if node.asking == "call" else "runtime"
    texts = {
        "step": f"{config}['metadata']['langgraph_step']",
        "triggers": f"{config}['metadata']['langgraph_triggers']",
        "path": f"{config}['metadata']['langgraph_path']",
        "user": f"{config}['configurable'].get('user')",
        "context": f"{runtime}.context['user']",
    }
    return [texts[look] for look in node.looks if look in texts] + (["salt"] if node.form == "partial" else [])


def given(keys: Iterable[Key], seed: str) -> str:
    """The part of an input that gives these keys their values, as source; `seed` is an expression."""
    texts = {"messages": "[('user', 'hello')]", "last": f"{seed} % 7"}
    return "".join(f", {key.name!r}: {texts[key.kind]}" for key in keys if key.given and key.kind in texts)
