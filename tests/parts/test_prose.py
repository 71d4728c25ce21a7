"""Where a text has an occasion: at line ends and sentence ends that something follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.parts.prose import Prose


def parts(text: str) -> list[str]:
    """The text, divided where a part was found complete."""
    prose, starts = Prose(), [0]
    for place, char in enumerate(text):
        before = prose.finished
        prose.step(char)
        if prose.finished > before:
            starts.append(place)
    return [text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


REPORT = """# The plan

It has two parts. The first is short.

## Costs
1. Rent: 3.50 a day
2. Food (see Fig. 3)
   - bread, e.g. rye
   - *milk*

| a | b |
|---|---|
**Done.** Next?"""


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(
            [
                "# The plan", "It has two parts.", "The first is short.", "## Costs", "1. Rent: 3.50 a day", "2. Food (see Fig. 3)",
                "- bread, e.g. rye", "- *milk*", "| a | b |", "|---|---|", "**Done.**", "Next?",
            ],
            id="markdown",
        ),
    ],
)  # fmt: skip
def test_a_report_has_its_lines_and_sentences(expected):
    assert parts(REPORT) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. and Mrs. Smith paid $3.50 to J. R. R. Tolkien.", "He left."],
        ["It rose by 4.5 in v1.2.3 (cf. Sec. 3).", "See www.example.com/a.b for more."],
        ["“Stop!” he said.", "“Why?”", "She left."],
        ["It was late (too late!).", "Then... nothing.", "What?!", "Yes."],
        ["Rain fell.[1][12]", "**It stopped.**", "_Then_ sun."],
        ["At 5 p.m. the U.S. team won.", "Others, e.g. Spain, lost.", "No one, i.e. nobody, cared."],
        ["Das kostet z. B. 3,50 € bzw. ca. 4 Mio. Euro.", "Am 3. März kam Dr. Müller, vgl. Abb. 314.", "„Gut.“", "Das war's."],
        ["Le prix est de 3,5 €.", "Mme. Curie a dit : « Oui. »", "Puis rien."],
        ["La Sra. López llegó.", "¿Qué pasó?", "¡Nada!", "Fin."],
        ["Он жил в г. Москве, т. е. далеко.", "См. рис. 314.", "Всё."],
        ["今天很好。", "你呢？", "“我也好！”", "（他说。）", "然后走了。"],
        ["今日は晴れ。", "「本当？」", "彼は言った。"],
        ["यह एक वाक्य है।", "यह दूसरा है।", "क्या यह तीसरा है?", "हाँ॥"],
        ["هل أنت بخير؟", "نعم، أنا بخير.", "شكرا!"],
        ["یہ ایک جملہ ہے۔", "یہ دوسرا ہے۔"],
        ["Սա մեկն է։", "Սա երկուսն է։"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("space", [" ", "  ", "\u00a0"])
def test_prose_has_its_sentences(expected, space):
    assert parts(space.join(expected)) == expected


def test_wide_stops_need_no_space():
    assert parts("今天很好。你呢？“我也好！”（他说。）然后走了。") == ["今天很好。", "你呢？", "“我也好！”", "（他说。）", "然后走了。"]


@pytest.mark.parametrize("text", ["One line\n", "One line\n \n\t", "One sentence. ", "好。", "", "\n\n", "3.", "1. "])
def test_nothing_is_finished_before_something_follows(text):
    assert parts(text) == [text.strip()]


@given(st.text() | st.text('aB. !?。“”"\n1[]*'))
def test_any_text_may_come(text):
    divided = parts(text)

    assert "".join("".join(divided).split()) == "".join(text.split())
    assert all(divided[1:])
