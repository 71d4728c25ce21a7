"""Every name that a trace may carry: spans, attributes, events, metrics, each with its source and how settled it is.

The strings of the GenAI conventions are copied here, as their Python constants are marked deprecated since the conventions have a
repository of their own (https://github.com/open-telemetry/semantic-conventions-genai).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai/1.42.0"
SCOPE = "alto_langgraph"
"""Name of the instrumentation scope."""

Source = Literal["otel", "gen_ai", "openinference", "langfuse", "langsmith", "alto"]
"""Who defines a name: OpenTelemetry's general conventions, its GenAI conventions, a viewer's own, or alto."""
Stability = Literal["stable", "development", "viewer"]
"""As the source says; `viewer`: what that viewer reads today."""
On = Literal["run", "fragment", "chat", "embeddings", "retrieval", "tool", "link", "event", "resource", "metric"]


class Name(NamedTuple):
    """One row of the table.

    Args:
        name: As it stands in the trace.
        type: Of its value: `string`, `int`, `double` (times are in seconds), `boolean`, or a list of one of these (`string[]`).
        on: The spans that may carry it, or `link`, `event`.
        source: Who defines it.
        stability: How settled it is.
        means: What it says.
    """

    name: str
    type: str
    on: tuple[On, ...]
    source: Source
    stability: Stability
    means: str


TABLE: dict[str, Name] = {}
"""All attributes by name."""


def _own(name: str, type: str, on: str, means: str) -> str:
    return _row(name, type, on, "alto", "development", means)


def _gen_ai(name: str, type: str, on: str, means: str) -> str:
    return _row(f"gen_ai.{name}", type, on, "gen_ai", "development", means)


def _row(name: str, type: str, on: str, source: Source, stability: Stability, means: str) -> str:
    TABLE[name] = Name(name, type, tuple(on.split()), source, stability, means)  # type: ignore[arg-type]
    return name


# ---- names of spans; each starts with its operation

RUN_SPAN = "invoke_workflow"
"""`invoke_workflow {graph}`, INTERNAL: a run of a graph; of a graph inside another, below the fragment that runs it."""
FRAGMENT_SPAN = "fragment"
"""`fragment {node}`, INTERNAL: one run of a node. A task that was squashed and runs again has several."""
CHAT_SPAN, EMBEDDINGS_SPAN = "chat", "embeddings"
"""`chat {model}` and `embeddings {model}`, CLIENT."""
COMPLETION_SPAN = "text_completion"
"""`text_completion {model}`, CLIENT: a model that isn't a chat model."""
RETRIEVAL_SPAN, TOOL_SPAN = "retrieval", "execute_tool"
"""`retrieval {data source}`, CLIENT, and `execute_tool {tool}`, INTERNAL."""

# ---- a task, in alto's words

