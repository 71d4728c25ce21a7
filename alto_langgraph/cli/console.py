"""What commands print to: a terminal that obeys nothing that stands in an app's names, values and errors."""

from __future__ import annotations

from collections.abc import Iterable

from rich import console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

_LAYOUT = frozenset("\n\t")


class Console(console.Console):
    """Rich's, which writes control characters of texts as signs that stand for them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Rich's, without what a terminal would obey, unless it is rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_shown(segment.text), segment.style)


def _shown(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in _LAYOUT else "�" for character in text)
