"""Functions that return their update, or change their state, in the styles people write."""

import asyncio
import copy
import dataclasses
import operator
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from langchain_core.messages import HumanMessage
from langgraph.types import Command, Send
from pydantic import BaseModel


class Update(TypedDict, total=False):
    out: Any
    n: int


class Model(BaseModel):
    out: Any = None
    n: int = 0


@dataclass
class Data:
    out: Any = None
    n: int = 0


def by_literal(state):
    return {"out": 1}


def by_dict_call(state):
    return dict(out=state["n"], n=2)


def by_typed_dict(state):
    return Update(out=1, n=2)


def by_model(state):
    return Model(out=1, n=state["n"])


def by_model_copy(state):
    made = Model(out=1)
    return made.model_copy(update={"n": 2})


def by_model_dump(state):
    return Model(out=1, n=state["n"]).model_dump()


def by_dataclass(state):
    return Data(out=1)


def by_replaced_dataclass(state):
    return dataclasses.replace(Data(out=1), n=2)


def by_asdict(state):
    return dataclasses.asdict(Data(out=1))


def by_state_itself(state):
    return state


def by_changed_state(state):
    state["n"] = 1
    return state


def by_state_copy(state):
    new = state.copy()
    new["n"] = 1
    return new


def by_spread_state(state):
    return {**state, "out": 1}


def by_union(state):
    return state | {"out": 1}


def by_dict_of_state(state):
    return dict(state, out=1)


def by_filtered_state(state):
    return {k: v for k, v in state.items() if k != "docs"}


def by_growing(state):
    out = {}
    out["out"] = 1
    if state["n"] > 2:
        out["n"] = 2
    return out


def by_growing_alias(state):
    out: dict[str, Any] = {}
    same = out
    same["n"] = 1
    same |= {"out": 2}
    return out


def by_update(state):
    out: dict[str, Any] = {"out": 1}
    out.update(n=2)
    out.update({"docs": []})
    return out


def by_update_of_pairs(state):
    out: dict[str, Any] = {}
    out.update([("n", 1), ("out", 2)])
    return out


def by_setdefault(state):
    out: dict[str, Any] = {}
    out.setdefault("n", 1)
    return out


def by_helper_that_fills(state):
    out: dict[str, Any] = {}
    fill(out, state["which"])
    return out


def fill(out, key):
    out[key] = 1
    out["out"] = 2


def by_helper_of_helper(state):
    return finish({"out": 1})


def finish(update):
    update["n"] = 1
    return update


def by_dynamic_key(state):
    return {state["which"]: 1}


def by_keys_from_constants(state):
    return {key: state[key] for key in ("docs", "n")}


def by_from_keys(state):
    return dict.fromkeys(["n", "out"], 1)


def by_zip(state):
    return dict(zip(["n", "out"], [1, 2]))


def by_pairs(state):
    return dict([("n", 1), ("out", 2)])


def by_ordered_dict(state):
    return OrderedDict(n=1, out=2)


def by_default_dict(state):
    out = defaultdict(list)
    out["n"].append(1)
    out["out"] += [1]
    return out


def by_setitem(state):
    out: dict[str, Any] = {}
    operator.setitem(out, "n", 1)
    out.__setitem__("out", 2)
    return out


def by_early_return(state):
    if state["n"] > 3:
        return {"n": 0}
    for d in state["docs"]:
        if d == "a":
            return {"docs": [d]}
    return None


def by_conditional(state):
    return {"n": 1} if state["n"] else Command(update={"out": 2})


def by_walrus(state):
    if (update := {"n": 1}) and state["n"]:
        update["out"] = 2
    return update


def by_or(state):
    return {} or {"n": 1}


def by_try(state):
    out: dict[str, Any] = {"n": 1}
    try:
        out = {"out": state["docs"][0]}
    except IndexError:
        out["question"] = "x"
    return out


def by_try_interrupted(state):
    out = {}
    try:
        out = {"n": 1}
        state["docs"][0]
        out = {"out": 1}
    except IndexError:
        pass
    return out


def by_break(state):
    out = {}
    for d in state["docs"]:
        out = {"n": 1}
        if d == "a":
            break
        out = {"out": 1}
    return out


def by_finally(state):
    try:
        return {"out": state["docs"][0]}
    except IndexError:
        return {"n": 1}
    finally:
        state["flags"]


def by_match(state):
    match state["n"]:
        case 0:
            out: dict[str, Any] = {"n": 1}
        case 1 | 2:
            out = {"out": 2}
        case _:
            out = {"docs": []}
    return out


