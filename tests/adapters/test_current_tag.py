"""`current_tag` says whose code is running, and says the same of a task that runs early as of one that runs in order."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import operator
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as StockStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, RetryPolicy, Send, TimeoutPolicy, interrupt
from typing_extensions import TypedDict

from alto_langgraph import current_tag, optimize
from alto_langgraph.adapters.langgraph.lineage import LOOPS, Relating
from alto_langgraph.driver.early import CURRENT
from alto_langgraph.func import entrypoint, task
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import Effects
from alto_langgraph.protocols import observed_by

RUNS = [{"enabled": True}, {"issue": ["send"]}, {"issue": []}, {"window": 0}]
"""Options under which the same tags are to be seen."""


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[str], operator.add]
    messages: list[Any]


class Seen:
    """What was said, where, and how much of it ahead of its superstep."""

    def __init__(self, *, early: bool) -> None:
        self.tags: list[tuple[str, str]] = []
        self.ahead = 0
        self.one = Send("part", "the same")
        self.deep = threading.Event()
        """The quick item has come to the last node, or nobody waits for that."""
        if not early:
            self.deep.set()

    def say(self, what: str) -> None:
        self.tags.append((what, str(current_tag())))
        self.ahead += CURRENT.get() is not None


SEEN: ContextVar[Seen] = ContextVar("seen")


def say(what: str) -> None:
    SEEN.get().say(what)


@contextmanager
def seen_by(*, early: bool = False) -> Iterator[Seen]:
    """What the runs started inside the block say. Nodes find it in their context: an object that they share would keep them in order."""
    token = SEEN.set(Seen(early=early))
    try:
        yield SEEN.get()
    finally:
        SEEN.reset(token)


@pytest.fixture
def seen() -> Iterator[Seen]:
    with seen_by() as made:
        yield made


def inner(graph: type[Any] = StateGraph) -> Any:
    """A graph that a node runs: one node that sends two."""

    def first(state: State) -> State:
        say("first")
        return {}

    def second(item: str) -> State:
        say(f"second {item}")
        return {}

    def split(state: State) -> list[Send]:
        say("split")
        return [Send("second", item) for item in "xy"]

    builder = graph(State).add_node(first).add_node(second).add_edge(START, "first")
    return builder.add_conditional_edges("first", split, ["second"]).compile()


def three_deep() -> Any:
    """Items, parts and claims; the slow item's first node waits until the quick one's claims are there."""
    sub, stock = inner(), inner(StockStateGraph)

    def item(name: str) -> Command[Any]:
        if name == "slow":
            assert SEEN.get().deep.wait(10)
        say(f"item {name}")
        return Command(goto=[Send("part", f"{name}{i}") for i in range(2)])

    def part(name: str) -> Command[Any]:
        say(f"part {name}")
        sub.invoke({"items": []})
        sub.invoke({"items": []})
        stock.invoke({"items": []})
        return Command(goto=[Send("claim", name), Send("aside", name), Send("claim", name)])

    def claim(name: str) -> State:
        say(f"claim {name}")
        if name.startswith("quick"):
            SEEN.get().deep.set()
        return {"out": [name]}

    def aside(name: str) -> State:
        say(f"aside {name}")
        return {}

    def after(state: State) -> list[str]:
        say("after")
        return []

    def split(state: State) -> list[Send]:
        say("split items")
        return [Send("item", name) for name in state["items"]]

    builder: Any = StateGraph(State)
    builder.add_node(item).add_node(part).add_node(claim).add_node(aside)
    return builder.add_conditional_edges(START, split, ["item"]).add_conditional_edges("claim", after, ["item"])


ITEMS: Any = {"items": ["slow", "quick"]}


def told(options: Any, *, on_threads: bool) -> Seen:
    with seen_by(early=options == RUNS[0]) as seen:
        app = three_deep().compile(alto=options)
        if on_threads:
            app.invoke(ITEMS)
        else:
            asyncio.run(app.ainvoke(ITEMS))
    return seen


@pytest.mark.parametrize("on_threads", [False, True])
def test_a_task_has_one_tag_whether_it_ran_early_or_in_order(on_threads: bool) -> None:
    early, *others = [told(options, on_threads=on_threads) for options in RUNS]
    assert early.ahead > 0
    assert not others[-1].ahead
    for other in others:
        assert sorted(early.tags) == sorted(other.tags)


def test_tags_tell_the_whole_way_from_the_input() -> None:
    tags = told(RUNS[0], on_threads=True).tags
    assert ("split items", "__start__[0]") in tags
    assert ("item quick", "__start__[0]/item[1]") in tags
    assert ("part quick0", "__start__[0]/item[1]/part[0]") in tags
    assert ("claim quick1", "__start__[0]/item[1]/part[1]/claim[2]") in tags
    assert ("aside slow0", "__start__[0]/item[0]/part[0]/aside[1]") in tags
    assert ("after", "__start__[0]/item[0]/part[0]/claim[0]") in tags


def test_a_graph_that_a_node_runs_is_below_it_and_the_second_one_has_a_level_of_its_own() -> None:
    tags = told(RUNS[0], on_threads=True).tags
    part = "__start__[0]/item[0]/part[0]"
    assert tags.count(("first", f"{part}/first[1]")) == 1
    assert tags.count(("second y", f"{part}/first[1]/second[1]")) == 1
    assert tags.count(("split", f"{part}/call[1]/first[1]")) == 1
    assert tags.count(("second x", f"{part}/call[1]/first[1]/second[0]")) == 1


def test_code_in_a_stock_graph_counts_as_that_of_the_task_that_runs_it() -> None:
    tags = told(RUNS[0], on_threads=True).tags
    assert ("first", "__start__[0]/item[1]/part[1]") in tags
    assert ("second y", "__start__[0]/item[0]/part[1]") in tags


def test_an_observer_changes_no_tag() -> None:
    class Deaf:
        def observe(self, fact: object) -> None: ...

    alone = told(RUNS[0], on_threads=True)
    with observed_by(Deaf()):
        assert sorted(told(RUNS[0], on_threads=True).tags) == sorted(alone.tags)


def one() -> Send:
    """One packet that several tasks send."""
    return SEEN.get().one


def come() -> None:
    assert SEEN.get().deep.wait(10)


async def test_a_packet_that_two_tasks_send_becomes_two_tasks_of_two_names(seen: Seen) -> None:
    async def item(name: str) -> Command[Any]:
        if name == "slow":
            await asyncio.to_thread(come)
        return Command(goto=one())

    async def part(name: str) -> State:
        say(name)
        SEEN.get().deep.set()
        return {}

    seen.deep.clear()
    builder: Any = StateGraph(State)
    builder.add_node(item, destinations=("part",)).add_node(part)
    builder.add_conditional_edges(START, lambda state: [Send("item", name) for name in state["items"]], ["item"])
    await builder.compile().ainvoke(ITEMS)
    assert seen.ahead == 1
    assert sorted(tag for _, tag in seen.tags) == ["__start__[0]/item[0]/part[0]", "__start__[0]/item[1]/part[0]"]


# ---- where code may run


class Listening(BaseCallbackHandler):
    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        say("model starts")

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        say("model ends")


def with_everything(*, use_async: bool) -> Any:
    model = FakeListChatModel(responses=["hello"], callbacks=[Listening()])

    @tool
    def look(word: str) -> str:
        """Looks a word up."""
        say("tool")
        return word

    def work(item: str) -> State:
        say("node")
        model.invoke(item)
        look.invoke(item)
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(say, "thread"))
        thread.start()
        thread.join()
        return {}

    async def awork(item: str) -> State:
        say("node")
        await model.ainvoke(item)
        await look.ainvoke(item)
        await asyncio.to_thread(say, "thread")
        await asyncio.create_task(asyncio.to_thread(say, "task"))
        return {}

    def calls(state: Any) -> list[Send]:
        call = {"name": "look", "args": {"word": "a"}, "id": "1", "type": "tool_call"}
        return [Send("work", "w"), Send("tools", {"messages": [AIMessage("", tool_calls=[call])]})]

    builder: Any = StateGraph(State)
    builder.add_node("work", awork if use_async else work).add_node("tools", ToolNode([look]))
    return builder.add_conditional_edges(START, calls, ["work", "tools"]).compile()


@pytest.mark.parametrize("use_async", [False, True])
def test_tools_threads_and_callbacks_of_a_model_belong_to_their_node(seen: Seen, use_async: bool) -> None:
    app = with_everything(use_async=use_async)
    asyncio.run(app.ainvoke({"items": []})) if use_async else app.invoke({"items": []})
    work = "__start__[0]/work[0]"
    expected = {("node", work), ("model starts", work), ("model ends", work), ("tool", work), ("thread", work)}
    assert expected | {("tool", "__start__[0]/tools[1]/look[0]")} <= set(seen.tags)


@pytest.mark.parametrize("options", [{}, {"issue": []}])
async def test_timeouts_and_retries_keep_the_tag(seen: Seen, options: Any) -> None:
    failed: list[str] = []

    async def work(item: str) -> State:
        say(item)
        if not failed:
            failed.append(item)
            raise ValueError(item)
        return {}

    builder: Any = StateGraph(State)
    builder.add_node("work", work, timeout=TimeoutPolicy(run_timeout=60), retry_policy=RetryPolicy(initial_interval=0, retry_on=ValueError))
    app = builder.add_conditional_edges(START, lambda state: [Send("work", "a")], ["work"]).compile(alto=options)
    await app.ainvoke({"items": []})
    assert seen.tags == [("a", "__start__[0]/work[0]")] * 2


def test_what_handles_an_error_is_below_the_task_that_raised_it(seen: Seen) -> None:
    def work(item: str) -> State:
        raise ValueError(item)

    def handle(state: State) -> State:
        say("handle")
        return {}

    builder: Any = StateGraph(State)
    builder.add_node("work", work, error_handler=handle)
    builder.add_conditional_edges(START, lambda state: [Send("work", "a")], ["work"]).compile().invoke({"items": []})
    ((what, tag),) = seen.tags
    assert (what, tag.rpartition("/")[0]) == ("handle", "__start__[0]/work[0]")


def test_a_task_of_the_functional_interface_is_below_the_one_that_calls_it(seen: Seen) -> None:
    @task
    def step(number: int) -> int:
        say(f"step {number}")
        return number

    @entrypoint()
    def flow(numbers: list[int]) -> list[int]:
        say("flow")
        return [step(number).result() for number in numbers]

    assert optimize(flow).invoke([5, 6]) == [5, 6]
    top = dict(seen.tags)["flow"]
    assert seen.tags[1:] == [("step 5", f"{top}/step[0]"), ("step 6", f"{top}/step[1]")]


def test_a_graph_with_a_thread_of_its_own_is_below_the_node_that_runs_it(seen: Seen) -> None:
    saving = StateGraph(State).add_node("inside", lambda state: say("inside")).add_edge(START, "inside")
    kept = saving.compile(checkpointer=InMemorySaver())

    def work(state: State) -> State:
        kept.invoke({"items": []}, {"configurable": {"thread_id": "own"}})
        return {}

    StateGraph(State).add_node(work).add_edge(START, "work").compile().invoke({"items": []})
    assert seen.tags == [("inside", "work[1]/inside[1]")]


def test_what_a_resumed_run_finds_is_named_by_its_superstep(seen: Seen) -> None:
    def ask(item: str) -> State:
        say(item)
        return {"out": [interrupt(item)]}

    builder = StateGraph(State).add_node(ask).add_conditional_edges(START, lambda state: [Send("ask", "a")], ["ask"])
    app, config = builder.compile(checkpointer=InMemorySaver()), RunnableConfig(configurable={"thread_id": "1"})
    app.invoke({"items": []}, config)
    app.invoke(Command(resume="yes"), config)
    assert seen.tags == [("a", "__start__[0]/ask[0]"), ("a", "ask[1]/send[0]")]


# ---- where there is none, and what it costs


def test_who_asks_is_known_to_do_nothing_else() -> None:
    found = analyse(lambda state: {"tag": str(current_tag())})
    assert (found.effects, found.mutates, found.sees_identity) == (Effects.PURE, False, False)


def test_there_is_none_outside_of_a_run() -> None:
    assert current_tag() is None
    with seen_by():
        assert {current_tag() for _ in three_deep().compile().stream(ITEMS)} == {None}
    assert current_tag() is None


def test_there_is_none_under_stock_langgraph(seen: Seen) -> None:
    inner(StockStateGraph).invoke({"items": []})
    inner().with_config(configurable={"alto": False}).invoke({"items": []})
    assert {tag for _, tag in seen.tags} == {"None"}
    assert len(seen.tags) == 8


def test_there_is_none_when_alto_is_switched_off() -> None:
    script = """
