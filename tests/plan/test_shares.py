"""Which mutable objects outside the state a function touches, and how."""

import asyncio
import functools
import logging
import re
import threading
from collections import defaultdict, deque
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate

from alto_langgraph.plan.access import analyse

SEEN: list[Any] = []
TABLE: dict[str, Any] = {}
BY_KEY: defaultdict[str, list[Any]] = defaultdict(list)
QUEUE: deque[Any] = deque()
TOTAL = 0

logger = logging.getLogger(__name__)
PATTERN = re.compile("x")
LIMIT = asyncio.Semaphore(3)
LOCK = threading.Lock()
llm = FakeListChatModel(responses=["x"])
prompt = ChatPromptTemplate.from_template("{x}")
STAGES = ("a", "b")


def uses(function: Any) -> dict[str, str]:
    """Name -> "r", "w" or "rw"."""
    return {use.name: "r" * use.reads + "w" * use.writes for use in analyse(function).shares}


def appends(state):
    SEEN.append(state["x"])


def sets(state):
    TABLE[state["x"]] = 1


def counts(state):
    TABLE["n"] += 1


def nested_append(state):
    BY_KEY["x"].append(1)


def extends(state):
    global SEEN
    SEEN += [1]


def queues(state):
    QUEUE.appendleft(1)
    QUEUE.append(2)


def adds_by_helper(state):
    remember(SEEN, 1)


def remember(where, what):
    where.append(what)


@pytest.mark.parametrize(
    ("function", "name"), [(appends, "SEEN"), (sets, "TABLE"), (counts, "TABLE"), (queues, "QUEUE"), (adds_by_helper, "SEEN")]
)
def test_adding_without_looking_is_write_only(function: Any, name: str) -> None:
    assert uses(function) == {name: "w"}


def iterates(state):
    return {"x": [s for s in SEEN]}


def indexes(state):
    return {"x": SEEN[-1]}


def measures(state):
    return {"x": len(SEEN)}


def searches(state):
    return {"x": state["x"] in SEEN}


def looks_up(state):
    return {"x": TABLE.get("a"), "y": TABLE["b"]}


def hands_out(state):
    return {"x": SEEN}


def branches(state):
    return {"x": 1} if SEEN else {}


def formats(state):
    return {"x": f"{SEEN}"}


def sorts(state):
    return {"x": sorted(SEEN)}


@pytest.mark.parametrize("function", [iterates, indexes, measures, searches, looks_up, hands_out, branches, formats, sorts])
def test_looking_is_read_only(function: Any) -> None:
    assert set(uses(function).values()) == {"r"}


def pops(state):
    return {"x": SEEN.pop()}


def setdefault_used(state):
    return {"x": TABLE.setdefault("a", [])}


def unknown_call(state):
    eval("f")(SEEN)


def changes_an_item(state):
    for item in SEEN:
        item["x"] = 1


@pytest.mark.parametrize("function", [pops, setdefault_used, unknown_call, changes_an_item])
def test_doing_both_is_both(function: Any) -> None:
    assert set(uses(function).values()) == {"rw"}


def test_a_closure_shares_its_cells() -> None:
    notes: list[str] = []

    def write(state):
        notes.append("x")

    def read(state):
        return {"x": len(notes)}

    (mine,), (theirs,) = analyse(write).shares, analyse(read).shares
    assert mine.key == theirs.key == id(notes)
    assert (mine.reads, mine.writes, theirs.reads, theirs.writes) == (False, True, True, False)


def test_a_counter_in_a_closure_is_shared() -> None:
    n = 0

    def node(state):
        nonlocal n
        n += 1
        return {"n": n}

    assert uses(node)["n"] == "rw"


def rebinds(state):
    global TOTAL
    TOTAL = state["x"]


def reads_rebound(state):
    return {"x": TOTAL}


def test_a_global_that_is_set_anew_is_shared() -> None:
    (mine,), (theirs,) = analyse(rebinds).shares, analyse(reads_rebound).shares
    assert mine.key == theirs.key
    assert mine.writes and theirs.reads and not theirs.writes


class Agent:
    def __init__(self) -> None:
        self.llm = llm
        self.found: list[str] = []
        self.calls = 0
        self.name = "x"

    def writes(self, state):
        self.found.append(state["x"])

    def reads(self, state):
        return {"x": list(self.found)}

    def counts(self, state):
        self.calls += 1

    def asks(self, state):
        return {"x": self.llm.invoke(self.name)}

    def looks_at_calls(self, state):
        return {"x": self.calls}

    def by_own_method(self, state):
        self._add(state["x"])

    def _add(self, x):
        self.found.append(x)


def keys(function: Any, *, reads: bool = False, writes: bool = False) -> set[int]:
    return {use.key for use in analyse(function).shares if (use.reads and reads) or (use.writes and writes)}


def test_methods_share_what_hangs_on_self() -> None:
    agent = Agent()
    assert id(agent.found) in keys(agent.writes, writes=True) & keys(agent.reads, reads=True) & keys(agent.by_own_method, writes=True)


def test_a_counter_on_self_is_shared_with_who_reads_it_and_nobody_else() -> None:
    agent = Agent()
    assert keys(agent.counts, writes=True) & keys(agent.looks_at_calls, reads=True)
    assert not keys(agent.counts, writes=True) & keys(agent.asks, reads=True)
    assert not keys(agent.asks, writes=True)


def takes(where, state):
    where.append(state["x"])


def test_arguments_of_a_partial_are_shared() -> None:
    box: list[int] = []
    assert [(u.key, u.reads, u.writes) for u in analyse(functools.partial(takes, box)).shares] == [(id(box), False, True)]


def default(state, box=[]):  # noqa: B006
    box.append(1)


def test_a_mutable_default_is_shared() -> None:
    assert uses(default) == {"box": "w"}


def test_a_bound_method_of_a_list_is_shared() -> None:
    box: list[int] = []
    add = box.append

    def node(state):
        add(1)

    assert {u.key for u in analyse(node).shares if u.writes} == {id(box)}


async def harmless(state):
    logger.info("x %s", PATTERN.sub("", state["x"]))
    async with LIMIT:
        with LOCK:
            chain = prompt | llm
            return {"x": await chain.ainvoke({"x": STAGES}), "y": llm.invoke("x")}


def test_models_prompts_loggers_locks_and_constants_are_not_shared() -> None:
    assert uses(harmless) == {}


class Registry:
    items: list[int] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}

    def put(self, key, value):
        self.slots[key] = value

    def look(self, key):
        return self.slots[key]


registry = Registry()


def puts(state):
    registry.put("x", 1)


def looks(state):
    return {"x": registry.look("x")}


def class_attribute(state):
    Registry.items.append(1)


def test_methods_of_the_apps_objects_are_followed() -> None:
    assert id(registry.slots) in keys(puts, writes=True) & keys(looks, reads=True)
    assert not keys(looks, writes=True)
    assert id(Registry.items) in keys(class_attribute, writes=True)


class Collection:
    """Stands for a library's object: its methods can't be read."""

    add = list.append
    query = len


def test_unknown_methods_of_an_unknown_object_both_read_and_write() -> None:
    store = type("Chroma", (), {"__module__": "chromadb.api"})()

    def fills(state):
        store.add(state["x"])

    def asks(state):
        return {"x": store.query("x")}

    assert keys(fills, writes=True) & keys(asks, reads=True)


def test_a_table_of_functions_is_followed() -> None:
    handlers = {"a": appends}

    def node(state):
        return handlers[state["kind"]](state)

    assert {u.name for u in analyse(node).shares if u.writes} == {"SEEN"}
