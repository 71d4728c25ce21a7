"""How fast the model double answers: figures measured on a real engine, and the log-normal laws fitted to them.

The figures are of vLLM 0.32.0 on two CPU cores with AVX-512 (no GPU), a Qwen2 of 4M parameters in bf16, 128 tokens an answer.
They are means, one a load. So the laws below describe a call that meets the engine at a load that it doesn't know (1 to 32 streams),
not the spread between calls at one load.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist, fmean, pstdev

FIRST_TOKEN_SECONDS: Mapping[int, float] = {1: math.sqrt(0.006 * 0.009), 8: 0.038, 32: 0.080}
"""Streams in flight -> seconds to the first token, in process. Alone 6 to 9 ms were seen: their geometric mean."""

TOKENS_PER_SECOND_IN_PROCESS: Mapping[int, float] = {1: 280, 8: 1870, 32: 3940}
"""Streams in flight -> tokens a second of all streams together, in process."""

TOKENS_PER_SECOND_HTTP: Mapping[int, float] = {1: 320, 8: 1300, 32: 2100}
"""Streams in flight -> tokens a second of all streams together, through the OpenAI-compatible server."""

TOKENS_PER_SECOND_UNDER_LOAD: Mapping[int, float] = {1: 370, 8: 3300, 32: 6300, 64: 6600, 128: 6700, 256: 6600}
"""Streams in flight -> tokens a second of all streams together, in process, `max_num_seqs=64`: the batch curve."""

SEQUENCES_AT_A_TIME = 64
"""Requests that engine served at a time (its `max_num_seqs`); more of them wait."""


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A log-normal law of a time.

    Args:
        median: Seconds.
        sigma: Standard deviation of the logarithm, without unit.
    """

    median: float
    sigma: float

    @classmethod
    def fitted(cls, seconds: Iterable[float]) -> LogNormal:
        """The law with the mean and the standard deviation of these samples' logarithms."""
        logs = [math.log(sample) for sample in seconds]
        return cls(math.exp(fmean(logs)), pstdev(logs))

    def at(self, key: str) -> float:
        """Seconds drawn for `key`: always the same for the same key, on every machine and Python."""
        digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
        return self.median * math.exp(self.sigma * NormalDist().inv_cdf((digest + 0.5) / 2**64))


@dataclass(frozen=True, slots=True)
class Pace:
    """Time of one call: to its first token, and for each further one. Both are drawn once a call."""

    first_token: LogNormal
    token: LogNormal

    def drawn(self, key: str) -> tuple[float, float]:
        """Seconds to the first token and seconds for each further one, for the call that `key` names."""
        return self.first_token.at(f"first:{key}"), self.token.at(f"token:{key}")


def seconds_per_token(tokens_per_second: Mapping[int, float]) -> list[float]:
    """What one stream waits for a token, from what all streams together receive."""
    return [streams / rate for streams, rate in tokens_per_second.items()]


MEASURED_PACE = Pace(
    first_token=LogNormal.fitted(FIRST_TOKEN_SECONDS.values()),
    token=LogNormal.fitted(seconds_per_token(TOKENS_PER_SECOND_IN_PROCESS) + seconds_per_token(TOKENS_PER_SECOND_HTTP)),
)
"""A call at an unknown load of 1 to 32 streams: first token about 28 ms (sigma 1.0), then about 5.7 ms a token (sigma 0.54)."""

ALONE_PACE = Pace(
    first_token=LogNormal.fitted([0.006, 0.009]),
    token=LogNormal.fitted([1 / 280, 1 / 320, 1 / 370]),
)
"""A call that has the engine to itself: the pace to use together with a batch curve, which adds the load."""


@dataclass(frozen=True)
class BatchCurve:
    """How much slower each stream gets as more of them share the engine.

    Args:
        tokens_per_second: Streams in flight -> tokens a second of all of them together.
    """

    tokens_per_second: Mapping[int, float]

    def slowdown(self, streams: int) -> float:
        """Time of a token with so many streams in flight, over its time alone; at least 1. Linear between measured points."""
        known = sorted(self.tokens_per_second)
        alone = known[0] / self.tokens_per_second[known[0]]
        return max(1.0, streams / self._rate(streams, known) / alone)

    def _rate(self, streams: int, known: list[int]) -> float:
        after = bisect_right(known, streams)
        if after in (0, len(known)):
            return self.tokens_per_second[known[min(after, len(known) - 1)]]
        low, high = known[after - 1], known[after]
        share = (streams - low) / (high - low)
        return self.tokens_per_second[low] * (1 - share) + self.tokens_per_second[high] * share


MEASURED_CURVE = BatchCurve(TOKENS_PER_SECOND_UNDER_LOAD)
