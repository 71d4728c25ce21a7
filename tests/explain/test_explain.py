"""What is said of graphs in the styles people write, reasons to the letter."""

import io
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, Send, interrupt
from rich.console import Console

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.options import AltoOptions
from alto_langgraph.plan.beside import beside
from alto_langgraph.plan.explain import EdgeExplained, Explanation, explain

llm = FakeListChatModel(responses=["x"])
NOTES: list[str] = []


class State(TypedDict, total=False):
    docs: list[str]
    out: Annotated[list[Any], operator.add]
    x: str


def plan_docs(state: State) -> dict[str, Any]:
    return {"docs": ["a", "b"]}


def to_draft(state: State) -> list[Send]:
    return [Send("draft", {"d": d}) for d in state["docs"]]


def draft(state):
    return {"out": [llm.invoke(state["d"]).content]}


def to_check(state) -> list[Send]:
    return [Send("check", {"d": state["d"]})]


def check(state):
    return {"out": [llm.invoke(state["d"]).content]}


def report(state: State) -> dict[str, Any]:
    return {"x": "".join(state["out"])}


def staged(draft: Any = draft, check: Any = check, report: Any = report, **options: Any) -> StateGraph[State]:
    """plan, then per document draft and check, then report. `options` go to the node `check`."""
    builder = StateGraph(State)
    builder.add_node("plan", plan_docs)
    builder.add_node("draft", draft)
    builder.add_node("check", check, **options)
    builder.add_node("report", report)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", to_draft, ["draft"])
    builder.add_conditional_edges("draft", to_check, ["check"])
    builder.add_edge("check", "report")
    builder.add_edge("report", END)
    return builder


def explained(builder: StateGraph[Any], **options: Any) -> Explanation:
    return explain(lower(builder.compile()), AltoOptions(**options))


def why(found: Explanation, name: str) -> list[str]:
    node = found.node(name)
    assert not node.ahead
    return [reason.sentence for reason in node.reasons]


def test_a_chain_of_sends_runs_ahead_but_for_its_ends() -> None:
    found = explained(staged())
    assert [node.name for node in found.nodes if node.ahead] == ["check"]
    assert found.node("check").waits == ()
    assert why(found, "plan") == ["`plan` is triggered by START, so it starts in the first superstep and has nothing to get ahead of."]
    assert why(found, "report") == ["`report` reads `out`, which `check` may write."]
    assert why(found, "draft") == [
        "`plan`, which sends to `draft`, is always alone in its superstep, so there is no barrier to get ahead of."
    ]
    assert [(e.source, e.target, e.kind, e.ahead) for e in found.edges] == [
        ("__start__", "plan", "edge", False),
        ("plan", "draft", "send", False),
        ("draft", "check", "send", True),
        ("check", "report", "edge", False),
    ]


def test_an_unrelated_sibling_gives_a_barrier_to_pass() -> None:
    builder = staged()
    builder.add_node("other", report)
    builder.add_edge(START, "other")
    assert explained(builder).node("draft").ahead


def asking(state):
    return {"out": [interrupt(state["d"])]}


def test_a_node_that_may_pause_waits_and_holds_up_others() -> None:
    assert why(explained(staged(check=asking)), "check") == [
        "`check` may call interrupt(), which may pause the run only in its own superstep."
    ]
    assert why(explained(staged(draft=asking)), "check") == [
        "`draft` may call interrupt(), so nothing behind it starts before it has finished."
    ]


def notes_down(state):
    NOTES.append(state["d"])
    return {"out": [state["d"]]}


def looks_up(state):
    return {"out": [note for note in NOTES if note == state["d"]]}


def test_a_shared_list_keeps_the_order() -> None:
    assert why(explained(staged(draft=notes_down, check=looks_up)), "check") == [
        "`check` and `draft` both use `NOTES`, which may carry data between them."
    ]
    assert explained(staged(draft=notes_down, check=notes_down)).node("check").ahead


