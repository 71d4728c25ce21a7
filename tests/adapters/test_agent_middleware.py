"""Agents with middleware: tools are called early where its code may be run again, and all that shows is as in stock, where not too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    ContextEditingMiddleware,
    ExtendedModelResponse,
    HumanInTheLoopMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRequest,
    ModelResponse,
    ModelRetryMiddleware,
    TodoListMiddleware,
    ToolRetryMiddleware,
    after_agent,
    after_model,
    before_agent,
    before_model,
    dynamic_prompt,
)
from langchain.agents.middleware.types import AgentState
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import PrivateAttr

from alto_langgraph import optimize
from alto_langgraph.comparison import difference, record
from tests.adapters.calling_model import CALLED, Caller, created
from tests.adapters.test_agent_tools import ASKED, SYNC, Hearing, book, calls, look, tell, uncalled  # noqa: F401

SCRIPT = [calls("look", "tell", "look"), calls("look", "look"), "done"]


class Failing(Caller):
    """Fails the first time that it is asked after each turn."""

    _failed: set[int] = PrivateAttr(default_factory=set)

    def _pieces(self, messages: Any) -> Any:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        if turn not in self._failed:
            self._failed.add(turn)
            raise ConnectionError("not now")
        return super()._pieces(messages)


@dynamic_prompt
def counting(request: ModelRequest) -> str:
    return f"You have heard {len(request.messages)} messages, {len(request.tools)} tools are yours."


@dynamic_prompt
async def later(request: ModelRequest) -> str:
    return f"The first was {request.state['messages'][0].content}."


class Around(AgentMiddleware[Any, Any]):
    """Stands around the model's call, in sync and async runs."""

    def given(self, request: Any) -> Any:
        return request

    def made(self, response: Any) -> Any:
        return response

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.made(handler(self.given(request)))

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.made(await handler(self.given(request)))


class Politely(Around):
    def given(self, request: Any) -> Any:
        return request.override(messages=[*request.messages, HumanMessage("please", id="p")])


class Twice(AgentMiddleware[Any, Any]):
    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        handler(request)
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        await handler(request)
        return await handler(request)


class Narrowed(Around):
    def given(self, request: Any) -> Any:
        return request.override(tools=[tool for tool in request.tools if tool.name != "book"])


class AnotherModel(Around):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def given(self, request: Any) -> Any:
        return request.override(model=self.model) if len(request.messages) > 3 else request


class OnlyTheLast(Around):
    """What the model has called last counts, and only that: known at the end of its answer."""

    def made(self, response: Any) -> Any:
        answer = response.result[-1]
        return AIMessage(content=answer.content, tool_calls=answer.tool_calls[-1:], id=answer.id)


class Shouting(Around):
    def made(self, response: Any) -> Any:
        for call in response.result[-1].tool_calls:
            call["args"] = {"query": call["args"]["query"].upper()}
        return response


class Noted(AgentState[Any]):
    notes: str


class Noting(Around):
    state_schema = Noted

    def made(self, response: Any) -> Any:
        extra = Command(update={"notes": f"{len(response.result[-1].tool_calls)} calls"})
        return ExtendedModelResponse(model_response=response, command=extra)


class Patient(AgentMiddleware[Any, Any]):
    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except ConnectionError:
            time.sleep(0.01)
            return handler(request)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except ConnectionError:
            await asyncio.sleep(0.01)
            return await handler(request)


@before_model
def before(state: Any, runtime: Any) -> Any:
    return {"messages": [SystemMessage(f"{len(state['messages'])}", id=f"s{len(state['messages'])}")]}


@before_agent
def first(state: Any, runtime: Any) -> Any:
    return {"messages": [HumanMessage("hello", id="h")]}


@after_agent
def at_last(state: Any, runtime: Any) -> Any:
    return {"messages": [AIMessage("bye", id="b")]}


@after_model
def after(state: Any, runtime: Any) -> Any:
    return {"messages": [SystemMessage("heard", id=f"heard {len(state['messages'])}")]}


@after_model(can_jump_to=["end"])
def ending(state: Any, runtime: Any) -> Any:
    return {"jump_to": "end"} if len(state["messages"]) > 4 else None


@after_model
def nothing(state: Any, runtime: Any) -> Any:
    return None


@after_model(can_jump_to=["end"])
def ending_soon(state: Any, runtime: Any) -> Any:
    return {"jump_to": "end"} if state["messages"][-1].tool_calls else None


@after_model
def telling(state: Any, runtime: Any) -> Any:
    TOLD.append(f"heard {len(state['messages'])}")


