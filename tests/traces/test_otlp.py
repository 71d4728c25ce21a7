"""What is written is what is read; a half-written end is forgiven, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces.otlp import read
from alto_langgraph.traces.request import request
from alto_langgraph.traces.span import Span
from tests.traces.spans import ANY, EXAMPLE, SPANS, Recorded


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def key(span: Span) -> str:
    return repr(span)


@ANY
@given(spans=SPANS)
def test_spans_come_back_as_they_were(spans: list[Span], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = written(tmp_path_factory.mktemp("otlp") / "t.jsonl", json.dumps(request(spans)))
    assert sorted(read(file), key=key) == sorted(spans, key=key)


def test_every_cut_of_the_last_line_leaves_what_stands_before_it(tmp_path: Path) -> None:
    first, second = EXAMPLE.read_bytes().splitlines()
    whole, before = len(read(EXAMPLE)), len(read(written(tmp_path / "first.jsonl", first + b"\n")))
    assert 0 < before < whole
    for cut in range(0, len(second), 97):
        assert len(read(written(tmp_path / "cut.jsonl", first + b"\n" + second[:cut]))) == before
    assert len(read(written(tmp_path / "cut.jsonl", first + b"\n" + second))) == whole


def test_a_cut_inside_a_character_is_forgiven_too(tmp_path: Path) -> None:
    line = json.dumps({"resourceSpans": [], "note": "é"}, ensure_ascii=False).encode()
    assert read(written(tmp_path / "t.jsonl", line + b"\n" + line[: line.index(b"\xc3") + 1])) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"resourceSpans": [',
        "[]",
        "17",
        "{}",
        '{"resourceSpans": 3}',
        '{"resourceSpans": [3]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz", "spanId": "0000000000000001"}]}]}]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": {"a": 1}}]}]}]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1e999}]}]}]}',
        '{"a":' * 100_000,
        "\xff\xfe",
    ],
)
def test_a_line_that_holds_anything_else_is_named(line: str, tmp_path: Path) -> None:
    good = json.dumps(request(Recorded().spans))
    file = written(tmp_path / "t.jsonl", f"{good}\n".encode() + line.encode("latin-1") + f"\n{good}\n".encode())
    with pytest.raises(TraceError, match=re.escape(f"`{file}`, line 2")) as caught:
        read(file)
    assert len(str(caught.value)) < 400 + len(str(file))


def test_one_request_over_several_lines_is_read_as_well(tmp_path: Path) -> None:
    spans = Recorded().spans
    assert read(written(tmp_path / "t.json", json.dumps(request(spans), indent=2))) == spans


def test_metrics_and_logs_in_the_same_file_are_passed_over(tmp_path: Path) -> None:
    good = json.dumps(request(Recorded().spans))
    assert len(read(written(tmp_path / "t.jsonl", '{"resourceMetrics": []}\n\n{"resourceLogs": [{}]}\n' + good + "\n"))) == 1


def test_numbers_and_kinds_may_be_written_as_protobuf_allows(tmp_path: Path) -> None:
    span = {
        "traceId": "AB" * 16,
        "spanId": "0000000000000001",
        "parentSpanId": "0000000000000000",
        "kind": "SPAN_KIND_CLIENT",
        "status": {"code": "STATUS_CODE_ERROR"},
        "startTimeUnixNano": 5,
        "attributes": [{"key": "n", "value": {"intValue": 3}}, {"key": "x", "value": {"doubleValue": "NaN"}}, {"key": "none"}],
    }
    (found,) = read(written(tmp_path / "t.jsonl", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})))
    assert (found.trace, found.parent, found.kind, found.status, found.start, found.end) == ("ab" * 16, "", 3, 2, 5, 5)
    assert found.attributes["n"] == 3
    assert found.attributes["x"] != found.attributes["x"]
    assert found.attributes["none"] is None


def test_a_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="can't be read"):
        read(tmp_path / "none.jsonl")
