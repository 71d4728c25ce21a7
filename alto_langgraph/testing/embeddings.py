"""Embeddings without a model: texts that share words get vectors that point the same way."""

from __future__ import annotations

import math
import re
from collections import Counter
from hashlib import blake2b

from langchain_core.embeddings import Embeddings


class HashEmbeddings(Embeddings):
    """Each word is hashed to a place and a sign in the vector; a text is its words' sum, of length 1 (or 0 for a text without words)."""

    def __init__(self, size: int = 384) -> None:
        """`size`: dimensions of a vector, at least 1; else a ValueError."""
        if size < 1:
            raise ValueError(f"A vector needs at least one dimension, not {size}.")
        self.size = size

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector of `size` numbers for each text."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text, `size` numbers."""
        vector = [0.0] * self.size
        for word, count in Counter(re.findall(r"\w+", text.lower())).items():
            digest = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")
            place, negative = digest // 2 % self.size, digest % 2
            # a word said twice isn't twice the topic
            vector[place] += (-1 if negative else 1) * (1 + math.log(count))
        length = math.hypot(*vector) or 1.0
        return [number / length for number in vector]
