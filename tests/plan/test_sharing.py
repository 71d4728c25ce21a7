"""What is found out once and used again: within a graph, and for the next one."""

from collections import Counter
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.following import Following
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.session import together


class State(TypedDict, total=False):
    docs: list[str]
    question: str


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the app's functions are read, by name."""
    counts: Counter[str] = Counter()
    original = Following.read

    def counted(self: Any, tree: Any, *args: Any, **kwargs: Any) -> Any:
        counts[getattr(tree, "name", "lambda")] += 1
        return original(self, tree, *args, **kwargs)

    monkeypatch.setattr(Following, "read", counted)
    return counts


def shorten(texts, limit=3):
    return [text[:limit] for text in texts if text]


def ask(messages, name):
    return f"{name}: {len(messages)}"


def compose(state, prompt):
    messages = [{"role": "system", "content": prompt}]
    messages.append({"role": "user", "content": state["question"]})
    return messages


def node_of(number: int) -> Any:
    prompt = f"You are number {number}"

    def node(state: State) -> dict[str, Any]:
        return {"question": ask(compose(state, prompt), str(number)), "docs": shorten(state["docs"])}

    node.__name__ = f"node{number}"
    return node


def test_what_many_nodes_call_is_read_once(read: Counter[str]) -> None:
    builder = StateGraph(State)
    for number in range(20):
        builder.add_node(f"n{number}", node_of(number))
        builder.add_edge(START, f"n{number}")
    plan = lower(builder.compile())
    assert {n.function.reads for n in plan.nodes.values()} == {frozenset({"docs", "question"})}
    assert (read["compose"], read["ask"], read["shorten"]) == (1, 1, 1)


def pick(state, key):
    return state[key]


def one(state):
    return {"docs": pick(state, "docs")}


def two(state):
    return {"docs": pick(state, "question")}


def test_a_text_that_matters_is_read_with(read: Counter[str]) -> None:
    with together():
        assert (analyse(one).reads, analyse(two).reads) == ({"docs"}, {"question"})
    assert read["pick"] == 3  # once to see that the text matters


def even(state, n):
    return state["docs"] if n == 0 else odd(state, n - 1)


def odd(state, n):
    return state["question"] if n == 0 else even(state, n - 1)


def starts_even(state):
    return {"docs": even(state, 3)}


def starts_odd(state):
    return {"docs": odd(state, 3)}


def test_functions_on_the_way_to_themselves_are_not_cut_short_for_others() -> None:
    with together():
        for function in (starts_even, starts_odd, starts_even):
            reads = analyse(function).reads
            assert reads is None or reads == {"docs", "question"}


class Agent:
    def __init__(self) -> None:
        self.work: Any = shorten

    def run(self, state):
        return {"docs": self.work(state["docs"])}


agent = Agent()
STEPS = [shorten]


def by_agent(state):
    return agent.run(state)


def by_table(state):
    return {"docs": [step(state["docs"]) for step in STEPS]}


def loud(texts):
    print(texts)


def test_a_plan_is_kept_until_something_it_rests_on_is_changed(read: Counter[str]) -> None:
    before = analyse(by_agent, describe=describe)
    seen = read["shorten"]
    assert analyse(by_agent, describe=describe) is before
    assert read["shorten"] == seen
    agent.work = loud
    try:
        assert analyse(by_agent, describe=describe).effects is Effects.UNKNOWN
    finally:
        agent.work = shorten
    assert analyse(by_agent, describe=describe) == before


def test_a_changed_table_of_functions_is_noticed() -> None:
    before = analyse(by_table, describe=describe)
    STEPS.append(loud)
    try:
        assert analyse(by_table, describe=describe).effects is Effects.UNKNOWN
    finally:
        STEPS.pop()
    assert analyse(by_table, describe=describe) == before


def test_a_changed_method_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = analyse(by_agent, describe=describe)
    monkeypatch.setattr(Agent, "run", lambda self, state: {"question": loud(state)})
    assert analyse(by_agent, describe=describe) != before
