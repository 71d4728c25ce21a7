"""Answers the app's prompts by rules in code, so that it runs, with a report that means something, where there is no model."""

import re
from typing import Any

from alto_langgraph.examples.research_report.library import stems

SILENT = frozenset(stems("a about after all an and are as at be by can do does each for from has have how in is it its made of on or "
                         "that the their them there these this to under was were what when where which while who why with"))  # fmt: skip
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
NOTES = 5
"""Notes that a section is written from, at most."""


def answer(prompt: str) -> str | dict[str, Any]:
    """What a diligent researcher says to one of the app's prompts."""
    fields = dict(re.findall(r"^(Request|Brief|Wishes|Section|Question|Passage|Draft): (.*)$", prompt, re.MULTILINE))
    if "Request" in fields:
        return brief(fields["Request"])
    if "Wishes" in fields:
        return plan(fields["Brief"], fields["Wishes"])
    if "Brief" in fields:
        return summary(prompt.split("Sections:\n", 1)[1])
    if "Passage" in fields:
        return relevant(fields["Question"], fields["Passage"])
    if "Draft" in fields:
        return {"queries": [f"{word} {fields['Section'].lower()}" for word in missing(fields["Question"], fields["Draft"])]}
    if "Section" in fields:
        return {"queries": queries(fields["Question"])}
    return section(fields["Question"], prompt.split("Notes:\n", 1)[1].splitlines())


def brief(request: str) -> str:
    """The request's subject, and the questions in it."""
    subject, _, rest = request.rstrip(".").partition(": ")
    asked = re.split(r",? and (?=how|what|when|why)|, (?=how|what|when|why)", rest)
    return f"{subject}. Questions: {'; '.join(asked)}."


def plan(brief: str, wishes: str) -> dict[str, Any]:
    """A section for each question; wishes say which ones to add and which to leave out."""
    asked = brief.rstrip(".").partition("Questions: ")[2].split("; ")
    if left_out := re.search(r"without (\w+)", wishes):
        asked = [question for question in asked if left_out[1] not in question]
    if more := re.search(r"also (.*)", wishes):
        asked.append(more[1].rstrip("."))
    return {"sections": [{"title": title(question), "question": f"{question[0].upper()}{question[1:]}?"} for question in asked]}


def title(question: str) -> str:
    """A question as a heading."""
    words = re.sub(r"^(how|what|when|why) ", "", question)
    return words[0].upper() + words[1:]


def meaning(text: str) -> list[str]:
    """The words of a text that carry meaning, each once."""
    return [word for word in dict.fromkeys(re.findall(r"[a-z_]{3,}", text.lower())) if stems(word)[0] not in SILENT]


def queries(question: str) -> list[str]:
    """All the question's words, its first ones as a definition, its last ones as a rule."""
    words = meaning(question)
    return [" ".join(words), f"{' '.join(words[:2])} definition and meaning", f"{' '.join(words[-2:])} rule of the language"]


def relevant(question: str, passage: str) -> str:
    """The passage's sentences, two at most, that have two of the question's words."""
    wanted = set(stems(" ".join(meaning(question))))
    found = [sentence for sentence in re.split(SENTENCE_END, passage) if len(wanted & set(stems(sentence))) >= min(2, len(wanted))]
    return " ".join(sentence for sentence in found[:2]) or "nothing"


def section(question: str, notes: list[str]) -> str:
    """The notes that tell most of what is asked, one after another, each with its source."""
    wanted = set(stems(" ".join(meaning(question))))
    best = sorted(notes, key=lambda note: -len(wanted & set(stems(note))))[:NOTES]
    told = [re.fullmatch(r"\[([^\]]+)\] (.*)", note) for note in notes if note in best]
    return " ".join(f"{note[2]} [{note[1]}]" for note in told if note) or "The library tells nothing of it."


def missing(question: str, draft: str) -> list[str]:
    """Words of the question that the draft doesn't have."""
    had = set(stems(draft))
    return [word for word in meaning(question) if stems(word)[0] not in had]


def summary(sections: str) -> str:
    """Each section's title with its first sentence."""
    parts = re.findall(r"^## (.*)\n(.*)$", sections, re.MULTILINE)
    return " ".join(f"{title}: {re.split(SENTENCE_END, text)[0]}" for title, text in parts)
