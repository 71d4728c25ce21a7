"""The example finds each thing that its model remembers wrongly, and nothing else."""

import re
from typing import Any

import pytest

from alto_langgraph import optimize
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.examples.chatbot_verification import as_written, expert, paced, rules
from alto_langgraph.examples.chatbot_verification.elements import Fact, known, read, spoken, written
from alto_langgraph.exceptions import MissingExtraError
from alto_langgraph.testing import PacedChatModel

MODEL = PacedChatModel(answers=rules.answer, scale=0)
CORRECTED = {
    "Gold melts at 1,310 degrees Celsius.": "Gold melts at 1,064 degrees Celsius.",
    "Helium was discovered by William Ramsay in 1868.": "Helium was discovered by Pierre Janssen in 1868.",
    "Mercury is a noble gas.": "Mercury is a transition metal.",
    "Mercury boils at 537 degrees Celsius.": "Mercury boils at 357 degrees Celsius.",
    "Iron has the atomic number 28.": "Iron has the atomic number 26.",
    "Tungsten has the symbol Tu.": "Tungsten has the symbol W.",
    "Iodine is mostly used for advertising signs.": "Iodine is mostly used for disinfecting wounds.",
    "Silicon is an alkali metal.": "Silicon is a metalloid.",
}
"""Claims of the answer that are wrong, and what is right."""


@pytest.fixture(scope="module")
def retriever() -> Any:
    pytest.importorskip("chromadb", reason="the example searches a Chroma collection: pip install '.[chroma]'")
    pytest.importorskip("langchain_chroma")
    return paced.encyclopedia()


@pytest.mark.chroma
async def test_every_wrong_claim_is_found_and_put_right(retriever: Any) -> None:
    answer = await as_written.build(MODEL, retriever).ainvoke(paced.text())
    wrong = {check["claim"] for check in answer["checks"] if check["label"] == "contradicted"}
    assert wrong == set(CORRECTED)
    assert {check["claim"] for check in answer["checks"] if check["label"] == "open"} == {"Gold never loses its shine."}
    assert claims_in(answer["answer"]) - claims_in(answer["corrected"]) == set(CORRECTED)
    assert claims_in(answer["corrected"]) - claims_in(answer["answer"]) == set(CORRECTED.values())


def claims_in(text: str) -> set[str]:
    return {claim for item in as_written.sentences_of(text) for claim in rules.claims(item["sentence"], item["before"])}


@pytest.mark.chroma
async def test_the_evidence_stands_word_for_word_in_what_was_found(retriever: Any) -> None:
    answer = await as_written.build(MODEL, retriever).ainvoke(paced.text("What is known of lead and mercury?"))
    for check in answer["checks"]:
        assert check["label"] != "open"
        assert check["evidence"] in " ".join(check["passages"])


@pytest.mark.chroma
async def test_an_answer_without_a_mistake_is_left_as_it_is(retriever: Any) -> None:
    for build in (as_written.build, expert.build):
        model = MODEL.model_copy()
        answer = await build(model, retriever).ainvoke(paced.text("What is known of copper?"))
        assert answer["corrected"] == answer["answer"]
        assert {one["label"] for one in answer["judged"]} == {"right"}


@pytest.mark.chroma
async def test_an_answer_without_any_claim(retriever: Any) -> None:
    stock = await as_written.build(MODEL, retriever).ainvoke(paced.text("What is known of cheese?"))
    alto = await optimize(as_written.build(MODEL, retriever)).ainvoke(paced.text("What is known of cheese?"))
    assert stock == alto
    assert "corrected" not in stock, "nothing leads to the correction"


@pytest.mark.chroma
async def test_stock_alto_and_the_experts_say_the_same(retriever: Any) -> None:
    given = paced.text("Tell me about iron and gold.")
    graph = as_written.build(MODEL, retriever)
    stock, alto = await arecord(graph, given), await arecord(optimize(graph), given)
    assert difference(stock, alto) is None
    by_hand = await expert.build(MODEL, retriever).ainvoke(given)
    assert by_hand["corrected"] == alto.output["corrected"]
    assert sorted(map(str, by_hand["checks"])) == sorted(map(str, (await graph.ainvoke(given))["checks"]))
    assert sorted(map(str, by_hand["judged"])) == sorted(map(str, alto.output["judged"]))


def test_without_chroma_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "chromadb", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'alto-langgraph[chroma]'")):
        paced.encyclopedia.__wrapped__()


def test_both_ways_of_saying_a_fact_are_read_as_that_fact() -> None:
    for element, facts in known().items():
        for relation, value in facts.items():
            fact = Fact(element, relation, value)
            assert read(written(fact)) == read(f"{element.capitalize()} {spoken(fact)}.") == fact


@pytest.mark.parametrize(
    ("sentence", "before", "claims"),
    [
        ("It melts at 3 degrees Celsius.", "Gold is a metal. It has the symbol Au.", ["Gold melts at 3 degrees Celsius."]),
        ("Tin has the symbol Sn and is a metal.", "", ["Tin has the symbol Sn.", "Tin is a metal."]),
        ("Its beauty is a treacherous one.", "Mercury is a metal.", []),
        ("What would our cities be without it?", "", []),
    ],
)
def test_claims_have_names_in_place_of_pronouns(sentence: str, before: str, claims: list[str]) -> None:
    assert rules.claims(sentence, before) == claims