def test_a_shared_list_in_some_sibling_is_waited_for() -> None:
    builder = staged(check=looks_up)
    builder.add_node("other", notes_down)
    builder.add_conditional_edges("plan", lambda state: [Send("other", {"d": "x"})], ["other"])
    node = explained(builder).node("check")
    assert node.ahead
    assert [reason.sentence for reason in node.waits] == ["`check` and `other` both use `NOTES`, which may carry data between them."]


def test_a_cache_policy_is_the_loops() -> None:
    assert why(explained(staged(cache_policy=CachePolicy())), "check") == ["`check` has a cache policy, and only the loop asks the cache."]


def test_a_deferred_node_waits_for_the_end() -> None:
    assert why(explained(staged(defer=True)), "check") == ["`check` is deferred: it waits until nothing else is left to run."]


def test_external_effects_are_a_fence() -> None:
    assert why(explained(staged(metadata={"effects": "external"})), "check") == [
        "`check` is declared external: its effects can't be taken back."
    ]


def with_store(state, *, store):
    return {"out": [store.get(("a",), state["d"])]}


def test_the_store_is_a_fence() -> None:
    assert why(explained(staged(check=with_store)), "check") == [
        "`check` may use the store, where it could see or overtake what earlier tasks write."
    ]


def with_id(state, config):
    return {"out": [config["metadata"]["langgraph_path"]]}


def test_a_look_at_ids_is_a_fence() -> None:
    assert why(explained(staged(check=with_id)), "check") == [
        "`check` may look at ids of its own task, which are known only in its superstep."
    ]


def prints(state):
    print(state["d"])
    return {"out": [1]}


def test_a_policy_for_effects_names_the_call() -> None:
    assert explained(staged(check=prints)).node("check").ahead
    assert why(explained(staged(check=prints), effects="idempotent"), "check") == [
        "`check` calls `print`, and only work that is known to be idempotent may run ahead."
    ]


def changes(state):
    state["d"].append(1)
    return {"out": [state["d"]]}


def test_a_graph_as_a_node_waits_when_there_are_checkpoints() -> None:
    builder = StateGraph(State)
    builder.add_node("inner", check)
    builder.add_edge(START, "inner")
    found = explained(staged(check=builder.compile()))
    assert [w.code for w in found.node("check").waits] == ["subgraph"]
    assert found.node("check").waits[0].sentence == (
        "`check` runs a compiled graph, whose checkpoints carry ids, so with a checkpointer it waits for its superstep."
    )
    assert [node.name for node in found.subgraphs["check"].nodes] == ["inner"]


def test_a_time_limit_stops_everything() -> None:
    graph = staged().compile()
    graph.step_timeout = 1.0
    found = explain(lower(graph))
    sentence = "The graph limits the time of a superstep, which has no meaning for work ahead of it."
    assert sentence in why(found, "check") and not any(node.ahead for node in found.nodes)
    assert str(found).startswith(f"nothing runs ahead: {sentence}")


def test_sends_from_start_begin_in_the_first_superstep() -> None:
    builder = StateGraph(State)
    builder.add_node(draft)
    builder.add_conditional_edges(START, to_draft, ["draft"])
    assert why(explained(builder), "draft") == [
        "`draft` is triggered by START, so it starts in the first superstep and has nothing to get ahead of."
    ]


def commands(state) -> Any:
    return Command(update={"out": [1]}, goto=Send("check", {"d": state["d"]}))


def test_sends_in_commands_count() -> None:
    builder = StateGraph(State)
    builder.add_node("plan", plan_docs)
    builder.add_node("draft", commands, destinations=("check",))
    builder.add_node(check)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", to_draft, ["draft"])
    found = explained(builder)
    assert found.node("check").ahead
    assert ("draft", "check", "send", True) in [(e.source, e.target, e.kind, e.ahead) for e in found.edges]


def loops(state):
    return [Send("draft", {"d": state["d"]})] if state["d"] else END


