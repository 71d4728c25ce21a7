"""Functions that read their state in the styles people write. Each gets a dict with the keys of `observing.KEYS`."""

import collections
import copy
import functools
import itertools
import json
import operator
from typing import Any

WANTED = ("docs", "n")
LAST = "question"
FIELDS = {"text": "question", "count": "n"}


def by_walrus(state):
    if (n := state["n"]) > 2 and (docs := state.get("docs")):
        return {"out": [n, *docs]}
    return {"out": [n]}


def by_match(state):
    match state:
        case {"n": 0 | 1 as n}:
            return {"out": n}
        case {"question": str(text), "flags": [True, *_]}:
            return {"out": text}
        case {"docs": [first, *_], "n": n} if n > 2:
            return {"out": first}
        case _:
            return {"out": None}


def by_match_rest(state):
    match state:
        case {"n": n, **rest}:
            return {"out": sorted(rest), "n": n}


def by_nested_function(state):
    def inner(key="docs"):
        def innermost():
            return state["question"]

        return innermost() + str(state[key])

    return {"out": inner()}


def by_returned_function(state):
    def make(key):
        return lambda: state[key]

    return {"out": make("docs")()}


def by_generator(state):
    def gen():
        yield from state["docs"]
        yield state["n"]

    return {"out": list(gen())}


def by_generator_expression(state):
    return {"out": sum(len(d) + state["n"] for d in state["docs"])}


def by_vars(state):
    return {"out": [vars()["state"]["n"]]}


def by_locals(state):
    return {"out": locals()["state"]["question"]}


def by_itemgetter(state):
    return {"out": operator.itemgetter("docs", "n")(state)}


PICK = operator.itemgetter("question")


def by_global_itemgetter(state):
    return {"out": PICK(state)}


def by_dict_copy(state):
    own = dict(state)
    return {"out": own["n"]}


def by_dict_comprehension(state):
    own = {k: state[k] for k in WANTED}
    return {"out": own["docs"]}


def by_comprehension_over_items(state):
    return {"out": {k: v for k, v in state.items() if k == "n"}}


def by_spread(state):
    return {"out": {**state}["n"]}


def by_union(state):
    return {"out": (state | {"n": 1})["docs"]}


def by_right_union(state):
    return {"out": ({"x": 1} | state)["docs"]}


def by_alias(state):
    s = state
    t = s
    return {"out": t["docs"]}


def by_alias_in_branch(state):
    s = {} if len("x") > 1 else state
    return {"out": s["n"]}


def by_constant_keys(state):
    out = []
    for k in ("docs", "n"):
        out.append(state[k])
    return {"out": out}


def by_global_keys(state):
    return {"out": [state[k] for k in WANTED] + [state[LAST]]}


def by_table_of_keys(state):
    return {"out": {name: state[key] for name, key in FIELDS.items()}}


def by_key_from_state(state):
    return {"out": state[state["which"]]}


def by_built_key(state):
    return {"out": state["do" + "cs"]}


def by_formatted_key(state):
    kind = "estion"
    return {"out": state[f"qu{kind}"]}


def by_sorted_keys(state):
    return {"out": [str(state[k]) for k in sorted(WANTED)]}


def by_reduce(state):
    return {"out": functools.reduce(lambda acc, k: acc + str(state[k]), WANTED, "")}


def by_map(state):
    return {"out": list(map(lambda k: state[k], ["docs", "question"]))}


def by_map_of_method(state):
    return {"out": list(map(state.get, ["docs", "question"]))}


def by_bound_getitem(state):
    get = state.__getitem__
    return {"out": get("docs")}


def by_bound_get(state):
    get = state.get
    return {"out": get("n", 0)}


def by_filter(state):
    return {"out": list(filter(lambda d: d != state["question"], state["docs"]))}


def by_sorted_key(state):
    return {"out": sorted(state["docs"], key=lambda d: (len(d) * state["n"], d))}


def by_tuple(state):
    pair = (state, 1)
    return {"out": first(pair)["docs"]}


def first(pair):
    return pair[0]


def by_list(state):
    return {"out": [s["n"] for s in [state]]}


def by_dict_of_state(state):
    box = {"s": state}
    return {"out": box["s"]["question"]}


def by_helper_with_box(state):
    return {"out": look_in({"s": state})}


def look_in(box):
    return box["s"]["question"]


def by_star_helper(state):
    return {"out": starred("x", state)}


def starred(*args):
    return args[1]["docs"]


def by_keyword_helper(state):
    return {"out": keyworded(s=state)}


def keyworded(**kwargs):
    return kwargs["s"]["docs"]


def by_spread_into_helper(state):
    return {"out": only_n(**state)}


def only_n(n=0, **_):
    return n


def by_default_argument(state):
    def inner(s=state):
        return s["docs"]

    return {"out": inner()}


def by_lambda_default(state):
    return {"out": (lambda k, s=state: s[k])("n")}


def by_partial(state):
    read = functools.partial(operator.getitem, state)
    return {"out": read("docs")}


def by_partial_keyword(state):
    read = functools.partial(get_key, key="question")
    return {"out": read(state)}


def get_key(state, key):
    return state[key]


