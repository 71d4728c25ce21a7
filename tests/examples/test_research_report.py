"""All that the report says stands in the library, word for word; the plan is the request's, and a person decides on it."""

import re
from typing import Any

import pytest
from langchain_core.documents import Document
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from alto_langgraph import optimize
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.examples.research_report import as_written, expert, paced, rules
from alto_langgraph.examples.research_report.as_written import APPROVED
from alto_langgraph.examples.research_report.library import Library, reference
from alto_langgraph.testing import PacedChatModel

MODEL = PacedChatModel(answers=rules.answer, scale=0)
SHORT = "Names in Python: how names are bound, and how modules are imported and cached."
builds = pytest.mark.parametrize("build", [as_written.build, expert.build])
SMALL = Library(
    passages=[
        Document("Whales are mammals. They breathe air with lungs.", metadata={"source": "whales"}),
        Document("Fish breathe with gills. Sharks are fish.", metadata={"source": "fish"}),
        Document("Migrating whales swim far. Whales migrate to breed.", metadata={"source": "travel"}),
    ]
)


async def written(build: Any, *said: Any, request: str = SHORT, library: Library | None = None, model: PacedChatModel = MODEL) -> Any:
    """The state after so many answers to the question for approval."""
    graph, config = build(model, library or reference(), InMemorySaver()), {"configurable": {"thread_id": "1"}}
    state = await graph.ainvoke({"request": request}, config)
    for one in said:
        state = await graph.ainvoke(Command(resume=one), config)
    return state


def sections_of(report: str) -> dict[str, str]:
    return dict(re.findall(r"^## (.*)\n(.*)$", report, re.MULTILINE))


@builds
async def test_all_that_the_report_says_stands_in_the_source_that_it_names(build: Any) -> None:
    state = await written(build, APPROVED, request=paced.request()["request"])
    by_source: dict[str, str] = {}
    for passage in reference().passages:
        by_source[passage.metadata["source"]] = f"{by_source.get(passage.metadata['source'], '')} {passage.page_content}"
    sections = sections_of(state["report"])
    assert len(sections) == 6
    for text in sections.values():
        statements = re.findall(r"(.+?) \[([\w-]+)\](?: |$)", text)
        assert len(statements) > 0
        assert all(statement in by_source[source] for statement, source in statements)


@builds
async def test_a_small_library_gives_the_report_that_a_reader_would_write(build: Any) -> None:
    state = await written(build, APPROVED, request="Whales: how whales breathe air, and how whales migrate.", library=SMALL)
    assert sections_of(state["report"]) == {
        "Whales breathe air": "They breathe air with lungs. [whales]",
        "Whales migrate": "Migrating whales swim far. Whales migrate to breed. [travel]",
    }
    assert state["report"].startswith("Whales breathe air: They breathe air with lungs. Whales migrate: Migrating whales swim far.")


async def test_the_plan_waits_for_approval_and_can_be_changed() -> None:
    for build in (as_written.build, expert.build):
        state = await written(build)
        assert "report" not in state
        assert state["__interrupt__"][0].value == {"plan": ["Names are bound", "Modules are imported and cached"]}
        state = await written(build, "without modules, but also how loops end")
        assert state["__interrupt__"][0].value == {"plan": ["Names are bound", "Loops end"]}
        state = await written(build, "without modules, but also how loops end", APPROVED)
        assert [*sections_of(state["report"])] == ["Names are bound", "Loops end"]


async def test_a_second_round_looks_for_what_is_missing() -> None:
    state = await written(as_written.build, APPROVED, request=paced.request()["request"])
    rounds = {section["title"]: section["round"] for section in state["sections"]}
    assert set(rounds.values()) == {0, 1}
    for note in state["notes"]:
        assert note["round"] <= rounds[note["title"]]


@builds
async def test_what_the_library_knows_nothing_of_is_said_so(build: Any) -> None:
    state = await written(build, APPROVED, request="Xyzzy: how frobnitzes quux, and how whales breathe air.", library=SMALL)
    assert sections_of(state["report"])["Frobnitzes quux"] == "The library tells nothing of it."


@builds
async def test_a_model_that_names_no_query_gets_the_question_searched(build: Any) -> None:
    def silent(prompt: str) -> Any:
        return {"queries": []} if prompt.startswith(("Write three", "What does")) else rules.answer(prompt)

    state = await written(
        build, APPROVED, library=SMALL, request="Whales: how whales breathe air.", model=MODEL.model_copy(update={"answers": silent})
    )
    assert sections_of(state["report"]) == {"Whales breathe air": "They breathe air with lungs. [whales]"}


async def test_stock_alto_and_the_experts_say_the_same() -> None:
    then = [Command(resume="also how loops end"), Command(resume=APPROVED)]
    graphs = [as_written.build(MODEL, reference(), InMemorySaver()) for _ in range(2)]
    stock, alto = [await arecord(graph, {"request": SHORT}, then=then) for graph in (graphs[0], optimize(graphs[1]))]
    assert difference(stock, alto) is None
    by_hand = await written(expert.build, "also how loops end", APPROVED)
    assert alto.output["report"] == by_hand["report"]


def test_the_library_finds_by_rare_words_first() -> None:
    assert [found.metadata["source"] for found in SMALL.invoke("sharks and whales")] == ["fish", "travel"]
    assert SMALL.invoke("xyzzy") == []
    assert Library(passages=[]).invoke("anything") == []
