"""Tables of callables whose behaviour is known: what they do to their arguments and to the world."""

from __future__ import annotations

from types import ClassMethodDescriptorType
from typing import NamedTuple

from alto_langgraph.plan.marks import AMBIGUOUS_IDENTITY_WORDS, IDENTITY_WORDS
from alto_langgraph.plan.model import Effects

PURE_MODULES = frozenset(
    {
        "math", "cmath", "json", "json.decoder", "json.encoder", "re", "statistics", "itertools", "functools", "operator", "_operator",
        "string", "textwrap", "copy", "collections", "_collections", "dataclasses", "datetime", "_datetime", "decimal", "_decimal",
        "fractions", "hashlib", "_hashlib", "_sha2", "_sha256", "_md5", "hmac", "base64", "binascii", "html", "urllib.parse", "uuid",
        "random", "time", "typing", "typing_extensions", "enum", "bisect", "_bisect", "difflib", "unicodedata", "inspect", "types",
        "contextlib", "asyncio", "asyncio.tasks", "asyncio.locks", "asyncio.threads", "asyncio.timeouts", "asyncio.taskgroups",
        "asyncio.futures", "_asyncio", "asyncio.runners", "asyncio.events", "concurrent.futures", "concurrent.futures.thread",
        "concurrent.futures._base", "threading", "ast", "zlib", "colorsys", "warnings", "_warnings", "_json", "_functools", "_random",
        "_heapq", "heapq", "queue", "traceback", "pprint", "_thread", "struct", "_struct", "secrets", "abc", "collections.abc",
        "langgraph.types", "langgraph.graph.message", "langgraph.config", "langgraph.runtime", "langgraph.graph.ui", "langgraph.errors",
        "pydantic.main", "pydantic.type_adapter", "pydantic.root_model", "tenacity", "tiktoken.core", "logging", "posixpath", "ntpath",
        "pathlib", "langchain_core.load.dump", "langchain.agents.middleware.types",
        "alto_langgraph.adapters.langgraph.current",
    }
)  # fmt: skip
"""Functions and classes defined here keep nothing of their arguments and change nothing, but for `CHANGING`."""

PURE_PACKAGES = (
    "langchain_core.messages", "langchain_core.documents", "langchain_core.prompts", "langchain_core.prompt_values",
    "langchain_core.output_parsers", "langchain_core.outputs", "langchain_core.utils", "langchain_core.runnables",
    "langchain_core.callbacks.dispatch", "langchain_core.callbacks.manager", "langchain_text_splitters", "numpy",
    "langgraph.prebuilt.tool_node", "langchain.chat_models", "langchain.embeddings",
)  # fmt: skip

PURE_FUNCTIONS = frozenset(
    {
        "os.getenv", "os.fspath", "os.cpu_count", "xml.etree.ElementTree.XML", "xml.etree.ElementTree.fromstringlist",
        "xml.etree.ElementTree.tostring", "xml.etree.ElementTree.tostringlist", "xml.etree.ElementTree.iselement",
        "xml.etree.ElementTree.Element", "xml.dom.minidom.parseString", "xml.sax.saxutils.escape", "xml.sax.saxutils.unescape",
        "xml.sax.saxutils.quoteattr", "shlex.split", "shlex.join", "shlex.quote", "fnmatch.filter", "fnmatch.fnmatch",
        "fnmatch.fnmatchcase", "fnmatch.translate", "tomllib._parser.loads", "calendar.isleap", "calendar.leapdays",
        "calendar.monthrange", "calendar.weekday", "calendar.timegm", "_codecs.encode", "_codecs.decode", "_csv.reader",
        "csv.DictReader", "_io.StringIO", "_io.BytesIO",
    }
)  # fmt: skip

PURE_CLASS_METHODS = frozenset(
    {
        "builtins.dict.fromkeys", "collections.OrderedDict.fromkeys",
        "builtins.int.from_bytes", "builtins.float.fromhex", "builtins.bytes.fromhex", "itertools.chain.from_iterable",
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.datetime.fromisoformat",
        "datetime.datetime.strptime", "datetime.datetime.fromtimestamp", "datetime.datetime.utcfromtimestamp",
        "datetime.datetime.combine", "datetime.date.today", "datetime.date.fromisoformat", "datetime.date.fromtimestamp",
        "datetime.time.fromisoformat",
    }
)  # fmt: skip
"""Methods of classes themselves, written in C, which tell nothing of their own but the class's."""

ASKING_PACKAGES = (
    "openai", "anthropic", "cohere", "mistralai", "groq", "litellm", "google.genai", "google.generativeai", "ollama",
    "sentence_transformers", "duckduckgo_search", "wikipedia", "arxiv", "tavily",
)  # fmt: skip
"""Functions of these ask a server or a model, and may be repeated."""

