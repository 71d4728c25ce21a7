"""Path functions, and nodes with commands, that say where to go in the styles people write."""

import enum
import functools
import operator
import re
from typing import Any, Literal

from langgraph.graph import END
from langgraph.types import Command, Send


class Way(str, enum.Enum):  # noqa: UP042
    LEFT = "left"
    RIGHT = "right"


WAYS = ("left", "right")
TABLE = {"a": "left", "3": "right"}
LEFT = "left"


def by_literal(state):
    return "left" if state["n"] > 2 else END


def by_constant(state):
    return LEFT if state["n"] else "right"


def by_enum(state):
    return Way.LEFT if state["n"] else Way.RIGHT


def by_enum_value(state):
    return Way.LEFT.value if state["n"] else Way("right").value


def by_list(state):
    return [w for w in WAYS if state["n"] > 2] or "right"


def by_grown_list(state):
    out = ["left"]
    if state["n"]:
        out.append("right")
    out += ["more"]
    out.extend(["most"])
    return out


def by_tuple(state):
    return ("left", "right")[: state["n"]]


def by_index(state):
    return WAYS[state["n"] % 2]


def by_item(state):
    return ["left", "right"][state["n"] % 2]


def by_local_table(state):
    return {"a": "left", "3": "right"}.get(state["question"], "none")


def by_global_table(state):
    return TABLE.get(state["question"], END)


def by_match(state):
    match state["n"]:
        case 0:
            return "left"
        case 1 | 2:
            return "right"
    return None or END


def by_sum(state):
    return "le" + "ft"


def by_growing_text(state):
    way = "le"
    way += "ft"
    return way


def by_join(state):
    return "".join(["le", "ft"])


def by_format(state):
    return f"{'le'}ft"


def by_format_method(state):
    return "{}ft".format("le")


def by_percent(state):
    return "%sft" % "le"  # noqa: UP031


def by_replace(state):
    return "Left".replace("L", "l")


def by_lower(state):
    return "LEFT".lower()


def by_slice(state):
    return "leftover"[:4]


def by_sub(state):
    return re.sub("x", "e", "lxft")


def by_strip(state):
    return " left ".strip()


def by_split(state):
    return "left right".split()


def by_letters(state):
    return list("ab")


def by_reduce(state):
    return functools.reduce(operator.add, ["le", "ft"])


def by_map(state):
    return list(map(str.lower, ["LEFT", "RIGHT"]))


def by_max(state):
    return max(["left", "right"])


def by_sorted(state):
    return sorted({"left", "right"})


def by_dict_keys(state):
    return list({"left": 1, "right": 2})


def by_dict_items(state):
    return [k for k, v in {"left": 1, "right": 2}.items() if v <= state["n"]] or END


def by_state(state):
    return state["question"]


def by_helper(state):
    return helper("left", state["n"])


def helper(way, n):
    return way if n else other("right")


def other(way):
    return way + "most"


def by_walrus(state):
    if way := ("left" if state["n"] else ""):
        return way
    return "right"


def by_try(state):
    way = "left"
    try:
        way = "middle"
        int(state["question"])
        way = "right"
    except ValueError:
        return way
    return way


def by_loop(state):
    way = "none"
    for way in ["left", "right"]:
        if state["n"] > 3:
            break
    return way


def by_nested_list(state):
    return [w for ws in [["left"], ["right"]] for w in ws]


def by_star(state):
    return [*WAYS, "more"]


def by_conditional_sends(state):
    if state["docs"]:
        return [Send("work", {"d": d}) for d in state["docs"]]
    return "none"


def by_mixed(state):
    return ["left", Send("work", {}), *[Send("other", {}) for _ in state["docs"]]]


def by_dynamic_send(state):
    return [Send(state["question"], {})]


def by_send_helper(state):
    return [make_send("work", d) for d in state["docs"]]


def make_send(node, value):
    return Send(node, {"d": value})


def by_send_keywords(state):
    return Send(node="wo" + "rk", arg=1)


def by_partial_send(state):
    send = functools.partial(Send, "work")
    return [send(d) for d in state["docs"]]


def by_mapped_send(state):
    return list(map(lambda d: Send("work", d), state["docs"]))


def by_command(state):
    return Command(goto="left" if state["n"] else ["right", Send("work", {})])


def by_typed_command(state) -> Command[Literal["left"]]:
    return Command(goto="left", update={"n": 1})


def by_command_list(state):
    return [Command(goto="left"), Command(goto=by_literal(state))]


def by_command_variable(state):
    goto = []
    for d in state["docs"]:
        goto.append(Send("work", d))
    goto.append("right")
    return Command(goto=goto)


def by_command_dict(state):
    arguments: dict[str, Any] = {"goto": "left"}
    return Command(**arguments)


def by_command_helper(state):
    return go("left")


def go(where):
    return Command(goto=where)


def by_command_sum(state):
    return go("le" + "ft")


def by_parent(state):
    return Command(graph=Command.PARENT, goto="above", update={"n": 1})


def by_maybe_parent(state):
    return Command(graph=Command.PARENT if state["n"] else None, goto="left", update={"n": 1})


class Router:
    def __init__(self, ways):
        self.ways = ways
        self.best = ways[0]

    def __call__(self, state):
        return self.ways[state["n"] % len(self.ways)]

    def first(self, state):
        return self.best


STYLES = [value for name, value in list(globals().items()) if name.startswith("by_")] + [
    Router(["left", "right"]),
    Router(("left", "right")).first,
    functools.partial(helper, "left"),
    lambda state: "left",
]
