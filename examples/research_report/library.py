"""The library that the report is written from: Python's own reference, as the standard library brings it, searched by BM25."""

import math
import re
from collections import Counter, defaultdict
from functools import cache
from pydoc_data.topics import topics
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

SHORTEST = 80
"""Letters that a paragraph must have to be a passage."""
WORD = re.compile(r"[a-z][a-z_]+")
K, B = 1.5, 0.75
"""BM25's usual constants."""


def stems(text: str) -> list[str]:
    """The words of a text in small letters, without the endings that matter least."""
    return [re.sub(r"(?<=\w{3})(ing|ed|es|(?<!s)s|e)$", "", word) for word in WORD.findall(text.lower())]


class Library(BaseRetriever):
    """Paragraphs, found by their words: `best` of them for a query, ties in the library's order."""

    passages: list[Document]
    best: int = 2

    def model_post_init(self, context: Any) -> None:
        """Counts the words."""
        counts = [Counter(stems(passage.page_content)) for passage in self.passages]
        mean = sum(count.total() for count in counts) / max(1, len(counts))
        self._found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, count in enumerate(counts):
            length = K * (1 - B + B * count.total() / mean)
            for word, times in count.items():
                self._found[word].append((place, times * (K + 1) / (times + length)))

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        scores: dict[int, float] = {}
        for word in stems(query):
            seen = self._found.get(word, [])
            rarity = math.log(1 + (len(self.passages) - len(seen) + 0.5) / (len(seen) + 0.5))
            for place, weight in seen:
                scores[place] = scores.get(place, 0.0) + rarity * weight
        return [self.passages[place] for place in sorted(scores, key=lambda place: (-scores[place], place))[: self.best]]


@cache
def reference() -> Library:
    """Python's language reference, in passages; their `source` is the topic, as `help()` names it."""
    found: dict[str, str] = {}
    for topic, text in sorted(topics.items()):
        for paragraph in re.split(r"\n\s*\n", text):
            if len(paragraph) >= SHORTEST and "::=" not in paragraph:
                found.setdefault(" ".join(paragraph.removeprefix("* ").split()), topic)  # some topics repeat others
    return Library(passages=[Document(passage, metadata={"source": topic}) for passage, topic in found.items()])
