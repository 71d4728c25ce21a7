"""A real SQLite database that the example builds: a shop's customers, orders and stock, the same every time."""

import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

MOST_ROWS = 100
"""Rows that a query may return."""
MOST_STEPS = 20_000_000
"""Instructions of SQLite's virtual machine after which a query is stopped: a second or so."""

SCHEMA = """
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT, city TEXT, country TEXT, joined_on TEXT);
CREATE TABLE stores (store_id INTEGER PRIMARY KEY, city TEXT, country TEXT, opened_on TEXT);
CREATE TABLE employees (employee_id INTEGER PRIMARY KEY, name TEXT, store_id INTEGER REFERENCES stores, hired_on TEXT);
CREATE TABLE categories (category_id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE suppliers (supplier_id INTEGER PRIMARY KEY, name TEXT, country TEXT);
CREATE TABLE products (product_id INTEGER PRIMARY KEY, title TEXT, category_id INTEGER REFERENCES categories,
    supplier_id INTEGER REFERENCES suppliers, list_price REAL);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, employee_id INTEGER REFERENCES employees,
    ordered_on TEXT);
CREATE TABLE order_lines (line_id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders, product_id INTEGER REFERENCES products,
    quantity INTEGER, unit_price REAL);
CREATE TABLE returns (return_id INTEGER PRIMARY KEY, line_id INTEGER REFERENCES order_lines, quantity INTEGER, returned_on TEXT);
"""
CITIES = {
    "Austria": ("Vienna", "Graz"),
    "France": ("Paris", "Lyon", "Lille"),
    "Germany": ("Berlin", "Hamburg", "Munich"),
    "Italy": ("Rome", "Milan"),
    "Poland": ("Warsaw", "Gdansk"),
    "Spain": ("Madrid", "Seville"),
    "Sweden": ("Stockholm", "Malmo"),
}
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gaia", "Hugo", "Ines", "Jan", "Kira", "Leo", "Mia", "Nils", "Olga", "Paul")
LAST = ("Adler", "Bauer", "Conti", "Duval", "Ek", "Ferri", "Gomez", "Horn", "Ivars", "Jung", "Kowal", "Lund", "Moreau", "Nowak")
GOODS = {
    "Bikes": ("City bike", "Gravel bike", "Folding bike", "Cargo bike"),
    "Camping": ("Tent", "Sleeping bag", "Stove", "Lantern", "Water filter"),
    "Climbing": ("Rope", "Harness", "Helmet", "Chalk bag"),
    "Clothing": ("Rain jacket", "Wool cap", "Hiking socks", "Gloves", "Down vest"),
    "Footwear": ("Hiking boots", "Trail shoes", "Sandals"),
    "Winter": ("Skis", "Ski poles", "Snowshoes", "Sledge"),
}
SUPPLIERS = (("Nordwand", "Austria"), ("Alpina", "Italy"), ("Fjell", "Sweden"), ("Baltic Gear", "Poland"), ("Sierra", "Spain"))
FIRST_DAY, DAYS = date(2022, 1, 1), 3 * 365


class QueryError(Exception):
    """A query that can't be run, takes too long, changes something, or finds nothing."""


