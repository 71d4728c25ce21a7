"""Answers the app's three prompts by rules in code, so that it runs, with an answer that means something, where there is no model."""

import re
from typing import Any

NUMBERS = {
    "no": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "twelve": "12",
}
RANKS = frozenset(("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "last"))
RIVALS = (
    RANKS,
    frozenset(("hottest", "coldest")),
    frozenset(("largest", "smallest")),
    frozenset(("fastest", "slowest")),
    frozenset(("away", "towards")),
    frozenset(("ice", "iron", "rock", "nitrogen", "oxygen", "carbon")),
)
"""Words of a group exclude one another."""
SILENT = frozenset(
    re.findall(r"\w+", "a about after all an and as at been by every for from has have in is it its of on since that the to was were")
)
OPINION = re.compile(r"\b(moving|deserves|should|ought|justice|beautiful|wonderful|boring)\b|\?$")
PRONOUN = re.compile(r"\b(it|its|he|his|she|her)\b", re.IGNORECASE)
NAME = re.compile(r"(?:\b[Tt]he )?\b(?!The\b|In\b|An?\b|It\b)[A-Z]\w+(?: (?:[A-Z]\w+|\d+))*")
NEAR = 0.5
"""Share of a claim's words that a sentence must have to be about the same thing."""


def answer(prompt: str) -> str | dict[str, Any]:
    """What a careful reader says to one of the app's prompts."""
    fields = dict(re.findall(r"^(Before|Sentence|Claim|Passages|Evidence): (.*)$", prompt, re.MULTILINE))
    if "Sentence" in fields:
        return extract(fields["Sentence"], fields["Before"])
    if "Passages" in fields:
        return judge(fields["Claim"], re.split(r"(?<=\.)\s+", fields["Passages"]))
    return correct(fields["Claim"], fields["Evidence"])


def extract(sentence: str, before: str) -> dict[str, Any]:
    """The claim of a sentence, its first pronoun replaced by the name that the text before it speaks of."""
    if OPINION.search(sentence):
        return {"checkable": False, "claim": ""}
    pronoun, topic = PRONOUN.search(sentence), topic_of(before)
    if not pronoun or not topic:
        return {"checkable": True, "claim": sentence}
    name = topic[0].lower() + topic[1:] if topic.startswith("The ") else topic
    name += "'s" if pronoun[0].lower() in ("its", "his", "her") else ""
    claim = sentence[: pronoun.start()] + name + sentence[pronoun.end() :]
    return {"checkable": True, "claim": claim[0].upper() + claim[1:]}


def topic_of(text: str) -> str:
    """The first name of the last sentence that doesn't begin with a pronoun."""
    for sentence in reversed(re.split(r"(?<=[.!?])\s+", text)):
        if not PRONOUN.match(sentence) and (name := NAME.search(sentence)):
            return name[0]
    return ""


def judge(claim: str, sentences: list[str]) -> dict[str, Any]:
    """Supported where a sentence has all the claim's words; contradicted where it has a rival of each that is missing."""
    wanted = meaning(claim)
    evidence = max(sentences, key=lambda sentence: nearness(wanted, meaning(sentence)))
    found = meaning(evidence)
    missing, spare = wanted.keys() - found.keys(), set(found.items()) - set(wanted.items())
    if not missing:
        return {"label": "supported", "evidence": evidence}
    rivals = {wanted[word] for word in missing} & {kind for word, kind in spare if word not in wanted} - {"word"}
    if rivals and len(missing) <= NEAR * len(wanted):
        return {"label": "contradicted", "evidence": evidence}
    return {"label": "unknown", "evidence": ""}


def correct(claim: str, evidence: str) -> str:
    """The claim with its one wrong number or name replaced by the evidence's; the evidence itself where it takes more than that."""
    wanted, found = meaning(claim), meaning(evidence)
    wrong, right = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    if len(wrong) != 1 or len(right) != 1 or not {wanted[word] for word in wrong} <= {"number", "name"}:
        return evidence
    spelled = {plain(word): word for text in (claim, evidence) for word in pieces(text)}
    return re.sub(rf"\b{re.escape(spelled[wrong.pop()])}\b", spelled[right.pop()], claim)


def meaning(sentence: str) -> dict[str, str]:
    """The words that carry meaning, in order, each with its kind: a number, a name, the rivals it belongs to, or a word."""
    return {plain(word): kind_of(word, at) for at, word in enumerate(pieces(sentence)) if word.lower() not in SILENT}


def pieces(sentence: str) -> list[str]:
    """Words and numbers as they stand, without a genitive's ending."""
    return [re.sub(r"'s$", "", piece) for piece in re.findall(r"\d[\d.,]*\d|\w+(?:'s)?", sentence)]


def plain(word: str) -> str:
    """A word as it is compared: figures for numbers, small letters, no plural."""
    small = word.lower().replace(",", "") if word[0].isdigit() else word.lower()
    return NUMBERS.get(small) or (small if len(small) < 4 else small.removesuffix("s"))


def kind_of(word: str, at: int) -> str:
    """What a word may be exchanged for to contradict."""
    if plain(word)[0].isdigit():
        return "number"
    rivals = next((str(i) for i, group in enumerate(RIVALS) if word.lower() in group), None)
    return rivals or ("name" if at and word[0].isupper() else "word")


def nearness(wanted: dict[str, str], found: dict[str, str]) -> tuple[float, bool]:
    """How much two sentences share (Dice), then whether they begin with the same word."""
    shared = len(wanted.keys() & found.keys())
    return 2 * shared / (len(wanted) + len(found)), next(iter(wanted), "") == next(iter(found), "")
