"""Marks of all tests that need an engine."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

MARKS = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM isn't installed; `make test-vllm` makes an environment with it"),
    pytest.mark.filterwarnings("default"),  # vLLM's own
]