def test_a_loop_of_sends_runs_ahead() -> None:
    builder = StateGraph(State)
    builder.add_node("plan", plan_docs)
    builder.add_node(draft)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", to_draft, ["draft"])
    builder.add_conditional_edges("draft", loops)
    assert explained(builder).node("draft").ahead


def plain(a: Any, b: Any) -> StateGraph[State]:
    """b after a."""
    return StateGraph(State).add_node("a", a).add_node("b", b).add_edge(START, "a").add_edge("a", "b")


def says(state: State) -> dict[str, Any]:
    print("a")
    return {"x": "x"}


def test_a_node_that_needs_the_one_before_waits_for_it() -> None:
    found = explained(plain(draft, report))
    assert why(found, "b") == ["`b` reads `out`, which `a` may write."]
    assert all(not edge.ahead and edge.reasons for edge in found.edges)


def test_a_node_that_does_not_need_the_one_before_starts_before_it_has_finished() -> None:
    found = explained(plain(plan_docs, report))
    assert found.node("b").ahead
    assert found.edges[1] == EdgeExplained("a", "b", "edge", True, (), "chain")
    assert str(found).endswith("a -> b  (chain) ahead")
    assert '"a" ==> ' not in found.mermaid() and "n2_a ==> n3_b" in found.mermaid()


def test_what_may_speak_past_the_state_keeps_the_order_of_edges() -> None:
    assert why(explained(plain(says, plan_docs)), "b") == [
        "`b` comes after `a` by edges, and `a` calls `print`, which may show in that order."
    ]


@pytest.mark.parametrize(("issue", "lacking"), [({"send"}, "edge"), ({"send", "edge"}, "chain"), (set(), "edge")])
def test_an_option_that_allows_less_is_to_blame(issue: set[str], lacking: str) -> None:
    (reason,) = explained(plain(plan_docs, report), issue=issue).node("b").reasons
    assert (reason.code, reason.subject) == ("issue", "issue") and f"lacks `{lacking}`" in reason.sentence


def test_sends_switched_off() -> None:
    assert why(explained(staged(), issue={"edge"}), "check") == ["The option `issue` lacks `send`, so nothing that is sent starts ahead."]


@pytest.mark.parametrize(
    ("option", "sentence"), [({"enabled": False}, "The option `enabled` is off."), ({"window": 0}, "The option `window` is 0.")]
)
def test_what_switches_everything_off_is_said_first(option: dict[str, Any], sentence: str) -> None:
    found = explained(staged(), **option)
    assert str(found).startswith(f"nothing runs ahead: {sentence}")
    assert why(found, "check") == [sentence]


def test_a_join_names_who_it_waits_for() -> None:
    builder = StateGraph(State).add_node("a", plan_docs).add_node("b", plan_docs).add_node("c", report)
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    found = explained(builder)
    assert why(found, "c") == ["`c` is behind a join that waits for `b` too."]
    assert [(edge.source, *[(r.code, r.subject) for r in edge.reasons]) for edge in found.edges if edge.target == "c"] == [
        ("a", ("join", "b")),
        ("b", ("join", "a")),
    ]


def test_a_branch_that_may_be_guessed() -> None:
    builder = StateGraph(State).add_node("a", plan_docs).add_node("b", lambda state: {"x": "x"}).add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "b", ["b", END])
    assert not explained(builder).node("b").ahead
    found = explained(builder, issue={"edge", "route"})
    assert [(edge.source, edge.issue, edge.ahead) for edge in found.edges if edge.target == "b"] == [("a", "route", True)]
    assert [reason.sentence for reason in found.node("b").waits] == [
        "`b` starts before `a` has decided only where that mostly leads to it."
    ]


