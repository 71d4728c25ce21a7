"""What the example trace carries is in the table, on the spans and with the types that the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alto_langgraph.tracing.attributes import TABLE

EXAMPLE = Path(__file__).parent / "example.jsonl"
ON = {"invoke_workflow": "run", "execute_tool": "tool", "text_completion": "chat"}
TYPES = {"stringValue": "string", "intValue": "int", "doubleValue": "double", "boolValue": "boolean", "arrayValue": "string[]"}


def spans(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                yield from scope["spans"]


def check(span: dict[str, Any]) -> None:
    operation = span["name"].split(" ")[0]
    _check(span.get("attributes", ()), ON.get(operation, operation))
    for link in span.get("links", ()):
        _check(link["attributes"], "link")


def _check(attributes: Any, on: str) -> None:
    for attribute in attributes:
        row = TABLE[attribute["key"]]
        assert on in row.on, (attribute["key"], on)
        assert [TYPES[kind] for kind in attribute["value"]] == [row.type], attribute


def test_example() -> None:
    found = [*spans(EXAMPLE)]
    assert len(found) == 16
    for span in found:
        check(span)
