"""The example's answer is right, sentence by sentence; the verdicts here were written by hand, from the documents."""

import ast
import re
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from alto_langgraph.examples.fact_check import rules
from alto_langgraph.examples.fact_check.app import build
from alto_langgraph.examples.fact_check.bound import foretold
from alto_langgraph.examples.fact_check.collection import bm25, documents
from alto_langgraph.examples.fact_check.paced import graph, text
from alto_langgraph.plan.schedule import critical_path
from alto_langgraph.testing import CountingClock, PacedChatModel

NO_CLAIM = {1, 6, 15, 28, 36, 53}
UNKNOWN = {14, 22, 43, 48}
CORRECTED = {
    4: "The Sun's surface has a temperature of about 5,500 degrees Celsius.",
    10: "Mercury has no moons.",
    11: "Venus is the hottest planet of the solar system.",
    20: "Apollo 11 landed the first people on the Moon in 1969.",
    27: "The rover Perseverance landed on Mars in 2021.",
    30: "Giuseppe Piazzi discovered Ceres in 1801.",
    33: "Jupiter orbits the Sun in about 12 years.",
    38: "The rings of Saturn consist mostly of ice.",
    44: "Neptune has the fastest winds of all planets.",
    47: "Pluto has been called a dwarf planet since 2006.",
    52: "The tail of a comet points away from the Sun.",
}
"""Numbers of sentences, from 1. All others are supported."""


async def checked(sentences: int | None = None) -> dict[int, dict[str, Any]]:
    model = PacedChatModel(answers=rules.answer, scale=0)
    answer = await build(model, bm25(documents())).ainvoke(text(sentences))
    return {verdict["at"] + 1: verdict for verdict in answer["verdicts"]}


def sentences_of(paragraphs: list[str]) -> list[str]:
    return [sentence for paragraph in paragraphs for sentence in re.split(r"(?<=[.!?])\s+", paragraph)]


async def test_every_sentence_has_the_verdict_that_the_documents_give_it() -> None:
    verdicts = await checked()
    expected = dict.fromkeys(range(1, 54), "supported")
    expected |= dict.fromkeys(NO_CLAIM, "no claim") | dict.fromkeys(UNKNOWN, "unknown") | dict.fromkeys(CORRECTED, "contradicted")
    assert {at: verdict["label"] for at, verdict in sorted(verdicts.items())} == expected
    assert {at: verdict["correction"] for at, verdict in verdicts.items() if "correction" in verdict} == CORRECTED


async def test_the_evidence_stands_word_for_word_in_the_documents() -> None:
    sentences = set(sentences_of(documents()))
    verdicts = (await checked()).values()
    assert {v["evidence"] for v in verdicts if v["label"] in ("supported", "contradicted")} <= sentences
    assert {v["evidence"] for v in verdicts if v["label"] == "unknown"} == {""}


async def test_the_report_is_in_the_texts_order_with_corrections() -> None:
    answer = await build(PacedChatModel(answers=rules.answer, scale=0), bm25(documents())).ainvoke(text(5))
    assert answer["report"].splitlines() == [
        "[no claim] Few sights are as moving as the night sky.",
        "[supported] The Sun is about 4.6 billion years old.",
        "[supported] It holds 99.8 percent of the mass of the solar system.",
        "[contradicted] The Sun's surface has a temperature of about 5,500 degrees Celsius.",
        "[supported] Light from the Sun needs about 8 minutes to reach Earth.",
    ]


async def test_the_bound_knows_every_call_and_its_time() -> None:
    model = PacedChatModel(answers=rules.answer, clock=CountingClock())
    answer = await build(model, bm25(documents())).ainvoke(text())
    calls = foretold(model, answer)
    assert len(calls) == model.slots.served == 53 + 47 + len(CORRECTED)
    assert sum(call.seconds for call in calls) == pytest.approx(model.clock.now())
    assert len(critical_path(calls).tags) in (2, 3)


async def test_a_text_without_a_claim() -> None:
    assert {verdict["label"] for verdict in (await checked(1)).values()} == {"no claim"}


@pytest.mark.parametrize("sentences", [0, 1, 6, 7, 53, 99])
def test_the_first_sentences_of_the_text(sentences: int) -> None:
    whole, part = sentences_of(text()["paragraphs"]), sentences_of(text(sentences)["paragraphs"])
    assert part == whole[:sentences]


def test_the_app_knows_nothing_of_alto() -> None:
    source = files("alto_langgraph.examples.fact_check").joinpath("app.py").read_text("utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name
    }
    assert imported == {"re", "collections", "operator", "typing", "langchain_core", "langgraph", "pydantic"}
    assert "alto" not in source


def test_the_shipped_graph_has_the_stages() -> None:
    assert set(graph().get_graph().nodes) == {"__start__", "split", "extract", "retrieve", "judge", "correct", "report", "__end__"}


@pytest.mark.parametrize(
    ("query", "first"), [("moons of Mars", "Mars is the fourth"), ("landing on Titan in 2005", "Titan is"), ("halley's comet", "Halley's")]
)
def test_the_search_ranks_the_document_about_it_first(query: str, first: str) -> None:
    assert bm25(documents())(query)[0].startswith(first)


def test_rarer_words_weigh_more_and_ties_keep_their_order() -> None:
    search = bm25(["the sun", "the moon", "the rare sun", "the sun"], best=4)
    assert search("rare") == ["the rare sun", "the sun", "the moon", "the sun"]
    assert search("the moon")[0] == "the moon"


@pytest.mark.parametrize(
    ("claim", "label"),
    [
        ("Mars has two moons.", "supported"),
        ("Mars has 2 moons.", "supported"),
        ("Mars has three moons.", "contradicted"),
        ("Mars has two rings.", "unknown"),
        ("Phobos has two moons.", "unknown"),
        ("In 1781 William Herschel discovered Uranus.", "supported"),
        ("In 1781 Johann Herschel discovered Uranus.", "unknown"),
        ("The planet Saturn floats.", "unknown"),
    ],
)
def test_judging(claim: str, label: str) -> None:
    passages = ["Mars has two moons.", "William Herschel discovered Uranus in 1781.", "Saturn is less dense than water."]
    assert rules.judge(claim, passages)["label"] == label


def test_documents_are_what_the_readme_counts() -> None:
    readme = files("alto_langgraph.examples.fact_check").joinpath("README.md").read_text("utf-8")
    counted = Counter(sentences=len(sentences_of(text()["paragraphs"])), documents=len(documents()))
    assert f"{counted['sentences']} sentences" in readme
    assert f"{counted['documents']} documents" in readme
