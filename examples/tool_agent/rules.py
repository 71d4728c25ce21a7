"""Decides and answers by rules in code, from the conversation alone, so that the agent runs where there is no model."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from alto_langgraph.examples.tool_agent.office import CLOSES, DAYS, OPENS

Call = tuple[str, dict[str, Any]]
NUMBERS = {"four": 4, "six": 6, "eight": 8, "ten": 10}
NOT_NAMES = frozenset(("And", "Could", "I", "Is", "When", "Where", "Which", "What", "You", "Look", *DAYS))


class Talk(NamedTuple):
    """A conversation, understood.

    Args:
        question: The last one.
        found: What the tools have found since then.
        earlier: What they found before.
        people: Who was named in the last question, the user as well where it says so.
        group: Who meets: those of the last question about a meeting.
        day: The last weekday named.
        hour: The last one proposed, None before that.
    """

    question: str
    found: list[dict[str, Any]]
    earlier: list[dict[str, Any]]
    people: list[str]
    group: list[str]
    day: str
    hour: int | None


def calls(prompt: str, names: Sequence[str]) -> list[Call]:
    """What is looked up next; nothing when all is known."""
    talk = talk_of(prompt)
    if any("rooms" in found for found in talk.found) and not any("bookings" in found for found in talk.found):
        return [("bookings", {"room": room, "day": talk.day}) for found in talk.found for room in found["rooms"]]
    if talk.found:
        return []
    if "room" in talk.question:
        return [("rooms", {"seats": next((count for word, count in NUMBERS.items() if word in talk.question), 2)})]
    if "holiday" in talk.question:
        cities = dict.fromkeys(found["city"] for found in talk.earlier if "profile" in found)
        return [("holiday", {"city": city, "day": talk.day}) for city in cities]
    if "work" in talk.question:
        return [("profile", {"person": person}) for person in talk.people]
    return [("calendar", {"person": person, "day": talk.day}) for person in talk.people or talk.group]


def answer(prompt: str) -> str:
    """The answer to the last question, from what was found."""
    talk = talk_of(prompt)
    taken = {found["bookings"]: found["busy"] for found in talk.found if "bookings" in found}
    if "room" in talk.question:
        free = [room for room, busy in taken.items() if talk.hour not in busy]
        return f"{listed(free) or 'No room'} {'is' if len(free) < 2 else 'are'} free on {talk.day} at {talk.hour}:00."
    if "holiday" in talk.question:
        days = [f"{found['holiday']} in {found['city']}" for found in talk.found if found["holiday"]]
        return f"{talk.day} is {listed(days) or 'no holiday there'}."
    if "work" in talk.question:
        places = [
            f"{found['profile']} works in {found['city']}, where it is {(talk.hour or OPENS) + found['ahead']}:00" for found in talk.found
        ]
        return f"{listed(places)}."
    busy = {found["calendar"]: found["busy"] for found in talk.found if "calendar" in found}
    if "join" in talk.question:
        can = [f"{name} {'cannot' if talk.hour in hours else 'can'}" for name, hours in busy.items()]
        return f"On {talk.day} at {talk.hour}:00 {listed(can)}."
    hour = next((hour for hour in range(OPENS, CLOSES) if not any(hour in hours for hours in busy.values())), None)
    return f"{listed(list(busy))} {f'are all free on {talk.day} at {hour}:00' if hour else f'have no free hour on {talk.day}'}."


def talk_of(prompt: str) -> Talk:
    """Reads a conversation: questions end with a question mark, what tools found is JSON."""
    parts = [part for part in prompt.split("\n\n") if part]
    questions = [at for at, part in enumerate(parts) if part.endswith("?")]
    question, introduced = parts[questions[-1]], [name for at in questions for name in re.findall(r"I'm (\w+)", parts[at])]
    user = introduced[-1] if introduced else "I"
    meetings = [parts[at] for at in questions if "meet" in parts[at]]
    days = [day for at in questions for day in re.findall("|".join(DAYS), parts[at])]
    hours = [hour for part in parts[: questions[-1]] for hour in re.findall(r"all free on \w+ at (\d+):00", part)]
    read = [(at, json.loads(part)) for at, part in enumerate(parts) if part.startswith("{")]
    return Talk(
        question=question,
        found=[found for at, found in read if at > questions[-1]],
        earlier=[found for at, found in read if at < questions[-1]],
        people=named(question, user),
        group=named(meetings[-1], user) if meetings else [user],
        day=days[-1] if days else DAYS[0],
        hour=int(hours[-1]) if hours else None,
    )


def named(question: str, user: str) -> list[str]:
    """The people that a question names."""
    people = [name for name in re.findall(r"\b[A-Z][a-z]+\b", question) if name not in NOT_NAMES]
    return list(dict.fromkeys([user, *people] if re.search(r"\band I\b", question) else people))


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