def by_try(state):
    try:
        return {"out": state["missing"]}
    except KeyError:
        return {"out": state["n"]}
    finally:
        state["flags"]


def by_try_else(state):
    try:
        n = int(state["question"])
    except ValueError as error:
        return {"out": str(error)}
    else:
        return {"out": state["docs"][:n]}


def by_while(state):
    i, out = 0, []
    while i < min(state["n"], 3):
        i += 1
        out.append(state["question"])
    return {"out": out}


def by_if_state(state):
    if state:
        return {"out": 1}
    return {"out": 0}


def by_len(state):
    return {"out": len(state)}


def by_boolean(state):
    s = state or {"n": 1}
    return {"out": s["n"]}


def by_membership(state):
    return {"out": ["docs" in state, "x" not in state]}


def by_membership_of_variable(state):
    return {"out": [k in state for k in WANTED]}


def by_iteration(state):
    return {"out": list(state)}


def by_star(state):
    return {"out": [*state]}


def by_keys(state):
    return {"out": sorted(state.keys() - {"n"})}


def by_values(state):
    return {"out": [str(v) for v in state.values()]}


def by_repr(state):
    return {"out": f"{state!r}"}


def by_percent(state):
    return {"out": "%(n)s and %(question)s" % state}  # noqa: UP031


def by_format_map(state):
    return {"out": "{n}".format_map(state)}


def by_format_spread(state):
    return {"out": "{n}".format(**state)}


def by_json(state):
    return {"out": json.dumps(state, sort_keys=True)}


def by_comparison(state):
    return {"out": state == {"n": 1}}


def by_deep_copy(state):
    return {"out": copy.deepcopy(state)["docs"]}


def by_shallow_copy(state):
    return {"out": copy.copy(state)["docs"]}


def by_copy_method(state):
    own = state.copy()
    own["n"] = 1
    return {"out": own["docs"]}


def by_chain_map(state):
    return {"out": collections.ChainMap({}, state)["n"]}


def by_chain(state):
    return {"out": list(itertools.chain(state["docs"], state["flags"]))}


def by_eval(state):
    return {"out": eval("state['docs']")}


def by_exec(state):
    space: dict[str, Any] = {"s": state}
    exec("out = s['n']", space)
    return {"out": space["out"]}


def by_pop(state):
    return {"out": dict(state).pop("question")}


def by_nonlocal(state):
    seen = None

    def look():
        nonlocal seen
        seen = state["n"]

    look()
    return {"out": seen}


def by_conditional_key(state):
    return {"out": state["docs" if state["flags"] else "question"]}


def by_deleted_alias(state):
    s = state
    del s
    return {"out": state["n"]}


def by_unused_assert(state):
    assert state["n"] >= 0, state["question"]
    return {"out": 1}


def by_raise(state):
    if state["n"] > 2:
        raise ValueError(state["question"])
    return {"out": 1}


def by_with(state):
    import contextlib

    with contextlib.nullcontext(state) as s:
        return {"out": s["docs"]}


def by_for_else(state):
    for d in state["docs"]:
        if d == state["question"]:
            break
    else:
        return {"out": state["n"]}
    return {"out": None}


def by_star_assignment(state):
    s, *_ = [state, 1, 2]
    return {"out": s["n"]}


def by_setdefault(state):
    return {"out": state.setdefault("docs", [])}


def by_getattr_on_dict(state):
    return {"out": getattr(state, "get")("n")}


def by_method_caller(state):
    return {"out": operator.methodcaller("get", "docs")(state)}


def by_zip(state):
    return {"out": [s["n"] for s, _ in zip([state], [1])]}


def by_dict_of_functions(state):
    table = {"docs": lambda s: s["docs"], "n": lambda s: s["n"]}
    return {"out": [table[k](state) for k in table]}


def by_recursion(state):
    return {"out": descend(state, 2)}


def descend(state, depth):
    return state["docs"] if depth == 0 else descend(state, depth - 1)


def by_type(state):
    return {"out": type(state)(state)["n"]}


def by_reassigned_parameter(state):
    state = {**state, "n": 3}
    return {"out": state["n"] + len(state["docs"])}


def by_print_format(state):
    return {"out": f"{state['n']} {state['question']}"}


def by_f_string(state):
    return {"out": f"{state['n']:>{len(state['docs'])}}"}


def by_chained_get(state):
    return {"out": (state.get("notes") or {}).get("a", state.get("question"))}


def by_slice(state):
    return {"out": state["docs"][: state["n"]]}


def by_nested_comprehension(state):
    return {"out": [[state[k] for _ in range(2)] for k in WANTED if state["flags"]]}


def by_dict_get_default_state(state):
    return {"out": dict[str, Any]().get("x", state)["n"]}


def by_min_of_states(state):
    return {"out": max([state], key=lambda s: s["n"])["docs"]}


def by_any(state):
    return {"out": any(state[k] for k in WANTED)}


def by_async_free_generator(state):
    docs = (d for d in state["docs"])
    return {"out": next(docs, state["question"])}


STYLES = [value for name, value in list(globals().items()) if name.startswith("by_") and callable(value)]