EARLY: dict[str, Callable[[], list[Any]]] = {
    "a prompt": lambda: [counting],
    "other messages": lambda: [Politely()],
    "other tools": lambda: [Narrowed()],
    "another model": lambda: [AnotherModel(Caller(script=SCRIPT))],
    "other arguments": lambda: [Shouting()],
    "a command": lambda: [Noting()],
    "several": lambda: [counting, Politely(), Shouting()],
    "before the model": lambda: [before],
    "around it all": lambda: [first, before, counting, at_last],
    "edited contexts": lambda: [ContextEditingMiddleware()],
    "retries": lambda: [ModelRetryMiddleware(max_retries=1, initial_delay=0.01, jitter=False)],
    "fallbacks": lambda: [ModelFallbackMiddleware(Caller(script=["no"]))],
    "the app's own retry": lambda: [Patient()],
    "a hook behind the model": lambda: [after],
    "a hook that may end": lambda: [ending],
    "several hooks": lambda: [after, counting, ending, nothing],
    "todos": lambda: [TodoListMiddleware()],
    "a limit": lambda: [ModelCallLimitMiddleware(run_limit=5)],
}


def differ(model: Any, middleware: Any, *, waits: bool = False, sync: bool = False, how: Any = None, **given: Any) -> Any:
    """The first difference between both sides; with `waits` alto's model waits until a tool has been called."""
    seen = []
    for side, waiting in ((lambda graph: graph, False), (optimize, waits)):
        CALLED.clear()
        made = {name: value() for name, value in (how or {}).items()}
        graph = side(created(model(waiting), [look, tell, book], middleware=middleware(), **made))
        seen.append(record(graph, ASKED, sync=sync, **given))
    assert not waits or seen[0].error is None
    return difference(*seen)


def caller(waits: bool) -> Caller:
    return Caller(script=SCRIPT, waits=waits)


@SYNC
@pytest.mark.parametrize("name", EARLY)
def test_tools_are_called_while_the_model_writes(sync: bool, name: str) -> None:
    assert differ(caller, EARLY[name], waits=True, sync=sync, how={"checkpointer": InMemorySaver}) is None


def test_middleware_that_is_async_alone() -> None:
    assert differ(caller, lambda: [later], waits=True) is None
    assert differ(caller, lambda: [later], sync=True) is None  # fails


class Deliberate(Caller):
    """Waits when it is asked the second time."""

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        self._asked.append(messages)
        waiting = self if len(self._asked) == 2 else Caller(script=self.script)
        yield from Caller._stream(waiting, messages, stop, run_manager, **kwargs)

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        self._asked.append(messages)
        waiting = self if len(self._asked) == 2 else Caller(script=self.script)
        async for chunk in Caller._astream(waiting, messages, stop, run_manager, **kwargs):
            yield chunk


@SYNC
def test_a_model_that_is_asked_twice(sync: bool) -> None:
    assert differ(lambda waits: Deliberate(script=SCRIPT, waits=waits), lambda: [Twice()], waits=True, sync=sync) is None


@SYNC
@pytest.mark.parametrize("name", ["retries", "fallbacks", "the app's own retry"])
def test_a_model_that_fails_at_first(sync: bool, name: str) -> None:
    assert differ(lambda waits: Failing(script=SCRIPT), EARLY[name], sync=sync, how={"checkpointer": InMemorySaver}) is None


@SYNC
def test_what_middleware_makes_of_the_complete_answer_decides(sync: bool) -> None:
    assert differ(caller, lambda: [OnlyTheLast()], sync=sync) is None


@SYNC
def test_a_selection_of_tools(sync: bool) -> None:
    class Selecting(Caller):
        def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
            from langchain_core.output_parsers import JsonOutputParser

            return self | JsonOutputParser()

    def selector() -> list[Any]:
        return [LLMToolSelectorMiddleware(model=Selecting(script=['{"tools": ["look", "tell"]}'] * 4))]

    assert differ(caller, selector, waits=True, sync=sync) is None


TOLD: list[Any] = []


class Telling(Around):
    def given(self, request: Any) -> Any:
        TOLD.append(len(request.messages))
        return request


class Counting(Around):
    """Counts in an attribute of its own."""

    asked = 0

    def given(self, request: Any) -> Any:
        self.asked += 1
        return request.override(system_message=SystemMessage(f"question {self.asked}"))


class Adding(Around):
    def given(self, request: Any) -> Any:
        request.state["messages"].append(HumanMessage("also", id="also"))
        return request


class Jumping(Around):
    def made(self, response: Any) -> Any:
        return ExtendedModelResponse(model_response=response, command=Command(update={"jump_to": "end"}))


