"""What the app asks its model, and the forms of the answers."""

from typing import Any, TypedDict

from pydantic import BaseModel, Field

CLARIFY = "Restate the request as a brief: the subject, then each question that the report has to answer.\nRequest: {request}"
PLAN = "Plan a report with one section for each question of the brief.\nBrief: {brief}\nWishes: {wishes}"
QUERIES = "Write three different queries to a search engine that help to answer the question.\nSection: {title}\nQuestion: {question}"
READ = """Which sentences of the passage help to answer the question? Repeat them word for word, or say: nothing.
Question: {question}
Passage: {passage}"""
WRITE = "Write the section from the notes, and name the source of each statement.\nQuestion: {question}\nNotes:\n{notes}"
REFLECT = """What does the question ask for that the section doesn't tell? Write a query to a search engine for each such thing.
Section: {title}
Question: {question}
Draft: {draft}"""
EDIT = "Write a summary of the report, one sentence for each section.\nBrief: {brief}\nSections:\n{sections}"


class Section(BaseModel):
    """A section of the plan."""

    title: str
    question: str = Field(description="What the section answers.")


class Plan(BaseModel):
    """A report's plan."""

    sections: list[Section]


class Queries(BaseModel):
    """Queries to a search engine; none where nothing is missing."""

    queries: list[str]


class Item(TypedDict, total=False):
    """A section, a query, a passage or a note on its way."""

    at: int
    title: str
    question: str
    round: int
    nth: int
    query: str
    rank: int
    source: str
    passage: str
    note: str
    notes: list[Any]
    """Notes that the section is written from, of all rounds so far."""
    draft: str