ASKING_FUNCTIONS = frozenset(
    {f"{module}.{verb}" for module in ("requests.api", "httpx", "httpx._api") for verb in ("get", "head", "options")}
    | {"urllib.request.urlopen"}
)

CHANGING = frozenset(
    {
        "random.shuffle", "random.Random.shuffle",
        "bisect.insort", "bisect.insort_left", "bisect.insort_right", "_bisect.insort", "_bisect.insort_left",
        "_bisect.insort_right", "_heapq.heappush", "_heapq.heappop", "_heapq.heapify", "_heapq.heapreplace", "_heapq.heappushpop",
        "heapq.heappush", "heapq.heappop", "heapq.heapify", "_operator.setitem", "_operator.delitem", "_operator.iadd", "_operator.ior",
        "_operator.iconcat", "_csv.writer", "csv.DictWriter", "xml.etree.ElementTree.SubElement", "xml.etree.ElementTree.indent",
        "_elementtree.SubElement", "numpy.put", "numpy.copyto", "langgraph.graph.message._add_messages_wrapper.<locals>._add_messages",
    }
)  # fmt: skip
"""Known functions that change their arguments."""

FRESH_RESULTS = frozenset(
    {
        "len", "str", "int", "float", "bool", "repr", "hash", "isinstance", "issubclass", "any", "all", "abs", "round", "callable", "ord",
        "chr", "format", "id", "range", "bytes", "ascii", "bin", "hex", "oct", "divmod", "pow", "hasattr", "complex", "print",
        "str.maketrans", "bytes.maketrans",
    }
)  # fmt: skip
"""Builtins whose result can't be changed in place and holds nothing of the arguments."""

PURE_BUILTINS = FRESH_RESULTS - {"print"} | frozenset(
    {
        "list", "tuple", "dict", "set", "frozenset", "sorted", "sum", "min", "max", "zip", "enumerate", "map", "filter", "reversed", "iter",
        "getattr", "type", "slice", "super", "vars", "dir", "object", "aiter", "memoryview", "bytearray", "property", "staticmethod",
    }
)  # fmt: skip

FRESH_FUNCTIONS = frozenset(
    {
        "json.dumps", "copy.deepcopy", "langchain_core.load.dump.dumps", "time.sleep", "asyncio.tasks.sleep", "re.match", "re.search",
        "re.fullmatch", "re.finditer", "_io.StringIO", "_io.BytesIO", "xml.sax.saxutils.escape", "xml.sax.saxutils.unescape",
        "xml.etree.ElementTree.tostring",
    }
)  # fmt: skip
"""Known functions whose results hold nothing of their arguments, nor ever will: text, and what is made of text alone."""

MUTATING_METHODS = frozenset(
    {
        "append", "extend", "insert", "add", "update", "pop", "popitem", "popleft", "appendleft", "extendleft", "remove", "discard",
        "clear",
        "sort", "reverse", "setdefault", "rotate", "put", "put_nowait", "get_nowait", "write", "writelines", "writerow", "writerows",
        "writeheader", "__setitem__", "__delitem__",
        "__setattr__", "__delattr__", "add_message", "add_messages", "add_user_message", "add_ai_message", "intersection_update",
        "difference_update", "symmetric_difference_update", "subtract", "move_to_end", "fill", "resize", "drop_duplicates", "set",
    }
)  # fmt: skip

WRITE_ONLY_METHODS = frozenset(
    {
        "append", "extend", "insert", "add", "update", "appendleft", "extendleft", "discard", "clear", "setdefault", "put", "put_nowait",
        "write", "writelines", "writerow", "writerows", "writeheader", "__setitem__",
    }
)  # fmt: skip
"""Those that tell nothing of what was there before, as long as nobody looks at the result."""

PLAIN_METHODS = frozenset(
    {
        "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold", "swapcase", "split", "rsplit", "splitlines",
        "join",
        "format", "format_map", "replace", "startswith", "endswith", "find", "rfind", "rindex", "encode", "decode", "isdigit", "isalpha",
        "isalnum", "isnumeric", "isspace", "isupper", "islower", "isdecimal", "isidentifier", "partition", "rpartition", "removeprefix",
        "removesuffix", "zfill", "center", "ljust", "rjust", "count", "index", "expandtabs", "translate", "hex", "isoformat", "strftime",
        "timestamp", "total_seconds", "bit_length", "is_integer", "model_dump_json", "json", "to_json", "pretty_repr", "issubset",
        "issuperset",
        "isdisjoint", "tolist", "item", "to_string", "__len__", "__contains__", "__str__", "__repr__", "search", "match", "fullmatch",
        "group",
        "groups", "groupdict", "findall", "finditer", "sub", "subn", "text", "findtext", "itertext", "toxml", "toprettyxml",
        "getAttribute", "hexdigest", "ratio", "quick_ratio", "get_opcodes", "get_matching_blocks", "substitute", "safe_substitute",
        "quantize", "to_integral_value",
    }
)  # fmt: skip
"""Methods, whoever has them, that change nothing and whose result holds nothing of the object."""

