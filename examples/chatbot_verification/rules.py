"""Answers the app's prompts by rules in code, so that it runs, with an answer that means something, where there is no model.

As a model does, it answers from memory first, and part of what it remembers is wrong.
"""

import re
from typing import Any

from alto_langgraph.examples.chatbot_verification.elements import Fact, known, read, spoken

MISREMEMBERED = {
    Fact("gold", "melts", "1,310"),
    Fact("helium", "found", "William Ramsay in 1868"),
    Fact("mercury", "kind", "a noble gas"),
    Fact("mercury", "boils", "537"),
    Fact("iron", "number", "28"),
    Fact("tungsten", "symbol", "Tu"),
    Fact("iodine", "used", "advertising signs"),
    Fact("silicon", "kind", "an alkali metal"),
}
"""What the model is wrong about."""
REMARKS = {
    "gold": "No other metal has stirred so many dreams. Gold never loses its shine.",
    "mercury": "Its beauty is a treacherous one.",
    "iron": "What would our cities be without it?",
    "silicon": "Nobody can say what it will be used for next.",
}
"""What it says besides: opinions, and a statement that no encyclopedia is needed for."""
TOPICS = {
    "kind": ("is a kind of element", "group and symbol of {element}"),
    "symbol": ("symbol of {element}", "The symbol of {element} is"),
    "number": ("atomic number of {element}", "The atomic number of {element} is"),
    "melts": ("melting point of {element}", "The melting point of {element} is degrees Celsius"),
    "boils": ("boiling point of {element}", "The boiling point of {element} is degrees Celsius"),
    "found": ("discovery of {element}", "{element} was discovered by"),
    "known": ("history of {element}", "{element} has been known since"),
    "used": ("use of {element}", "The main use of {element} is"),
}
VERBS = r"(?:is|has|melts|boils|was|never)\b"
OPINION = re.compile(r"\?$|\b(?:dreams|beauty|Nobody)\b")


def answer(prompt: str) -> str | dict[str, Any]:
    """What the model says to one of the app's prompts."""
    fields = dict(re.findall(r"^(Question|Before|Sentence|Claim|Passages|Found|Answer): (.*)$", prompt, re.MULTILINE))
    match fields:
        case {"Question": question}:
            return respond(question)
        case {"Before": before, "Sentence": sentence}:
            return {"claims": claims(sentence, before)}
        case {"Claim": claim, "Passages": passages}:
            return check(claim, re.split(r"(?<=\.)\s+", passages))
        case {"Claim": claim}:
            return {"queries": queries(claim)}
        case {"Sentence": _, "Found": found}:
            return judge(found)
    return correct(fields["Answer"], fields["Found"])


def respond(question: str) -> str:
    """Three sentences on each element that is asked about, from memory."""
    told = []
    for element, facts in known().items():
        if re.search(rf"\b{element}\b", question.lower()):
            remembered = facts | {fact.relation: fact.value for fact in MISREMEMBERED if fact.element == element}
            said = {relation: spoken(Fact(element, relation, value)) for relation, value in remembered.items()}
            for subject, relations in (
                (element.capitalize(), ("kind", "symbol", "number")),
                ("It", ("melts", "boils")),
                (element.capitalize(), ("found", "known", "used")),
            ):
                parts = [said[relation] for relation in relations if relation in said]
                told += [f"{subject} {', '.join(parts[:-1])}{' and ' if parts[1:] else ''}{parts[-1]}."] if parts else []
            told += [REMARKS[element]] if element in REMARKS else []
    return " ".join(told) or "I know nothing of that."


def claims(sentence: str, before: str) -> list[str]:
    """A statement for each predicate, with the name that a pronoun stands for."""
    subject, _, rest = sentence.rstrip(".").partition(" ")
    if OPINION.search(sentence) or not re.match(VERBS, rest):
        return []
    if subject in ("It", "Its"):
        names = re.findall(rf"\b([A-Z]\w+) {VERBS}", before)
        subject = next((name for name in reversed(names) if name not in ("It", "Its")), subject)
    return [f"{subject} {predicate}." for predicate in re.split(rf"(?:, | and )(?={VERBS})", rest)]


def queries(claim: str) -> list[str]:
    """Two ways to ask for what the claim is about; the value that it names is left out."""
    fact = read(claim)
    if not fact:
        return [claim, f"facts about {claim.split()[0].lower()}"]
    return [query.format(element=fact.element) for query in TOPICS[fact.relation]]


def check(claim: str, sentences: list[str]) -> dict[str, str]:
    """Supported where a passage says the same, contradicted where it has another value for it."""
    stated = read(claim)
    for sentence in sentences:
        fact = read(sentence)
        if stated and fact and fact[:2] == stated[:2]:
            if fact == stated:
                return {"label": "supported", "evidence": sentence, "reason": f"The passages say the same of {fact.element}: {fact.value}."}
            reason = f"Of {fact.element} the passages say that it {spoken(fact)}, and not that it {spoken(stated)}."
            return {"label": "contradicted", "evidence": sentence, "reason": reason}
    return {"label": "open", "evidence": "", "reason": "None of the passages that were found says anything about what is claimed here."}


def judge(found: str) -> dict[str, str]:
    """Wrong if a claim is contradicted, unproven if one is open."""
    labels = re.findall(r"\[(supported|contradicted|open)\]", found)
    if "contradicted" in labels:
        return {"label": "wrong", "explanation": " ".join(re.findall(r"\[contradicted\] .+? \((.+?)\)(?= \[|$)", found))}
    if "open" in labels:
        return {"label": "unproven", "explanation": "Not all that the sentence says is in the passages that were found."}
    return {"label": "right", "explanation": "Everything that the sentence says stands in the passages that were found, too."}


def correct(text: str, found: str) -> str:
    """The answer with what was said wrongly of an element replaced, in the sentences about that element."""
    for element, right, wrong in re.findall(r"Of (\w+) the passages say that it (.+?), and not that it (.+?)\.(?= Of |$)", found):
        start = text.index(element.capitalize())
        at = text.index(wrong, start)
        text = text[:at] + right + text[at + len(wrong) :]
    return text
