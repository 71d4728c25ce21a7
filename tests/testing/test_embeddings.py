"""Embeddings without a model."""

import math

import pytest

from alto_langgraph.testing import HashEmbeddings


def alike(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_vector_is_the_same_every_time_of_length_one_and_size_384() -> None:
    vector = HashEmbeddings().embed_query("Mars has two moons.")
    assert vector == HashEmbeddings().embed_query("Mars has two moons.")
    assert len(vector) == 384
    assert math.hypot(*vector) == pytest.approx(1)


def test_documents_are_embedded_like_queries() -> None:
    embeddings = HashEmbeddings(16)
    assert embeddings.embed_documents(["a b", ""]) == [embeddings.embed_query("a b"), [0.0] * 16]


def test_texts_that_share_words_point_the_same_way() -> None:
    query, near, far = HashEmbeddings().embed_documents(
        ["how many moons has Mars", "Mars has two moons: Phobos, Deimos", "rings of ice and dust"]
    )
    assert alike(query, near) > 0.4 > abs(alike(query, far))


def test_a_vector_without_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one dimension, not 0"):
        HashEmbeddings(0)
