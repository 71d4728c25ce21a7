"""Understands questions about a shop: what is added up, by what it is grouped, and over which tables the way leads."""

import re
from typing import NamedTuple

NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
AMOUNTS = {
    r"revenue|sales|turnover|spent": "SUM(order_lines.quantity * order_lines.unit_price)",
    r"returned|came back": "SUM(returns.quantity)",
    r"orders\b": "COUNT(DISTINCT orders.order_id)",
    r"units|pieces|sold": "SUM(order_lines.quantity)",
    r"customers\b": "COUNT(DISTINCT customers.customer_id)",
}
GROUPS = {
    r"months?\b": "strftime('%Y-%m', orders.ordered_on)",
    r"suppliers?\b": "suppliers.name",
    r"categor(y|ies)\b": "categories.name",
    r"products?\b": "products.title",
    r"employees?\b": "employees.name",
    r"stores?\b": "stores.city",
    r"countr(y|ies)\b": "customers.country",
    r"cit(y|ies)\b": "customers.city",
    r"customers?\b": "customers.name",
}


class Wish(NamedTuple):
    """A question, understood: SQL for what is added up, for its groups and for the filter ('' without), and how many (0 for all)."""

    amount: str
    group: str
    where: str
    most: int


def wish_of(question: str) -> Wish:
    """What a question asks for: by its words."""
    small = question.lower()
    amount = next(sql for words, sql in AMOUNTS.items() if re.search(words, small))
    asked = re.sub(r"\bfrom customers\b|\bcustomers? (from|in)\b", "", small)
    group = next(sql for words, sql in GROUPS.items() if re.search(words, asked) and sql not in amount)
    filters = [f"strftime('%Y', orders.ordered_on) = '{year}'" for year in re.findall(r"\b20\d\d\b", question)]
    filters += [f"customers.country = '{country}'" for country in re.findall(r"\bcustomers (?:from|in) ([A-Z]\w+)", question)]
    count = re.search(rf"\b({'|'.join(NUMBERS)})\b", small)
    single = re.match(r"which \w+(?<!s)\b", small)
    return Wish(amount, group, " AND ".join(filters), NUMBERS[count[1]] if count else 1 if single else 0)


def tables_of(schema: str) -> dict[str, list[str]]:
    """Each table's columns, from the statements that make them."""
    made = re.findall(r"CREATE TABLE (\w+) \((.*?)\)(?:;|$)", schema, re.MULTILINE)
    return {name: [re.split(r"\s+", column.strip())[0] for column in inside.split(",")] for name, inside in made}


def needed(wish: Wish, schema: dict[str, list[str]]) -> list[str]:
    """Tables that the question names, and those on the way between them."""
    named = list(dict.fromkeys(re.findall(r"\b(\w+)\.\w+", f"{wish.amount} {wish.group} {wish.where}")))
    tables = named[:1]
    for table in named[1:]:
        tables += [step for step in way(tables, table, schema) if step not in tables]
    return tables


def joined(wish: Wish, schema: dict[str, list[str]]) -> str:
    """The tables that a query needs, joined by their keys."""
    tables = needed(wish, schema)
    sql, done = tables[0], tables[:1]
    for table in tables[1:]:
        key, other = next((key, other) for other in done if (key := shared(table, other, schema)))
        sql, done = f"{sql} JOIN {table} ON {table}.{key} = {other}.{key}", [*done, table]
    return sql


def way(start: list[str], goal: str, schema: dict[str, list[str]]) -> list[str]:
    """The shortest chain of tables that share keys, from any of `start` to `goal`; only the goal where there is none."""
    paths = [[table] for table in start]
    seen = set(start)
    while paths:
        path = paths.pop(0)
        if path[-1] == goal:
            return path
        for table in schema:
            if table not in seen and shared(table, path[-1], schema):
                seen.add(table)
                paths.append([*path, table])
    return [goal]


def shared(one: str, other: str, schema: dict[str, list[str]]) -> str:
    """The key by which one of two tables refers to the other; '' if neither does."""
    for a, b in ((one, other), (other, one)):
        if schema.get(a) and schema[a][0] in schema.get(b, [])[1:]:
            return schema[a][0]
    return ""
