"""Without the extra, what needs it says so when it is made; what doesn't need it works."""

import subprocess
import sys

import pytest

PROBE = """
import sys
sys.modules[{missing!r}] = None
from alto_langgraph.adapters.batching import Batched
from alto_langgraph.adapters.chroma import Chroma
from alto_langgraph.testing import HashEmbeddings
assert Batched(HashEmbeddings(4)).embed_query("a") == HashEmbeddings(4).embed_query("a")
Chroma("name", HashEmbeddings(4))
"""


@pytest.mark.parametrize("missing", ["chromadb", "langchain_chroma"])
def test_a_missing_extra_is_named_when_a_store_is_made(missing: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE.format(missing=missing)], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("Chroma needs chromadb and langchain-chroma. Install them with `pip install 'alto-langgraph[chroma]'`.")
    assert "MissingExtraError" in last


def test_batching_loads_no_extra() -> None:
    code = (
        "import sys; import alto_langgraph.adapters.batching; print(*sorted({'chromadb', 'langchain_chroma', 'vllm'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
