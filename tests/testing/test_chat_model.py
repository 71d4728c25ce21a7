"""The model double: answers, times, capacity, streams, tools, cancellation. All times are counted, none is waited for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from alto_langgraph.testing import ALONE_PACE, BatchCurve, CountingClock, PacedChatModel, Slots

PROMPT = "What is a superstep?"


def counted(**fields: Any) -> PacedChatModel:
    return PacedChatModel(clock=CountingClock(), **fields)


class Person(BaseModel):
    """A person."""

    name: str
    age: int = Field(ge=0, le=120)


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


class TestAnswers:
    def test_same_prompt_same_answer_in_every_model(self) -> None:
        assert counted().invoke(PROMPT).text == counted(seed=7).invoke(PROMPT).text

    def test_another_prompt_another_answer(self) -> None:
        assert counted().invoke(PROMPT).text != counted().invoke(PROMPT + "?").text

    @pytest.mark.parametrize("answers", [{PROMPT: "A round of tasks."}, lambda prompt: {PROMPT: "A round of tasks."}[prompt]])
    async def test_from_a_mapping_or_a_function(self, answers: Any) -> None:
        assert (await counted(answers=answers).ainvoke(PROMPT)).text == "A round of tasks."

    def test_a_mapping_without_the_prompt_says_so(self) -> None:
        with pytest.raises(LookupError, match="What is a superstep"):
            counted(answers={}).invoke(PROMPT)

    def test_the_prompt_is_the_text_of_all_messages(self) -> None:
        seen: list[str] = []

        def answer(prompt: str) -> str:
            seen.append(prompt)
            return "ok"

        model = counted(answers=answer)
        model.invoke([SystemMessage("Be brief."), HumanMessage([{"type": "text", "text": PROMPT}]), ToolMessage("42", tool_call_id="1")])
        assert seen == [f"Be brief.\n\n{PROMPT}\n\n42"]

    def test_an_object_is_answered_as_json(self) -> None:
        assert counted(answers=lambda _: Person(name="Ada", age=36)).invoke(PROMPT).text == '{"name": "Ada", "age": 36}'

    @pytest.mark.parametrize("stop", [["two"], ["three", "two"], ["two", ""]])
    def test_ends_before_the_first_stop_word(self, stop: list[str]) -> None:
        assert counted(answers=lambda _: "one two three").invoke(PROMPT, stop=stop).text == "one "

    def test_usage_counts_what_was_read_and_written(self) -> None:
        assert counted(answers=lambda _: "one two three").invoke("a b").usage_metadata == {
            "input_tokens": 2,
            "output_tokens": 3,
            "total_tokens": 5,
        }


class TestTimes:
    @pytest.mark.parametrize("scale", [0.0, 0.1, 1.0])
    async def test_seconds_is_what_every_way_to_call_waits(self, scale: float) -> None:
        model = counted(scale=scale)
        foretold = model.seconds(PROMPT)

        async def astream() -> None:
            assert [chunk async for chunk in model.astream(PROMPT)]

        ways: list[Callable[[], Any]] = [lambda: model.invoke(PROMPT), lambda: list(model.stream(PROMPT))]
        for way in ways:
            before = model.clock.now()
            way()
            assert model.clock.now() - before == pytest.approx(foretold)
        for coroutine in (model.ainvoke(PROMPT), astream()):
            before = model.clock.now()
            await coroutine
            assert model.clock.now() - before == pytest.approx(foretold)

    def test_drawn_by_seed_and_prompt(self) -> None:
        assert counted().seconds(PROMPT) == counted().seconds(PROMPT)
        assert len({counted(seed=seed).seconds(PROMPT) for seed in range(20)}) == 20
        same_answer = counted(answers=lambda _: "yes")
        assert len({same_answer.seconds(f"{PROMPT} {i}") for i in range(20)}) == 20

    def test_scale_is_a_factor(self) -> None:
        assert counted(scale=0.25).seconds(PROMPT) == pytest.approx(counted().seconds(PROMPT) / 4)

    def test_a_longer_answer_takes_longer(self) -> None:
        short, long = counted(answers=lambda _: "one"), counted(answers=lambda _: "one " * 100)
        first, token = short.pace.drawn(f"0:{PROMPT}")
        assert short.seconds(PROMPT) == pytest.approx(first)
        assert long.seconds(PROMPT) == pytest.approx(first + 100 * token)  # a hundred words, and the last blank

    def test_tools_count(self) -> None:
        model = counted(calls=lambda prompt, names: [("weather", {"city": "Rome" * 20})])
        bound = model.bind_tools([weather])
        bound.invoke(PROMPT)
        assert model.clock.now() == pytest.approx(model.seconds(PROMPT, **bound.kwargs))  # type: ignore[attr-defined]
        assert model.seconds(PROMPT, **bound.kwargs) != model.seconds(PROMPT)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("scale", [-1, float("nan"), float("inf")])
    def test_a_scale_that_is_no_factor_is_refused(self, scale: float) -> None:
        with pytest.raises(ValueError, match="scale"):
            PacedChatModel(scale=scale)

    def test_a_batch_curve_slows_every_token_but_the_first(self) -> None:
        curve = BatchCurve({1: 100, 3: 100})
        model = counted(answers=lambda _: "one two three", curve=curve, pace=ALONE_PACE)
        first, token = model.pace.drawn(f"0:{PROMPT}")
        with model.slots, model.slots:
            model.invoke(PROMPT)
        assert model.clock.now() == pytest.approx(first + 2 * token * 3)


class TestStreams:
    async def test_the_chunks_are_the_answer(self) -> None:
        model = counted(answers=lambda _: "One, two;\n  three times  Übermäßig! ")
        whole = model.invoke(PROMPT)
        for chunks in (list(model.stream(PROMPT)), [chunk async for chunk in model.astream(PROMPT)]):
            joined = reduce(add, chunks)
            assert joined.text == whole.text
            assert joined.usage_metadata == whole.usage_metadata
            assert joined.response_metadata == whole.response_metadata
            assert whole.usage_metadata is not None
            assert len(chunks) == whole.usage_metadata["output_tokens"] + 1  # and one that closes

    def test_an_empty_answer(self) -> None:
        model = counted(answers=lambda _: "")
        assert reduce(add, model.stream(PROMPT)).text == model.invoke(PROMPT).text == ""
        assert model.clock.now() == pytest.approx(2 * model.seconds(PROMPT))

    async def test_a_tool_call_comes_in_pieces(self) -> None:
        model = counted(calls=lambda prompt, names: [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})])
        whole = model.bind_tools([weather]).invoke(PROMPT)
        joined = reduce(add, [chunk async for chunk in model.bind_tools([weather]).astream(PROMPT)])
        assert isinstance(whole, AIMessage)
        assert whole.tool_calls == joined.tool_calls
        assert [call["args"] for call in whole.tool_calls] == [{"city": "Rome"}, {"city": "Oslo"}]
        assert len({call["id"] for call in whole.tool_calls}) == 2

    def test_a_consumer_that_stops_frees_the_slot(self) -> None:
        model = counted(slots=Slots(1))
        stream = model._stream([HumanMessage(PROMPT)])
        next(stream)
        assert model.slots.in_use == 1
        stream.close()  # type: ignore[attr-defined]
        assert model.slots.in_use == 0


class TestTools:
    def test_the_users_function_sees_the_prompt_and_the_tools(self) -> None:
        seen: list[tuple[str, list[str]]] = []

        def calls(prompt: str, names: list[str]) -> list[Any]:
            seen.append((prompt, names))
            return []

        model = counted(calls=calls)
        assert model.bind_tools([weather, Person]).invoke(PROMPT).tool_calls == []
        assert seen == [(PROMPT, ["weather", "Person"])]

    def test_none_bound_or_wanted_none_called(self) -> None:
        model = counted(calls=lambda prompt, names: [("weather", {"city": "Rome"})])
        assert model.invoke(PROMPT).tool_calls == []
        assert model.bind_tools([weather], tool_choice="none").invoke(PROMPT).tool_calls == []

    @pytest.mark.parametrize(
        "choice", ["Person", {"type": "function", "function": {"name": "Person"}}], ids=["by its name", "in OpenAI's form"]
    )
    def test_a_forced_tool_gets_the_answer_as_arguments(self, choice: Any) -> None:
        model = counted(answers=lambda _: {"name": "Ada", "age": 36})
        answer = model.bind_tools([weather, Person], tool_choice=choice).invoke(PROMPT)
        assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("Person", {"name": "Ada", "age": 36})]

    def test_a_choice_that_is_not_bound_names_those_that_are(self) -> None:
        with pytest.raises(ValueError, match="'rain', but the bound tools are weather, Person"):
            counted().bind_tools([weather, Person], tool_choice="rain").invoke(PROMPT)

    @pytest.mark.parametrize("answer", [Person(name="Ada", age=36), {"name": "Ada", "age": 36}, '{"name": "Ada", "age": 36}'])
    async def test_structured_output_from_an_object_or_json(self, answer: Any) -> None:
        model = counted(answers=lambda _: answer).with_structured_output(Person)
        assert await model.ainvoke(PROMPT) == Person(name="Ada", age=36)

    def test_structured_output_without_an_answer_fits_the_schema_and_is_the_same_again(self) -> None:
        class Team(BaseModel):
            """A team."""

            people: list[Person]
            sizes: dict[str, int] | None
            best: Person
            active: bool

        model = counted().with_structured_output(Team)
        assert model.invoke(PROMPT) == model.invoke(PROMPT) == Team.model_validate(model.invoke(PROMPT))


class TestCapacity:
    async def test_async_calls_never_exceed_it_and_all_are_served(self) -> None:
        model = counted(slots=Slots(3))
        await asyncio.gather(*(model.ainvoke(f"{PROMPT} {i}") for i in range(20)))
        assert (model.slots.peak, model.slots.served, model.slots.in_use, model.slots.waiting) == (3, 20, 0, 0)

    def test_threads_and_event_loops_share_it(self) -> None:
        model = counted(slots=Slots(2))

        async def several() -> None:
            await asyncio.gather(*(model.ainvoke(PROMPT) for _ in range(10)))

        with ThreadPoolExecutor(6) as pool:
            loops = [pool.submit(asyncio.run, several()) for _ in range(3)]
            threads = [pool.submit(model.invoke, PROMPT) for _ in range(10)]
        assert [loop.result() for loop in loops] == [None] * 3
        assert all(thread.result().text for thread in threads)
        assert model.slots.peak <= 2
        assert (model.slots.served, model.slots.in_use, model.slots.waiting) == (40, 0, 0)

    async def test_streams_hold_a_slot_from_the_first_token_to_the_last(self) -> None:
        model = counted(slots=Slots(2))
        held: list[int] = []

        async def read(name: int) -> None:
            async for _ in model.astream(f"{PROMPT} {name}"):
                held.append(model.slots.in_use)

        await asyncio.gather(*(read(name) for name in range(6)))
        assert set(held) == {1, 2}
        assert (model.slots.peak, model.slots.served, model.slots.in_use) == (2, 6, 0)

    async def test_a_cancelled_stream_frees_its_slot(self) -> None:
        model = counted(slots=Slots(1))

        async def read() -> None:
            async for _ in model.astream(PROMPT):
                begun.set()
                await asyncio.Event().wait()

        begun = asyncio.Event()
        call = asyncio.ensure_future(read())
        await begun.wait()
        assert model.slots.in_use == 1
        call.cancel()
        await asyncio.wait([call])
        assert (await asyncio.wait_for(model.ainvoke(PROMPT), 10)).text
        assert model.slots.in_use == 0

    async def test_two_models_of_one_server(self) -> None:
        slots = Slots(1)
        models = [counted(slots=slots, seed=seed) for seed in range(2)]
        await asyncio.gather(*(model.ainvoke(PROMPT) for model in models for _ in range(3)))
        assert (slots.peak, slots.served) == (1, 6)

    async def test_first_come_first_served(self) -> None:
        slots, order = Slots(1), []

        async def hold(name: int) -> None:
            async with slots:
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(*(hold(name) for name in range(8)))
        assert order == list(range(8))

    async def test_a_cancelled_call_frees_its_slot(self) -> None:
        began = asyncio.Event()

        class Stuck(CountingClock):
            async def asleep(self, seconds: float) -> None:
                began.set()
                await asyncio.Event().wait()

        model = PacedChatModel(clock=Stuck(), slots=Slots(1))
        call = asyncio.ensure_future(model.ainvoke(PROMPT))
        await began.wait()
        assert model.slots.in_use == 1
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert model.slots.in_use == 0

    async def test_a_cancelled_waiter_leaves_the_line(self) -> None:
        model = counted(slots=Slots(1))
        with model.slots:
            gone, stays = (asyncio.ensure_future(model.ainvoke(PROMPT)) for _ in range(2))
            while model.slots.waiting < 2:
                await asyncio.sleep(0)
            gone.cancel()
            await asyncio.wait([gone])
            assert model.slots.waiting == 1
        assert (await stays).text
        assert gone.cancelled()
        assert (model.slots.served, model.slots.in_use) == (2, 0)

    async def test_a_slot_handed_to_a_waiter_that_is_cancelled_then_goes_on(self) -> None:
        slots = Slots(1)
        first = asyncio.ensure_future(slots.__aenter__())
        await first
        waiters = [asyncio.ensure_future(slots.__aenter__()) for _ in range(2)]
        while slots.waiting < 2:
            await asyncio.sleep(0)
        await slots.__aexit__()  # hands the slot to the first waiter, which hasn't run since
        waiters[0].cancel()
        await asyncio.wait(waiters, timeout=10)
        assert waiters[1].done()
        assert waiters[0].cancelled()
        assert not waiters[1].cancelled()
        assert (slots.in_use, slots.waiting) == (1, 0)

    def test_a_failing_answer_holds_no_slot(self) -> None:
        def fail(prompt: str) -> str:
            raise RuntimeError("no answer")

        model = counted(answers=fail)
        with pytest.raises(RuntimeError, match="no answer"):
            model.invoke(PROMPT)
        assert model.slots.in_use == 0

    def test_a_server_without_slots_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one slot, not 0"):
            Slots(0)

    def test_a_thread_waits_until_a_slot_is_free(self) -> None:
        slots, got = Slots(1), threading.Event()

        def hold() -> None:
            with slots:
                got.set()

        with slots:
            waiter = threading.Thread(target=hold)
            waiter.start()
            while not slots.waiting:
                threading.Event().wait(0.001)
            assert not got.is_set()
            assert repr(slots) == "Slots(1 of 1 in use, 1 waiting)"
        waiter.join()
        assert got.is_set()
