"""Embeddings in which no two texts are as far from a third: Chroma itself orders equals by chance."""

from __future__ import annotations

from hashlib import shake_128

from alto_langgraph.testing import HashEmbeddings


class Untied(HashEmbeddings):
    """As `HashEmbeddings`, each text a little aside."""

    def embed_query(self, text: str) -> list[float]:
        aside = shake_128(text.encode()).digest(self.size)
        return [number + (byte - 128) / 2_000 for number, byte in zip(super().embed_query(text), aside, strict=True)]
