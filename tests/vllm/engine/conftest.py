"""One engine in this process and two servers, started when the first test asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.serving_loop import serving
from alto_langgraph.testing import build_tiny_model
from benchmarks.serving_servers import ARGUMENTS, ENVIRONMENT, Replica


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def in_process() -> Iterator[None]:
    """The settings for engines in this process, which are stopped at the end."""
    os.environ.update(ENVIRONMENT)
    yield
    serving().close()


@pytest.fixture(scope="session")
def here(tiny: Path, in_process: None) -> ChatVLLM:
    """A model in this process."""
    return ChatVLLM(model=str(tiny), engine={**ARGUMENTS, "served_model_name": "tiny"}, temperature=0, max_tokens=16, seed=1)


@pytest.fixture(scope="session")
def replicas(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replica, Replica]]:
    """Two servers."""
    logs = tmp_path_factory.mktemp("logs")
    one, other = (Replica(tiny, logs / f"{name}.log") for name in ("one", "other"))
    try:
        for replica in (one, other):
            replica.start()
        for replica in (one, other):
            replica.ready()
        yield one, other
    finally:
        for replica in (one, other):
            replica.kill()


@pytest.fixture(scope="session")
def there(replicas: tuple[Replica, Replica]) -> ChatVLLM:
    """The same model on two servers."""
    return ChatVLLM(model="tiny", base_url=[replica.url for replica in replicas], temperature=0, max_tokens=16, seed=1)


@pytest.fixture(params=["here", "there"])
def llm(request: pytest.FixtureRequest) -> Any:
    """The model in both ways of running."""
    return request.getfixturevalue(request.param)