TAG = _own(
    "alto.tag",
    "string",
    "fragment",
    "the task, within the run of its graph: `pages[2]/note[0]`; one run has several spans of a tag only if earlier ones were squashed",
)
TAG_DEPTH = _own("alto.tag.depth", "int", "fragment", "levels of the tag")
TAG_INDEX = _own("alto.tag.index", "int", "fragment", "the last index of the tag: the place among its producer's Sends, or the superstep")
TAG_COUNT = _own("alto.tag.count", "int", "fragment", "how many Sends its producer has sent; absent for what edges trigger")
NODE = _own("alto.node", "string", "fragment", "the node")
STEP = _own("alto.step", "int", "fragment", "the superstep that commits it")
NAMESPACE = _own("alto.namespace", "string", "run fragment", "nodes that run the graph, outermost first, joined by `/`; absent at the root")
GRAPH = _own("alto.graph", "string", "run", "the graph's name")
INPUTS = _own("alto.inputs", "string[]", "fragment", "tags of the tasks whose results it needs, as links don't show in every viewer")
ISSUE = _own(
    "alto.issue", "string", "fragment", "`in_order`, `ahead` (of its superstep) or `speculative` (ahead, and might not have been wanted)"
)
OUTCOME = _own(
    "alto.outcome",
    "string",
    "run fragment",
    "`committed`, `squashed`, `failed`, `cached` (not run: the node's cache had it), "
    "`interrupted` or `cancelled`; of a run `completed`, `failed`, `interrupted` or `cancelled`",
)
REASON = _own("alto.squash.reason", "string", "fragment", "why it was thrown away")
QUEUED = _own(
    "alto.time.queued", "double", "fragment", "seconds from when it was issued until its node began: for a thread or `max_concurrency`"
)
RAN = _own("alto.time.run", "double", "fragment", "seconds that its node ran: the length of the span")
HELD = _own("alto.time.held", "double", "fragment", "seconds from the node's end until the loop took what it came to")
ATTEMPT = _own("alto.attempt", "int", "fragment event", "attempts that it took, by its retry policy; absent for one")
KEPT_BACK = _own("alto.kept_back", "string", "fragment", "of a task in order: what keeps its node from starting earlier, as `explain` says")
CHECKPOINT = _own(
    "alto.checkpoint.id", "string", "fragment", "the checkpoint that its superstep started from; absent without a checkpointer"
)
EFFECTS = _own("alto.effects", "string", "fragment", "`pure`, `idempotent`, `unknown` or `external`: declared, or as the code tells")
CALLS_IN_VAIN = _own("alto.in_vain.calls", "int", "run fragment", "model calls of what was squashed")
TOKENS_IN_VAIN = _own("alto.in_vain.tokens", "int", "run fragment", "tokens that these were answered")

# ---- a run

WINDOW = _own("alto.window", "int", "run", "the option `window`")
CONCURRENCY = _own("alto.max_concurrency", "int", "run", "LangGraph's `max_concurrency`, if one was given")
ENGINE = _own(
    "alto.time.engine", "double", "run", "seconds in which none of its nodes ran: LangGraph's loop, what alto adds, checkpoints and waiting"
)
FRAGMENTS = _own("alto.fragments", "int", "run", "fragments that ran, those squashed included")
AHEAD = _own("alto.fragments.ahead", "int", "run", "those started before their superstep")
SQUASHED = _own("alto.fragments.squashed", "int", "run", "those thrown away")

# ---- links

LINK = _own(
    "alto.link",
    "string",
    "link",
    "`input`: what it is made of; `level`: its parent, which opened the level that it reduces; `again`: the "
    "squashed run of the same task; `served`: a fragment that a batch serves",
)
LINK_TAG = _own("alto.link.tag", "string", "link", "the tag of the fragment that is linked to")

# ---- events

COMMITTED = "alto.committed"
"""LangGraph's loop has taken what a fragment came to; often later than the span's end."""
SQUASHED_EVENT = "alto.squashed"
"""It was thrown away."""
RETRIED = "alto.retried"
"""An attempt has failed, and the retry policy allows another."""
INTERRUPTED = "alto.interrupted"
"""The node waits for somebody (`interrupt()`), or the run stops at a breakpoint."""
RESUMED = "alto.resumed"
"""The run goes on from a checkpoint."""
FIRST_CHUNK = "gen_ai.first_chunk"
"""A model's first piece of an answer is here."""
EXCEPTION = "exception"
"""OpenTelemetry's own event; stable."""

EXCEPTION_TYPE = _row("exception.type", "string", "event", "otel", "stable", "class of the exception")
EXCEPTION_MESSAGE = _row("exception.message", "string", "event", "otel", "stable", "its text; only where content is captured")
ERROR_TYPE = _row(
    "error.type", "string", "run fragment chat embeddings retrieval tool", "otel", "stable", "class of the exception that ended it"
)

# ---- whom it is about

SERVICE = _row("service.name", "string", "resource", "otel", "stable", "`OTEL_SERVICE_NAME`, else `alto-langgraph`")
SESSION = _row("session.id", "string", "run", "otel", "development", "the run's `thread_id`")
THREAD = _gen_ai("conversation.id", "string", "run chat", "the run's `thread_id`")

