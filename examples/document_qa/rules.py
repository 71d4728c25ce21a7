"""Answers the app's prompts by rules in code, so that it runs, with an answer that means something, where there is no model."""

import re
from typing import Any

SILENT = frozenset(
    re.findall(r"\w+", "a an and are by does for from happens how in is it not of or that the there this to what when which who why")
)
HELPS = 3
"""Words of the question that a sentence must have at least."""
MOST = 5
"""Documents that the answer speaks of."""


def answer(prompt: str) -> str | dict[str, Any]:
    """What a careful reader says to one of the app's prompts."""
    fields = dict(re.findall(r"^(Question|Document|Before|Sentence): (.*)$", prompt, re.MULTILINE))
    asked, lines = words(fields["Question"]), re.findall(r"^\d+\. (.*)$", prompt, re.MULTILINE)
    if "Sentence" in fields:
        return extract(asked, fields["Sentence"])
    if "Document" in fields:
        return summarise(fields["Document"], lines)
    return conclude(asked, lines) if prompt.startswith("Answer") else {"helpful": select(asked, lines)}


def words(text: str) -> list[str]:
    """The words that carry meaning, each once, without their endings."""
    found = (re.sub(r"(?:ions?|ed|es|ers?|ing|s|e)$", "", word) for word in re.findall(r"[a-z]+", text.lower()) if word not in SILENT)
    return list(dict.fromkeys(word for word in found if len(word) > 2))


def shared(asked: list[str], text: str) -> list[str]:
    """The question's words that a text has."""
    return [word for word in words(text) if word in asked]


def select(asked: list[str], sentences: list[str]) -> list[dict[str, int]]:
    """The sentences with enough of the question's words; the more, the better."""
    counts = [(number, len(shared(asked, sentence))) for number, sentence in enumerate(sentences, 1)]
    return [{"number": number, "score": min(5, count)} for number, count in counts if count >= HELPS]


def extract(asked: list[str], sentence: str) -> dict[str, str]:
    """The sentence without what it adds in brackets."""
    return {"quote": re.split(r" [(\[]", sentence)[0], "tells": f"It tells of {', '.join(shared(asked, sentence))}."}


def summarise(title: str, quotes: list[str]) -> str:
    """The quotes, one after another, with their numbers."""
    return f"The chapter on {title} says: " + " ".join(f"“{quote}” [{title} {number}]" for number, quote in enumerate(quotes, 1))


def conclude(asked: list[str], summaries: list[str]) -> str:
    """The best quote of each summary, of the summaries that have most of the question's words."""
    ranked = sorted(summaries, key=lambda summary: -len(shared(asked, summary)))[:MOST]
    found = (re.search(r"“(.+?)” (\[[\w-]+ \d+\])", summary) for summary in ranked)
    return " ".join(f"{quote[1]} {quote[2]}" for quote in found if quote) or "The documents don't say."
