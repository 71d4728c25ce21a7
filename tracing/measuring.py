"""What is counted besides spans. Without a provider of metrics nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from opentelemetry.metrics import Counter, Histogram, Meter, UpDownCounter, get_meter

from alto_langgraph.tracing.attributes import SCHEMA_URL, SCOPE

_SECONDS = (0.0001, 0.001, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Bounds as the GenAI conventions advise, and shorter ones: the SDK's own are meant for milliseconds."""
_SHORT = (0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.1, 1.0)
_TOKENS = tuple(float(4**power) for power in range(14))


class Meters:
    """The instruments, each made when something is first measured with it."""

    @cached_property
    def _meter(self) -> Meter:
        return get_meter(SCOPE, schema_url=SCHEMA_URL)

    def _histogram(self, name: str, unit: str, description: str, bounds: Sequence[float] = _SECONDS) -> Histogram:
        return self._meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=bounds)

    @cached_property
    def runs(self) -> Histogram:
        """Seconds that runs took, by graph and outcome."""
        return self._histogram("gen_ai.invoke_workflow.duration", "s", "How long runs of graphs took")

    @cached_property
    def fragments(self) -> Histogram:
        """Seconds that nodes ran, by node, issue class and outcome; so it also counts what was started early and what of that was used."""
        return self._histogram("alto.fragment.duration", "s", "How long nodes ran")

    @cached_property
    def held(self) -> Histogram:
        """Seconds for which what early tasks came to waited for their superstep."""
        return self._histogram("alto.fragment.held", "s", "How long results of nodes waited for their superstep")

    @cached_property
    def queued(self) -> Histogram:
        """Seconds from when a task could have begun until it did."""
        return self._histogram("alto.fragment.queued", "s", "How long nodes waited for a thread or a place")

    @cached_property
    def window(self) -> UpDownCounter:
        """Early tasks whose superstep hasn't taken them yet."""
        return self._meter.create_up_down_counter("alto.window.occupancy", "{task}", "Tasks that are ahead of their superstep")

    @cached_property
    def queue(self) -> UpDownCounter:
        """Tasks of open supersteps that could run and don't yet."""
        return self._meter.create_up_down_counter(
            "alto.queue.depth", "{task}", "Tasks of open supersteps that wait for a thread or a place"
        )

    @cached_property
    def engine(self) -> Histogram:
        """Seconds of a run in which none of its nodes ran, for each of its fragments."""
        return self._histogram("alto.engine.duration", "s", "Time for each fragment in which no node ran", _SHORT)

    @cached_property
    def wasted(self) -> Counter:
        """Tokens that models answered to what was thrown away."""
        return self._meter.create_counter("alto.in_vain.tokens", "{token}", "Tokens answered to tasks that were thrown away")

    @cached_property
    def calls(self) -> Histogram:
        """Seconds that model calls took, by operation, provider, model and error."""
        return self._histogram("gen_ai.client.operation.duration", "s", "How long model calls took")

    @cached_property
    def first_chunks(self) -> Histogram:
        """Seconds until the first piece of an answer."""
        return self._histogram("gen_ai.client.operation.time_to_first_chunk", "s", "How long first pieces of answers took")

    @cached_property
    def tokens(self) -> Histogram:
        """Tokens of a call, by `gen_ai.token.type`."""
        return self._histogram("gen_ai.client.token.usage", "{token}", "Tokens that model calls used", _TOKENS)


METERS = Meters()
