"""Functions written to slip something past the analysis: aliases, texts put together, containers that several hands fill."""

import collections
import copy
import enum
import functools
import itertools
import operator
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from langgraph.types import Command


class Key(str, enum.Enum):  # noqa: UP042
    DOCS = "docs"
    N = "n"


class Name(str):
    pass


def by_enum_key(state):
    return {"out": [state[Key.DOCS], state[Key("n")]]}


def by_text_subclass(state):
    return {"out": state[Name("question")]}


def by_letters(state):
    return {"out": [state.get(letter) for letter in "nx"]}


def by_letter(state):
    return {"out": state["names"[0]]}


def by_slice_of_text(state):
    return {"out": state["docs and more"[:4]]}


def by_slice_of_global_text(state):
    return {"out": state[LONG[:4]]}


LONG = "docs and more"


def by_grown_text(state):
    key = "do"
    key += "cs"
    return {"out": state[key]}


def by_grown_item(state):
    names = ["do"]
    return {"out": state[names[0] + "cs"]}


def by_repeated_item(state):
    names = ["do", "cs"]
    return {"out": state["".join(names)]}


def by_sum_of_texts(state):
    return {"out": state[functools.reduce(operator.add, ["do", "cs"])]}


def by_mapped_text(state):
    return {"out": [state[k] for k in map(str.lower, ["DOCS", "N"])]}


def by_substitution(state):
    return {"out": state[re.sub("x", "s", "docx")]}


def by_dedent(state):
    return {"out": state[textwrap.dedent("  docs")]}


def by_formatted(state):
    return {"out": state["{}".format("docs")]}


def by_percent(state):
    return {"out": state["%s" % "docs"]}  # noqa: UP031


def by_replace(state):
    return {"out": state["xocs".replace("x", "d")]}


def by_iterating_dict(state):
    wanted = {"docs": "question", "n": "flags"}
    return {"out": [state[k] for k in wanted]}


def by_items_of_dict(state):
    wanted = {"docs": "x", "n": "y"}
    return {"out": {v: state[k] for k, v in wanted.items()}}


def by_keys_of_dict(state):
    return {"out": [state[k] for k in {"docs": "x"}.keys()]}


def by_sorted_dict(state):
    return {"out": [state[k] for k in sorted({"n": "docs", "docs": "n"})]}


def by_star_of_dict(state):
    return {"out": [state[k] for k in [*{"question": "docs"}]]}


def by_list_of_dict(state):
    return {"out": [state[k] for k in list({"question": "docs"})]}


def by_zipped_dict(state):
    return {"out": [state[k] for k, _ in zip({"question": "docs"}, [1])]}


def by_max_of_keys(state):
    return {"out": state[max("docs", "a")]}


def by_max_as_key(state):
    return {max(["n", "docs"]): 1}


def by_name_as_key(state):
    return {Name("n"): 1}


def by_item_as_key(state):
    for key in ["out", "n"]:
        return {key: 1}


def by_keyword_names(state):
    return {"out": list_names(state, docs="question", n="flags")}


def list_names(s, **wanted):
    return [s[k] for k in wanted]


def by_class_attribute(state):
    class Box:
        key = "docs"

        def __init__(self, other):
            self.other = other

    return {"out": state[Box("n").key]}


@dataclass
class Wanted:
    other: str
    key: str = "docs"
    keys: list[str] = field(default_factory=lambda: ["flags"])

    @property
    def both(self):
        return self.other + "ocs"


def by_default_of_dataclass(state):
    return {"out": state[Wanted("n").key]}


def by_factory_of_dataclass(state):
    return {"out": [state[k] for k in Wanted("n").keys]}


def by_property_of_own(state):
    return {"out": state[Wanted("d").both]}


class Pair(NamedTuple):
    first: str
    second: str = "docs"


def by_default_of_tuple(state):
    return {"out": state[Pair("n").second]}


def by_unpacked_tuple(state):
    first, second = Pair("n")
    return {"out": [state[first], state[second]]}


def by_two_names_of_one_list(state):
    box: list[Any] = []
    put_both(box, box, state)
    return {"out": 1}


def put_both(a, b, s):
    a.append(s["docs"])
    b[0].append("x")


def by_inner_and_outer(state):
    inner: list[Any] = []
    outer = [inner]
    put_both(inner, outer[0], state)
    return {"out": 1}


def by_filled_twice(state):
    box: dict[str, Any] = {}
    put_in(box, "a", state["docs"])
    put_in(box, "b", state["notes"])
    box["b"].clear()
    return {"out": 1}


def put_in(box, key, value):
    box[key] = value


def by_filling_update(state):
    out: dict[str, Any] = {}
    put_in(out, "n", 1)
    put_in(out, "out", 2)
    return out


def by_filling_list(state):
    out: list[Any] = []
    add_command(out, "n")
    add_command(out, "docs")
    return out


def add_command(commands, key):
    commands.append(Command(update={key: 1}))


def by_helper_with_text(state):
    return {"out": [peek_at(state, "n"), peek_at(state, "docs"), peek_at(state, "question")]}


def peek_at(s, key):
    return look_deeper(s, key)


def look_deeper(s, key):
    return s.get(key)


def by_text_compared(state):
    return {"out": [choose(state, "yes"), choose(state, "no")]}


def choose(s, word):
    return s["docs"] if word == "yes" else s["question"]


def by_text_in_closure(state):
    return {"out": make_reader("docs")(state), "n": make_reader("n")(state)}


def make_reader(key):
    return lambda s: s[key]


