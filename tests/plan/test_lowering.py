"""From a compiled graph to its plan."""

import operator
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import CachePolicy, Command, Send, interrupt

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.candidates import Candidates
from alto_langgraph.plan.hops import hops
from alto_langgraph.plan.model import Effects, NodePlan, Plan

llm = FakeListChatModel(responses=["x"])


class State(TypedDict, total=False):
    docs: list[str]
    out: Annotated[list[Any], operator.add]
    x: str


def plan_docs(state: State) -> dict[str, Any]:
    return {"docs": ["a", "b"]}


def fan_out(state: State) -> list[Send]:
    return [Send("work", {"d": d}) for d in state["docs"]]


def work(state):
    return {"out": [llm.invoke(state["d"]).content]}


def pick(state: State) -> str:
    return "join" if state["x"] else END


def join(state: State) -> dict[str, Any]:
    return {"x": "".join(state["out"])}


def asks(state):
    return {"x": interrupt("?")}


def route(state) -> Command[Literal["work", "join"]]:
    return Command(update={"x": "1"}, goto=[Send("work", {"d": 1}), "join"])


def map_reduce() -> StateGraph[State]:
    builder = StateGraph(State)
    builder.add_node("plan", plan_docs)
    builder.add_node(work)
    builder.add_node(join)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", fan_out, ["work"])
    builder.add_edge("work", "join")
    return builder


def single(node: Any, **options: Any) -> NodePlan:
    builder = StateGraph(State)
    builder.add_node("n", node, **options)
    builder.add_edge(START, "n")
    return lower(builder.compile()).nodes["n"]


def test_nodes_edges_routes_and_sends() -> None:
    plan = lower(map_reduce().compile())
    assert list(plan.nodes) == ["plan", "work", "join"]
    assert (plan.entry, plan.entry_sends, plan.fences) == ({"plan"}, set(), ())
    first, middle, last = plan.nodes.values()
    assert (first.targets, first.sends, middle.targets, last.targets) == ({"work"}, {"work"}, {"join"}, set())
    assert first.routes[0].reads == {"docs"}
    assert (middle.function.reads, middle.function.writes, middle.function.effects) == ({"d"}, {"out"}, Effects.IDEMPOTENT)
    assert not middle.may_interrupt and not middle.mutates and not middle.fences and not middle.subgraph


def test_equal_graphs_have_equal_plans() -> None:
    assert lower(map_reduce().compile()) == lower(map_reduce().compile())


def test_a_path_function_without_a_map_leads_where_it_says() -> None:
    builder = map_reduce()
    builder.add_conditional_edges("work", pick)
    assert lower(builder.compile()).nodes["work"].targets == {"join"}


def test_commands_lead_where_they_say() -> None:
    builder = map_reduce()
    builder.add_node(route)
    builder.add_edge("join", "route")
    node = lower(builder.compile()).nodes["route"]
    assert (node.targets, node.sends, node.function.writes) == ({"work", "join"}, {"work"}, {"x"})


def test_joins_are_edges() -> None:
    builder = map_reduce()
    builder.add_node("other", plan_docs)
    builder.add_edge(START, "other")
    builder.add_edge(["other", "work"], "join")
    plan = lower(builder.compile())
    assert (plan.entry, plan.nodes["other"].targets) == ({"plan", "other"}, {"join"})


def uses_store(state, *, store):
    return {"x": "1"}


def looks_at_id(state, config):
    return {"x": config["metadata"]["langgraph_path"]}


@pytest.mark.parametrize(
    ("node", "options", "code"),
    [
        (work, {"cache_policy": CachePolicy()}, "cache_policy"),
        (work, {"defer": True}, "deferred"),
        (work, {"metadata": {"effects": "external"}}, "external"),
        (uses_store, {}, "store"),
        (looks_at_id, {}, "identity"),
    ],
)
def test_fences(node: Any, options: dict[str, Any], code: str) -> None:
    (fence,) = single(node, **options).fences
    assert (fence.code, fence.subject) == (code, "n")
    assert fence.sentence.startswith("`n` ") and fence.sentence.endswith(".")


def test_error_handlers_are_fenced_and_followed() -> None:
    builder = map_reduce()
    builder.add_node("risky", plan_docs, error_handler=lambda state: {"x": "failed"})
    builder.add_edge(START, "risky")
    plan = lower(builder.compile())
    handler = next(name for name in plan.nodes if name not in ("plan", "work", "join", "risky"))
    assert [fence.code for fence in plan.nodes[handler].fences] == ["error_handler"]
    assert handler in (plan.nodes["risky"].targets or ())


def test_a_time_limit_of_supersteps_fences_the_graph() -> None:
    graph = map_reduce().compile()
    graph.step_timeout = 1
    assert [fence.code for fence in lower(graph).fences] == ["step_timeout"]


def changes(state):
    state["docs"].append(1)
    print("x")


def test_declared_hints_win() -> None:
    inferred = single(changes)
    declared = single(changes, metadata={"effects": "idempotent", "reads": ["docs"], "writes": []})
    assert inferred.mutates and inferred.function.effects is Effects.UNKNOWN
    assert not declared.mutates and declared.function.effects is Effects.IDEMPOTENT
    assert (declared.function.reads, declared.function.writes) == ({"docs"}, set())
    assert declared.function.evidence[0] == "declared"


@pytest.mark.parametrize("metadata", [{"effects": "no such"}, {"effects": 3}, {"reads": "docs"}, {"other": 1}, None])
def test_odd_hints_are_no_hints(metadata: Any) -> None:
    assert single(work, metadata=metadata).function == single(work).function


