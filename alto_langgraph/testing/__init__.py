"""Public test doubles: a chat model paced like a real engine, its server's slots, embeddings without a model; and a tiny real model."""

from alto_langgraph.testing.chat_model import PacedChatModel
from alto_langgraph.testing.clock import Clock, CountingClock
from alto_langgraph.testing.embeddings import HashEmbeddings
from alto_langgraph.testing.pace import ALONE_PACE, MEASURED_CURVE, MEASURED_PACE, BatchCurve, LogNormal, Pace
from alto_langgraph.testing.slots import Slots
from alto_langgraph.testing.tiny_model import build_tiny_model

__all__ = [
    "ALONE_PACE",
    "MEASURED_CURVE",
    "MEASURED_PACE",
    "BatchCurve",
    "Clock",
    "CountingClock",
    "HashEmbeddings",
    "LogNormal",
    "Pace",
    "PacedChatModel",
    "Slots",
    "build_tiny_model",
]
