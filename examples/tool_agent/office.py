"""What the tools look up: people, their week, rooms and holidays, made up once from a seed."""

from random import Random
from typing import Any

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
OPENS, CLOSES = 9, 17
"""Hours of a working day, in Ana's time."""
PLACES = {
    "Ana": "Lisbon",
    "Ben": "Lisbon",
    "Cleo": "Lisbon",
    "Dan": "Berlin",
    "Eva": "Athens",
    "Finn": "Berlin",
    "Gus": "Lisbon",
    "Hana": "Athens",
    "Ivo": "Berlin",
}
AHEAD_OF_LISBON = {"Lisbon": 0, "Berlin": 1, "Athens": 2}
"""Hours."""
SEATS = {"Amber": 4, "Birch": 8, "Cedar": 10, "Delta": 8, "Elm": 7}
HOLIDAYS = {"Berlin": {"Friday": "Reformation Day"}, "Athens": {"Wednesday": "Ohi Day"}}


class Office:
    """People, rooms and when they are taken, hour by hour."""

    def __init__(self, seed: int = 8) -> None:
        """`seed`: of who is busy when."""
        chance = Random(seed)
        self.busy = {name: {day: sorted(chance.sample(range(OPENS, CLOSES), 2)) for day in DAYS} for name in PLACES}
        self.booked = {name: {day: sorted(chance.sample(range(OPENS, CLOSES), 4)) for day in DAYS} for name in SEATS}

    def calendar(self, person: str, day: str) -> dict[str, Any]:
        """Hours in which a person is busy."""
        return {"calendar": person, "day": day, "busy": self.busy.get(person, {}).get(day, [])}

    def rooms(self, seats: int) -> dict[str, Any]:
        """Rooms with so many seats at least."""
        return {"rooms": [name for name, has in SEATS.items() if has >= seats], "seats": seats}

    def bookings(self, room: str, day: str) -> dict[str, Any]:
        """Hours in which a room is taken."""
        return {"bookings": room, "day": day, "busy": self.booked.get(room, {}).get(day, [])}

    def profile(self, person: str) -> dict[str, Any]:
        """Where a person works, and how many hours the clocks there are ahead of Lisbon's."""
        city = PLACES.get(person, "")
        return {"profile": person, "city": city, "ahead": AHEAD_OF_LISBON.get(city, 0)}

    def holiday(self, city: str, day: str) -> dict[str, Any]:
        """The holiday of a day, '' for none."""
        return {"holiday": HOLIDAYS.get(city, {}).get(day, ""), "city": city, "day": day}
