"""What commands print to: a terminal that obeys nothing that stands in an app's names, values and errors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich import console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, but for tabs and line ends, and those that turn the direction of what follows."""


class Console(console.Console):
    """Rich's, which writes control characters of texts as signs that stand for them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Rich's, without what a terminal would obey, unless it is rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_OBEYED.sub("�", segment.text), segment.style)
