"""Elements that are cut anywhere: what is closed is well-formed, and holds the complete ones of the outermost list."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.parts.markup import Markup

names = st.sampled_from(["item", "step", "a-b", "x.y", "n:s"])
texts = st.sampled_from(["", "words", " a &lt; b ", "<!-- <item> -->", "<![CDATA[</item> ]] ]]>", "\n  ", "<?php </item> ?>", "<!---->"])
attributes = st.sampled_from(["", ' id="1"', " t='/>'", ' href="a/b>c" ', "\n"])


@st.composite
def lists(draw, depth=2):
    """An element with others of one name in it, which may hold lists of their own."""
    name = draw(names)
    children = draw(st.lists(lists(depth - 1), max_size=4)) if depth else []
    inner = "".join(draw(texts) + f"<{name}{draw(attributes)}>{child}</{name}>" for child in children) + draw(texts)
    return f"<list{draw(attributes)}>{inner}</list>" if inner or draw(st.booleans()) else "<list/>"


def read(text: str) -> Markup:
    markup = Markup()
    for char in text:
        markup.step(char)
    return markup


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(f'<top xmlns:n="n">{text}</top>')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<items><item>a</item>", None),
        ("<items><item>a</item><ite", None),
        ("<items><item>a</item><item>", "<items><item>a</item></items>"),
        ("<items>\n <item>a</item>\n <item >", "<items>\n <item>a</item></items>"),
        ("<items><item>a</item><item>b</item", "<items><item>a</item></items>"),
        ("<items><item>a</item><item>b</item>", "<items><item>a</item><item>b</item></items>"),
        ("<items><item/><item/><i", "<items><item/><item/></items>"),
        ('<items><item a="1"/><item a="/>"/>', '<items><item a="1"/><item a="/>"/></items>'),
        (
            "<plan><title>x</title><steps><step>a</step><step>b</step>",
            "<plan><title>x</title><steps><step>a</step><step>b</step></steps></plan>",
        ),
        ("<a><xs><x/><x/></xs><ys><y/><y/>", "<a><xs><x/><x/></xs><ys><y/><y/></ys></a>"),
        ("<d><s><p/><p/></s><s><p/><p/>", "<d><s><p/><p/></s></d>"),
        ("<step>a</step>\n<step>b", "<step>a</step>"),
        ("<step>a</step>\n<step>b</step>", "<step>a</step>\n<step>b</step>"),
        ("<l><i><!-- </i><i> --></i><i>", "<l><i><!-- </i><i> --></i></l>"),
        ("<l><i><![CDATA[</i><i>]]></i><i>", "<l><i><![CDATA[</i><i>]]></i></l>"),
        ('<?xml version="1.0"?><!DOCTYPE l><l><i/><i/>', '<?xml version="1.0"?><!DOCTYPE l><l><i/><i/></l>'),
        ("<l><i>a < b && c<5</i><i>", "<l><i>a < b && c<5</i></l>"),
        ("<ul><li>a<br>b</li><li>c</li>", "<ul><li>a<br>b</li><li>c</li></ul>"),
        ("<answer>only text</answer>", None),
    ],
)
def test_the_text_is_closed_behind_the_last_complete_element(text, expected):
    markup = read(text)

    assert markup.closed(text) == expected
    assert not markup.broken


@pytest.mark.parametrize("text", ["</a>", "<a></b>", "<https://x.y>", "<a@b.c>", "<a <b>", "<a></a b>", "<a>" * 201, f"<{'a' * 101}>"])
def test_what_is_no_element_breaks_it(text):
    markup = read(text)

    assert markup.broken
    assert read(text + "<l><i/><i/></l>").finished == markup.finished == 0


@given(lists(), st.data())
def test_what_is_closed_is_well_formed_and_a_prefix_of_the_whole(text, data):
    cut = text[: data.draw(st.integers(0, len(text)))]
    markup = read(cut)
    shown = markup.closed(cut)

    assert not markup.broken
    if shown is None:
        assert markup.finished == 0
    else:
        assert cut.startswith(shown[: markup._end])
        _assert_prefix(parsed(shown), parsed(text))


def _assert_prefix(part: ElementTree.Element, whole: ElementTree.Element) -> None:
    """All elements but the last are the same in both, and of the last the same holds."""
    assert (part.tag, part.attrib) == (whole.tag, whole.attrib)
    assert len(part) <= len(whole)
    for one, other in zip(part[:-1], whole, strict=False):
        assert ElementTree.tostring(one) == ElementTree.tostring(other)
    if len(part):
        _assert_prefix(part[-1], whole[len(part) - 1])


@given(st.integers(0, 6), st.sampled_from(["", "\n  "]), st.booleans())
def test_elements_of_a_list_count_one_by_one(count, space, with_lists):
    inner = "<l><x/><x/></l>" if with_lists else "text"
    text = "<items>" + "".join(f"{space}<item>{inner}</item>" for _ in range(count)) + f"{space}</items>"
    markup, ends = Markup(), []
    for place, char in enumerate(text, 1):
        markup.step(char)
        shown = markup.closed(text[:place])
        if shown and shown.count("<item>") > 1:
            ends.append(shown)

    assert markup.over
    assert sorted(set(ends), key=len) == [
        "<items>" + "".join(f"{space}<item>{inner}</item>" for _ in range(many)) + "</items>" for many in range(2, count + 1)
    ]


@given(st.text() | st.text("<>/ab!-[]CDAT\"'?= \n"))
def test_any_text_may_come(text):
    markup = read(text)
    shown = markup.closed(text)

    assert (shown is None) == (markup.finished == 0)
    assert shown is None or text.startswith(shown[: markup._end])
