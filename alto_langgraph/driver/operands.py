"""Which mutable objects a value holds: two tasks that hold the same one are not independent."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import re
import types
import uuid
from typing import Any

_LEAVES = (
    type(None), bool, int, float, complex, str, bytes, range, type, types.FunctionType, types.BuiltinFunctionType, types.MethodType,
    types.ModuleType, enum.Enum, datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, decimal.Decimal,
    fractions.Fraction, uuid.UUID, re.Pattern,
)  # fmt: skip


def operands(value: Any, *, budget: int = 1000) -> frozenset[int] | None:
    """Identities of the mutable objects reachable from `value`; None if there are more than `budget` objects to look at."""
    seen: set[int] = set()
    mutable: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, _LEAVES) or id(item) in seen:
            continue
        seen.add(id(item))
        if len(seen) > budget:
            return None
        if not isinstance(item, (tuple, frozenset)):
            mutable.add(id(item))
        todo.extend(_parts(item))
    return frozenset(mutable)


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset)):
        return list(item)
    held = list(getattr(item, "__dict__", {}).values())
    slots = (slot for cls in type(item).__mro__ for slot in _slots(cls))
    return held + [getattr(item, slot) for slot in slots if hasattr(item, slot)]


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(s for s in slots if s not in ("__dict__", "__weakref__"))
