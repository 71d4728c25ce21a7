"""What a comparison found: whether both sides answer the same, how long they took, and how long it had to take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from alto_langgraph.comparison.advising import findings
from alto_langgraph.comparison.difference import Difference
from alto_langgraph.comparison.observation import Observation
from alto_langgraph.comparison.report import page, timeline_svg
from alto_langgraph.comparison.timeline import Timeline, work
from alto_langgraph.comparison.timing import Times, quartiles
from alto_langgraph.plan.schedule import Path as Chain
from alto_langgraph.plan.schedule import Work, critical_path, ideal_schedule, superstep_bound
from alto_langgraph.protocols import RanAhead
from alto_langgraph.traces.findings import Findings
from alto_langgraph.traces.terminal import seconds

if TYPE_CHECKING:
    from alto_langgraph.plan.explain import Explanation


@dataclass(frozen=True)
class Comparison:
    """Stock LangGraph and alto on one app and one input.

    Args:
        observation: All that could be seen of the stock run.
        difference: The first thing in which the sides differ; None if they are equal.
        stock: Times of the stock side; None if the sides differ before they are timed.
        alto: Times of the alto side.
        stock_timeline: A run in order, superstep by superstep.
        alto_timeline: A run of the alto side.
        ahead: What running ahead came to in that run.
        slots: How many tasks the model server takes at a time; None for any number.
        slotted: Nodes that need a slot; None for all.
        explanation: Of the graph: what keeps its nodes from starting earlier.
    """

    observation: Observation
    difference: Difference | None = None
    stock: Times | None = None
    alto: Times | None = None
    stock_timeline: Timeline | None = None
    alto_timeline: Timeline | None = None
    ahead: RanAhead | None = None
    slots: int | None = None
    slotted: tuple[str, ...] | None = None
    explanation: Explanation | None = None

    @property
    def equal(self) -> bool:
        """Whether an app can't tell the two sides apart."""
        return self.difference is None

    @property
    def ratio(self) -> float | None:
        """Alto's median time over stock's: below 1 is faster. None if nothing was timed."""
        return self.alto.median / self.stock.median if self.alto and self.stock else None

    @property
    def ratio_quartiles(self) -> tuple[float, float] | None:
        """First and third quartile of the ratio of neighbouring runs."""
        if not (self.alto and self.stock):
            return None
        return quartiles([alto / stock for alto, stock in zip(self.alto.seconds, self.stock.seconds, strict=True)])

    @cached_property
    def work(self) -> list[Work]:
        """The tasks of a run in order, with their times and dependencies."""
        return work(self.stock_timeline, self.slotted, self.alto_timeline) if self.stock_timeline else []

    @cached_property
    def critical_path(self) -> Chain:
        """The longest chain of dependent tasks of that run."""
        return critical_path(self.work)

    @property
    def superstep_bound(self) -> float:
        """What that run has to take if each superstep waits for its slowest task, in seconds."""
        return superstep_bound(self.work)

    @cached_property
    def ideal(self) -> float:
        """What a scheduler that knows every time beforehand takes with the slots there are, in seconds."""
        return ideal_schedule(self.work, self.slots).makespan

    @cached_property
    def findings(self) -> Findings | None:
        """Where the time of the alto side went and what would help most; None if nothing was timed."""
        return findings(self.alto_timeline, self.explanation, self.slots, self.slotted) if self.alto_timeline else None

    def to_dict(self) -> dict[str, Any]:
        """Everything but the timelines, for JSON; times in seconds."""
        return {
            "equal": self.equal,
            "difference": self.difference.to_dict() if self.difference else None,
            "error": self.observation.error.kind if self.observation.error else None,
            "stock": self.stock.to_dict() if self.stock else None,
            "alto": self.alto.to_dict() if self.alto else None,
            "ratio": self.ratio,
            "ratio_quartiles": self.ratio_quartiles,
            "tasks": len(self.work),
            "critical_path": {"seconds": self.critical_path.seconds, "tags": [str(tag) for tag in self.critical_path.tags]},
            "superstep_bound": self.superstep_bound,
            "ideal": {"seconds": self.ideal, "slots": self.slots},
            "ahead": self._ahead(),
            "findings": self.findings.to_dict() if self.findings else None,
        }

    def figures(self) -> list[tuple[str, str, str]]:
        """Rows for a reader: what, how much, and what to make of it."""
        if not (self.stock and self.alto and self.ratio and self.ratio_quartiles):
            return []
        low, high = self.ratio_quartiles
        rows = [
            ("stock", *self._times(self.stock)),
            ("alto", *self._times(self.alto)),
            ("alto / stock", f"{self.ratio:.3f}", f"{low:.3f} to {high:.3f}; below 1 is faster"),
            ("critical path", seconds(self.critical_path.seconds), f"the longest chain of the {len(self.work)} tasks"),
        ]
        if self.slots:
            rows.append((f"ideal with {self.slots} slots", seconds(self.ideal), "a schedule that knows every time beforehand"))
        rows.append(("supersteps", seconds(self.superstep_bound), "the slowest task of each, one after the other"))
        return [*rows, *self._accounts(), *self._advice()]

    def _accounts(self) -> Iterator[tuple[str, str, str]]:
        ahead = self.ahead
        if ahead and ahead.started:
            yield "started early", f"{ahead.started} tasks", f"{ahead.used} used"
            if ahead.squashed:
                yield "thrown away", f"{ahead.thrown_away} tasks", ahead.reasons
            yield "asked in vain", f"{ahead.tokens} tokens", f"in {ahead.calls} model calls"

    def _advice(self) -> Iterator[tuple[str, str, str]]:
        if self.findings:
            yield "limit", self.findings.subject, self.findings.verdict
            for advice in self.findings.advice[:1]:
                yield "would help", f"−{advice.gain:.0%}", f"{advice.sentence}."

    def _ahead(self) -> dict[str, Any] | None:
        if (ahead := self.ahead) is None:
            return None
        squashed = dict(ahead.squashed)
        return {"started": ahead.started, "used": ahead.used, "squashed": squashed, "calls": ahead.calls, "tokens": ahead.tokens}

    def _times(self, times: Times) -> tuple[str, str]:
        low, high = times.quartiles
        near = f"{times.median / self.ideal:.2f} × {'ideal' if self.slots else 'critical path'}" if self.ideal else ""
        note = f"median of {len(times.seconds)} ({seconds(low)} to {seconds(high)})"
        return seconds(times.median), ", ".join(filter(None, [note, near]))

    @property
    def verdict(self) -> str:
        """Equal or not, in a sentence."""
        if self.difference:
            return "The sides differ."
        ended = self.observation.error
        return f"Both sides end by the same {ended.kind}." if ended else "Both sides show the same: state, events and checkpoints."

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield f"[{'green' if self.equal else 'red'}]{self.verdict}[/]"
        if self.difference:
            yield self.difference
        if rows := self.figures():
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
            for row in rows:
                table.add_row(*row)
            yield table

    def __str__(self) -> str:
        lines = [self.verdict, *([str(self.difference)] if self.difference else [])]
        return "\n".join([*lines, *(f"{name}: {value} ({note})" for name, value, note in self.figures())])

    def timeline_svg(self) -> str:
        """Both timelines as one picture, or "" if nothing was timed."""
        if not (self.stock_timeline and self.alto_timeline):
            return ""
        return timeline_svg(self.stock_timeline, self.alto_timeline, critical=self.critical_path.tags)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Writes a report that needs no other file.

        Raises:
            OSError: the file can't be written.
        """
        text = page(
            verdict=self.verdict, difference=self.difference, figures=self.figures(), picture=self.timeline_svg(), chain=self._chain()
        )
        Path(path).write_text(text, encoding="utf-8")

    def _chain(self) -> list[tuple[str, str]]:
        took = {task.tag: task.seconds for task in self.work}
        return [(str(tag), seconds(took[tag])) for tag in self.critical_path.tags if took[tag] > 0]
