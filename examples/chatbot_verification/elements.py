"""Forty-five chemical elements: what is known of them, and the sentences of an encyclopedia and of a chatbot that say it."""

import json
import re
from importlib.resources import files
from typing import NamedTuple


class Fact(NamedTuple):
    """Something known of an element: `Fact("gold", "melts", "1,064")`."""

    element: str
    relation: str
    value: str


WRITTEN = {
    "kind": "{Element} is {value}.",
    "symbol": "The symbol of {element} is {value}.",
    "number": "The atomic number of {element} is {value}.",
    "melts": "The melting point of {element} is {value} degrees Celsius.",
    "boils": "The boiling point of {element} is {value} degrees Celsius.",
    "found": "{Element} was discovered by {value}.",
    "known": "{Element} has been known {value}.",
    "used": "The main use of {element} is {value}.",
}
"""How the encyclopedia says it."""
SPOKEN = {
    "kind": "is {value}",
    "symbol": "has the symbol {value}",
    "number": "has the atomic number {value}",
    "melts": "melts at {value} degrees Celsius",
    "boils": "boils at {value} degrees Celsius",
    "found": "was discovered by {value}",
    "known": "has been known {value}",
    "used": "is mostly used for {value}",
}
"""How people say it, behind the element's name."""
CHAPTERS = (("kind", "symbol", "number"), ("melts", "boils"), ("found", "known"), ("used",))
"""What stands together in a passage of the encyclopedia."""


def known() -> dict[str, dict[str, str]]:
    """The elements, each with what is known of it, by relation."""
    rows = json.loads(files(__package__).joinpath("elements.json").read_text("utf-8"))
    return {row[0]: _facts(*row[1:]) for row in rows}


def _facts(
    symbol: str, number: int, kind: str, melts: int | None, boils: int | None, finder: str | None, year: int | None, use: str | None
) -> dict[str, str]:
    facts = {
        "kind": f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}",
        "symbol": symbol,
        "number": str(number),
        "melts": degrees(melts),
        "boils": degrees(boils),
        "found": f"{finder} in {year}" if finder else "",
        "known": "" if finder else "since antiquity",
        "used": use or "",
    }
    return {relation: value for relation, value in facts.items() if value}


def degrees(number: int | None) -> str:
    """A temperature as it is written."""
    return "" if number is None else f"minus {-number}" if number < 0 else f"{number:,}"


def passages() -> list[str]:
    """The encyclopedia: up to four passages on each element."""
    found = []
    for element, facts in known().items():
        for chapter in CHAPTERS:
            told = [written(Fact(element, relation, facts[relation])) for relation in chapter if relation in facts]
            found += [" ".join(told)] if told else []
    return found


def written(fact: Fact) -> str:
    """The encyclopedia's sentence."""
    return WRITTEN[fact.relation].format(element=fact.element, Element=fact.element.capitalize(), value=fact.value)


def spoken(fact: Fact) -> str:
    """A predicate, without the element."""
    return SPOKEN[fact.relation].format(value=fact.value)


def read(sentence: str) -> Fact | None:
    """The fact that a sentence of either sort states; None if it is another sort of sentence."""
    for relation, pattern in _PATTERNS:
        if match := re.fullmatch(pattern, sentence):
            return Fact(match["element"].lower(), relation, match["value"])
    return None


def _pattern(template: str) -> str:
    escaped = re.escape(template)
    return re.sub(r"\\\{[Ee]lement\\\}", r"(?P<element>[A-Z]?[a-z]+)", escaped).replace(r"\{value\}", r"(?P<value>.+)")


_PATTERNS = [
    (relation, _pattern(template))
    for relation in reversed(WRITTEN)  # "is a metal" is the loosest
    for template in (WRITTEN[relation], f"{{Element}} {SPOKEN[relation]}.")
]
