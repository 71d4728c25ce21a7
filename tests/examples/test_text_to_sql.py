"""The example's answers are those of queries written by hand, and of the database's own rows, added up in Python."""

import re
from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from alto_langgraph import optimize
from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.examples.text_to_sql import as_written, expert, paced, rules
from alto_langgraph.examples.text_to_sql.analyst import tables_of, wish_of
from alto_langgraph.examples.text_to_sql.as_written import elected
from alto_langgraph.examples.text_to_sql.database import MOST_ROWS, Database, QueryError, shop
from alto_langgraph.testing import PacedChatModel

MODEL = PacedChatModel(answers=rules.answer, scale=0)
LINES = "order_lines JOIN orders USING (order_id)"
BY_HAND = [
    f"SELECT country, SUM(quantity * unit_price) s FROM {LINES} JOIN customers USING (customer_id) "
    "WHERE ordered_on LIKE '2024%' GROUP BY 1 ORDER BY s DESC LIMIT 5",
    "SELECT substr(ordered_on, 1, 7), COUNT(*) FROM orders WHERE ordered_on LIKE '2023%' GROUP BY 1 ORDER BY 1",
    "SELECT suppliers.name, SUM(quantity) s FROM order_lines JOIN products USING (product_id) JOIN suppliers USING (supplier_id) "
    "GROUP BY 1 ORDER BY s DESC LIMIT 3",
    f"SELECT categories.name, SUM(quantity * unit_price) FROM {LINES} JOIN products USING (product_id) JOIN categories USING (category_id) "
    "WHERE ordered_on BETWEEN '2022-01-01' AND '2022-12-31' GROUP BY 1 ORDER BY 1",
    "SELECT title, SUM(returns.quantity) s FROM returns JOIN order_lines USING (line_id) JOIN products USING (product_id) "
    "GROUP BY 1 ORDER BY s DESC, 1 LIMIT 6",
    "SELECT name, COUNT(*) c FROM orders JOIN employees USING (employee_id) "
    "WHERE ordered_on LIKE '2024%' GROUP BY 1 ORDER BY c DESC LIMIT 1",
    f"SELECT name, SUM(quantity * unit_price) s FROM {LINES} JOIN customers USING (customer_id) "
    "GROUP BY customer_id ORDER BY s DESC LIMIT 10",
    f"SELECT categories.name, SUM(quantity) FROM {LINES} JOIN customers USING (customer_id) JOIN products USING (product_id) "
    "JOIN categories USING (category_id) WHERE country = 'Germany' AND ordered_on LIKE '2023%' GROUP BY 1 ORDER BY 1",
]
"""For each shipped question a query written without looking at the app's."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return shop(tmp_path_factory.mktemp("shop") / "shop.sqlite")


async def asked(question: str, database: Database, build: Any = as_written.build, model: PacedChatModel = MODEL) -> dict[str, Any]:
    found: dict[str, Any] = await build(model, database).ainvoke({"question": question})
    return {**found, "candidates": sorted(found["candidates"], key=itemgetter("at"))}


@pytest.mark.parametrize(("question", "by_hand"), [*zip(paced.questions(), BY_HAND, strict=True)])
async def test_the_vote_finds_what_a_query_written_by_hand_finds(question: str, by_hand: str, database: Database) -> None:
    found = await asked(question, database)
    assert found["rows"] == database.run(by_hand)
    assert found["votes"] >= 3
    assert all(str(name) in found["answer"] for name, _ in found["rows"])


async def test_the_revenue_is_what_the_rows_add_up_to(database: Database) -> None:
    home = dict(database_rows(database, "SELECT customer_id, country FROM customers"))
    placed = {
        order: (home[customer], day[:4])
        for order, customer, day in database_rows(database, "SELECT order_id, customer_id, ordered_on FROM orders")
    }
    total: defaultdict[str, float] = defaultdict(float)
    for order, quantity, price in database_rows(database, "SELECT order_id, quantity, unit_price FROM order_lines"):
        country, year = placed[order]
        total[country] += quantity * price if year == "2024" else 0
    best = sorted(total.items(), key=itemgetter(1), reverse=True)[:5]
    found = await asked(paced.questions()[0], database)
    assert [(name, pytest.approx(revenue, abs=0.01)) for name, revenue in found["rows"]] == best


def database_rows(database: Database, sql: str) -> list[Any]:
    """All rows, a hundred at a time."""
    rows: list[Any] = []
    while True:
        try:
            rows += database.run(f"{sql} LIMIT {MOST_ROWS} OFFSET {len(rows)}")
        except QueryError:
            return rows


async def test_mistakes_are_mended_by_their_errors_and_what_is_wrong_is_outvoted(database: Database) -> None:
    found = [await asked(question, database) for question in paced.questions()]
    candidates = [candidate for one in found for candidate in one["candidates"]]
    errors = {error.split(": ")[0] for candidate in candidates for _, error in candidate["tries"]}
    assert {re.sub(r"[\d.]+", "", error) for error in errors} == {"no such function", "no such column", 'near ""'}
    assert all("rows" in candidate for candidate in candidates), "each was mended in time"
    assert max(len(candidate["tries"]) for candidate in candidates) == 2
    assert any(one["votes"] < len(one["candidates"]) for one in found)


@pytest.mark.parametrize("question", [paced.questions()[1], paced.questions()[2]])
async def test_stock_alto_and_the_experts_say_the_same(question: str, database: Database) -> None:
    graph = as_written.build(MODEL, database)
    stock, alto = await arecord(graph, {"question": question}), await arecord(optimize(graph), {"question": question})
    assert difference(stock, alto) is None
    by_hand = await asked(question, database, expert.build)
    assert {**alto.output, "linked": 0, "candidates": sorted(alto.output["candidates"], key=itemgetter("at"))} == {**by_hand, "linked": 0}


@pytest.mark.parametrize("build", [as_written.build, expert.build])
async def test_a_model_that_writes_no_query_gets_three_tries_and_no_vote(build: Any, database: Database) -> None:
    def useless(prompt: str) -> Any:
        return "I can't." if prompt.startswith(("Write", "This SQLite")) else rules.answer(prompt)

    found = await asked(paced.questions()[0], database, build, MODEL.model_copy(update={"answers": useless}))
    assert (found["sql"], found["rows"], found["votes"]) == ("", [], 0)
    assert [len(candidate["tries"]) for candidate in found["candidates"]] == [3] * 5
    assert found["answer"] == "No query found an answer."


async def test_only_the_tables_on_the_way_are_linked(database: Database) -> None:
    found = await asked(paced.questions()[5], database)
    assert [*tables_of("\n".join(one["table"] for one in sorted(found["linked"], key=itemgetter("at"))))] == ["employees", "orders"]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("DELETE FROM orders", "readonly database"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT 1 WHERE 0", "finds no rows"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n", "interrupted"),
    ],
)
def test_a_query_that_cannot_be_run(sql: str, error: str, database: Database) -> None:
    with pytest.raises(QueryError, match=error):
        database.run(sql)


def test_the_database_is_the_same_every_time(database: Database, tmp_path: Path) -> None:
    other = shop(tmp_path / "other.sqlite")
    everything = (
        "SELECT (SELECT COUNT(*) FROM orders), (SELECT SUM(quantity * unit_price) FROM order_lines), (SELECT COUNT(*) FROM returns)"
    )
    assert other.run(everything) == database.run(everything)
    assert len(database.tables()) == 9
    assert len(database.run("SELECT * FROM order_lines")) == MOST_ROWS


def test_a_tie_is_won_by_the_candidate_named_first() -> None:
    candidates: Any = [{"at": 2, "sql": "c", "rows": [3]}, {"at": 1, "sql": "b", "rows": [2]}, {"at": 0, "sql": "a", "error": "x"}]
    assert elected(candidates) == {"sql": "b", "rows": [2], "votes": 1}


@pytest.mark.parametrize(
    ("question", "wish"),
    [
        ("How many customers are there in each city?", ("COUNT(DISTINCT customers.customer_id)", "customers.city", "", 0)),
        ("Which two stores sold the most pieces?", ("SUM(order_lines.quantity)", "stores.city", "", 2)),
    ],
)
def test_questions_that_are_not_shipped(question: str, wish: tuple[str, str, str, int]) -> None:
    assert wish_of(question) == wish


def test_the_code_around_the_graph_is_read_as_the_apps_own(database: Database) -> None:
    graph: Any = optimize(as_written.build(MODEL, database))
    explained = str(graph.explain())
    assert "execute   may run ahead" in explained
    assert "`execute` calls `connect`" in explained, "and not a method that nobody has looked into"
