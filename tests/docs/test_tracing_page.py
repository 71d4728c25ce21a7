"""The page on tracing has alto's own attributes as the table has them."""

from __future__ import annotations

import re
from pathlib import Path

from alto_langgraph.tracing.attributes import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tracing.md").read_text(encoding="utf-8")


def test_attributes() -> None:
    rows = {
        name: (kind, means)
        for name, kind, means in re.findall(r"^\| `(alto\.[\w.]+)` \| ([\w\[\]]+) \| .*? \| (.+) \|$", PAGE, re.MULTILINE)
    }
    assert rows == {row.name: (row.type, row.means) for row in TABLE.values() if row.source == "alto"}
