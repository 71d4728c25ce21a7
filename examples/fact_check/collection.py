"""A small collection of documents, and a search over it by words (BM25)."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from importlib.resources import files


def documents() -> list[str]:
    """The documents of the example: short notes about the solar system."""
    read: list[str] = json.loads(files(__package__).joinpath("documents.json").read_text("utf-8"))
    return read


def words(text: str) -> list[str]:
    """The text's words, in small letters and without plural endings."""
    return [re.sub(r"('s|s)$", "", word) for word in re.findall(r"[\w.,]*\w(?:'s)?", text.lower())]


def bm25(texts: list[str], best: int = 3, k: float = 1.5, b: float = 0.75) -> Callable[[str], list[str]]:
    """A search that returns the `best` texts for a query, ranked by BM25 with the usual constants; ties in the texts' order."""
    counts = [Counter(words(text)) for text in texts]
    mean = sum(count.total() for count in counts) / len(counts)
    known = Counter(word for count in counts for word in count)
    rarity = {word: math.log(1 + (len(texts) - seen + 0.5) / (seen + 0.5)) for word, seen in known.items()}

    def score(query: list[str], count: Counter[str]) -> float:
        length = k * (1 - b + b * count.total() / mean)
        return sum(rarity[word] * count[word] * (k + 1) / (count[word] + length) for word in query if word in count)

    def search(query: str) -> list[str]:
        ranked = sorted(range(len(texts)), key=lambda i: -score(words(query), counts[i]))
        return [texts[i] for i in ranked[:best]]

    return search
