"""Tells which queries of a collection may be one: those that differ in nothing but their vector."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np

_PLAIN = (str, int, float, bool, type(None))
_NUMBERS = ({float}, {int}, {np.float64})
ROWS = 10_000
"""Most rows that a batch may come to. An embedded Chroma names each in one SQL statement, and SQLite takes 32,766 names."""


class Request(NamedTuple):
    """A query for one vector.

    Args:
        key: The same for queries that may be one: all other arguments, compared by value and exact type, and the vector's kind and length.
        vector: As it was given, copied.
        rows: How many rows it may come to.
    """

    key: Hashable
    vector: Any
    rows: int


def request(arguments: Mapping[str, Any]) -> Request | None:
    """What a call of `Collection.query` with these keyword arguments asks; None of one that has to be made as it is."""
    vectors, rows = arguments.get("query_embeddings"), arguments.get("n_results", 10)
    if type(vectors) is not list or len(vectors) != 1 or type(rows) is not int:
        return None
    vector = vectors[0]
    if type(vector) is list:
        if (types := set(map(type, vector))) not in _NUMBERS:
            return None
        kind: Hashable = (len(vector), *types)
    elif type(vector) is np.ndarray and vector.ndim == 1 and vector.dtype.kind == "f":
        kind = (len(vector), vector.dtype.str)
    else:
        return None
    try:
        rest = frozen({name: value for name, value in arguments.items() if name != "query_embeddings" and value is not None})
    except TypeError:
        return None
    if "data" in (arguments.get("include") or ()):
        return None  # loaded by the collection's own loader
    return Request((kind, rest), vector.copy(), rows)


def arguments(key: Any) -> dict[str, Any]:
    """The other arguments of requests with this key, made anew."""
    return thawed(key[1])


def frozen(value: Any) -> Hashable:
    """A plain value to compare by: 1, 1.0 and True are three. Raises a TypeError for what isn't plain."""
    kind = type(value)
    if kind in _PLAIN:
        return kind, repr(value) if kind is float else value  # 0.0 isn't -0.0
    if kind is dict:
        return dict, tuple((frozen(name), frozen(item)) for name, item in value.items())
    if kind is list or kind is tuple:
        return kind, tuple(map(frozen, value))
    raise TypeError(f"{kind.__name__} isn't plain.")


def thawed(value: Any) -> Any:
    """What `frozen` was given, in new containers."""
    kind, inner = value
    if kind is dict:
        return {thawed(name): thawed(item) for name, item in inner}
    if kind is list or kind is tuple:
        return kind(map(thawed, inner))
    return float(inner) if kind is float else inner


def parted(found: Mapping[str, Any], queries: int) -> list[dict[str, Any]]:
    """The result of each query of a batch, as it would be of that query alone.

    Raises:
        ValueError: there isn't one result for each.
    """
    columns = {name: value for name, value in found.items() if name != "included" and value is not None}
    if any(len(value) != queries for value in columns.values()):
        raise ValueError(f"Chroma's answer to {queries} queries has {', '.join(f'{len(v)} {n}' for n, v in columns.items())}.")
    return [
        {name: list(value) if name == "included" else [columns[name][place]] if name in columns else None for name, value in found.items()}
        for place in range(queries)
    ]
