"""Documents that are cut anywhere: what is closed is what the whole document says, up to the last complete element."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.parts.json_parts import JsonParts

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=20
)
documents = st.lists(values, max_size=5) | st.dictionaries(st.text(max_size=4), values, max_size=5)
layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def read(text: str) -> JsonParts:
    parts = JsonParts()
    for char in text:
        parts.step(char)
    return parts


def closed(text: str):
    document = read(text).closed(text)
    return None if document is None else json.loads(document)


def elements(value) -> int:
    """How many elements the outermost arrays have."""
    if isinstance(value, list):
        return len(value)
    return sum(map(elements, value.values())) if isinstance(value, dict) else 0


def up_to(value, count: int):
    """What a document says up to its `count`-th element, and how many are left to find."""
    if isinstance(value, list):
        return value[:count], max(count - len(value), 0)
    if not isinstance(value, dict):
        return value, count
    kept = {}
    for key, inner in value.items():
        if not count:
            break
        kept[key], count = up_to(inner, count)
    return kept, count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("[", None),
        ("[]", None),
        ("{}", None),
        ("[1", None),
        ("[1 ", [1]),
        ("[1,", [1]),
        ("[1]", [1]),
        ('["a', None),
        ('["a"', ["a"]),
        (r'["a\"', None),
        (r'["\\"', ["\\"]),
        (r'["\u00e9"', ["é"]),
        ("[tru", None),
        ("[true", None),
        ("[true,", [True]),
        ("[-1.5e3, nul", [-1500.0]),
        ("[[1,2", None),
        ("[[1,2],[3", [[1, 2]]),
        ('{"title": "x, [1]", "steps": [{"of": [1, 2]}, {"of"', {"title": "x, [1]", "steps": [{"of": [1, 2]}]}),
        ('{"a":[1,2],"b":[3,', {"a": [1, 2], "b": [3]}),
        ('{"a":[1,2],"b":[3', {"a": [1, 2]}),
        ('{"a":{"b":{"c":["x"', {"a": {"b": {"c": ["x"]}}}),
        ('{"a":[1,2],"done":true}', {"a": [1, 2]}),
        ('{"a":[],"b":[{}', {"a": [], "b": [{}]}),
        (' \n[ 1 , "b"', [1, "b"]),
    ],
)
def test_the_document_is_closed_behind_the_last_complete_element(text, expected):
    assert closed(text) == expected
    assert not read(text).broken


@pytest.mark.parametrize(
    "text",
    ["x", "1", "[a", "[01,", "[1.,", "[+1", "[-]", "[trux", "[nulll", "{a", "{1", '{"a" 1', '{"a":1 2', "[1,]", '{"a":1,}', "[}", "{]",
     "[]]", "{}x", '["\n', r'["\x', r'["\u00g', "[NaN", "[" * 201, "[" + "1" * 1001]
)  # fmt: skip
def test_what_is_not_json_breaks_it(text):
    parts = read(text)

    assert parts.broken
    assert parts.finished == read(text + " [1, 2, 3]").finished


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1}\n', None),
        ('{"a":1}\n{', '{"a":1}'),
        ('{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}'),
        ('{"a":[1]}\n{"a":[2,', '{"a":[1]}'),
    ],
)
def test_several_documents_are_themselves_elements(text, expected):
    assert read(text).closed(text) == expected


@given(documents, layouts)
def test_a_whole_document_is_over_and_keeps_all_elements(document, layout):
    text = json.dumps(document, **layout)
    parts = read(text)

    assert parts.over and not parts.broken
    assert parts.finished == elements(document)
    assert closed(text) == (up_to(document, parts.finished)[0] if parts.finished else None)


@given(documents, layouts, st.data())
def test_what_is_closed_is_the_whole_document_up_to_the_last_complete_element(document, layout, data):
    text = json.dumps(document, **layout)
    cut = text[: data.draw(st.integers(0, len(text)))]
    parts = read(cut)
    shown = parts.closed(cut)

    assert not parts.broken
    assert parts.finished <= elements(document)
    if shown is None:
        assert parts.finished == 0
    else:
        assert json.loads(shown) == up_to(document, parts.finished)[0]
        kept = len(shown.rstrip("]}"))
        assert cut.startswith(shown[:kept])


@given(documents, layouts)
def test_an_element_is_complete_at_its_last_character_or_just_behind_it(document, layout):
    text = json.dumps(document, **layout)
    parts, seen = JsonParts(), []
    for place, char in enumerate(text, 1):
        before = parts.finished
        parts.step(char)
        if parts.finished > before:
            assert parts.finished == before + 1
            seen.append(parts.closed(text[:place]))
    assert len(seen) == elements(document)
    assert all(len(one) < len(other) for one, other in pairwise(seen))


@given(st.text() | st.text('{}[]",:\\u0e- 1tn\n'))
def test_any_text_may_come(text):
    parts = read(text)
    shown = parts.closed(text)

    assert (shown is None) == (parts.finished == 0)
    while shown := (shown or "").lstrip(" \t\n\r"):  # one document or several
        shown = shown[json.JSONDecoder().raw_decode(shown)[1] :]
