"""A graph of many state keys with a channel of every type, whose nodes tell in which order they were given them."""

from __future__ import annotations

import functools
import operator
import zlib
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from langgraph.channels import BinaryOperatorAggregate, DeltaChannel, EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.graph import END, START
from langgraph.managed import RemainingSteps
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

PLAIN = [f"key{place:02}" for place in range(14)]
LATE = ("key05", "key11", "key13")
"""State keys that no input has: they become available while the graph runs."""


class Counting(LastValue[Any]):
    """A channel of the app's own, which has something new in every superstep."""

    def update(self, values: Any) -> bool:
        if values:
            return super().update(values)
        self.value += 1
        return True


def appended(value: list[Any], writes: Any) -> list[Any]:
    return [*value, *(item for write in writes for item in write)]


def keys(name: str, fields: dict[str, Any]) -> Any:
    """A state schema."""
    make: Any = TypedDict
    return make(name, fields, total=False)


STATE = keys(
    "Wide",
    {
        "counted": Annotated[int, Counting],
        "flash": Annotated[str, EphemeralValue],
        **dict.fromkeys(PLAIN[:8], Any),
        "seen": Annotated[list, operator.add],
        "total": Annotated[int, operator.add],
        "said": Annotated[list, Topic(str)],
        "all_said": Annotated[list, Topic(str, True)],
        "scratch": Annotated[Any, UntrackedValue],
        **dict.fromkeys(PLAIN[8:], Any),
        "rounds": int,
        "bare": Annotated[Any, BinaryOperatorAggregate(date, lambda old, new: new)],
    },
)
INPUT = keys("Given", dict.fromkeys((*PLAIN, "rounds", "counted"), Any))
PRIVATE = keys("Private", {"secret": str, **dict.fromkeys(PLAIN, Any), "seen": Annotated[list, operator.add]})
MANAGED = keys("Managed", {**dict.fromkeys(PLAIN, Any), "left": RemainingSteps})
OUTPUT = keys("Output", {"key07": Any, "key08": Any})
DELTA = keys("Delta", {**STATE.__annotations__, "parts": Annotated[list, DeltaChannel(appended, snapshot_frequency=3)]})


def shown(state: dict[str, Any]) -> str:
    """A word for the keys that a node was given, their order, and their values; and spoils the dict for whoever gets it next."""
    said = zlib.crc32(repr(state).encode())
    state.clear()
    state["spoilt"] = True
    return f"{said:x}"


def begin(state: Any) -> Any:
    turn = state.get("rounds", 0)
    update = {"rounds": turn + 1, "flash": f"flash {turn}", "said": [f"begin {turn}"], "all_said": f"begin {turn}", "total": 1}
    return {**update, "key00": turn, LATE[turn % 3]: f"late {turn}", "scratch": object.__name__, "seen": [shown(state)]}


def left(state: Any) -> Any:
    return {"secret": f"of {state['key00']}", "key01": "left", "seen": [shown(state)]}


def right(state: Any) -> Any:
    return {"key02": "right", "total": 2, "seen": [shown(state)]}


def join(state: Any) -> Any:
    return {"seen": [shown(state)]}


def private(state: Any) -> Any:
    return {"seen": [shown(state)]}


def managed(state: Any) -> Any:
    return {"seen": [shown(state)], "said": ["managed"]}


def item(given: Any) -> Any:
    return {"total": given["n"], "seen": [f"item {given['n']}"], "bare": given["n"]}


def after(state: Any) -> Any:
    if state["rounds"] == 2:
        answer = interrupt("go on?")
        return Command(update={"key03": answer, "seen": [shown(state)]}, goto="begin")
    goto = "begin" if state["rounds"] < 3 else END
    return Command(update={"seen": [shown(state)]}, goto=goto)


def last(state: Any) -> Any:
    return {"seen": [f"last: {shown(state)}"], "said": ["last"]}


def inner(state: Any) -> Any:
    return {"key07": shown(state)}


def outwards(state: Any) -> Any:
    return {"key08": list(state)}


def items(state: Any) -> list[Send]:
    return [Send("item", {"n": n}) for n in range(3)]


def delta(state: Any) -> Any:
    return {"parts": [f"part {len(state.get('parts', ()))}"], "seen": [f"parts {len(state.get('parts', ()))}"]}


def build(side: Any, stock: Any, coroutine: bool = False, schema: Any = STATE, **options: Any) -> Any:
    """The compiled graph; `stock` builds its subgraph's twin that alto knows nothing of."""
    made = functools.partial(_node, coroutine)
    graph = side(schema, input_schema=INPUT)
    graph.add_node("begin", made(begin))
    graph.add_node("left", made(left)).add_node("right", made(right)).add_node("join", made(join))
    graph.add_node("private", made(private), input_schema=PRIVATE).add_node("managed", made(managed), input_schema=MANAGED)
    graph.add_node("item", made(item)).add_node("after", made(after), destinations=("begin", END))
    graph.add_node("last", made(last), defer=True).add_node("stock", _within(stock, made)).add_node("own", _within(side, made))
    graph.add_edge(START, "begin").add_edge("begin", "left").add_edge("begin", "right").add_edge(["left", "right"], "join")
    graph.add_edge("left", "private").add_edge("join", "managed").add_conditional_edges("managed", items, ["item"])
    graph.add_edge("join", "stock").add_edge("stock", "own").add_edge("own", "after").add_edge("begin", "last")
    if schema is DELTA:
        graph.add_node("delta", made(delta)).add_edge("begin", "delta").add_edge("managed", "delta")
    return graph.compile(**options)


def _within(side: Any, made: Callable[[Any], Any]) -> Any:
    graph = side(STATE, output_schema=OUTPUT).add_node("inner", made(inner)).add_node("outwards", made(outwards))
    return graph.add_edge(START, "inner").add_edge("inner", "outwards").compile()


def _node(coroutine: bool, function: Callable[[Any], Any]) -> Any:
    if not coroutine:
        return function

    @functools.wraps(function)
    async def node(state: Any) -> Any:
        return function(state)

    return node


GIVEN = {**{key: 0 for key in PLAIN if key not in LATE}, "counted": 0}
