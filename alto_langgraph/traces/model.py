"""One recorded trace as a reader sees it: runs of graphs, their fragments, and what these asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from alto_langgraph.traces.span import ERROR, Span

LOST = frozenset({"squashed", "cancelled"})
"""Outcomes of fragments whose work nobody used."""


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """What a fragment asked of somebody: a model, a retriever, a tool.

    Args:
        span: As recorded.
        kind: GenAI operation: `chat`, `text_completion`, `embeddings`, `retrieval`, `execute_tool`.
        name: Of the model, the data source or the tool.
        start: Seconds from the trace's start.
        end: Seconds from the trace's start.
        input_tokens: What a model was given.
        output_tokens: What it answered.
        first_chunk: Seconds until the first piece of an answer.
        queued: Seconds for which the server says that it let the request wait.
        inner: It is part of another call.
    """

    span: Span
    kind: str
    name: str
    start: float
    end: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    first_chunk: float | None = None
    queued: float | None = None
    inner: bool = False

    @property
    def label(self) -> str:
        """What was asked whom: `chat gpt-4o`."""
        return f"{self.kind} {self.name}"

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(eq=False, slots=True)
class Fragment:
    """One run of a node. A task that was squashed and ran again has two.

    Args:
        span: As recorded.
        tag: The task, unique among the fragments of a run that weren't squashed.
        node: The node.
        step: Superstep that it commits in.
        issue: `in_order`, `ahead` or `speculative`.
        outcome: `committed`, `squashed`, `failed`, `cached`, `interrupted` or `cancelled`.
        start: Seconds from the trace's start.
        end: Seconds from the trace's start.
        committed: When the loop took its result, in seconds from the trace's start; None if it didn't.
        parent: The fragment that produced it, if one did.
        inputs: Fragments whose results it needs; if nobody says which, the one that produced it.
        calls: In order of their starts, those inside of calls included.
        runs: Runs of graphs inside it.
        queued: Seconds for which it waited for a thread or for `max_concurrency` before it began.
        reason: Why it was squashed.
        kept_back: Why its node doesn't start earlier, as `explain` says it.
        effects: Of its node.
        attempts: That it took.
    """

    span: Span
    tag: str
    node: str
    step: int
    issue: str
    outcome: str
    start: float
    end: float
    committed: float | None = None
    parent: Fragment | None = None
    inputs: list[Fragment] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    queued: float = 0.0
    reason: str = ""
    kept_back: str = ""
    effects: str = ""
    attempts: int = 1

    @property
    def seconds(self) -> float:
        """How long its node ran."""
        return self.end - self.start

    @property
    def ahead(self) -> bool:
        """Whether it began before its superstep."""
        return self.issue in ("ahead", "speculative")

    @property
    def lost(self) -> bool:
        """Whether nobody used what it came to."""
        return self.outcome in LOST


@dataclass(eq=False, slots=True)
class Run:
    """One run of a graph.

    Args:
        span: As recorded; None if it isn't there, as the run goes on or its process died.
        graph: The graph's name.
        outcome: `completed`, `failed`, `interrupted`, `cancelled`; `unfinished` without a span.
        start: Seconds from the trace's start.
        end: Seconds from the trace's start; of an unfinished one the last that is known of it.
        thread: LangGraph's `thread_id`, or "".
        fragments: In order of their starts.
        calls: Asked outside of any fragment.
        window: The option, or None.
        max_concurrency: LangGraph's setting, or None.
    """

    span: Span | None
    graph: str
    outcome: str
    start: float
    end: float
    thread: str = ""
    fragments: list[Fragment] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    window: int | None = None
    max_concurrency: int | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    def walk(self) -> Iterator[tuple[int, Fragment]]:
        """All fragments, those of runs inside included, each with how many fragments it is inside of."""
        waiting: list[tuple[int, Fragment]] = [(0, fragment) for fragment in reversed(self.fragments)]
        while waiting:
            depth, fragment = waiting.pop()
            yield depth, fragment
            waiting += ((depth + 1, inner) for run in reversed(fragment.runs) for inner in reversed(run.fragments))


@dataclass(frozen=True, eq=False)
class Trace:
    """All that was recorded under one trace id.

    Args:
        id: 32 hexadecimal digits.
        spans: In order of their starts.
        runs: Runs of graphs that are in no other run, in order of their starts.
    """

    id: str
    spans: tuple[Span, ...]
    runs: tuple[Run, ...]

    @property
    def start(self) -> int:
        """Nanoseconds since 1970."""
        return self.spans[0].start

    @property
    def began(self) -> datetime:
        """When it began, in the local time zone."""
        try:
            return datetime.fromtimestamp(self.start / 1e9, UTC).astimezone()
        except (OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(0, UTC)

    @cached_property
    def seconds(self) -> float:
        """From its first start to its last end."""
        return (max(span.end for span in self.spans) - self.start) / 1e9

    @cached_property
    def main(self) -> Run | None:
        """The longest of its runs: what is drawn and analysed. None if it has none."""
        return max(self.runs, key=lambda run: run.seconds, default=None)

    @cached_property
    def fragments(self) -> list[Fragment]:
        """All fragments of all runs."""
        return [fragment for run in self.runs for _, fragment in run.walk()]

    @property
    def errors(self) -> int:
        """Spans that ended by an error."""
        return sum(span.status == ERROR for span in self.spans)