def by_command(state):
    return Command(update={"n": 1}, goto="x")


def by_command_of_pairs(state):
    return Command(update=[("n", 1), ("out", 2)])


def by_command_of_model(state):
    return Command(update=Model(out=1))


def by_command_of_variable(state):
    update = {"n": 1}
    update["out"] = 2
    return Command(goto="x", update=update)


def by_spread_command(state):
    arguments: dict[str, Any] = {"update": {"n": 1}, "goto": "x"}
    return Command(**arguments)


def by_positional_command(state):
    return Command(None, {"n": 1})


def by_replaced_command(state):
    return dataclasses.replace(Command(goto="x"), update={"n": 1})


def by_list(state):
    return [Command(update={"n": 1}), {"out": 2}]


def by_tuple(state):
    return Command(update={"n": 1}), Command(update={"out": 1})


def by_comprehension_of_commands(state):
    return [Command(update={"n": 1}) for _ in range(2)]


def by_appended_commands(state):
    out: list[Any] = [Command(goto="x")]
    out.append(Command(update={"n": 1}))
    out += [Command(update={"out": 1})]
    out.insert(0, Command(update={"docs": []}))
    return out


def by_sum_of_lists(state):
    return [Command(update={"n": 1})] + [Command(update={"out": 1})]


def by_star_list(state):
    return [*[Command(update={"n": 1})], Command(goto="x")]


def by_commands_and_sends(state):
    return Command(goto=[Send("x", {"n": 1})], update={"out": 1})


def by_nested_function(state):
    def make(n):
        return {"n": n}

    return make(1)


def by_lambda(state):
    return (lambda key: {key: 1})("n")


def by_generator_helper(state):
    return next(updates())


def updates():
    yield {"n": 1}


def by_generator(state):
    yield {"n": 1}
    yield from updates_of_out()


def updates_of_out():
    yield {"out": 1}


async def by_async_helper(state):
    return await made_later()


async def made_later():
    await asyncio.sleep(0)
    return {"n": 1}


async def by_gather(state):
    first, _ = await asyncio.gather(made_later(), made_later())
    return first


def by_reduce(state):
    import functools

    return functools.reduce(lambda a, b: a | b, [{"n": 1}, {"out": 2}])


def by_deep_copy(state):
    out = copy.deepcopy({"n": 1})
    out["out"] = 2
    return out


def by_eval(state):
    return eval("{'n': 1}")


def by_json(state):
    import json

    return json.loads('{"n": 1}')


def by_subscript(state):
    return {"a": {"n": 1}, "b": {"out": 2}}["a"]


def by_list_item(state):
    return [{"n": 1}, {"out": 2}][1]


def by_popped(state):
    return [{"n": 1}].pop()


def by_attribute(state):
    class Box:
        update = {"n": 1}

    return Box.update


class Named(NamedTuple):
    n: int
    out: int


def by_as_dict(state):
    return Named(1, 2)._asdict()


UPDATE = {"n": 1}


def by_global(state):
    return UPDATE


def by_dict_method(state):
    return {"n": 1, "out": 2}.copy()


def by_dict_class(state):
    class Mine(dict):
        def __init__(self):
            super().__init__()
            self["n"] = 1

    return Mine()


def by_changing_list(state):
    state["docs"].append("x")
    return {"out": 1}


def by_changing_alias(state):
    docs = state["docs"]
    docs += ["x"]
    return {"out": 1}


def by_changing_in_helper(state):
    push(state["docs"], "x")
    return {"out": 1}


def push(where, what):
    where.append(what)


def by_changing_any(state):
    for value in state.values():
        if isinstance(value, list):
            value.append("x")
    return {"out": 1}


def by_changing_dynamic(state):
    value = state["docs" if state["n"] else "flags"]
    value.clear()
    return {"out": 1}


def by_changing_nested(state):
    box = {"d": state["docs"], "n": state["notes"]}
    box["n"]["z"] = "z"
    return {"out": 1}


def by_changing_copy(state):
    own = dict(state)
    own["docs"].append("x")
    own["n"] = 7
    return {"out": 1}


def by_changing_through_state(state):
    state["flags"] = state["docs"]
    state["flags"].append("x")
    return {"out": 1}


def by_deleting(state):
    del state["docs"][:]
    return {"out": 1}


def by_sorting(state):
    state["docs"].sort()
    return {"out": 1}


def by_message(state):
    return {"out": [HumanMessage(content=state["question"])]}


STYLES = [value for name, value in list(globals().items()) if name.startswith("by_")]
