"""Finds the lines and sentences of a text that is still being written, looking at each character once.

What it finds are occasions to look at the text so far, so a sentence end too many or too few does no harm: a small rule for many
languages does.
"""

from __future__ import annotations

import re

_STOPS = ".!?…؟۔։።។။|।॥"
_WIDE_STOPS = "。！？｡।॥"
"""Stops behind which no space need follow."""
_CLOSERS = "\"'”’»›)]}）】」』》〉*_`"
"""What may stand between a stop and the space behind it."""
_LATE_CLOSERS = "»›)]}"
"""Closers that may have space before them."""
_SHORT = """
mr mrs ms dr prof st jr sr rev hon gen col sgt capt lt gov sen rep vs fig figs eq no nos vol ch sec pp ed eds al cf approx dept est inc
ltd corp co jan feb mar apr aug sept oct nov dec
abb abs art aufl bd bsp bspw bzw ca dipl evtl geb gem ggf hrsg inkl ing jh kap max min mio mrd nr sog str tab tel usf vgl zzgl
mme mlle mm env av boul sra srta dra dña núm pág págs ej ud uds sig dott ing avv pag
им гг см рис стр ул тыс млн млрд руб напр
"""
"""Abbreviations that seldom end a sentence: English, German, Romance languages, Russian."""
_ABBREVIATIONS = frozenset(_SHORT.split())
_CITATIONS = re.compile(r"(\[\d+\])+$")
_TAIL = 32
"""How many characters of a word are kept."""


class Prose:
    """Reads a text character by character, and counts the lines and sentences that something follows.

    List items, headings and sections end where lines end.

    Attributes:
        finished: Number of parts that are complete.
    """

    def __init__(self) -> None:
        self.finished = 0
        self._word = ""  # the last word, or the end of it
        self._space = False  # whether white space follows it
        self._line_end = False  # whether a line end does
        self._wide = False  # whether it ends in a stop that needs no space

    def step(self, char: str) -> None:
        """Reads the next character."""
        if char.isspace():
            self._space = True
            self._line_end |= char in "\n\r\u2028\u2029"
        else:
            part = bool(self._word) and self._ends_before(char)
            self.finished += part
            new = part or (self._space and char not in _LATE_CLOSERS)
            self._word = char if new else (self._word + char)[-_TAIL:]
            self._wide = char in _WIDE_STOPS or (self._wide and not part and char in _CLOSERS + _STOPS)
            self._space = self._line_end = False

    def _ends_before(self, char: str) -> bool:
        if self._line_end or (self._wide and char not in _CLOSERS + _STOPS):
            return True
        return self._space and char not in _LATE_CLOSERS and ends_sentence(self._word, char)


def ends_sentence(word: str, following: str) -> bool:
    """Whether a sentence ends with a word, if white space and then this character follow it."""
    bare = _CITATIONS.sub("", word).rstrip(_CLOSERS + "“‘")  # German closes with these
    if not bare or bare[-1] not in _STOPS or following.islower():
        return False
    if bare[-1] != "." or bare.endswith(".."):
        return True
    return not _is_short(bare[:-1].lstrip("\"'“„‘«‹([{（*_`¿¡").lower())


def _is_short(word: str) -> bool:
    """Whether the stop behind a word is likely its own: an initial, an ordinal, an abbreviation."""
    if (len(word) == 1 and word.isalpha()) or (len(word) <= 2 and word.isdigit()):
        return True
    return word in _ABBREVIATIONS or ("." in word and all(piece.isalpha() and len(piece) <= 2 for piece in word.split(".")))
