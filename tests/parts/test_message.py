"""Chat answers of text and tool calls, as models stream them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.parts.growing import Cut
from alto_langgraph.parts.message import Call, CallDelta, GrowingMessage

SEARCH = Call("search", "1", {"query": "a"})
LOOK_UP = Call("look_up", "2", {"names": ["b", "c"]})


def delta(index: int, args: str) -> CallDelta:
    return CallDelta(index, None, None, args)


def begin(index: int, call: Call, args: str = "") -> CallDelta:
    return CallDelta(index, call.name, call.id, args)


def test_a_call_is_finished_with_its_last_bracket():
    message = GrowingMessage()

    assert not message.feed("", [begin(0, SEARCH)])
    assert not message.feed("", [delta(0, '{"query": "a"')])
    assert message.partial().calls == ()
    assert message.feed("", [delta(0, "}")])
    assert message.partial().calls == (SEARCH,)
    assert not message.feed("", [begin(1, LOOK_UP)])
    assert message.partial().calls == (SEARCH,)


def test_of_the_newest_call_the_elements_are_finished_one_by_one():
    message = GrowingMessage()
    message.feed("", [begin(0, LOOK_UP, '{"names": [')])

    assert message.partial().growing is None
    assert message.feed("", [delta(0, '"b"')])
    assert message.partial().growing == Call("look_up", "2", {"names": ["b"]})
    assert not message.feed("", [delta(0, ', "c')])
    assert message.partial().growing == Call("look_up", "2", {"names": ["b"]})
    assert message.feed("", [delta(0, '"]}')])
    assert message.partial().growing is None
    assert message.partial().calls == (LOOK_UP,)


def test_text_and_calls_are_finished_each_for_itself():
    message = GrowingMessage()

    assert message.feed("I look. The")
    assert message.feed("n", [begin(0, SEARCH, json.dumps(SEARCH.args))])
    assert message.partial().text == Cut("I look. Then", False)
    assert message.partial().calls == (SEARCH,)


def test_a_call_without_arguments_is_finished_when_the_next_begins():
    message = GrowingMessage()

    assert not message.feed("", [CallDelta(0, "now", None, "")])
    assert message.feed("", [begin(1, SEARCH)])
    assert message.partial().calls == (Call("now", None, {}),)
    assert message.partial().growing is None


def test_a_call_that_seemed_to_have_no_arguments_is_taken_back():
    message = GrowingMessage()
    message.feed("", [begin(0, SEARCH), begin(1, LOOK_UP)])

    assert message.partial().calls == (Call("search", "1", {}),)
    assert not message.feed("", [delta(0, '{"query"')])
    assert message.partial().calls == ()
    assert message.feed("", [delta(0, ': "a"}')])
    assert message.partial().calls == (SEARCH,)


@pytest.mark.parametrize("args", ['{"a": 1', "[1, 2]", "no JSON", '{"a": [1, }'])
def test_a_call_whose_arguments_are_no_object_is_never_finished(args):
    message = GrowingMessage()
    message.feed("", [CallDelta(0, "f", None, args)])

    assert not message.feed("", [begin(1, SEARCH)])
    assert message.partial().calls == ()
    assert message.partial().growing is None


def test_a_call_has_to_have_a_name():
    message = GrowingMessage()

    assert not message.feed("", [CallDelta(0, None, None, "{}")])
    assert message.partial().calls == ()
    assert message.feed("", [CallDelta(0, "f", "1", "")])
    assert message.partial().calls == (Call("f", "1", {}),)


arguments = st.dictionaries(st.text(max_size=3), st.lists(st.integers() | st.text(max_size=3), max_size=3) | st.booleans(), max_size=3)
calls = st.lists(st.builds(Call, st.sampled_from(["f", "g"]), st.none() | st.text(min_size=1, max_size=2), arguments), max_size=3)


@given(calls, st.data())
def test_how_the_arguments_are_cut_into_pieces_makes_no_difference(calls, data):
    whole, pieces = GrowingMessage(), GrowingMessage()
    for index, call in enumerate(calls):
        text = json.dumps(call.args)
        kept = text[: data.draw(st.integers(0, len(text)))] if call is calls[-1] else text
        whole.feed("", [begin(index, call, kept)])
        for place, char in enumerate(kept):
            pieces.feed("", [CallDelta(index, None if place else call.name, None if place else call.id, char)])
        if not kept:
            pieces.feed("", [begin(index, call)])

    assert whole.partial() == pieces.partial()
    assert list(whole.partial().calls) in (calls, calls[:-1])


deltas = st.builds(CallDelta, st.integers(0, 2), st.none() | st.just("f"), st.none() | st.just("1"), st.text('{}[]",:1 a\n', max_size=6))


@given(st.lists(st.tuples(st.text(max_size=3), st.lists(deltas, max_size=3)), max_size=6))
def test_any_pieces_may_come(pieces):
    message, known = GrowingMessage(), 0
    for text, deltas in pieces:
        message.feed(text, deltas)
        known = len(message.partial().calls)

    assert known <= 3
    assert message.partial().text.text == "".join(text for text, _ in pieces) or message.partial().text.closed