class Answering(AgentMiddleware[Any, Any]):
    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return ModelResponse(result=[AIMessage("enough", id="e")]) if len(request.messages) > 2 else handler(request)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return ModelResponse(result=[AIMessage("enough", id="e")]) if len(request.messages) > 2 else await handler(request)


class AroundTools(AgentMiddleware[Any, Any]):
    """Stands around tool calls, in sync and async runs."""

    def given(self, request: Any) -> Any:
        return request

    def made(self, request: Any, message: Any) -> Any:
        return message

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        return self.made(request, handler(self.given(request)))

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        return self.made(request, await handler(self.given(request)))


class Louder(AroundTools):
    def given(self, request: Any) -> Any:
        return request.override(tool_call={**request.tool_call, "args": {"query": request.tool_call["args"]["query"].upper()}})


class Signing(AroundTools):
    state_schema = Noted

    def made(self, request: Any, message: Any) -> Any:
        return message.model_copy(update={"content": f"{message.content}, {request.state.get('notes')}, {request.runtime.tool_call_id}"})


class Redirecting(AroundTools):
    state_schema = Noted

    def made(self, request: Any, message: Any) -> Any:
        return Command(update={"messages": [message], "notes": request.tool_call["id"]})


class Historian(AroundTools):
    def made(self, request: Any, message: Any) -> Any:
        return message.model_copy(update={"content": f"{message.content}, {len(request.state['messages'])} before"})


class CountingTools(AroundTools):
    def given(self, request: Any) -> Any:
        TOLD.append(request.tool_call["id"])
        return request


AROUND_TOOLS: dict[str, Callable[[], list[Any]]] = {
    "only passes": lambda: [AroundTools()],
    "other arguments": lambda: [Louder()],
    "looks at the state": lambda: [Signing()],
    "several": lambda: [Signing(), Louder(), counting],
}


@SYNC
@pytest.mark.parametrize("name", AROUND_TOOLS)
def test_tools_with_something_around_them_are_called_while_the_model_writes(sync: bool, name: str) -> None:
    assert differ(caller, AROUND_TOOLS[name], waits=True, sync=sync, how={"checkpointer": InMemorySaver}) is None


STOCK: dict[str, Callable[[], list[Any]]] = {
    "notes outside": lambda: [Telling()],
    "counts": lambda: [Counting()],
    "changes the state in place": lambda: [Adding()],
    "jumps": lambda: [Jumping()],
    "answers itself": lambda: [Answering()],
    "a hook that notes outside": lambda: [telling],
    "a hook that ends": lambda: [ending_soon],
    "around tools, writes": lambda: [Redirecting()],
    "around tools, looks at the messages": lambda: [Historian()],
    "around tools, counts": lambda: [CountingTools()],
    "around tools, retries": lambda: [ToolRetryMiddleware(max_retries=1, initial_delay=0.01)],
    "a limit": lambda: [ModelCallLimitMiddleware(run_limit=1)],
}


@SYNC
@pytest.mark.parametrize("name", STOCK)
def test_others_are_run_as_under_stock(sync: bool, name: str) -> None:
    told = []
    for _ in range(2):
        TOLD.clear()
        assert differ(caller, STOCK[name], sync=sync, how={"checkpointer": InMemorySaver}) is None
        told.append([*TOLD])
    assert sorted(told[0]) == sorted(told[1])
    assert sorted(told[0][: len(told[0]) // 2]) == sorted(told[0][len(told[0]) // 2 :])


@SYNC
def test_calls_that_somebody_has_to_allow(sync: bool) -> None:
    def asking() -> list[Any]:
        return [HumanInTheLoopMiddleware(interrupt_on={"book": True})]

    how = {"checkpointer": InMemorySaver}
    model = lambda waits: Caller(script=[calls("look", "book", "look"), "done"])  # noqa: E731
    for answer in ({"type": "approve"}, {"type": "reject", "message": "no"}):
        assert differ(model, asking, sync=sync, how=how, then=[Command(resume={"decisions": [answer]})]) is None


@SYNC
@pytest.mark.parametrize("name", ["several", "a command", "before the model"])
async def test_callbacks_hear_what_they_hear_under_stock(sync: bool, name: str) -> None:
    heard = []
    for side in (lambda graph: graph, optimize):
        hearing = Hearing()
        graph = side(created(Caller(script=SCRIPT), [look, tell], middleware=EARLY[name]()))
        await graph.ainvoke(ASKED, {"callbacks": [hearing]}) if not sync else graph.invoke(ASKED, {"callbacks": [hearing]})
        heard.append(sorted(map(repr, hearing.heard)))
    assert heard[0] == heard[1]
