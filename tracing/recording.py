"""Turns what a run tells into spans: one for the run, one for each time that a node runs, linked to what it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import perf_counter_ns, time_ns
from typing import Any

from opentelemetry import context as otel
from opentelemetry.trace import Link, Span, Tracer, set_span_in_context

from alto_langgraph.protocols import (
    CALLS,
    AskedInVain,
    Fact,
    Observer,
    Run,
    RunFinished,
    StepOpened,
    TaskCached,
    TaskCommitted,
    TaskFinished,
    TaskSquashed,
    TaskStarted,
)
from alto_langgraph.tags import Tag
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.calls import HANDLER
from alto_langgraph.tracing.describing import failed, of_node, of_run, told
from alto_langgraph.tracing.linking import Linking
from alto_langgraph.tracing.load import Load
from alto_langgraph.tracing.measuring import METERS
from alto_langgraph.tracing.muted import Muted
from alto_langgraph.tracing.running import RUNNING, Running, above
from alto_langgraph.tracing.saying import say_once
from alto_langgraph.tracing.shared import Shared

Path = tuple[tuple[str, int], ...]
"""Of a tag: quicker to look up than the tag."""

PRUNE = 4096
"""From this many remembered fragments on, those are forgotten that nothing can be linked to any more."""


class Recorder:
    """Records one run of one graph. What goes wrong here is said once, and never reaches the run.

    Args:
        tracer: Makes the spans.
        run: What is known of the run.
    """

    def __init__(self, tracer: Tracer, run: Run) -> None:
        self._tracer, self._run = tracer, run
        self._offset = time_ns() - perf_counter_ns()
        self._known: dict[Path, Running] = {}
        self._open: set[Running] = set()
        self._commons: dict[tuple[str, int, str], tuple[str, Shared]] = {}
        self._step: StepOpened | None = None
        self._counts: Counter[Path] | None = None
        self._alike: dict[tuple[Running, str], Shared] = {}
        self._taken = Shared()
        self._load = Load(run.began)
        self._linking = Linking(run)
        self._prune_at = PRUNE
        self._ran = self._ahead = self._squashed = self._calls = self._tokens = 0
        self._span = tracer.start_span(f"{names.RUN_SPAN} {run.graph}", attributes=of_run(run), start_time=self._ns(run.began))
        if run.resumed:
            self._span.add_event(names.RESUMED, timestamp=self._ns(run.began))
        self._context = set_span_in_context(self._span)
        self._hear: dict[type, Callable[[Any], None]] = {
            TaskStarted: self._started,
            TaskFinished: self._finished,
            TaskCommitted: self._committed,
            TaskCached: self._cached,
            TaskSquashed: self._thrown_away,
            AskedInVain: self._asked_in_vain,
            StepOpened: self._opened,
            RunFinished: self._over,
        }

    def observe(self, fact: Fact) -> None:
        """Takes one fact."""
        try:
            self._hear[type(fact)](fact)
        except Exception as error:
            say_once("recording", f"alto's tracing has failed, so traces aren't complete: {error!r}")

    def _ns(self, at: float) -> int:
        return int(at * 1e9) + self._offset

    # ---- a fragment begins and ends

    def _started(self, fact: TaskStarted) -> None:
        path = fact.tag.path
        inputs = [known for tag in fact.parents if (known := self._known.get(tag.path)) is not None]
        sent = len(path) > 1 and bool(inputs) and fact.parents[0].path == path[:-1]
        fragment = Running(fact, inputs[0] if sent else above(inputs), sent)
        links = [self._linking.input(inputs[0])] if sent else [*self._linking.links(fragment, inputs)]
        if (again := self._known.get(path)) is not None:
            links.append(self._linking.link(again, "again"))
        fragment.span = self._begin(fragment, links)
        issued = fact.issued if fact.issued is not None else self._step.at if self._step is not None else fact.at
        fragment.queued = queued = max(fact.at - issued, 0.0)
        self._known[path] = fragment
        self._open.add(fragment)
        self._ran += 1
        self._ahead += fact.ahead
        self._load.began(fragment, fact.at)
        METERS.queued.record(queued)
        current = otel.get_current()
        fragment.before = (current, RUNNING.get(), CALLS.get())
        fragment.context = set_span_in_context(fragment.span, current)
        otel.attach(fragment.context)
        RUNNING.set(fragment)
        CALLS.set(HANDLER)

    def _begin(self, fragment: Running, links: list[Link]) -> Span:
        fact = fragment.fact
        context = self._context if fragment.parent is None else fragment.parent.context
        name, about = self._common(fact.node, fact.step, fragment.issue)
        return self._tracer.start_span(name, context, attributes=about, links=links, start_time=self._ns(fact.at))

    def _common(self, node: str, step: int, issue: str) -> tuple[str, Shared]:
        """The name of a span, and what is said of all such."""
        common = self._commons.get((node, step, issue))
        if common is None:
            if len(self._commons) > PRUNE:
                self._commons.clear()
            about = Shared(of_node(self._run, node, step, issue))
            common = self._commons[node, step, issue] = f"{names.FRAGMENT_SPAN} {node}", about
        return common

    def _finished(self, fact: TaskFinished) -> None:
        fragment = RUNNING.get()
        if fragment is None or not (fragment in self._open or fragment.ended):
            return  # that is the fragment around this run: what has begun here couldn't be recorded
        context, outer, calls = fragment.before
        del fragment.before
        otel.attach(context)
        RUNNING.set(outer)
        CALLS.set(calls)
        fragment.finish = fact
        self._load.ended(fragment, fact.at)
        if fact.failures:
            self._retried(fragment.span, fact)
        if fact.outcome == "cancelled" and isinstance(fragment.fact, TaskStarted) and not fragment.fact.ahead:
            self._end(fragment, "cancelled")

    # ---- what becomes of it

    def _opened(self, fact: StepOpened) -> None:
        self._step, self._counts, self._alike, self._taken = fact, None, {}, Shared({names.STEP: fact.step})
        for fragment in [it for it in self._open if it.outcome == "squashed" and it.finish is not None]:
            self._end(fragment, "squashed")
        if len(self._known) > self._prune_at:
            self._forget()
        early = sum(it.issue != "in_order" and it.outcome is None and it.fact.step == fact.step for it in self._open)
        self._load.opened(len(fact.tags) - early)

    def _forget(self) -> None:
        named = {tag.path for tag in self._run.named()}
        self._known = {path: it for path, it in self._known.items() if path in named or it in self._open or it.fact.step >= self._now - 1}
        self._prune_at = max(PRUNE, 2 * len(self._known))

    @property
    def _now(self) -> int:
        return self._step.step if self._step is not None else 0

    def _committed(self, fact: TaskCommitted) -> None:
        fragment = self._known.get(fact.tag.path)
        if fragment is None or fragment.ended:
            return
        real = self._run.real(fact.tag) or fact.tag
        if real is not fact.tag:
            self._known[real.path] = fragment
        finish = fragment.finish
        outcome = "committed" if finish is None or finish.outcome == "completed" else finish.outcome
        if finish is not None:
            fragment.held = max(fact.at - finish.at, 0.0)
            METERS.held.record(fragment.held)
        if outcome == "committed":
            fragment.span.add_event(names.COMMITTED, self._taken, self._ns(fact.at))
        parent = fragment.parent
        if fragment.sent and parent is not None:
            about: dict[str, Any] = self._alike.get((parent, outcome)) or self._of_siblings(parent, outcome, real)
        else:
            about = self._of_one(fragment, fact, outcome, real)
        self._end(fragment, outcome, real, about)

    def _of_siblings(self, parent: Running, outcome: str, tag: Tag) -> Shared:
        """What is said of all that a task has sent, and that ends so."""
        about = self._alike[parent, outcome] = Shared(self._of_place(tag, outcome) | {names.INPUTS: [self._linking.text(parent)]})
        return about

    def _of_one(self, fragment: Running, fact: TaskCommitted, outcome: str, tag: Tag) -> dict[str, Any]:
        """What is said of a task that edges trigger, with links to all that it was made of."""
        about = self._of_place(tag, outcome)
        if fact.parents:
            about[names.INPUTS] = [str(it) for it in fact.parents]
            inputs = (known for it in fact.parents if (known := self._known.get(it.path)) is not None)
            for link in self._linking.links(fragment, inputs):
                fragment.span.add_link(link.context, link.attributes)
        return about

    def _of_place(self, tag: Tag, outcome: str) -> dict[str, Any]:
        about: dict[str, Any] = {names.TAG_DEPTH: len(tag.path), names.OUTCOME: outcome}
        if len(tag.path) > 1 and (count := self._siblings(tag.path[:-1])):
            about[names.TAG_COUNT] = count
        if self._step is not None and self._step.checkpoint is not None:
            about[names.CHECKPOINT] = self._step.checkpoint
        return about

    def _siblings(self, path: Path) -> int:
        if self._counts is None:
            self._counts = Counter(it.path[:-1] for it in self._step.tags if len(it.path) > 1) if self._step is not None else Counter()
        return self._counts[path]

    def _thrown_away(self, fact: TaskSquashed) -> None:
        fragment = self._known.get(fact.tag.path)
        if fragment is None or fragment.ended or fragment.outcome is not None:
            return
        fragment.outcome = "squashed"
        self._squashed += 1
        fragment.span.set_attribute(names.REASON, fact.reason)
        fragment.span.add_event(names.SQUASHED_EVENT, {names.REASON: fact.reason}, self._ns(fact.at))

    def _asked_in_vain(self, fact: AskedInVain) -> None:
        self._calls, self._tokens = self._calls + fact.calls, self._tokens + fact.tokens
        METERS.wasted.add(fact.tokens)
        fragment = self._known.get(fact.tag.path)
        if fragment is not None and not fragment.ended and fragment.outcome == "squashed":
            fragment.span.set_attributes({names.CALLS_IN_VAIN: fact.calls, names.TOKENS_IN_VAIN: fact.tokens})

    def _cached(self, fact: TaskCached) -> None:
        fragment = Running(fact, None)
        fragment.span = self._begin(fragment, [])
        fragment.context = set_span_in_context(fragment.span)
        self._known[fact.tag.path] = fragment
        self._load.goes_on()
        self._end(fragment, "cached")

    def _end(self, fragment: Running, outcome: str, real: Tag | None = None, about: dict[str, Any] | None = None) -> None:
        """Ends a span at the moment at which its node did."""
        fact, finish, span = fragment.fact, fragment.finish, fragment.span
        fragment.ended, fragment.finish, fragment.links = True, None, None
        self._open.discard(fragment)
        tag = real or self._run.real(fact.tag) or fact.tag
        ended_at = finish.at if finish is not None else fact.at if isinstance(fact, TaskCached) else None
        at = self._ns(ended_at) if ended_at is not None else time_ns()
        ran = max(at - self._ns(fact.at), 0) / 1e9
        fragment.text = self._linking.text(fragment, tag)
        own: dict[str, Any] = {names.TAG: fragment.text, names.TAG_INDEX: tag.path[-1][1], names.RAN: ran}
        if fragment.queued is not None:
            own[names.QUEUED] = fragment.queued
        if fragment.held is not None:
            own[names.HELD] = fragment.held
        span.set_attributes(about or {names.TAG_DEPTH: len(tag.path), names.OUTCOME: outcome})
        span.set_attributes(own)
        if outcome == "interrupted":
            span.add_event(names.INTERRUPTED, timestamp=at)
        elif finish is not None and finish.error is not None:
            failed(span, finish.error, at, is_error=finish.outcome == "failed")
        if fragment.issue != "in_order":
            METERS.window.add(-1)
        METERS.fragments.record(ran, {names.NODE: fact.node, names.ISSUE: fragment.issue, names.OUTCOME: outcome})
        span.end(at)

    def _retried(self, span: Span, finish: TaskFinished) -> None:
        """Failures but the last one, if the node failed with it, have led to another attempt."""
        failures = finish.failures[:-1] if finish.error is finish.failures[-1][0] else finish.failures
        span.set_attribute(names.ATTEMPT, len(failures) + 1)
        for place, (error, at) in enumerate(failures):
            span.add_event(names.RETRIED, {names.ATTEMPT: place + 1, **told(error)}, self._ns(at))

    def _over(self, fact: RunFinished) -> None:
        for fragment in [*self._open]:
            ended = fragment.finish.outcome if fragment.finish is not None else "cancelled"
            self._end(fragment, fragment.outcome or ("squashed" if ended == "completed" else ended))
        engine = self._load.over(fact.at)
        METERS.engine.record(engine / max(self._ran, 1), {names.GRAPH: self._run.graph})
        self._span.set_attributes(
            {
                names.OUTCOME: fact.outcome,
                names.ENGINE: engine,
                names.FRAGMENTS: self._ran,
                names.AHEAD: self._ahead,
                names.SQUASHED: self._squashed,
                names.CALLS_IN_VAIN: self._calls,
                names.TOKENS_IN_VAIN: self._tokens,
            }
        )
        if fact.outcome == "interrupted":
            self._span.add_event(names.INTERRUPTED, timestamp=self._ns(fact.at))
        elif fact.error is not None:
            failed(self._span, fact.error, self._ns(fact.at), is_error=fact.outcome == "failed")
        METERS.runs.record(fact.at - self._run.began, {names.GRAPH: self._run.graph, names.OUTCOME: fact.outcome})
        self._span.end(self._ns(fact.at))
        self._known = {}

    @property
    def muted(self) -> Muted | None:
        """Who observes the run instead, if it isn't sampled."""
        return None if self._span.is_recording() else Muted(self._context)


def observer_of(tracer: Tracer, run: Run) -> Observer:
    """Who records a run that begins here."""
    HANDLER.tracer = tracer
    recorder = Recorder(tracer, run)
    return recorder.muted or recorder