from alto_langgraph import current_tag
from alto_langgraph.graph import START, MessagesState, StateGraph
StateGraph(MessagesState).add_node("a", lambda state: print(current_tag())).add_edge(START, "a").compile().invoke({"messages": []})
"""
    for enabled, expected in (("0", "None"), ("1", "a[1]")):
        done = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "ALTO_ENABLED": enabled}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def turning(turns: int, step: Callable[[], Any], *, send: bool) -> Any:
    """A node that comes again and again, by a Send or by an edge after one."""

    def work(state: Any) -> Command[Any]:
        state = {"left": state["left"] - 1}
        step()
        return Command(update=state, goto=([Send("work", state)] if send else ["rest"]) if state["left"] else [])

    def rest(state: Any) -> Command[Any]:
        return Command(goto=[Send("work", state)])

    class Left(TypedDict):
        left: int

    app = StateGraph(Left).add_node(work).add_node(rest).add_edge(START, "work").compile()
    return app.invoke({"left": turns}, {"recursion_limit": 3 * turns})


def links() -> int:
    """How many supersteps a run at work remembers, at most."""
    return max(map(length, LOOPS.values()))


def length(loop: Relating) -> int:
    count, lineage = 0, loop.lineage
    while lineage is not None:
        count, lineage = count + 1, lineage.before
    return count


def test_nothing_is_kept_of_a_loop_beyond_a_superstep_without_sends() -> None:
    kept: list[int] = []
    turning(50, lambda: kept.append(links()), send=False)
    assert max(kept) == 1


def test_a_tag_may_be_longer_than_the_stack_is_deep() -> None:
    depths: list[int] = []

    def note() -> None:
        if links() == 1200:
            tag = current_tag()
            assert tag is not None
            depths.append(tag.depth)

    turning(1210, note, send=True)
    assert depths == [1201]


def test_a_run_that_is_over_is_forgotten() -> None:
    before = {*LOOPS.values()}
    told(RUNS[0], on_threads=True)
    gc.collect()
    assert before >= {*LOOPS.values()}
