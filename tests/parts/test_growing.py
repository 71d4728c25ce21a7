"""Answers as models write them: what they are taken for, when a part is said to be finished, and what to look at then."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.parts.growing import Cut, Growing
from alto_langgraph.parts.json_parts import JsonParts
from alto_langgraph.parts.markup import Markup
from alto_langgraph.parts.prose import Prose

REPORT = """# Findings

The first one matters, says Dr. Ray. It costs $3.50.

## Next steps

1. Look again
2. Write it down
"""
PLAN = '{"title": "A plan", "steps": [{"name": "a", "of": [1, 2]}, {"name": "b", "of": []}], "done": true}'
FENCED = f"Here is the plan:\n\n```json\n{PLAN}\n```\n\nI hope it helps. Do ask."
ITEMS = '<items>\n<item id="1">one. Two.</item>\n<item id="2">two</item>\n</items>\nThat was it. All of it.'
LINES = '{"claim": "a"}\n{"claim": "b", "of": [1]}\n{"claim": "c"}\n'
NOTES = "[1] According to [2], yes.\n[2] It is. Or not.\n{x} is a set. <b>Bold</b> is bold.\n<https://x.y> is a link.\n"
CHINESE = "今天很好。你呢？\n- 第一\n- 第二\n"
HINDI = "यह एक वाक्य है। यह दूसरा है।\n"
ARABIC = "هل أنت بخير؟ نعم.\n"
GERMAN = "Das ist z. B. gut. Am 3. März kam Dr. Müller. Er blieb.\n"
CLOSERS = re.compile(r"[\]}]*(?:</[^<>]+>)*(?:\n```)?$")
ANSWERS = [REPORT, PLAN, FENCED, ITEMS, LINES, NOTES, CHINESE, HINDI, ARABIC, GERMAN]


def shown(answer: str) -> list[Cut]:
    """What there is to look at whenever something is said to be finished, as one character comes after the other."""
    growing = Growing()
    return [growing.cut() for char in answer if growing.feed(char)]


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (
            REPORT,
            ["# Findings\n\nT", "Dr. Ray. I", "$3.50.\n\n#", "## Next steps\n\n1", "1. Look again\n2"],
        ),
        (CHINESE, ["今天很好。你", "你呢？\n-", "- 第一\n-"]),
        (HINDI, ["है। य"]),
        (ARABIC, ["بخير؟ ن"]),
        (GERMAN, ["z. B. gut. A", "Dr. Müller. E"]),
    ],
)
def test_of_prose_all_is_shown_once_something_follows_a_part(answer, ends):
    cuts = shown(answer)

    assert [answer.startswith(cut.text) and not cut.closed for cut in cuts] == [True] * len(ends)
    assert [cut.text[-len(end) :] for cut, end in zip(cuts, ends, strict=True)] == ends


@pytest.mark.parametrize("before", ["", "\n", "Sure! Here it is:\n\n", "The plan: "])
@pytest.mark.parametrize("behind", ["", "\n", "\n\nI hope it helps. Do ask.\nBye."])
def test_a_json_document_is_shown_closed(before, behind):
    cuts = shown(before + PLAN + behind)
    closed = [cut.text for cut in cuts if cut.closed]

    assert [json.loads(text.removeprefix(before)) for text in closed] == [
        {"title": "A plan", "steps": [{"name": "a", "of": [1, 2]}]},
        {"title": "A plan", "steps": [{"name": "a", "of": [1, 2]}, {"name": "b", "of": []}]},
    ]
    assert all(len(cut.text) <= len(before) + 1 for cut in cuts if not cut.closed)


def test_the_fence_around_a_document_is_closed_too():
    closed = [cut.text for cut in shown(FENCED) if cut.closed]

    assert [len(json.loads(text.partition("```json\n")[2].removesuffix("\n```"))["steps"]) for text in closed] == [1, 2]
    assert all(text.startswith("Here is the plan:\n\n```json\n{") for text in closed)


def test_elements_are_shown_closed():
    assert [cut.text for cut in shown(ITEMS) if cut.closed] == [
        '<items>\n<item id="1">one. Two.</item></items>',
        '<items>\n<item id="1">one. Two.</item>\n<item id="2">two</item></items>',
    ]


def test_elements_may_stand_side_by_side_and_behind_others():
    cuts = shown("<analysis>\nIt has 2 parts. Both are easy.\n</analysis>\n\n<task>a</task>\n<task>b</task>\n<task>")

    assert [cut.text[-14:] for cut in cuts if cut.closed] == ["<task>a</task>", "<task>b</task>"]


def test_of_lines_of_json_whole_ones_are_shown():
    assert [cut.text.count("\n") for cut in shown(LINES) if cut.closed] == [0, 1, 2]
    assert all(cut.closed and [json.loads(line) for line in cut.text.splitlines()] for cut in shown(LINES))


def test_what_only_begins_like_a_document_is_prose():
    growing = Growing()
    growing.feed(NOTES)

    assert growing.cut() == Cut(NOTES, False)
    assert growing.finished >= NOTES.count("\n") - 1


@pytest.mark.parametrize(
    "answer",
    [
        '{"a": 1}\nThat is all. Really. No more.',
        "<thinking>Let me see. Well.</thinking>\nIt is so. Really. No more.",
        '[1, 2, {"a": ]\nThat is all. Really. No more.',
        "<p>One. <p>Two. </div> Three. Four",
        "[1, 2] are numbers. Really. No more.",
    ],
)
def test_a_document_without_a_list_or_a_broken_one_is_prose_again(answer):
    growing = Growing()
    growing.feed(answer)

    assert growing.cut() == Cut(answer, False)
    assert shown(answer)[-1].text == answer[: answer.rindex(". ") + 3]


def test_a_document_may_follow_one_without_a_list():
    cuts = shown('<thinking>Hm.</thinking>\n{"a": [1, 2')

    assert cuts[-1] == Cut('<thinking>Hm.</thinking>\n{"a": [1]}', True)


def test_a_document_with_much_behind_it_is_an_example_in_prose():
    answer = f"Configure it like this:\n\n```json\n{PLAN}\n```\n\n{REPORT}And so on. Really. No more."
    cuts = shown(answer)
    closed = [cut.closed for cut in cuts]

    assert closed[:3] == [False, True, True]
    assert len(closed) > 5 and not any(closed[3:])
    assert cuts[-1] == Cut(answer[: answer.rindex("No") + 1], False)


def test_an_object_without_a_list_has_no_parts():
    assert shown('{"answer": "Yes. It is. So what?", "of": {"score": 3}}') == []


def test_nothing_is_said_twice():
    growing = Growing()

    assert not growing.feed("One. ")
    assert growing.feed("Two. Three. F")
    assert not growing.feed("")
    assert not growing.feed("our")
    assert growing.text == "One. Two. Three. Four"


def end(pieces) -> tuple[Cut, int, str]:
    growing = Growing()
    for piece in pieces:
        growing.feed(piece)
    return growing.cut(), growing.finished, growing.text


pieces_of_answers = st.lists(
    st.sampled_from(
        [*ANSWERS, "\n", "```", "```json\n", "{", "[", "<", "</", ">", '"', ",", ":", "a", "1", "<a>", "</a>", "[1,", " ", ". B"]
    ),
    max_size=8,
).map("".join)


@given(
    (pieces_of_answers | st.text()).flatmap(lambda answer: st.tuples(st.just(answer), st.lists(st.integers(0, len(answer)), max_size=8)))
)
def test_how_an_answer_is_cut_into_pieces_makes_no_difference(case):
    answer, places = case[0], sorted(case[1])
    pieces = [answer[start:stop] for start, stop in zip([0, *places], [*places, len(answer)], strict=True)]

    assert end(pieces) == end(answer) == end([answer])
    assert end([answer])[2] == answer


@given(pieces_of_answers)
def test_what_is_shown_begins_like_the_answer(answer):
    growing = Growing()
    for char in answer:
        if growing.feed(char):
            cut = growing.cut()
            assert growing.text.startswith(CLOSERS.split(cut.text)[0] if cut.closed else cut.text)


LONG = [
    *(answer * 40 for answer in ANSWERS),
    *(piece * 500 for piece in ["{\n[\n", "[1]\n", "]}", ". A", "```\n{", ": {", '{"a": 1}\nx\n', "[1] a. B\n", "<br>\n"]),
    '{"a":[' + "[1,2]," * 500,
    "<a>" * 150 + "<b></b>" * 500,
    "<a></a>" * 300 + "x" + "\n<b></b>" * 300,
]


@pytest.mark.parametrize("answer", LONG)
def test_each_character_is_looked_at_a_fixed_number_of_times(answer, monkeypatch):
    """Once as prose, once as a remark, and once as a part of a document, or twice where it breaks one and begins the next."""
    steps = {Prose: 0, JsonParts: 0, Markup: 0}
    kinds: list[Any] = [*steps]
    for kind in kinds:

        def counted(self, char, kind=kind, step=kind.step):
            steps[kind] += 1
            step(self, char)

        monkeypatch.setattr(kind, "step", counted)
    growing = Growing()
    for char in answer:
        growing.feed(char)

    assert steps[Prose] <= 2 * len(answer)
    assert steps[JsonParts] + steps[Markup] <= 2 * len(answer)
