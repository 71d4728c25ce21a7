"""Links fragments to what they are made of, and names them as a trace does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentelemetry.trace import Link

from alto_langgraph.protocols import Run
from alto_langgraph.tags import Tag
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.running import Running
from alto_langgraph.tracing.shared import SharedLink


class Linking:
    """The links of one run's fragments.

    Args:
        run: Tells what the app calls a task.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def text(self, fragment: Running, tag: Tag | None = None) -> str:
        """What a fragment's tag is in a trace: its producer's, and a step more."""
        if fragment.text:
            return fragment.text
        tag = tag or self._run.real(fragment.fact.tag) or fragment.fact.tag
        if fragment.sent and fragment.parent is not None and fragment.parent.text:
            split, index = tag.path[-1]
            if index >= 0:
                return f"{fragment.parent.text}/{split}[{index}]"
        return str(tag)

    def links(self, fragment: Running, inputs: Iterable[Running]) -> Iterator[Link]:
        """One link for each input that there is none for yet, and one to the parent if that is neither."""
        linked = fragment.links = fragment.links or set()
        for it in inputs:
            link = self.input(it)
            if link.context.span_id not in linked:
                linked.add(link.context.span_id)
                yield link
        parent = fragment.parent
        if parent is not None and parent.span.get_span_context().span_id not in linked:
            linked.add(parent.span.get_span_context().span_id)
            yield self.link(parent, "level")

    def input(self, other: Running) -> Link:
        """The link to a fragment that others need: the same for all of them."""
        if other.link is None:
            other.link = self.link(other, "input")
        return other.link

    def link(self, other: Running, kind: str) -> Link:
        """A link to another fragment, of this `kind` (`alto.link`)."""
        return SharedLink(other.span.get_span_context(), {names.LINK: kind, names.LINK_TAG: self.text(other)})
