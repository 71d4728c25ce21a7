"""LangChain's Chroma vector store, for many fragments that search it at the same time."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from alto_langgraph.exceptions import MissingExtraError

if TYPE_CHECKING or (find_spec("chromadb") and find_spec("langchain_chroma")):
    from alto_langgraph.adapters.chroma.store import Chroma
else:

    class Chroma:
        """Stands in where the extra is missing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise MissingExtraError(
                "Chroma needs chromadb and langchain-chroma.", hint="Install them with `pip install 'alto-langgraph[chroma]'`."
            )


__all__ = ["Chroma"]
