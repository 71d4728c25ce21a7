"""What is found out about a run: where its time went, what limited it, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from alto_langgraph.traces.chain import Chain
from alto_langgraph.traces.model import Run
from alto_langgraph.traces.playing import Change

Limit = Literal["slots", "fence", "dependency", "model", "node"]
"""What a change does away with: too few places at a server; an order that alto keeps; a task that is waited for; the time of a model
or whoever else is asked; a node's own work."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One change and what it would come to.

    Args:
        limit: What it does away with.
        subject: The node or server that it is about.
        sentence: What to do.
        why: Why it is so, if the trace tells.
        seconds: What the run would take.
        gain: Share of the run's time that it saves.
        change: What was played.
    """

    limit: Limit
    subject: str
    sentence: str
    why: str
    seconds: float
    gain: float
    change: Change

    def __str__(self) -> str:
        return f"{self.sentence}: −{self.gain:.0%} ({self.seconds:.3f} s)"


@dataclass(frozen=True)
class Findings:
    """Where the time of one run went.

    Args:
        run: The run.
        chain: Its critical path.
        advice: Changes, the one that saves most first; the second is on top of the first.
        bound: Seconds that it has to take with its dependencies and its servers: nothing kept back, no time between.
        by: Seconds of the critical path by what they were spent on.
        limit: What limited it.
        subject: The node or server that did.
    """

    run: Run
    chain: Chain
    advice: tuple[Advice, ...]
    bound: float
    by: dict[str, float]
    limit: Limit
    subject: str

    @property
    def efficiency(self) -> float:
        """The bound over what it took: 1 is as good as can be."""
        return min(1.0, self.bound / self.run.seconds) if self.run.seconds else 1.0

    @property
    def verdict(self) -> str:
        """What limited it, in a sentence."""
        return {
            "slots": f"Limited by the places at `{self.subject}`: what waits there could run.",
            "fence": f"Held by a fence: `{self.subject}` may not start before its superstep.",
            "dependency": f"Limited by a dependency: what needs `{self.subject}` waits for it alone.",
            "model": f"Limited by the time that `{self.subject}` takes to answer.",
            "node": f"Limited by the work of `{self.subject}` itself.",
        }[self.limit]

    def lines(self) -> list[str]:
        """All of it in a few sentences."""
        took = f"{self.run.seconds:.3f} s; bound {self.bound:.3f} s, efficiency {self.efficiency:.0%}."
        spent = ", ".join(f"{what} {seconds:.3f} s" for what, seconds in sorted(self.by.items(), key=lambda item: -item[1]) if seconds > 0)
        return [took, f"On the critical path: {spent}.", self.verdict, *(str(one) for one in self.advice)]

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON; times in seconds."""
        advice = [
            {"limit": one.limit, "subject": one.subject, "sentence": one.sentence, "why": one.why, "seconds": one.seconds, "gain": one.gain}
            for one in self.advice
        ]
        return {
            "seconds": self.run.seconds,
            "bound": self.bound,
            "efficiency": self.efficiency,
            "by": self.by,
            "limit": self.limit,
            "subject": self.subject,
            "verdict": self.verdict,
            "advice": advice,
        }
