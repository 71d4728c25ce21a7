"""The assistant's tools. All of them only read, and say so in the way that servers of the Model Context Protocol do."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from alto_langgraph.examples.tool_agent.office import Office


def tools_of(office: Office, seconds: Callable[[str], float] = lambda call: 0.0) -> list[BaseTool]:
    """The tools over an office; `seconds` says how long a call takes to be answered, as one to a server would."""

    async def answered(found: dict[str, Any]) -> str:
        text = json.dumps(found)
        await asyncio.sleep(seconds(text))
        return text

    async def calendar(person: str, day: str) -> str:
        """Hours in which a person is busy on a weekday."""
        return await answered(office.calendar(person, day))

    async def rooms(seats: int) -> str:
        """Rooms with so many seats at least."""
        return await answered(office.rooms(seats))

    async def bookings(room: str, day: str) -> str:
        """Hours in which a room is taken on a weekday."""
        return await answered(office.bookings(room, day))

    async def profile(person: str) -> str:
        """Where a person works, and how many hours the clocks there are ahead of Lisbon's."""
        return await answered(office.profile(person))

    async def holiday(city: str, day: str) -> str:
        """Whether a weekday is a holiday in a city."""
        return await answered(office.holiday(city, day))

    reading = {"readOnlyHint": True}
    return [StructuredTool.from_function(coroutine=tool, metadata=reading) for tool in (calendar, rooms, bookings, profile, holiday)]