class Database:
    """A SQLite file that is only read: each query has a connection of its own, so threads may ask at the same time."""

    def __init__(self, path: str | Path) -> None:
        """`path`: the file; it has to be there."""
        self.uri = f"{Path(path).resolve().as_uri()}?mode=ro"

    def tables(self) -> list[str]:
        """The statements that make the tables, by name."""
        with closing(sqlite3.connect(self.uri, uri=True)) as connection:
            found = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return [re.sub(r"\s+", " ", sql) for (sql,) in found]

    def overview(self) -> str:
        """All tables with their columns, in one line."""
        return "; ".join(re.sub(r" (INTEGER|TEXT|REAL)( PRIMARY KEY| REFERENCES \w+)?", "", table[13:]) for table in self.tables())

    def run(self, sql: str) -> list[Any]:
        """The rows that a query finds, at most a hundred; numbers rounded to cents.

        Raises:
            QueryError: as SQLite tells it, or there are no rows.
        """
        steps = iter(range(MOST_STEPS // 10_000))
        with closing(sqlite3.connect(self.uri, uri=True)) as connection:
            connection.set_progress_handler(lambda: next(steps, None) is None, 10_000)
            try:
                rows = connection.execute(sql).fetchmany(MOST_ROWS)
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise QueryError(str(error)) from error
        if not rows:
            raise QueryError("the query finds no rows")
        return [[round(value, 2) if isinstance(value, float) else value for value in row] for row in rows]


def shop(path: str | Path, seed: int = 7) -> Database:
    """Builds the shop's database in a new file: nine tables, about nine thousand rows."""
    chance = Random(seed)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        for table, rows in {**people(chance), **goods(chance)}.items():
            insert(connection, table, rows)
        for table, rows in sales(chance, connection).items():
            insert(connection, table, rows)
        connection.commit()
    return Database(path)


def insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Puts rows into a table, numbered from 1."""
    marks = ", ".join("?" * (1 + len(rows[0])))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [(at, *row) for at, row in enumerate(rows, 1)])


def day(chance: Random, first: int = 0, last: int = DAYS) -> str:
    """A day of the shop's three years, or of a part of them."""
    return (FIRST_DAY + timedelta(chance.randrange(first, last))).isoformat()


def people(chance: Random) -> dict[str, list[tuple[Any, ...]]]:
    """Customers, stores and those who work there."""
    places = [(city, country) for country, cities in CITIES.items() for city in cities]
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    chance.shuffle(names)
    stores = [(*place, f"20{chance.randint(10, 21)}-05-01") for place in chance.sample(places, 6)]
    weights = [chance.uniform(0.4, 3) for _ in places]
    homes = chance.choices(places, weights, k=180)
    return {
        "customers": [(name, *home, day(chance)) for name, home in zip(names, homes, strict=False)],
        "stores": stores,
        "employees": [(name, 1 + at % len(stores), day(chance)) for at, name in enumerate(names[180:198])],
    }


def goods(chance: Random) -> dict[str, list[tuple[Any, ...]]]:
    """What is sold, by whom it is made, and under what it is found."""
    titles = [(at, title) for at, kind in enumerate(GOODS, 1) for title in GOODS[kind]]
    prices = [round(chance.lognormvariate(3.8, 0.9), 2) for _ in titles]
    return {
        "categories": [(name,) for name in GOODS],
        "suppliers": list(SUPPLIERS),
        "products": [(title, at, chance.randint(1, len(SUPPLIERS)), price) for (at, title), price in zip(titles, prices, strict=True)],
    }


def sales(chance: Random, connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Orders, their lines at the prices of the day, and what came back."""
    prices = [price for (price,) in connection.execute("SELECT list_price FROM products ORDER BY product_id")]
    buyers, popular = [chance.paretovariate(1.5) for _ in range(180)], [chance.uniform(0.3, 3) for _ in prices]
    orders = [(buyer + 1, chance.randint(1, 18), day(chance)) for buyer in chance.choices(range(180), buyers, k=2400)]
    lines = [
        (order, product + 1, chance.choice((1, 1, 1, 2, 2, 3)), round(prices[product] * chance.uniform(0.7, 1.1), 2))
        for order in range(1, len(orders) + 1)
        for product in chance.choices(range(len(prices)), popular, k=chance.randint(1, 4))
    ]
    sent_back = chance.sample(range(len(lines)), 400)
    returns = [(line + 1, chance.randint(1, lines[line][2]), orders[lines[line][0] - 1][2]) for line in sorted(sent_back)]
    return {"orders": orders, "order_lines": lines, "returns": returns}