@tool
def search(question: str) -> str:
    """Search."""
    return question


@tool
def ask_human(question: str) -> str:
    """Ask."""
    return interrupt(question)


class Own(Runnable[Any, Any]):
    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return {"x": interrupt("?")}


@pytest.mark.parametrize(
    ("node", "pauses", "effects"),
    [
        (RunnableLambda(work), False, Effects.IDEMPOTENT),
        (RunnableLambda(work) | RunnableLambda(asks), True, Effects.IDEMPOTENT),
        (ChatPromptTemplate.from_template("{x}") | llm | StrOutputParser() | (lambda text: {"x": text}), False, Effects.IDEMPOTENT),
        (RunnableParallel(x=RunnableLambda(asks)), True, Effects.UNKNOWN),
        (RunnableLambda(work).with_config(tags=["x"]), False, Effects.IDEMPOTENT),
        (RunnableLambda(work).with_fallbacks([RunnableLambda(asks)]), True, Effects.UNKNOWN),
        (ToolNode([search]), False, Effects.PURE),
        (ToolNode([search, ask_human]), True, Effects.UNKNOWN),
        (Own(), True, Effects.UNKNOWN),
    ],
)
def test_runnables_are_looked_into(node: Any, pauses: bool, effects: Effects) -> None:
    found = single(node)
    assert found.may_interrupt is pauses
    assert found.function.effects <= effects


def test_a_parallel_writes_its_names() -> None:
    assert single(RunnableParallel(x=llm, out=llm)).function.writes == {"x", "out"}


def test_subgraphs_are_looked_into() -> None:
    def graph(node: Any, **options: Any) -> Any:
        builder = StateGraph(State)
        builder.add_node("inner", node)
        builder.add_edge(START, "inner")
        return builder.compile(**options)

    plain, pausing, before = graph(work), graph(asks), graph(work, interrupt_before=["inner"])

    def calls(state):
        return plain.invoke(state)

    assert single(plain).subgraph and not single(plain).may_interrupt
    assert single(pausing).may_interrupt and single(before).may_interrupt
    assert single(calls).subgraph and not single(calls).may_interrupt
    builder = StateGraph(State)
    builder.add_node("sub", plain)
    builder.add_edge(START, "sub")
    assert list(lower(builder.compile()).subgraphs["sub"].nodes) == ["inner"]


def test_a_command_to_the_parent_leads_anywhere_its_name_says() -> None:
    builder = StateGraph(State)
    builder.add_node("up", lambda state: Command(graph=Command.PARENT, goto="join"))
    builder.add_edge(START, "up")
    outer = map_reduce()
    outer.add_node("sub", builder.compile())
    outer.add_edge(START, "sub")
    assert lower(outer.compile()).nodes["sub"].targets in ({"join"}, None)


def test_graphs_built_otherwise_are_fenced_whole() -> None:
    @task
    def one(x: int) -> int:
        return x

    @entrypoint()
    def flow(x: int) -> int:
        return one(x).result()

    plan = lower(flow)
    assert [fence.code for fence in plan.fences] == ["not_state_graph"]
    assert list(plan.nodes) == ["flow"]


@pytest.mark.parametrize("thing", [None, 3, object(), StateGraph])
def test_nothing_makes_it_raise(thing: Any) -> None:
    assert lower(thing).fences


def test_the_agent_that_langchain_builds() -> None:
    from langchain.agents import create_agent

    plan = lower(create_agent(llm, tools=[search]))
    assert {"model", "tools"} <= set(plan.nodes)
    assert not plan.nodes["tools"].may_interrupt
    assert lower(create_agent(llm, tools=[ask_human])).nodes["tools"].may_interrupt


def line(*names: str, last: frozenset[str] | None = frozenset()) -> Plan:
    from alto_langgraph.plan.model import CallablePlan

    ends = [frozenset({name}) for name in names[1:]] + [last]
    return Plan({n: NodePlan(n, CallablePlan(), targets=t) for n, t in zip(names, ends, strict=True)}, entry=frozenset({names[0]}))


@pytest.mark.parametrize(
    ("start", "targets", "distance"),
    [
        (["a"], {"a"}, 0),
        (["a"], {"b"}, 1),
        (["a"], {"c"}, 2),
        (["a", "b"], {"c"}, 1),
        (["c"], {"a"}, None),
        (["a"], {"*"}, 0),
        (["a"], "*", 0),
        (["a"], set(), None),
        (["a"], {"no such"}, None),
        ([], {"a"}, None),
    ],
)
def test_hops(start: list[str], targets: Any, distance: int | None) -> None:
    assert hops(line("a", "b", "c"), start, targets) == distance


def test_hops_from_where_anything_may_follow() -> None:
    assert hops(line("a", "b", last=None), ["a"], {"a"}) == 0
    assert hops(line("a", "b", last=None), ["b"], {"a"}) == 1
    assert hops(line("a", "b", "c", last=None), ["b"], {"a"}) == 2


def sends_elsewhere(item: str) -> Command[Any]:
    return Command(goto=Send("elsewhere", item))


def asks_another_graph(state: State) -> dict[str, Any]:
    return {"x": str(sends_elsewhere("x"))}


def test_what_only_another_graph_has_is_not_sent_to() -> None:
    builder = StateGraph(State).add_node("asks", asks_another_graph).add_node("join", join)
    builder.add_edge(START, "asks").add_edge("asks", "join")
    plan = lower(builder.compile())
    assert plan.nodes["asks"].function.sends == {"elsewhere"}
    assert plan.nodes["asks"].sends == frozenset()
    assert list(Candidates(plan).streaming(Effects.UNKNOWN)) == []
