"""Callables of all sorts that hand their state on in the styles people write."""

import abc
import asyncio
import contextlib
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

CURRENT: Any = None
BOX: dict[str, Any] = {}


class Node:
    key = "docs"

    def __init__(self, other="question"):
        self.other = other
        self.seen: list[Any] = []
        self.state: Any = None

    def run(self, state):
        return {"out": [state[self.key], state[self.other]]}

    def __call__(self, state):
        return self.run(state)

    def by_helper(self, state):
        return {"out": self.look(state)}

    def look(self, s):
        return s["n"]

    @staticmethod
    def by_static(state):
        return {"out": Node.read(state)}

    @classmethod
    def by_class(cls, state):
        return {"out": state[cls.key]}

    @staticmethod
    def read(s):
        return s["flags"]

    def by_kept(self, state):
        self.state = state
        return {"out": self.kept()}

    def kept(self):
        return self.state["docs"]

    def by_kept_list(self, state):
        self.seen = state["docs"]
        self.seen.append("x")
        return {"out": 1}

    @property
    def wanted(self):
        return "question"

    def by_property(self, state):
        return {"out": state[self.wanted]}

    @functools.cached_property
    def reader(self):
        return lambda s: s["n"]

    def by_cached_property(self, state):
        return {"out": self.reader(state)}

    def __getitem__(self, state):
        return state["docs"]

    def by_own_operator(self, state):
        return {"out": self[state]}

    def by_getattr(self, state):
        return {"out": getattr(self, "look")(state)}


class Base(abc.ABC):
    def __call__(self, state):
        return {"out": self.pick(state)}

    @abc.abstractmethod
    def pick(self, state): ...


class Middle(Base):
    def pick(self, state):
        return state["n"]


class Lower(Middle):
    def pick(self, state):
        return [super().pick(state), state["docs"]]


class Lowest(Lower):
    def pick(self, state):
        return [super().pick(state), state["question"]]


class Async:
    async def __call__(self, state):
        return {"out": await self.later(state)}

    async def later(self, state):
        await asyncio.sleep(0)
        return state["docs"]


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def without_wraps(function):
    def inner(s):
        if s["flags"]:
            return {"out": "flag"}
        return function(s)

    return inner


def with_arguments(key):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(state):
            return function(state, state[key])

        return wrapper

    return decorator


class Decorator:
    def __init__(self, function):
        self.function = function

    def __call__(self, state):
        return self.function(state)


def narrowing(function):
    def wrapper(state):
        return function({"docs": state["docs"]})

    return wrapper


@logged
def decorated(state):
    return {"out": state["docs"]}


@without_wraps
def decorated_plainly(state):
    return {"out": state["docs"]}


@with_arguments("n")
def decorated_with_arguments(state, n):
    return {"out": [state["docs"], n]}


@Decorator
def decorated_by_class(state):
    return {"out": state["docs"]}


@narrowing
def narrowed(state):
    return {"out": state["docs"]}


@logged
@without_wraps
@logged
def decorated_thrice(state):
    return {"out": state["docs"]}


@functools.singledispatch
def dispatched(state):
    return {"out": 0}


@dispatched.register
def _(state: dict):
    return {"out": state["docs"]}


@functools.singledispatch
def show(value, state):
    return str(value)


@show.register(int)
def _(value, state):
    return state["docs"]


def helper_dispatched(state):
    return {"out": show(state["n"], state)}


@contextlib.contextmanager
def opened(state):
    yield state


def in_own_context(state):
    with opened(state) as s:
        return {"out": s["docs"]}


def in_threads(state):
    with ThreadPoolExecutor() as pool:
        return {"out": pool.submit(one, state).result()}


def one(s):
    return s["docs"]


def in_a_thread(state):
    found = []
    thread = threading.Thread(target=lambda: found.append(state["n"]))
    thread.start()
    thread.join()
    return {"out": found}


async def awaiting(state):
    return {"out": await later(state)}


async def later(s):
    await asyncio.sleep(0)
    return s["docs"]


async def gathering(state):
    return {"out": await asyncio.gather(later(state), asyncio.to_thread(one, state))}


async def iterating(state):
    return {"out": [x async for x in stream(state)]}


async def stream(s):
    for d in s["docs"]:
        yield d


def set_global(state):
    global CURRENT
    CURRENT = state
    return {"out": look_at_global()}


def look_at_global():
    return CURRENT["docs"]


def put_into_global(state):
    BOX["s"] = state
    return {"out": look_into_box()}


def look_into_box():
    return BOX["s"]["n"]


def changed_through_global(state):
    BOX["docs"] = state["docs"]
    change_box()
    return {"out": 1}


def change_box():
    BOX["docs"].append("x")


def partial_of(key, state, other="n"):
    return {"out": [state[key], state[other]]}


def local_recursion(state):
    def walk(s, depth):
        if depth:
            return walk(state, depth - 1)
        return s.get("docs")

    return {"out": walk({}, 1)}


def growing_recursion(state):
    def walk(items):
        return [items[0], *walk(items[1:])] if items else [state["n"]]

    return {"out": walk(state["docs"])}


def method_in_loop(state):
    reader, out = None, []
    for _ in range(3):
        if reader is not None:
            out.append(reader(state))
        reader = KEPT.look
    return {"out": out}