LOOKING_METHODS = PLAIN_METHODS | frozenset(
    {
        "get", "items", "keys", "values", "copy", "union", "intersection", "difference", "symmetric_difference", "most_common", "elements",
        "model_dump", "model_copy", "dict", "_asdict", "_replace", "__getitem__", "__iter__", "__getattribute__", "to_messages", "mean",
        "sum", "max", "min", "astype", "reshape", "to_dict", "head", "iterrows", "itertuples", "qsize", "empty", "full", "result", "done",
        "iter", "iterfind", "getroot", "getElementsByTagName", "raw_decode",
    }
)  # fmt: skip
"""Methods, whoever has them, that change nothing."""

RUNNING_METHODS = frozenset(
    {
        "invoke", "ainvoke", "stream", "astream", "batch", "abatch", "batch_as_completed", "abatch_as_completed", "transform", "atransform",
        "astream_events", "astream_log", "run", "arun", "__call__", "_call", "generate", "agenerate", "predict", "apredict", "_run",
        "_arun",
        "stream_events",
    }
)  # fmt: skip

COMPOSING_METHODS = frozenset(
    {
        "bind", "bind_tools", "with_config", "with_structured_output", "with_retry", "with_fallbacks", "with_types", "with_listeners",
        "with_alisteners", "pipe", "assign", "pick", "map", "as_tool", "configurable_fields", "configurable_alternatives", "partial",
    }
)  # fmt: skip

HANDING_METHODS = frozenset({"to_thread", "submit", "run_in_executor", "create_task", "map", "ensure_future", "start_soon"})
"""Methods, whoever has them, that run the function or coroutine they are given, somewhere else."""

SEARCHING = ("similarity_search", "asimilarity_search", "max_marginal", "amax_marginal", "get_by_ids", "aget_by_ids", "search", "asearch")
"""How the names of a vector store's methods begin that only look."""

ASKING_METHODS = frozenset({"create", "acreate", "parse", "get", "head", "options", "complete", "acomplete", "embed", "generate", "stream",
                            "generate_content", "generate_content_async", "count_tokens", "chat", "search", "with_options"})  # fmt: skip
DOING_RESOURCES = frozenset(
    {"files", "threads", "batches", "fine_tuning", "vector_stores", "uploads", "containers", "conversations", "assistants"}
)
"""Parts of an API client that keep something on the server."""

IDS = IDENTITY_WORDS | AMBIGUOUS_IDENTITY_WORDS
"""Names under which the run's config holds ids of the task."""


class Known(NamedTuple):
    """How a known callable behaves.

    Args:
        effects: How far it reaches.
        changes: It changes its arguments in place.
        fresh: Its result holds nothing of its arguments.
    """

    effects: Effects
    changes: bool = False
    fresh: bool = False


def known_function(function: object) -> Known | None:
    """How a library's function or class behaves; None if no table has it."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None) or ""
    cls = function.__objclass__ if isinstance(function, ClassMethodDescriptorType) else getattr(function, "__self__", None)
    if isinstance(cls, type):
        method = f"{cls.__module__}.{cls.__qualname__}.{getattr(function, '__name__', '')}"
        return Known(Effects.PURE) if method in PURE_CLASS_METHODS else None
    if module is None or not isinstance(module, str):
        owner = getattr(getattr(function, "__self__", None), "__class__", None) or getattr(function, "__objclass__", None)
        module = getattr(owner, "__module__", None) or ""
    full = f"{module}.{name}"
    if module == "builtins":
        return Known(Effects.PURE, fresh=name in FRESH_RESULTS) if name in PURE_BUILTINS else None
    if full in CHANGING:
        return Known(Effects.PURE, changes=True)
    if full in PURE_FUNCTIONS or module in PURE_MODULES or _within(module, PURE_PACKAGES):
        return Known(Effects.PURE, fresh=full in FRESH_FUNCTIONS)
    if full in ASKING_FUNCTIONS or _within(module, ASKING_PACKAGES):
        return Known(Effects.IDEMPOTENT, fresh=True)
    return None


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == p or module.startswith(p + ".") for p in packages)
