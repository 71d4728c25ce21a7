"""Nodes that read the state by keys that only a run tells: by these alone, or in ways that may look past them."""

import asyncio
import copy
import functools
import gc
import inspect
import json
import sys
from typing import Any

KEYS = ("a", "b")


def looked_up(state, key):
    return state.get(key, 0)


def looked_up_twice(state, key):
    return looked_up(state, key) + looked_up(key=key, state=state)


def counted_down(state, n):
    return state[str(n)] + counted_down(state, n - 1) if n else 0


async def awaited(state, key):
    await asyncio.sleep(0)
    return state[key]


def keeping(state):
    return [state]


def emptied(state, key):
    return state.pop(key)


def yielding(state, key):
    yield state[key]


@functools.lru_cache
def cached(key):
    return key


def decorated(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@decorated
def wrapped(state, key):
    return state[key]


ev = eval
names = locals
frame = sys._getframe
shadowed = list


def lazily(items):
    return items


# ---- by keys alone


def by_another_key(state):
    return {"out": state[state["which"]]}


def with_get(state):
    return {"out": state.get(state.get("which"), 0)}


def asked_first(state):
    key = state["which"]
    return {"out": state[key] if key in state else 0}


def not_in(state):
    key = "of_" + state["which"]
    return {} if key not in state else {"out": state[key]}


def in_a_loop(state):
    total = 0
    for key in state["wanted"]:
        total += state[key]
    return {"out": total}


def in_a_list(state):
    return {"out": [state[key] for key in state["wanted"] if key in state]}


def in_a_dict(state):
    return {"out": {key: state[key] for key in state["wanted"]}}


def in_a_sum(state):
    return {"out": sum(state[key] for key in state["wanted"])}


def in_a_join(state):
    return {"out": ", ".join(str(state[key]) for key in state["wanted"])}


def in_a_sort(state):
    return {"out": sorted(state["wanted"], key=lambda key: state[key])}


def spread_at_once(state):
    return {"out": max(*(state[key] for key in state["wanted"]))}


def in_a_helper(state):
    return {"out": looked_up(state, state["which"])}


def two_helpers_deep(state):
    return {"out": looked_up_twice(state, state["which"])}


def in_a_helper_of_its_own(state):
    return {"out": counted_down(state, state["n"])}


async def in_an_awaited_helper(state):
    return {"out": await awaited(state, state["which"])}


def with_a_text(state):
    return {"out": f"<{state['of_' + state['which']]}>"}


def under_the_same_word(state):
    return {"state": dict(state=state[state["state"]])}


in_a_lambda = lambda state: {"out": state[state["which"]]}  # noqa: E731


class Holder:
    prefix = "of_"

    def method(self, state):
        return {"out": state[self.prefix + state["which"]]}


def with_salt(state, salt):
    return {"out": state[salt + state["which"]]}


NAMED = [
    by_another_key,
    with_get,
    asked_first,
    not_in,
    in_a_loop,
    in_a_list,
    in_a_dict,
    in_a_sum,
    in_a_join,
    in_a_sort,
    spread_at_once,
    in_a_helper,
    two_helpers_deep,
    in_a_helper_of_its_own,
    in_an_awaited_helper,
    with_a_text,
    under_the_same_word,
    in_a_lambda,
    Holder().method,
    functools.partial(with_salt, salt="of_"),
]

# ---- in other ways, too


def handed_to_a_library(state):
    return {"out": json.dumps(state) + state[state["which"]]}


def handed_to_unread_code(state, check: Any = None):
    check(state)
    return {"out": state[state["which"]]}


def spread(state):
    return {"out": dict(**state)[state["which"]]}


def merged(state):
    return {"out": {**state}[state["which"]]}


def united(state):
    return (state | {"out": 1})[state["which"]]


def copied(state):
    return {"out": dict(state)[state["which"]]}


def copied_by_method(state):
    return {"out": state.copy()[state["which"]]}


def copied_by_module(state):
    return {"out": copy.copy(state)[state["which"]]}


def iterated(state):
    return {"out": [state[key] for key in state]}


def over_keys(state):
    return {"out": [state[key] for key in state.keys()]}


def over_items(state):
    return {"out": [value for key, value in state.items() if key == state["which"]]}


def counted(state):
    return {"out": len(state) + state[state["which"]]}


def returned(state):
    return state if state[state["which"]] else {}


def renamed(state):
    other = state
    return {"out": other[other["which"]]}


def kept(state):
    box = [state]
    return {"out": box[0][state["which"]]}


def kept_by_a_helper(state):
    return {"out": keeping(state)[0][state["which"]]}


def compared(state):
    return {"out": state == {} or state[state["which"]]}


def truth(state):
    return {"out": state[state["which"]]} if state else {}


def typed(state):
    return {"out": type(state) is dict and state[state["which"]]}


def text_of_all(state):
    return {"out": f"{state}" + state[state["which"]]}


def set_in_place(state):
    state[state["which"]] = 1
    return {}


def added_in_place(state):
    state[state["which"]] += 1
    return {}


def deleted(state):
    del state[state["which"]]
    return {}


def popped(state):
    return {"out": state.pop(state["which"])}


def popped_by_a_helper(state):
    return {"out": emptied(state, state["which"])}


def defaulted(state):
    return {"out": state.setdefault(state["which"], 1)}


def method_by_itself(state):
    get = state.get
    return {"out": get(get("which"))}


def attribute(state):
    return {"out": state.__getitem__(state["which"])}


def matched(state):
    match state:
        case {"which": key}:
            return {"out": state[key]}


def bound_anew(state):
    state = dict(state)
    return {"out": state[state["which"]]}


def bound_by_a_loop(state):
    for state in [{"which": "a", "a": 1}]:
        pass
    return {"out": state[state["which"]]}


def evaluated(state):
    return {"out": eval("len(state)") + state[state["which"]]}


def evaluated_under_another_name(state):
    return {"out": ev("len(state)") + state[state["which"]]}


def executed(state):
    exec("state.clear()")
    return {"out": state[state["which"]]}


def in_locals(state):
    return {"out": len(locals()["state"]) + state[state["which"]]}


def in_locals_under_another_name(state):
    found = names()
    return {"out": [len(value) for value in found.values()] + [state[state["which"]]]}


def in_a_frame(state):
    return {"out": len(sys._getframe().f_locals["state"]) + state[state["which"]]}


def in_a_frame_under_another_name(state):
    return {"out": len(frame(0).f_code.co_name) + state[state["which"]]}


def in_the_stack(state):
    return {"out": len(inspect.currentframe().f_locals) + state[state["which"]]}  # type: ignore[union-attr]


def among_all_objects(state):
    return {"out": [len(it) for it in gc.get_referrers(state[state["which"]])]}


def in_a_generator(state):
    return {"out": (state[key] for key in state["wanted"])}


def in_a_generator_for_another(state):
    return {"out": lazily(state[key] for key in state["wanted"])}


def in_a_map(state):
    return {"out": map(lambda key: state[key], state["wanted"])}


def in_a_lambda_for_later(state):
    return {"out": lambda: state[state["which"]]}


def in_a_function_for_later(state):
    def later():
        return state[state["which"]]

    return {"out": later}


def in_a_class(state):
    class Later:
        def run(self):
            return state[state["which"]]

    return {"out": Later()}


async def in_a_task(state):
    return {"out": asyncio.create_task(awaited(state, state["which"]))}


async def in_tasks_at_once(state):
    return {"out": await asyncio.gather(*(awaited(state, key) for key in state["wanted"]))}


def in_a_helper_that_yields(state):
    return {"out": yielding(state, state["which"])}


def in_a_wrapped_helper(state):
    return {"out": wrapped(state, state["which"])}


def itself_yielding(state):
    yield {"out": state[state["which"]]}


@decorated
def itself_wrapped(state):
    return {"out": state[state["which"]]}


def behind_a_star(*states):
    return {"out": states[0][states[0]["which"]]}


def handed_on_behind_a_star(state):
    rest = (state["which"],)
    return {"out": looked_up(*[state, *rest])}


def under_slices(state):
    return {"out": state[state["from"] : state["to"]]}


def chained(state):
    return {"out": "a" in state in [state[state["which"]]]}


def behind_a_builtin_of_that_name(state):
    list = lazily
    return {"out": list(state[key] for key in state["wanted"])}


def with_a_spread_default(state):
    return {"out": state.get(*[state["which"], 0])}


def by_constants(state):
    return {"out": state["a"] + state.get("b", 0) + ("c" in state)}


class Calling:
    def __call__(self, state):
        return {"out": state[state["which"]]}


OTHERWISE = [
    handed_to_a_library,
    handed_to_unread_code,
    spread,
    merged,
    united,
    copied,
    copied_by_method,
    copied_by_module,
    iterated,
    over_keys,
    over_items,
    counted,
    returned,
    renamed,
    kept,
    kept_by_a_helper,
    compared,
    truth,
    typed,
    text_of_all,
    set_in_place,
    added_in_place,
    deleted,
    popped,
    popped_by_a_helper,
    defaulted,
    method_by_itself,
    attribute,
    matched,
    bound_anew,
    bound_by_a_loop,
    evaluated,
    evaluated_under_another_name,
    executed,
    in_locals,
    in_locals_under_another_name,
    in_a_frame,
    in_a_frame_under_another_name,
    in_the_stack,
    among_all_objects,
    in_a_generator,
    in_a_generator_for_another,
    in_a_map,
    in_a_lambda_for_later,
    in_a_function_for_later,
    in_a_class,
    in_a_task,
    in_tasks_at_once,
    in_a_helper_that_yields,
    in_a_wrapped_helper,
    itself_yielding,
    itself_wrapped,
    behind_a_star,
    handed_on_behind_a_star,
    under_slices,
    chained,
    behind_a_builtin_of_that_name,
    with_a_spread_default,
    by_constants,
    Calling(),
]
