"""Under `langgraph dev`, which raises where code blocks the event loop: a store that async nodes search and add to.

Making one reads files in langchain-chroma's own constructor; `Batched` may be made anywhere.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.chroma

SCRIPT = """
import asyncio
import chromadb
from blockbuster import blockbuster_ctx
from alto_langgraph.adapters.batching import Batched
from alto_langgraph.adapters.chroma import Chroma
from alto_langgraph.testing import HashEmbeddings

class Embeddings(HashEmbeddings):
    def embed_query(self, text):
        return self.embed_documents([text])[0]

    def embed_documents(self, texts):
        return HashEmbeddings(self.size).embed_documents(texts)

class Native(HashEmbeddings):
    async def aembed_documents(self, texts):
        await asyncio.sleep(0.001)
        return self.embed_documents(texts)

    async def aembed_query(self, text):
        return (await self.aembed_documents([text]))[0]

client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))

stores = [Chroma("found", embeddings, client=client) for embeddings in (HashEmbeddings(16), Native(16))]

async def fragment(number, store):
    await store.aadd_texts([f"stone {number}"], ids=[str(number)])
    for kwargs in ({}, {"search_type": "mmr"}):
        found = await store.as_retriever(**kwargs).ainvoke(f"stone {number}")
        assert str(number) in [document.id for document in found]

async def main():
    for store in stores:
        await asyncio.gather(*(fragment(number, store) for number in range(40)))
    embeddings = Batched(Embeddings(8))
    assert len(await asyncio.gather(*(embeddings.aembed_query("a") for _ in range(40)))) == 40

with blockbuster_ctx():
    asyncio.run(main())
print("fine")
"""


def test_nothing_blocks_the_event_loop(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-W", "ignore", tmp_path / "app.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "fine\n", done.stderr
