"""What the app asks its model, and the forms of the answers."""

from typing import Any, TypedDict

from pydantic import BaseModel, Field

LINK = """Does a query that answers the question need this table? If so, which of its columns?
Question: {question}
All tables: {overview}
Table: {table}"""
APPROACH = """Name five different ways to answer the question with one SQLite query, one sentence each.
Question: {question}
Schema:
{schema}"""
GENERATE = """Write one SQLite query that answers the question. Answer with the query alone.
Question: {question}
Approach: {approach}
Schema:
{schema}"""
REPAIR = """This SQLite query fails. Mend it. Answer with the query alone.
Question: {question}
Query: {sql}
Error: {error}
Schema:
{schema}"""
ANSWER = """Answer the question from the rows, in one sentence.
Question: {question}
Rows: {rows}"""


class Link(BaseModel):
    """What a question needs of a table."""

    needed: bool
    columns: list[str] = Field(description="Names of the columns needed; empty if the table isn't.")


class Approaches(BaseModel):
    """Ways to write the query."""

    approaches: list[str] = Field(description="One sentence each.")


class Item(TypedDict, total=False):
    """One table to look at, or one candidate on its way."""

    at: int
    question: str
    overview: str
    table: str
    columns: list[str]
    schema: str
    approach: str
    sql: str
    tries: list[tuple[str, str]]
    """Queries that failed, each with its error."""
    rows: list[Any]
    error: str
