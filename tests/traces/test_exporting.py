"""What other viewers open: nothing is lost in OTLP, and the others are as their formats want them."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from alto_langgraph.traces import find, to_chrome, to_jaeger, to_otlp, traces
from alto_langgraph.traces.otlp import read
from alto_langgraph.traces.span import Span
from tests.traces.spans import ANY, EXAMPLE, SPANS, Recorded


@ANY
@given(spans=SPANS)
def test_otlp_holds_all_that_was_read(spans: list[Span], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("export") / "t.json"
    for trace in traces(spans):
        file.write_text(json.dumps(to_otlp(trace)))
        assert sorted(read(file), key=lambda span: span.id) == sorted(trace.spans, key=lambda span: span.id)


@ANY
@given(spans=SPANS)
def test_jaeger_has_every_span_with_all_that_is_known_of_it(spans: list[Span]) -> None:
    for trace in traces(spans):
        (found,) = json.loads(json.dumps(to_jaeger(trace), allow_nan=False))["data"]
        assert found["traceID"] == trace.id
        by_id = {span["spanID"]: span for span in found["spans"]}
        for span in trace.spans:
            told = by_id[span.id]
            assert told["startTime"] == span.start // 1000
            assert told["startTime"] + told["duration"] == span.end // 1000
            assert [tag["key"] for tag in told["tags"]][: len(span.attributes)] == list(span.attributes)
            assert [reference["spanID"] for reference in told["references"]][:1] == ([span.parent] if span.parent else [])
            assert [log["timestamp"] for log in told["logs"]] == [event.at // 1000 for event in span.events]
            assert told["processID"] in found["processes"]
            assert {tag["type"] for tag in told["tags"]} <= {"string", "bool", "int64", "float64"}


def test_jaeger_hangs_a_fragment_below_its_parent_and_its_inputs_behind() -> None:
    (data,) = to_jaeger(find(str(EXAMPLE)))["data"]
    (join,) = (span for span in data["spans"] if span["operationName"] == "fragment join")
    assert [reference["refType"] for reference in join["references"]] == ["CHILD_OF", *["FOLLOWS_FROM"] * 4]
    assert {process["serviceName"] for process in data["processes"].values()} == {"alto-langgraph"}


def slices(chrome: dict[str, Any]) -> dict[tuple[int, int], list[tuple[float, float]]]:
    found = defaultdict(list)
    for event in chrome["traceEvents"]:
        if event["ph"] == "X":
            found[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    return found


def assert_well_nested(chrome: dict[str, Any]) -> None:
    """Slices of one thread lie inside each other or apart; else Perfetto draws them wrongly."""
    for thread, those in slices(chrome).items():
        open_until: list[float] = []
        for start, end in sorted(those, key=lambda pair: (pair[0], -pair[1])):
            while open_until and open_until[-1] <= start + 0.01:
                open_until.pop()
            assert not open_until or end <= open_until[-1] + 0.01, thread
            open_until.append(end)


def test_chrome_has_a_slice_for_each_span_well_nested_and_flows_that_lead_somewhere() -> None:
    trace = find(str(EXAMPLE))
    chrome = json.loads(json.dumps(to_chrome(trace), allow_nan=False))
    assert sum(len(those) for those in slices(chrome).values()) == len(trace.spans)
    assert_well_nested(chrome)
    flows = [event for event in chrome["traceEvents"] if event["ph"] in "sf"]
    assert len(flows) == 2 * sum(len(fragment.inputs) for fragment in trace.fragments) > 0
    for event in flows:
        assert any(start <= event["ts"] <= end for start, end in slices(chrome)[event["pid"], event["tid"]])


def test_chrome_puts_calls_that_overlap_beside_each_other() -> None:
    made = Recorded()
    one = made.fragment("a[1]", 0, 5)
    for start, end in ((0, 3), (1, 2), (1.5, 4), (4, 6), (4.5, 5)):
        made.chat(one, start, end)
    chrome = to_chrome(made.trace())
    assert sum(len(those) for those in slices(chrome).values()) == 7
    assert_well_nested(chrome)


@ANY
@given(spans=SPANS)
def test_chrome_takes_any_spans(spans: list[Span]) -> None:
    for trace in traces(spans):
        chrome = json.loads(json.dumps(to_chrome(trace), allow_nan=False))
        assert sum(len(those) for those in slices(chrome).values()) == len(trace.spans)


def test_a_pathological_number_is_told_as_text() -> None:
    made = Recorded(**{"big": 2**60, "odd": float("inf"), "raw": b"\xff", "many": [1, {"a": None}]})
    (span,) = to_jaeger(made.trace())["data"][0]["spans"]
    told = {tag["key"]: (tag["type"], tag["value"]) for tag in span["tags"]}
    assert told["big"] == ("string", str(2**60))
    assert told["odd"] == ("string", "Infinity")
    assert told["raw"] == ("string", '"ff"')
    assert told["many"] == ("string", '[1, {"a": null}]')


def test_the_file_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(to_otlp(find(str(EXAMPLE))), indent=1))
    assert len(find(str(tmp_path / "t.json")).spans) == 16
