"""Which mutable objects a value holds: two tasks that hold the same one are not independent."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import gc
import re
import types
import uuid
from typing import Any

_LEAVES = (
    type(None), bool, int, float, complex, str, bytes, range, type, types.ModuleType, types.CodeType,
    types.FrameType, types.TracebackType, enum.Enum, datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo,
    decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern,
)  # fmt: skip
_FIXED = (tuple, frozenset, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.CellType)
"""What can't be changed itself, but may hold what can."""


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
        if not isinstance(item, _FIXED):
            mutable.add(id(item))
        todo.extend(_parts(item))
    return frozenset(mutable)


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values(), *_attributes(item)]
    if isinstance(item, (list, tuple, set, frozenset)):
        return [*item, *_attributes(item)]
    if isinstance(item, types.FunctionType):  # not its globals: the plan knows what it uses of those
        return [*(item.__closure__ or ()), *(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values(), *_attributes(item)]
    return gc.get_referents(item)


def _attributes(item: Any) -> list[Any]:
    return list(getattr(item, "__dict__", {}).values())
