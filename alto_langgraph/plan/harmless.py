"""Tells objects that can't carry data from one node to another from those that can."""

from __future__ import annotations

import re
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from weakref import WeakKeyDictionary

_PLAIN = (
    str,
    int,
    float,
    complex,
    bytes,
    type(None),
    range,
    slice,
    Enum,
    re.Pattern,
    ModuleType,
    type,
    FunctionType,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    type(NotImplemented),
    type(...),
)

_HARMLESS_CLASSES = frozenset(
    {
        "logging.Logger",
        "logging.LoggerAdapter",
        "_thread.lock",
        "_thread.RLock",
        "threading.Lock",
        "threading.Semaphore",
        "threading.Event",
        "threading.Condition",
        "threading.Barrier",
        "_thread._local",
        "_contextvars.ContextVar",
        "asyncio.locks.Lock",
        "asyncio.locks.Semaphore",
        "asyncio.locks.Event",
        "asyncio.locks.Condition",
        "concurrent.futures._base.Executor",
        "random.Random",
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
        "datetime.tzinfo",
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "pathlib.PurePath",
        "string.Template",
        "numpy.random._generator.Generator",
        "pydantic_settings.main.BaseSettings",
        "jinja2.environment.Environment",
        "jinja2.environment.Template",
        "tiktoken.core.Encoding",
        "aiolimiter.leakybucket.AsyncLimiter",
        "loguru._logger.Logger",
        "structlog._base.BoundLoggerBase",
        "structlog._config.BoundLoggerLazyProxy",
        "rich.console.Console",
        "opentelemetry.trace.Tracer",
        "langgraph.types.RetryPolicy",
    }
)

_CLIENT_CLASSES = frozenset(
    {
        "openai._base_client.BaseClient",
        "anthropic._base_client.BaseClient",
        "httpx._client.BaseClient",
        "requests.sessions.Session",
        "aiohttp.client.ClientSession",
        "cohere.base_client.BaseCohere",
        "mistralai.sdk.Mistral",
        "google.genai.client.Client",
        "groq._base_client.BaseClient",
        "langsmith.client.Client",
        "tavily.tavily.TavilyClient",
        "tavily.async_tavily.AsyncTavilyClient",
        "openai._resource.SyncAPIResource",
        "openai._resource.AsyncAPIResource",
        "anthropic._resource.SyncAPIResource",
        "anthropic._resource.AsyncAPIResource",
    }
)

_LANGCHAIN_CLASSES = frozenset(
    {
        "BaseLanguageModel",
        "Embeddings",
        "BaseOutputParser",
        "BaseLLMOutputParser",
        "BasePromptTemplate",
        "BaseMessagePromptTemplate",
        "BaseDocumentTransformer",
        "BaseDocumentCompressor",
        "TextSplitter",
    }
)
"""LangChain's base classes whose instances answer the same whoever asks."""


_names: WeakKeyDictionary[type, tuple[frozenset[str], frozenset[str]]] = WeakKeyDictionary()
"""Of a class and its bases: `module.QualName`, and the names of those that are LangChain's."""


def _names_of(cls: type) -> tuple[frozenset[str], frozenset[str]]:
    known = _names.get(cls)
    if known is None:
        full = frozenset(f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__)
        known = (full, frozenset(base.__qualname__ for base in cls.__mro__ if base.__module__.startswith("langchain")))
        _names[cls] = known
    return known


def is_langchain(cls: type, names: frozenset[str]) -> bool:
    """Whether a class derives from one of LangChain's base classes called `names`."""
    return not names.isdisjoint(_names_of(cls)[1])


def keeps_runs(cls: type) -> tuple[bool, bool]:
    """Whether instances are LangGraph's checkpointers, and whether they are its stores."""
    names = _names_of(cls)[0]
    return "langgraph.checkpoint.base.BaseCheckpointSaver" in names, "langgraph.store.base.BaseStore" in names


def is_runnable(cls: type) -> bool:
    """Whether instances are LangChain's runnables."""
    return is_langchain(cls, frozenset({"Runnable"}))


def is_answering(cls: type) -> bool:
    """Whether instances are models, embedders, prompts, parsers: asking them changes nothing."""
    return is_langchain(cls, _LANGCHAIN_CLASSES)


def is_model(it: object) -> bool:
    """Whether an object is one of these, or one with arguments bound to it, and nothing else that runs."""
    bound = is_langchain(type(it), frozenset({"RunnableBinding"})) and not getattr(it, "config_factories", None)
    return is_answering(type(getattr(it, "bound", None) if bound else it))


def is_client(cls: type) -> bool:
    """Whether instances talk to a server over a known API and keep nothing for the next caller."""
    return not _CLIENT_CLASSES.isdisjoint(_names_of(cls)[0])


def _is_frozen(cls: type) -> bool:
    parameters = getattr(cls, "__dataclass_params__", None)
    if parameters is not None:
        return bool(parameters.frozen)
    config = getattr(cls, "model_config", None)
    return isinstance(config, dict) and config.get("frozen") is True


def is_harmless(value: object, depth: int = 3) -> bool:
    """Whether no data can pass between nodes through `value`: immutable, or known to keep nothing of its callers'."""
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, tuple | frozenset):
        return depth > 0 and len(value) <= 1000 and all(is_harmless(item, depth - 1) for item in value)
    if isinstance(value, MappingProxyType):
        return depth > 0 and all(is_harmless(item, depth - 1) for item in value.values())
    cls = type(value)
    if cls.__module__ in ("typing", "types", "typing_extensions"):
        return True
    return is_answering(cls) or is_client(cls) or not _HARMLESS_CLASSES.isdisjoint(_names_of(cls)[0]) or _is_frozen(cls)