def test_what_could_still_be_led_to_is_in_the_way() -> None:
    """c after b, which is quick; but slow a may lead to d, which writes what c reads."""
    builder = StateGraph(State)
    for name, function in {"a": plan_docs, "b": says, "b2": says, "c": report, "d": draft}.items():
        builder.add_node(name, function)
    for source, target in ((START, "a"), (START, "b"), ("b", "b2"), ("b2", "c"), ("a", "d")):
        builder.add_edge(source, target)
    assert explained(builder).node("b2").ahead
    assert why(explained(builder), "c") == ["`c` reads `out`, which `d` may write."]
    assert [edge.reasons for edge in explained(builder).edges if edge.target == "b2"] == [()]


def test_a_deferred_node_may_turn_up_beside_whatever_is_sent_to() -> None:
    builder = staged()
    builder.add_node("late", says, defer=True)
    builder.add_edge(START, "late")
    builder.add_node("after", report)
    builder.add_edge("check", "after")
    assert "late" in beside(lower(builder.compile()))["check"]


def test_every_no_has_a_reason() -> None:
    for builder in (staged(), staged(draft=asking), staged(check=changes), staged(defer=True)):
        found = explained(builder)
        assert all(node.ahead or node.reasons for node in found.nodes)
        assert all(edge.ahead or edge.reasons for edge in found.edges)


def test_text_dict_and_terminal_say_the_same() -> None:
    found = explained(staged(draft=notes_down, check=looks_up))
    sentence = "`check` and `draft` both use `NOTES`, which may carry data between them."
    assert sentence in str(found)
    assert found.to_dict()["nodes"][2]["reasons"] == [{"code": "shared", "subject": "NOTES", "sentence": sentence}]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(found)
    assert sentence in console.export_text()


def test_mermaid_colours_what_runs_ahead() -> None:
    text = explained(staged()).mermaid()
    assert '["check"]:::ahead' in text and '["draft"]:::inorder' in text
    assert "n3_draft ==> n4_check" in text and 'n2_plan -.->|"docs"| n3_draft' in text
    assert text.startswith("graph TD;") and "linkStyle 2 " in text


def test_mermaid_takes_any_name() -> None:
    builder = StateGraph(State)
    builder.add_node('say "hi" <end>', plan_docs)
    builder.add_edge(START, 'say "hi" <end>')
    assert '["say &quot;hi&quot; &lt;end&gt;"]' in explained(builder).mermaid()


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        explained(staged()).node("no such")


class TestWhatOnlyRunsTell:
    """`look` reads a key that another key names."""

    OBSERVED = (
        "Which keys `look` reads only its runs tell: it may start ahead once 8 of them have been seen in one process, "
        "if none read what it would have to pass may write."
    )

    def beside(self, slow: Any, **options: Any) -> Any:
        def look(state):
            return {"out": [state[state["x"]]]}

        builder = StateGraph(State).add_node("slow", slow).add_node("quick", lambda state: {"out": [1]}).add_node("look", look)
        builder.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "look")
        return explained(builder, **options).node("look")

    def test_it_may_start_ahead_once_they_have(self) -> None:
        look = self.beside(lambda state: {"docs": []})
        assert [(reason.code, reason.sentence) for reason in look.reasons] == [("observed", self.OBSERVED)]
        assert not look.ahead

    def test_after_as_many_as_the_option_says(self) -> None:
        (reason,) = self.beside(lambda state: {"docs": []}, evidence=3).reasons
        assert "once 3 of them" in reason.sentence

    def test_not_if_nobody_observes(self) -> None:
        look = self.beside(lambda state: {"docs": []}, observe=False)
        assert [reason.sentence for reason in look.reasons] == ["`look` reads `docs`, which `slow` may write."]

    def test_not_if_something_else_is_in_the_way(self) -> None:
        look = self.beside(lambda state: {"docs": interrupt("?")}, issue=frozenset({"edge"}))
        assert [reason.code for reason in look.reasons] == ["interrupt"]

    def test_not_if_nothing_is(self) -> None:
        look = self.beside(lambda state: {})
        assert look.ahead and not look.reasons
