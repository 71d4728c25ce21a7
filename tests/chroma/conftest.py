"""Chroma in this process and as a server; each test gets a collection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

import pytest

from tests.chroma.servers import ChromaServer, running

collect_ignore_glob = [] if find_spec("langchain_chroma") else ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


def quiet() -> Any:
    import chromadb

    return chromadb.Settings(anonymized_telemetry=False)


def opened(kind: str, request: Any) -> Any:
    """A client: embedded in memory, embedded on disk, or of a server."""
    import chromadb

    if kind == "memory":
        return chromadb.EphemeralClient(quiet())
    if kind == "disk":
        return chromadb.PersistentClient(str(request.getfixturevalue("tmp_path")), quiet())
    return chromadb.HttpClient("127.0.0.1", request.getfixturevalue("server").port, settings=quiet())


@pytest.fixture(params=["memory", "disk", "server"])
def client(request: Any) -> Any:
    return opened(request.param, request)


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    """Of a collection that is deleted after the test."""
    name = f"test-{uuid4().hex}"
    yield name
    if name in [collection.name for collection in client.list_collections()]:
        client.delete_collection(name)
