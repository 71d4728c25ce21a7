"""What is known of prebuilt agents: whose model nodes may be run again, which tools only read, and who is to blame if not."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Annotated, Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    ContextEditingMiddleware,
    ExtendedModelResponse,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    PIIMiddleware,
    TodoListMiddleware,
    ToolRetryMiddleware,
    dynamic_prompt,
    wrap_model_call,
)
from langchain.agents.middleware.types import AgentState
from langchain.tools import ToolRuntime
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import SystemMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, create_retriever_tool, tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode
from langgraph.types import Command, interrupt
from packaging.version import Version

from alto_langgraph import optimize
from alto_langgraph.adapters.langgraph import agents
from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.adapters.langgraph.payloads import Payloads
from alto_langgraph.plan.candidates import Candidates
from alto_langgraph.plan.model import NOBODY, Effects, NodePlan
from tests.adapters.calling_model import AGENTS, Caller, created, reacting

EITHER = pytest.mark.parametrize("agent", AGENTS)
MODEL = Caller(script=["done"])
SENT: list[str] = []


def shout(query: str) -> str:
    """Only computes."""
    return query.upper()


def send(query: str) -> str:
    """Reaches outside."""
    return str(outside(query))


look = StructuredTool.from_function(shout, name="look")
post = StructuredTool.from_function(send, name="post")


def outside(query: str) -> Any:
    return __import__("subprocess").run(["mail", query])


@tool
def note(query: str) -> str:
    """Keeps what it is asked."""
    SENT.append(query)
    return query


def hinted(**metadata: Any) -> StructuredTool:
    return StructuredTool.from_function(send, name="post", metadata=metadata)


def kinds(agent: Any, tools: list[Any]) -> dict[str, NodePlan]:
    return dict(lower(agent(MODEL, tools)).nodes["tools"].kinds)


def explained(graph: Any) -> Any:
    return next(node for node in optimize(graph).explain().nodes if node.name in ("agent", "model"))


@EITHER
def test_the_model_node_asks_and_does_nothing_else(agent: Any) -> None:
    for how in ({}, {"system_prompt": "You know rivers.", "name": "guide"}):
        node = explained(agent(MODEL, [look], **how))
        assert node.streams and not node.unstreamed
        assert (node.effects, node.writes) == ("idempotent", ("messages",))


@EITHER
def test_a_version_that_nobody_has_tested_is_left_alone(agent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {module: (package, Version("0"), Version("0.1")) for module, (package, *_) in agents.TESTED.items()}
    monkeypatch.setattr(agents, "TESTED", known)
    agents._is_tested.cache_clear()
    try:
        assert not explained(agent(MODEL, [look])).streams
    finally:
        agents._is_tested.cache_clear()


def test_a_layout_that_nobody_knows_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "create_agent.<locals>.amodel_node"
    monkeypatch.setattr(agents, "_READERS", {**agents._READERS, name: agents._modelling("_execute", "_wrap")})
    assert not explained(created(MODEL, [look])).streams


@wrap_model_call
def again(request: Any, handler: Any) -> Any:
    handler(request)
    return handler(request)


@wrap_model_call
def calling_back(request: Any, handler: Any) -> Any:
    def ask() -> Any:
        return handler(request.override(system_prompt=f"{request.runtime.context}, {request.state['messages']}"))

    return ask()


@dynamic_prompt
def prompted(request: Any) -> str:
    return f"You know rivers, and {request.model_settings}."


@wrap_model_call
def choosing(request: Any, handler: Any) -> Any:
    return handler(request.override(model=MODELS["large" if len(request.messages) > 3 else "small"]))


MODELS = {"large": Caller(script=["done"]), "small": MODEL}
ASKS_ONLY = [again, calling_back, prompted, choosing, ModelRetryMiddleware(), ContextEditingMiddleware(), ModelFallbackMiddleware(MODEL)]


@pytest.mark.parametrize("middleware", ASKS_ONLY)
def test_middleware_that_asks_and_computes(middleware: Any) -> None:
    assert explained(created(MODEL, [look], middleware=[middleware])).streams
    assert explained(created(MODEL, [look], middleware=[prompted, middleware] if middleware is not prompted else [middleware])).streams


def test_what_middleware_writes_is_known() -> None:
    @wrap_model_call
    def noting(request: Any, handler: Any) -> Any:
        return ExtendedModelResponse(handler(request), Command(update={"jump_to": "end"}))

    assert lower(created(MODEL, [look], middleware=[noting])).nodes["model"].writes == {"messages", "structured_response", "jump_to"}
    assert lower(created(MODEL, [look], middleware=[prompted])).nodes["model"].writes == {"messages", "structured_response"}


@wrap_model_call
def sending(request: Any, handler: Any) -> Any:
    outside("asked")
    return handler(request)


@wrap_model_call
def removing(request: Any, handler: Any) -> Any:
    request.tools.pop()
    return handler(request)


@wrap_model_call
def forgetting(request: Any, handler: Any) -> Any:
    request.messages.pop()
    return handler(request)


@wrap_model_call
def storing(request: Any, handler: Any) -> Any:
    request.runtime.store.put(("a",), "b", {})
    return handler(request)


@wrap_model_call
def looking_up(request: Any, handler: Any) -> Any:
    request.model = find(request)
    return handler(request)


def find(request: Any) -> Any:
    return request.runtime.context["model"]


@wrap_model_call
def drawing(request: Any, handler: Any) -> Any:
    return handler(request.override(messages=random.sample(request.messages, 1)))


TO_BLAME = [
    (sending, "effects", "__import__"),
    (removing, "outside", "request.tools"),
    (forgetting, "mutates", "model"),
    (storing, "store", "store"),
    (looking_up, "asks", "a model"),
    (drawing, "draws", "random"),
    (ModelRetryMiddleware(on_failure=lambda error: str(outside(str(error)))), "effects", "__import__"),
    (ContextEditingMiddleware(token_count_method="model"), "effects", "model"),
]


@pytest.mark.parametrize(("middleware", "code", "name"), TO_BLAME)
def test_middleware_around_the_model_is_to_blame(middleware: Any, code: str, name: str) -> None:
    for around in ([middleware], [prompted, middleware], [middleware, prompted]):
        node = explained(created(MODEL, [look], middleware=around))
        assert not node.streams
        assert code in [reason.code for reason in node.unstreamed]
        assert any(name in reason.sentence for reason in node.unstreamed)


@wrap_model_call
async def later(request: Any, handler: Any) -> Any:
    await asyncio.to_thread(outside, "asked")
    return await handler(request)


def test_async_middleware_is_to_blame_too() -> None:
    assert not explained(created(MODEL, [look], middleware=[later])).streams


BOUND = MODEL.bind_tools([look])
OTHER = Caller(script=["other"])
BY_NAME = {"small": MODEL, "large": OTHER}


def choose(state: Any, runtime: Any) -> Any:
    return (MODEL if runtime.context["size"] == "small" else OTHER).bind_tools([look])


def choose_bound(state: Any, its_runtime: Any) -> Any:
    return BOUND if len(state["messages"]) > 3 else MODEL


def choose_by_name(state: Any, runtime: Any) -> Any:
    return BY_NAME[runtime.context["size"]]


async def choose_later(state: Any, runtime: Any) -> Any:
    return MODEL.bind_tools([look])


@pytest.mark.parametrize("model", [choose, choose_bound, choose_by_name, choose_later])
@pytest.mark.parametrize("prompt", [None, "You know rivers.", SystemMessage("You know rivers.")])
def test_a_model_may_be_chosen_at_run_time(model: Any, prompt: Any) -> None:
    node = explained(reacting(model, [look], system_prompt=prompt))
    assert node.streams and not node.unstreamed
    assert (node.effects, node.writes) == ("idempotent", ("messages",))


def of_context(state: Any, runtime: Any) -> Any:
    return runtime.context["model"] if state["messages"] else MODEL


def behind_another(state: Any, runtime: Any) -> Any:
    return RunnableLambda(outside) | MODEL


def with_a_call(state: Any, runtime: Any) -> Any:
    outside("asked")
    return MODEL


CHOSEN = [(of_context, "`of_context()`"), (behind_another, "`__import__`"), (with_a_call, "`__import__`")]


@pytest.mark.parametrize(("model", "name"), CHOSEN)
def test_what_its_code_does_not_tell_is_to_blame(model: Any, name: str) -> None:
    node = explained(reacting(model, [look]))
    assert not node.streams
    assert node.effects == "unknown"
    assert any(name in reason.sentence for reason in node.unstreamed)


@wrap_model_call
def of_size(request: Any, handler: Any) -> Any:
    return handler(request.override(model=BOUND if len(request.messages) > 3 else OTHER))


@wrap_model_call
def or_anything(request: Any, handler: Any) -> Any:
    return handler(request.override(model=find(request) if len(request.messages) > 3 else OTHER))


def test_middleware_may_choose_the_model() -> None:
    assert explained(created(MODEL, [look], middleware=[of_size])).streams
    node = explained(created(MODEL, [look], middleware=[or_anything]))
    assert [reason.code for reason in node.unstreamed] == ["asks"]


def forgetful(state: Any) -> Any:
    state["messages"].pop(0)
    return state["messages"]


def test_a_prompt_that_changes_the_state_isnt_run_again() -> None:
    node = explained(reacting(MODEL, [look], system_prompt=forgetful))
    assert [reason.code for reason in node.unstreamed] == ["mutates"]


def short(state: Any) -> Any:
    return state["messages"][-3:]


def test_a_prompt_that_only_computes_is() -> None:
    assert explained(reacting(MODEL, [look], system_prompt=short)).streams


def test_calls_go_on_through_a_hook_behind_the_model_that_only_computes() -> None:
    graph = reacting(MODEL, [look, post], post_model_hook=lambda state: {})
    plan = lower(graph)
    assert plan.nodes["agent"].sends == frozenset()
    assert plan.nodes["post_model_hook"].sends == {"tools"}
    assert Candidates(plan).relays.behind("agent") == {"post_model_hook"}
    assert explained(graph).streams
    assert [reason.subject for reason in explained(graph).unstreamed] == ["post"]


def reaching(state: Any) -> Any:
    outside("heard")


def in_place(state: Any) -> Any:
    state["messages"].pop()


def asking_back(state: Any) -> Any:
    return {"messages": [interrupt("go on?")]}


@pytest.mark.parametrize(("hook", "code"), [(reaching, "effects"), (in_place, "mutates"), (asking_back, "interrupt")])
def test_a_hook_behind_the_model_that_does_more_is_to_blame(hook: Any, code: str) -> None:
    node = explained(reacting(MODEL, [look], post_model_hook=hook))
    assert not node.streams
    assert code in [reason.code for reason in node.unstreamed]
    assert all("`post_model_hook`" in reason.sentence for reason in node.unstreamed)


@pytest.mark.parametrize(
    ("middleware", "goes_on"),
    [
        (TodoListMiddleware(), True),
        (ModelCallLimitMiddleware(run_limit=3), True),
        (HumanInTheLoopMiddleware(interrupt_on={"look": True}), False),
        (PIIMiddleware("email"), False),
    ],
)
def test_langchains_own_hooks(middleware: Any, goes_on: bool) -> None:
    node = explained(created(MODEL, [look], middleware=[middleware]))
    assert node.streams == goes_on
    assert goes_on or all(f"`{middleware.name}.after_model`" in reason.sentence for reason in node.unstreamed)


def test_what_a_hook_may_yet_write_is_waited_for() -> None:
    graph = reacting(MODEL, [look, peek], post_model_hook=lambda state: {})
    assert payloads_of(graph).settled("tools", [call("peek")]) is None  # the model's node writes messages, before the hook sends
    assert payloads_of(graph).settled("tools", [call("look")]) == frozenset()


@EITHER
def test_tools_are_judged_one_by_one(agent: Any) -> None:
    found = kinds(agent, [look, post, note])
    assert {name: kind.function.effects for name, kind in found.items()} == {
        "look": Effects.PURE,
        "post": Effects.UNKNOWN,
        "note": Effects.PURE,
        "": Effects.PURE,
    }
    node = explained(agent(MODEL, [look, post, note]))
    assert node.streams
    assert [reason.code for reason in node.unstreamed] == ["effects", "outside"]
    assert "`post`" in node.unstreamed[0].sentence and "`note`" in node.unstreamed[1].sentence


@EITHER
def test_a_tool_that_isnt_known_to_read_only_is_to_blame(agent: Any) -> None:
    node = explained(agent(MODEL, [post]))
    assert not node.streams
    assert any("`post` calls" in reason.sentence for reason in node.unstreamed)


HINTS = [
    ({"readOnlyHint": True}, Effects.IDEMPOTENT),
    ({"effects": "idempotent"}, Effects.IDEMPOTENT),
    ({"effects": "pure"}, Effects.PURE),
    ({"effects": "external", "readOnlyHint": True}, Effects.EXTERNAL),
    ({"readOnlyHint": False}, Effects.UNKNOWN),
    ({"readOnlyHint": "yes"}, Effects.UNKNOWN),
    ({"idempotentHint": True}, Effects.UNKNOWN),
    ({"effects": "none at all"}, Effects.UNKNOWN),
]


@pytest.mark.parametrize(("metadata", "effects"), HINTS)
def test_what_a_tool_says_of_itself(metadata: dict[str, Any], effects: Effects) -> None:
    plan = kinds(created, [hinted(**metadata)])["post"].function
    assert plan.effects is effects
    assert ("declared" in plan.evidence) == (effects is not Effects.UNKNOWN)


def test_a_tool_that_turns_errors_into_answers_may_do_anything_in_that() -> None:
    handling = StructuredTool.from_function(shout, name="look", handle_tool_error=lambda error: str(outside(str(error))))
    assert kinds(created, [handling])["look"].function.effects is Effects.UNKNOWN


@tool
def peek(query: str, state: Annotated[Any, InjectedState]) -> str:
    """Sees the state."""
    return str(state)


@tool
def keep(query: str, store: Annotated[Any, InjectedStore]) -> str:
    """Uses the store."""
    return query


def call(name: str) -> dict[str, Any]:
    return {"name": name, "args": {"query": "x"}, "id": "1", "type": "tool_call"}


def with_state(name: str) -> dict[str, Any]:
    return {"__type": "tool_call_with_context", "tool_call": call(name), "state": {"messages": []}}


def payloads_of(graph: Any) -> Payloads:
    return Payloads(graph.nodes, lambda: Candidates(lower(graph)))


def test_what_a_tool_sees_of_what_is_sent() -> None:
    payloads = payloads_of(created(MODEL, [look, peek, keep]))
    assert payloads.kinds("tools", [call("look"), call("none")]) == {"look", ""}
    assert payloads.kinds("tools", {"messages": []}) is payloads.kinds("model", [call("look")]) is None
    assert payloads.seen("tools", with_state("look")) == call("look")
    whole = with_state("peek")
    assert payloads.seen("tools", whole) is whole
    assert payloads.settled("tools", [call("look")]) == payloads.settled("tools", with_state("none")) == frozenset()
    assert payloads.settled("tools", [call("look"), call("peek")]) is None
    assert payloads.waits("tools", [call("peek")]) and not payloads.waits("tools", whole)


class Owned(AgentState[Any]):
    """A state with a key of the app's own."""

    owner: str


