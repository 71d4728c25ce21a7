"""Chat models and embeddings on vLLM: which request goes first, to which of several servers it goes, and what need not be asked twice."""

from alto_langgraph.adapters.vllm.chat_model import ChatVLLM
from alto_langgraph.adapters.vllm.embeddings import VLLMEmbeddings
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy

__all__ = ["ByAncestry", "ChatVLLM", "Policy", "VLLMEmbeddings"]