# ---- calls

OPERATION = _gen_ai(
    "operation.name",
    "string",
    "run chat embeddings retrieval tool",
    "`invoke_workflow`, `chat`, `text_completion`, `embeddings`, `retrieval` or `execute_tool`",
)
WORKFLOW = _gen_ai("workflow.name", "string", "run", "the graph's name (conventions up to 1.42)")
AGENT = _gen_ai("agent.name", "string", "run", "the graph's name (conventions that put workflows with agents)")
PROVIDER = _gen_ai("provider.name", "string", "chat embeddings", "who serves the model: `openai`, `anthropic`, `vllm`")
MODEL = _gen_ai("request.model", "string", "chat embeddings", "the model that was asked for")
TEMPERATURE = _gen_ai("request.temperature", "double", "chat", "as asked for")
MAX_TOKENS = _gen_ai("request.max_tokens", "int", "chat", "as asked for")
STREAM = _gen_ai("request.stream", "boolean", "chat", "the answer came in pieces")
ANSWERED_BY = _gen_ai("response.model", "string", "chat", "the model that answered")
RESPONSE_ID = _gen_ai("response.id", "string", "chat", "as the server gave it")
FINISH_REASONS = _gen_ai("response.finish_reasons", "string[]", "chat", "why the answer ends")
FIRST_CHUNK_AFTER = _gen_ai("response.time_to_first_chunk", "double", "chat", "seconds until the first piece")
INPUT_TOKENS = _gen_ai("usage.input_tokens", "int", "chat embeddings", "tokens that the model was given")
OUTPUT_TOKENS = _gen_ai("usage.output_tokens", "int", "chat", "tokens that it answered")
CACHED_TOKENS = _gen_ai("usage.cache_read.input_tokens", "int", "chat", "those of its input that the server had in its cache")
TOOL = _gen_ai("tool.name", "string", "tool", "the tool")
TOOL_TYPE = _gen_ai("tool.type", "string", "tool", "`function`")
TOOL_CALL = _gen_ai("tool.call.id", "string", "tool", "the model's id of the call")
DATA_SOURCE = _gen_ai("data_source.id", "string", "retrieval", "the retriever's name")
DOCUMENTS = _own("alto.documents", "int", "retrieval", "how many documents it found")
INPUT_MESSAGES = _gen_ai("input.messages", "string", "chat", "what the model was given, as JSON; only where content is captured")
OUTPUT_MESSAGES = _gen_ai("output.messages", "string", "chat", "what it answered, as JSON; only where content is captured")
TOOL_ARGUMENTS = _gen_ai("tool.call.arguments", "string", "tool", "only where content is captured")
TOOL_RESULT = _gen_ai("tool.call.result", "string", "tool", "only where content is captured")
QUERY = _gen_ai("retrieval.query.text", "string", "retrieval", "only where content is captured")
BATCH = _own("alto.batch.size", "int", "chat embeddings retrieval", "how many requests were answered together")

# ---- what viewers need to draw the graph rightly

KIND = _row(
    "openinference.span.kind", "string", "run fragment", "openinference", "viewer", "`CHAIN`: Phoenix knows no other kind for these"
)
LANGFUSE_NODE = _row(
    "langfuse.observation.metadata.langgraph_node", "string", "fragment", "langfuse", "viewer", "the node, for its graph view"
)
LANGFUSE_STEP = _row(
    "langfuse.observation.metadata.langgraph_step", "int", "fragment", "langfuse", "viewer", "the superstep, for its graph view"
)
LANGSMITH_KIND = _row("langsmith.span.kind", "string", "run fragment", "langsmith", "viewer", "`chain`")
LANGSMITH_NODE = _row("langsmith.metadata.langgraph_node", "string", "fragment", "langsmith", "viewer", "the node")
LANGSMITH_STEP = _row("langsmith.metadata.langgraph_step", "int", "fragment", "langsmith", "viewer", "the superstep")
