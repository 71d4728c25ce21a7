"""The colours of nodes in pictures."""

from __future__ import annotations

from collections.abc import Iterable

COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#997755", "#117766", "#886688", "#bbbbbb")
"""Tol's bright scheme, which stays apart for colour-blind readers, and a few more."""


def coloured(nodes: Iterable[str]) -> dict[str, str]:
    """A colour for each, in this order; after the last one they begin anew."""
    return {node: COLOURS[number % len(COLOURS)] for number, node in enumerate(dict.fromkeys(nodes))}
