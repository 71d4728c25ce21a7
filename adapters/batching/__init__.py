"""Puts together what many fragments ask at the same time: embeddings, and whatever else answers lists."""

from alto_langgraph.adapters.batching.embeddings import Batched
from alto_langgraph.adapters.batching.options import Batching

__all__ = ["Batched", "Batching"]