def by_text_in_object(state):
    return {"out": [Reader("docs").read(state), Reader("n").read(state)]}


class Reader:
    def __init__(self, key):
        self.key = key

    def read(self, s):
        return s[self.key]

    def __iter__(self) -> Iterator[str]:
        return iter(["question"])

    def __add__(self, s):
        return s["flags"]


def by_own_iterator(state):
    return {"out": [state[k] for k in Reader("docs")]}


def by_own_sum(state):
    return {"out": Reader("docs") + state}


def by_text_getattr(state):
    return {"out": [attribute_of(Reader("docs"), "key"), state[attribute_of(Reader("n"), "key")]]}


def attribute_of(it, name):
    return getattr(it, name)


def by_returned_list(state):
    out = fresh_list()
    out.append(state["docs"])
    fresh_list().append(1)
    out[0].append("x")
    return {"out": 1}


def fresh_list():
    return []


def by_accumulating_default(state, seen=[]):
    seen.append(state["docs"])
    seen[-1].append("x")
    return {"out": 1}


def by_shared_object(state):
    HOLDER.kept = state["notes"]
    HOLDER.change()
    return {"out": 1}


class Holder:
    kept: Any = None

    def change(self):
        self.kept["z"] = "z"


HOLDER = Holder()


def by_class_state(state):
    Holder.kept = state["notes"]
    HOLDER.kept = None
    Holder.kept["z"] = "z"
    return {"out": 1}


def by_returned_alias(state):
    docs = first_of(state["docs"], state["flags"])
    docs.append("x")
    return {"out": 1}


def first_of(a, b):
    return a or b


def by_nested_helper_alias(state):
    box = wrap(wrap(state["docs"]))
    box[0][0].append("x")
    return {"out": 1}


def wrap(value):
    return [value]


def by_zip_alias(state):
    for docs, _ in zip([state["docs"]], [1]):
        docs.append("x")
    return {"out": 1}


def by_sorted_alias(state):
    sorted([state["docs"], []], key=len)[-1].append("x")
    return {"out": 1}


def by_chain_alias(state):
    list(itertools.chain([state["docs"]]))[0].append("x")
    return {"out": 1}


def by_lambda_alias(state):
    (lambda d: d)(state["docs"]).append("x")
    return {"out": 1}


def by_map_alias(state):
    for d in map(lambda x: x, [state["docs"]]):
        d.append("x")
    return {"out": 1}


def by_comprehension_alias(state):
    [d for d in [state["docs"]]][0].append("x")
    return {"out": 1}


def by_dict_values_alias(state):
    for d in {"a": state["docs"]}.values():
        d.append("x")
    return {"out": 1}


def by_get_alias(state):
    state.get("docs", []).append("x")
    return {"out": 1}


def by_walrus_alias(state):
    if (docs := state["docs"]) is not None:
        docs.append("x")
    return {"out": 1}


def by_star_alias(state):
    first, *_ = [state["docs"], 1]
    first.append("x")
    return {"out": 1}


def by_shallow_copy_of_list(state):
    copy.copy({"d": state["docs"]})["d"].append("x")
    return {"out": 1}


def by_iterator_alias(state):
    next(iter([state["docs"]])).append("x")
    return {"out": 1}


def by_deque_alias(state):
    queue: Any = collections.deque([state["docs"]])
    queue.popleft().append("x")
    return {"out": 1}


def by_generator_alias(state):
    for d in given(state):
        d.append("x")
    return {"out": 1}


def given(s):
    yield s["docs"]


def by_method_alias(state):
    push = state["docs"].append
    push("x")
    return {"out": 1}


def by_setitem_function(state):
    operator.setitem(state["notes"], "z", "z")
    return {"out": 1}


def by_augmented_item(state):
    state["docs"] += ["x"]
    return {"out": 1}


def by_slice_assignment(state):
    state["docs"][:] = []
    return {"out": 1}


def by_del_item(state):
    state["notes"].pop("a", None)
    return {"out": 1}


def by_union_update(state):
    notes = state["notes"]
    notes |= {"z": "z"}
    return {"out": 1}


def by_unbound_method(state):
    list.append(state["docs"], "x")
    return {"out": 1}


def by_loop_alias(state):
    current: Any = []
    for _ in range(3):
        current.append("x")
        current = state["docs"]
    return {"out": 1}


def by_while_alias(state):
    current, n = state["docs"], 0
    while n < 2:
        current.append("x")
        current, n = [], n + 1
    return {"out": 1}


def by_try_alias(state):
    target: Any = []
    try:
        target = state["docs"]
        int("x")
    except ValueError:
        target.append("x")
    return {"out": 1}


def by_finally_alias(state):
    target: Any = state["docs"]
    try:
        return {"out": 1}
    finally:
        target.append("x")


def by_default_dict(state):
    groups: Any = collections.defaultdict(list)
    groups["a"].append(state["docs"])
    groups["a"][0].append("x")
    return {"out": 1}


def by_counter(state):
    counts = collections.Counter(state["docs"])
    counts["a"] += 1
    return {"out": counts.most_common(1)}


def by_ambiguous_name(state, n="docs"):
    def n_of(s):
        return s[n]

    return {"out": n_of(state)}


def by_shadowing(state):
    sorted = lambda x: state["flags"]  # noqa: E731
    return {"out": sorted(1)}


def by_rebinding_state(state):
    def outer():
        nonlocal state
        state = {"docs": state["question"]}

    outer()
    return {"out": state["docs"]}


STYLES = [value for name, value in list(globals().items()) if name.startswith("by_")]