@tool
def of_owner(query: str, owner: Annotated[str, InjectedState("owner")]) -> str:
    """Sees one key."""
    return owner + query


@tool
def picks(query: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Sees one key of the whole."""
    return state["owner"] + state.get("owner", "") + query


@tool
def runs(query: str, runtime: ToolRuntime) -> str:
    """Sees one key of the runtime's state."""
    return helping(runtime, query)


def helping(runtime: Any, query: str) -> str:
    return f"{query} {runtime.state['owner']} {runtime.tool_call_id}"


@tool
def knows(query: str, runtime: ToolRuntime[Any, Any]) -> str:
    """Sees nothing of the state."""
    runtime.stream_writer(query)
    return f"{query} {runtime.tool_call_id} {runtime.context}"


class Running(BaseTool):
    """A class of the app's own."""

    name: str = "running"
    description: str = "Sees one key."

    def _run(self, query: str, runtime: ToolRuntime) -> str:
        return str(runtime.state["owner"])


@tool
def whole_state(query: str, runtime: ToolRuntime) -> str:
    """Sees everything."""
    return json.dumps(runtime.state)


@tool
def which(query: str, runtime: ToolRuntime) -> str:
    """Sees a key that its code doesn't name."""
    return str(runtime.state[query])


@tool
def history(query: str, runtime: ToolRuntime) -> str:
    """Sees what is being written."""
    return str(len(runtime.state["messages"]))


@tool
def ids(query: str, runtime: ToolRuntime) -> str:
    """Sees its own ids."""
    return str(runtime.execution_info)


@tool
def shows(query: str, runtime: ToolRuntime) -> str:
    """Sees all of the runtime."""
    return str(runtime)


@tool
def stores(query: str, runtime: ToolRuntime) -> str:
    """Looks into the store."""
    return str(runtime.store and runtime.store.get(("a",), query))


@tool
def remembers(query: str, runtime: ToolRuntime) -> str:
    """Changes the context."""
    context: Any = runtime.context
    context["asked"] = query
    return query


SEEN = [(look, frozenset()), (of_owner, {"owner"}), (picks, {"owner"}), (runs, {"owner"}), (knows, frozenset()), (Running(), {"owner"})]
UNSEEN = [whole_state, which, history, peek]


@pytest.mark.parametrize(("seen", "keys"), SEEN)
def test_what_a_tool_sees_of_the_state(seen: Any, keys: Any) -> None:
    graph = created(MODEL, [seen], state_schema=Owned)
    assert payloads_of(graph).settled("tools", [call(seen.name)]) == keys
    assert explained(graph).streams


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_tool_that_sees_what_is_being_written_waits(unseen: Any) -> None:
    graph = created(MODEL, [look, unseen], state_schema=Owned)
    assert payloads_of(graph).settled("tools", [call(unseen.name)]) is None
    assert [(reason.code, reason.subject) for reason in explained(graph).unstreamed] == [("state", unseen.name)]


@pytest.mark.parametrize(("odd", "code"), [(ids, "identity"), (shows, "identity"), (stores, "store"), (remembers, "outside")])
def test_what_else_a_tool_does_with_its_runtime(odd: Any, code: str) -> None:
    assert [reason.code for reason in explained(created(MODEL, [look, odd])).unstreamed] == [code]


def test_what_middleware_writes_is_waited_for() -> None:
    @wrap_model_call(state_schema=Owned)
    def owning(request: Any, handler: Any) -> Any:
        return ExtendedModelResponse(handler(request), Command(update={"owner": "me"}))

    graph = created(MODEL, [look, runs], middleware=[owning])
    assert payloads_of(graph).settled("tools", [call("runs")]) is None
    assert payloads_of(graph).settled("tools", [call("look")]) == frozenset()


def test_the_part_of_the_state_that_comes_along() -> None:
    payloads = payloads_of(reacting(MODEL, [look, of_owner], state_schema=Reacting))
    whole = {"__type": "tool_call_with_context", "tool_call": call("of_owner"), "state": {"messages": [1], "owner": "me"}}
    other = {**whole, "state": {"messages": [], "owner": "me"}}
    assert payloads.seen("tools", whole) == payloads.seen("tools", other) == (call("of_owner"), ("owner", "me"))
    assert payloads.seen("tools", {**whole, "state": {"messages": [1], "owner": "you"}}) != payloads.seen("tools", whole)
    assert payloads.carries("tools", whole) is whole["state"]
    assert payloads.carries("tools", [call("look")]) is None


class Reacting(Owned):
    """A state of the older agent."""

    remaining_steps: RemainingSteps


def test_a_tool_that_uses_the_store_waits() -> None:
    node = explained(created(MODEL, [look, keep]))
    assert [reason.code for reason in node.unstreamed] == ["store"]


class Around(AgentMiddleware):
    """Stands around tool calls."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(tool_call={**request.tool_call, "args": {"query": self.of(request)}}))

    def of(self, request: Any) -> str:
        return str(request.tool_call["args"])


class OfOwner(Around):
    """Looks at a key of the state."""

    def of(self, request: Any) -> str:
        return str(request.state["owner"])


class OfRuntime(Around):
    """Looks at a key of the runtime's state."""

    def of(self, request: Any) -> str:
        return f"{request.runtime.state['owner']} {request.runtime.tool_call_id}"


AROUND = [(Around(), frozenset()), (OfOwner(), {"owner"}), (OfRuntime(), {"owner"})]


@pytest.mark.parametrize(("middleware", "keys"), AROUND)
def test_what_middleware_around_tools_sees(middleware: Any, keys: Any) -> None:
    graph = created(MODEL, [look], middleware=[middleware], state_schema=Owned)
    assert payloads_of(graph).settled("tools", [call("look")]) == keys
    assert explained(graph).streams
    assert payloads_of(created(MODEL, [look], middleware=[OfOwner(), Around()], state_schema=Owned)).settled("tools", [call("look")]) == {
        "owner"
    }


class OfMessages(Around):
    """Looks at what is being written."""

    def of(self, request: Any) -> str:
        return str(len(request.state["messages"]))


class OfAll(Around):
    """Looks at the state whole."""

    def of(self, request: Any) -> str:
        return str(request.state)


class Noting(Around):
    """Keeps what it is asked."""

    def of(self, request: Any) -> str:
        SENT.append(request.tool_call["name"])
        return ""


class InPlace(Around):
    """Changes the call itself, which is in the state's messages, too."""

    def of(self, request: Any) -> str:
        request.tool_call["args"]["query"] = "x"
        return ""


class Reaching(Around):
    """Reaches outside."""

    def of(self, request: Any) -> str:
        return str(outside(request.tool_call["name"]))


class Exchanging(AgentMiddleware):
    """Has another tool called."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(tool=post))


class Replacing(AgentMiddleware):
    """Has another tool called, in the older way."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        request.tool = post
        return handler(request)


TO_BLAME_FOR_TOOLS = [OfMessages(), OfAll(), Noting(), InPlace(), Reaching(), Exchanging(), Replacing(), ToolRetryMiddleware()]


@pytest.mark.parametrize("middleware", TO_BLAME_FOR_TOOLS)
def test_middleware_around_tools_is_to_blame(middleware: Any) -> None:
    graph = created(MODEL, [look], middleware=[middleware], state_schema=Owned)
    payloads = payloads_of(graph)
    candidates = Candidates(lower(graph))
    kinds = candidates.repeatable_kinds(Effects.UNKNOWN).get("tools", NOBODY) | candidates.repeatable(Effects.UNKNOWN)
    assert payloads.settled("tools", [call("look")]) is None or not kinds & {"look", "tools"}


def test_a_function_around_a_tool_node() -> None:
    def around(request: Any, execute: Any, inner: Any = None) -> Any:
        return execute(request)

    def noting(request: Any, execute: Any) -> Any:
        SENT.append(request.tool_call["name"])
        return execute(request)

    for wrapper, effects in ((around, NOBODY), (noting, None)):
        graph = reacting(MODEL, ToolNode([look], wrap_tool_call=wrapper))
        kind = dict(lower(graph).nodes["tools"].kinds)["look"]
        assert bool(kind.shares) == (effects is None)
        assert kind.function.reads == NOBODY


class Watching(ToolNode):
    """Somebody's own."""


def test_nobody_knows_what_a_kind_of_ones_own_looks_at() -> None:
    graph = reacting(MODEL, Watching([look]))
    assert payloads_of(graph).settled("tools", [call("look")]) is None
    assert lower(graph).nodes["tools"].kinds == ()


class TavilySearch(BaseTool):
    """Of langchain-tavily, as far as it is known by its name."""

    name: str = "search"
    description: str = "Searches."
    api_wrapper: Any = None

    def _run(self, query: str) -> str:
        return str(outside(query))


TavilySearch.__module__ = "langchain_tavily.tavily_search"


class OwnSearch(TavilySearch):
    """Somebody's own kind of one."""


@pytest.mark.parametrize(
    ("search", "effects"),
    [
        (TavilySearch(), Effects.IDEMPOTENT),
        (TavilySearch(metadata={"effects": "external"}), Effects.EXTERNAL),
        (TavilySearch(api_wrapper=Around()), Effects.UNKNOWN),
        (OwnSearch(), Effects.UNKNOWN),
    ],
)
def test_tools_of_integrations_that_only_read_are_known(search: Any, effects: Effects) -> None:
    assert kinds(created, [search])["search"].function.effects is effects


def test_a_retriever_as_a_tool_only_reads() -> None:
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    search = create_retriever_tool(store.as_retriever(), "search", "Searches.")
    assert kinds(created, [search])["search"].function.effects is Effects.IDEMPOTENT
