"""LangChain's own standard tests of a chat model, on the double."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from alto_langgraph.testing import PacedChatModel

standard = pytest.importorskip("langchain_tests.unit_tests", reason="langchain-tests isn't installed")


class TestStandard(standard.ChatModelUnitTests):  # type: ignore[misc, name-defined]
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return PacedChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"scale": 0}

    @pytest.fixture
    def benchmark(self) -> Any:
        """Stands in for a plugin that isn't loaded: runs what it would measure."""
        return lambda call, *args, **kwargs: call(*args, **kwargs)

    @pytest.fixture
    def snapshot(self) -> Any:
        """The same, of one that compares what can be serialized; the double can't."""
        return None
