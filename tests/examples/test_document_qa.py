"""The example answers from the documents alone: the sentences here were found by hand, in chapters that have said so for years."""

import re
from typing import Any

import pytest

from alto_langgraph import optimize
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.examples.document_qa import as_written, expert, paced, rules
from alto_langgraph.examples.document_qa.as_written import passages_of
from alto_langgraph.testing import PacedChatModel

MODEL = PacedChatModel(answers=rules.answer, scale=0)
LEAVES = 'When "{}" passes control out of a "try" statement with a "finally" clause, that "finally" clause is executed before really {}.'
EXPECTED = {
    "break": [LEAVES.format("break", "leaving the loop")],
    "continue": [LEAVES.format("continue", "starting the next loop cycle")],
    "return": [LEAVES.format("return", "leaving the function")],
}
"""What has to do with the question in the chapters that are short enough to be read in full."""


async def test_the_quotes_are_those_that_a_reader_finds() -> None:
    answer = await as_written.build(MODEL).ainvoke(paced.text(*EXPECTED, "pass", "del"))
    assert {one["title"]: one["quotes"] for one in answer["summaries"]} == EXPECTED


async def test_every_sentence_of_the_answer_is_cited_and_every_citation_stands_in_its_document() -> None:
    given = paced.text()
    answer = await as_written.build(MODEL).ainvoke(given)
    texts = {document["title"]: " ".join(document["text"].split()) for document in given["documents"]}
    assert re.sub(r".+? \[[\w-]+ \d+\] ?", "", answer["answer"]) == ""
    assert len(answer["citations"]) == rules.MOST
    for mark, quote in answer["citations"].items():
        assert quote in texts[mark.split()[0]]
        assert f"{quote} [{mark}]" in answer["answer"]
    assert 'there is a saved exception it is re-raised at the end of the "finally" clause' in str(answer["evidence"])


async def test_what_the_model_makes_up_is_left_out() -> None:
    def inventing(prompt: str) -> Any:
        said: Any = rules.answer(prompt)
        if prompt.startswith("Which"):
            return {"helpful": [*said["helpful"], {"number": 99, "score": 5}]}
        return {"quote": "The moon is made of cheese.", "tells": ""} if prompt.startswith("Quote") and "function" in prompt else said

    model = MODEL.model_copy(update={"answers": inventing})
    for build in (as_written.build, expert.build):
        answer = await build(model).ainvoke(paced.text(*EXPECTED))
        assert [one["title"] for one in sorted(answer["summaries"], key=lambda one: one["title"])] == ["break", "continue"]


async def test_documents_that_say_nothing_of_it() -> None:
    for build in (as_written.build, expert.build):
        answer = await build(MODEL).ainvoke(paced.text("pass", "del"))
        assert (answer.get("answer"), answer.get("citations")) in [(None, None), ("The documents don't say.", {})]


async def test_stock_alto_and_the_experts_say_the_same() -> None:
    given = paced.text("break", "try", "exceptions")
    graph = as_written.build(MODEL)
    stock, alto = await arecord(graph, given), await arecord(optimize(graph), given)
    assert difference(stock, alto) is None
    by_hand = await expert.build(MODEL).ainvoke(given)
    assert {key: alto.output[key] for key in ("answer", "citations")} == {key: by_hand[key] for key in ("answer", "citations")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n*****\n\nOne is here. Two is\nthere.\n\n   code = 1\n\nLast.", [["One is here.", "Two is there."], ["Last."]]),
        ("", []),
        ("   only code", []),
    ],
)
def test_passages_are_paragraphs_without_headings_and_code(text: str, expected: list[list[str]]) -> None:
    assert passages_of(text) == expected
