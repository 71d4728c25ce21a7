"""Answers the app's prompts by rules in code, mistakes that models make included, so that it runs where there is no model."""

import ast
import re
from difflib import get_close_matches
from random import Random
from typing import Any

from alto_langgraph.examples.text_to_sql.analyst import Wish, joined, needed, tables_of, wish_of

APPROACHES = (
    "Join all the tables, group by what is asked for, and sort by the total",
    "Compute each row's amount in a common table expression first, then add the amounts up",
    "Rank the groups by a window function in a subquery, and keep the best ranks",
    "Filter the orders in a subquery before anything is joined to them",
    "Take the lines as they stand, each with its price, and add them up by group",
)
CENTURY = "YEAR({column}) = {year}"
"""What other databases would understand."""
SLIPS = ("none", "none", "year", "column", "top", "year and column")


def answer(prompt: str) -> str | dict[str, Any]:
    """What a model that knows SQL says to one of the app's prompts."""
    fields = dict(re.findall(r"^(Question|Approach|All tables|Table|Query|Error|Rows): (.*)$", prompt, re.MULTILINE))
    wish = wish_of(fields["Question"])
    if "Table" in fields:
        return link(wish, fields["All tables"], fields["Table"])
    if "Rows" in fields:
        return told(wish, ast.literal_eval(fields["Rows"]))
    schema = tables_of(prompt.split("Schema:\n", 1)[1])
    if "Error" in fields:
        return mended(fields["Query"], fields["Error"], schema)
    if "Approach" in fields:
        return slipped(query(wish, fields["Approach"], schema), wish, Random(fields["Question"] + fields["Approach"]))
    return {"approaches": [f"{approach}." for approach in APPROACHES]}


def link(wish: Wish, overview: str, table: str) -> dict[str, Any]:
    """Whether the way from what is counted to what it is grouped by leads over this table; its columns that the query names."""
    everything = {name: re.findall(r"\w+", inside) for name, inside in re.findall(r"(\w+) \(([^)]*)\)", overview)}
    ((name, columns),) = tables_of(table).items()
    if name not in needed(wish, everything):
        return {"needed": False, "columns": []}
    used = f"{wish.amount} {wish.group} {wish.where}"
    return {"needed": True, "columns": [column for column in columns if column.endswith("_id") or f"{name}.{column}" in used]}


def query(wish: Wish, approach: str, schema: dict[str, list[str]]) -> str:
    """The question as SQL, in the way that the approach says."""
    amount, group, tables = wish.amount, wish.group, joined(wish, schema)
    where = f" WHERE {wish.where}" if wish.where else ""
    limit = f" LIMIT {wish.most}" if wish.most else ""
    order = "total DESC, name" if wish.most else "name"
    if approach.startswith(APPROACHES[4]):  # which forgets that a line may be of several pieces
        amount = amount.replace("order_lines.quantity * ", "").replace("SUM(order_lines.quantity)", "COUNT(order_lines.line_id)")
    year = re.search(r"strftime\('%Y', orders\.ordered_on\) = '\d+'", where)
    if approach.startswith(APPROACHES[3]) and year:
        tables = re.sub(r"(^|JOIN )orders\b", rf"\1(SELECT * FROM orders WHERE {year[0]}) AS orders", tables)
        where = where.replace(f"{year[0]} AND ", "").replace(f" WHERE {year[0]}", "")
    inner = re.fullmatch(r"(SUM|COUNT)\((DISTINCT )?(.*)\)", amount)
    assert inner, f"{amount} is no total."
    if approach.startswith(APPROACHES[1]):
        total = f"{inner[1]}({inner[2] or ''}amount)"
        return (
            f"WITH amounts AS (SELECT {group} AS name, {inner[3]} AS amount FROM {tables}{where}) "
            f"SELECT name, {total} AS total FROM amounts GROUP BY name ORDER BY {order}{limit}"
        )
    grouped = f"SELECT {group} AS name, {amount} AS total FROM {tables}{where} GROUP BY {group}"
    if approach.startswith(APPROACHES[2]):
        ranked = f"SELECT name, total, ROW_NUMBER() OVER (ORDER BY {order}) AS place FROM ({grouped})"
        kept = f" WHERE place <= {wish.most}" if wish.most else ""
        return f"SELECT name, total FROM ({ranked}){kept} ORDER BY place"
    return f"{grouped} ORDER BY {order}{limit}"


def slipped(sql: str, wish: Wish, chance: Random) -> str:
    """The query with one of the mistakes that models make now and then: another dialect's functions, a column that isn't there."""
    slip = chance.choice(SLIPS)
    if "year" in slip:
        sql = re.sub(r"strftime\('%Y', ([\w.]+)\) = '(\d+)'", lambda found: CENTURY.format(column=found[1], year=found[2]), sql)
    if "column" in slip:
        sql = sql.replace("ordered_on", "ordered_at").replace("unit_price", "unitprice")
    if slip == "top" and wish.most and sql.endswith(f" LIMIT {wish.most}"):
        start, _, rest = sql.removesuffix(f" LIMIT {wish.most}").rpartition("SELECT ")
        sql = f"{start}SELECT TOP {wish.most} {rest}"
    return sql


def mended(sql: str, error: str, schema: dict[str, list[str]]) -> str:
    """The query without the mistake that the error tells of; others stay."""
    if "no such function: YEAR" in error:
        return re.sub(r"YEAR\(([\w.]+)\) = (\d+)", r"strftime('%Y', \1) = '\2'", sql)
    if missing := re.search(r"no such column: (?:\w+\.)?(\w+)", error):
        columns = [column for columns in schema.values() for column in columns]
        (near,) = get_close_matches(missing[1], columns, n=1, cutoff=0.3) or [missing[1]]
        return re.sub(rf"\b{missing[1]}\b", near, sql)
    if top := re.search(r"\bTOP (\d+) ", sql):
        return f"{sql.replace(top[0], '')} LIMIT {top[1]}"
    return sql


def told(wish: Wish, rows: list[Any]) -> str:
    """The rows as a sentence."""
    if not rows:
        return "No query found an answer."
    listed = [f"{name} ({total:,})" for name, total in rows]
    start = f"The first {len(rows)} are" if wish.most and len(rows) > 1 else "It is" if len(rows) == 1 else f"All {len(rows)} are"
    return f"{start} {', '.join(listed)}."