KEPT = Node()


def rotated(state):
    a, b, c, d, e = {}, {}, {}, {}, state
    out = []
    for _ in range(6):
        out.append(a.get("docs"))
        a, b, c, d = b, c, d, e
    return {"out": out}


def rotated_slowly(state):
    a = b = c = d = e = f = g = {}
    out = []
    for _ in range(9):
        out.append(a.get("docs"))
        a = b
        b = c
        c = d
        d = e
        e = f
        f = g
        g = state
    return {"out": out}


def interrupted(state):
    s: Any = {}
    try:
        s = state
        int("x")
        s = {}
    except ValueError:
        return {"out": s["docs"]}
    return {"out": s}


def broken_off(state):
    s: Any = {}
    for flag in [True, *state["flags"]]:
        s = state
        if flag:
            break
        s = {}
    return {"out": s.get("docs")}


def matched_twice(state):
    match state:
        case s if "docs" in s:
            return {"out": s["question"]}
        case {"n": s}:
            return {"out": s}


def walrus_in_comprehension(state):
    [s := x for x in [state]]
    return {"out": s["docs"]}


def late_binding(state):
    s: Any = {}
    out = (s.get(k) for k in ["docs"])
    s = state
    return {"out": list(out)}


def late_binding_function(state):
    s: Any = {}
    out = map(lambda k: s.get(k), ["docs"])
    s = state
    return {"out": list(out)}


def local_class(state):
    class Box:
        kept = state["docs"]

        def look(self):
            return state["n"]

    return {"out": [Box.kept, Box().look()]}


def local_decorator(state):
    def give(function):
        return lambda: function(state)

    @give
    def look(s):
        return s["docs"]

    return {"out": look()}


def local_class_with_state(state):
    @dataclass
    class Box:
        s: Any

        def look(self):
            return self.s["docs"]

    return {"out": Box(state).look()}


@dataclass
class Keeper:
    s: Any

    def look(self):
        return self.s["docs"]


def kept_in_object(state):
    return {"out": Keeper(state).look()}


def kept_in_attribute(state):
    keeper = Keeper(None)
    keeper.s = state
    return {"out": keeper.look()}


class WithState:
    def __init__(self, state):
        self.state = state

    def look(self):
        return self.state["question"]


def kept_in_own_init(state):
    return {"out": WithState(state).look()}


def swapped(state):
    a, b = {}, state
    a, b = b, a
    return {"out": a["docs"]}


def returned_pair(state):
    s, n = pair(state)
    return {"out": [s["docs"], n]}


def pair(state):
    return state, state["n"]


def closure_made(key):
    def node(state):
        return {"out": state[key]}

    return node


def exception_carries(state):
    try:
        raise LookupError(state)
    except LookupError as error:
        return {"out": error.args[0]["docs"]}


def group_of_errors(state):
    try:
        raise ExceptionGroup("x", [ValueError(state["question"])])
    except* ValueError as group:
        found = str(group.exceptions[0])
    return {"out": found}


def type_params(state):
    type_: Any = type("Box", (), {"s": state})
    return {"out": type_.s["docs"]}


def global_helper_alias(state):
    return {"out": ALIAS(state)}


ALIAS = one
TABLE = {"docs": one, "n": lambda s: s["n"]}


def table_of_helpers(state):
    return {"out": [TABLE[k](state) for k in ("docs", "n")]}


def helper_as_argument(state):
    return {"out": apply(one, state)}


def apply(function, *args):
    return function(*args)


def key_as_argument(state):
    return {"out": [value_of(state, k) for k in ("docs", "n")]}


def value_of(s, k, default=None):
    return s.get(k, default)


def frame(state):
    import inspect

    return {"out": inspect.currentframe().f_locals["state"]["docs"]}  # type: ignore[union-attr]


def helper_frame(state):
    return {"out": look_up()}


def look_up():
    import sys

    return sys._getframe(1).f_locals["state"]["docs"]


STYLES = [
    Node(), Node().run, Node().by_helper, Node.by_static, Node.by_class, Node().by_kept, Node().by_kept_list, Node().by_property,
    Node().by_cached_property, Node().by_own_operator, Node().by_getattr, Middle(), Lower(), Lowest(), Async(), decorated,
    decorated_plainly, decorated_with_arguments, decorated_by_class, narrowed, decorated_thrice, dispatched, helper_dispatched,
    in_own_context, in_threads, in_a_thread, awaiting, gathering, iterating, set_global, put_into_global, changed_through_global,
    functools.partial(partial_of, "docs"), functools.partial(partial_of, "docs", other="question"),
    functools.partial(functools.partial(partial_of, "docs"), other="flags"), local_recursion, growing_recursion, rotated,
    rotated_slowly, interrupted, broken_off, matched_twice, walrus_in_comprehension, late_binding, late_binding_function,
    local_class, local_decorator, local_class_with_state, kept_in_object, kept_in_attribute, kept_in_own_init, swapped,
    returned_pair, closure_made("docs"), exception_carries, group_of_errors, type_params, global_helper_alias, table_of_helpers,
    helper_as_argument, key_as_argument, frame, helper_frame, method_in_loop,
]  # fmt: skip
