"""Writes a described node as Python source: its function, what is given to `add_node`, and its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from alto_langgraph.testing.ask_specs import TRAPS_THAT_COUNT
from alto_langgraph.testing.asking_source import OPENED, asking, chain, items, payload
from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out
from alto_langgraph.testing.state_source import State, given
from alto_langgraph.testing.supersteps import outs_of, routers

HELPERS = """\
shared = []

def remember(n):
    shared.append(n % 97)

def recalled():
    return shared
"""
CHROMA = """\
from alto_langgraph.testing.chroma import opened_collection

shared = opened_collection()
"""
SHARED = {
    "list": ("shared = []", "shared.append(n % 97)", "shared"),
    "dict": ("shared = {}", "shared[n % 97] = n", "shared"),
    "object": ("shared = SimpleNamespace(seen=[])", "shared.seen.append(n % 97)", "shared.seen"),
    "helper": (HELPERS, "remember(n)", "recalled()"),
    "default": ("shared = []", "shared.append(n % 97)", "shared"),
    "chroma": (
        CHROMA,
        "shared.upsert(ids=[f'{n % 97}'], embeddings=[[n % 97, 1.0]])",
        "shared.query(query_embeddings=[[n % 97 + 0.25, 1.0]], n_results=97)['ids'][0]",  # no two are equally near
    ),
}
"""The object that nodes share past the state: how it is made, changed and read."""


def function(node: Node, graph: Graph) -> Iterator[str]:
    """The node's function, and what it needs."""
    state = State(graph)
    if state.narrow(node):
        yield from state.narrow_source(node)
    name = "__call__" if node.form == "object" else node.name
    if node.ask and is_chain(node):
        yield from chain(node, node.ask, _number(node, state))
    bound = ["self"] if node.form in ("object", "method") else []
    kind = "async def" if node.coroutine else "def"
    body = [f"{kind} {name}({', '.join([*bound, *_parameters(node, graph)])}):", *(f"    {line}" for line in _body(node, state))]
    yield from [f"class {node.name}_node:", *indent("\n".join(body), "    ").splitlines()] if bound else body


def action(node: Node) -> str:
    """The expression that is given to `add_node`."""
    if node.child and not node.called:
        return f"{node.name}_child"
    forms = {
        "partial": f"partial({node.name}, salt=5)",
        "object": f"{node.name}_node()",
        "method": f"{node.name}_node().{node.name}",
        "wrapped": f"logged({node.name})",
    }
    if is_chain(node):
        return f"{node.name}_asking | RunnableLambda({node.name})"
    if node.form == "runnable" and not _injected(node):
        return f"RunnableLambda({node.name})"
    return forms.get(node.form, node.name)


def is_chain(node: Node) -> bool:
    """Whether the node is a chain that asks, and ends with its function."""
    chains = node.ask and node.ask.by == "node" and node.ask.times == "once" and node.form in ("function", "runnable")
    return bool(chains) and not (node.looks or node.timeout or _injected(node))


def metadata(node: Node, state: State) -> str:
    """The node's metadata, as far as what it declares is true; "" for none."""
    pure = "idempotent" if node.ask else "pure"
    effects = {"effects": "idempotent", "idempotent": "idempotent", "pure": pure, "external": "external"}.get(node.declared)
    changes = node.box == "change" or node.takes == "change" or (node.ask and {"mutates", *TRAPS_THAT_COUNT} & {*node.ask.traps})
    honest = not (node.shared or node.store or changes or node.child)
    hints = []
    if node.declared in ("keys", "idempotent", "pure") and not (node.child and not node.called):
        writes = state.keys if node.returns == "object" else state.written(node)
        hints += [f"'reads': {sorted(state.touched(node))}", f"'writes': {sorted(writes)}"]
    if effects == "external" or (effects and honest):
        hints.append(f"'effects': {effects!r}")
    if node.ask and (node.ask.streams == "no" or (node.ask.streams and honest)):
        hints.append(f"'streams': {node.ask.streams == 'yes'}")
    return f"metadata={{{', '.join(hints)}}}" if hints else ""


def options(choice: Choice, state: State, name: str, narrow: bool = False) -> Iterator[str]:
    """Statements that leave in `outs` where to go."""
    node = state.node(name)
    reads = node.reads if node else choice.reads
    if len(choice.options) == 1:
        yield from _option(choice.options[0], state, name, reads, narrow)
        return
    for place, option in enumerate(choice.options):
        yield f"{'el' if place else ''}if n % {len(choice.options)} == {place}:" if place + 1 < len(choice.options) else "else:"
        yield from indent("\n".join(_option(option, state, name, reads, narrow)), "    ").splitlines()


def target(name: str) -> str:
    """The expression for a node's name."""
    return "END" if name == "END" else repr(name)


def _option(option: tuple[Out, ...], state: State, name: str, reads: tuple[str, ...], narrow: bool) -> Iterator[str]:
    plain = [target(out.to) for out in option if out.spread is None and not out.turns]
    yield f"outs = [{', '.join(plain)}]"
    for out in option:
        if out.turns:
            yield f"if {state.read(name, 'turn', default=str(out.turns), narrow=narrow)} < {out.turns}:"
            yield f"    outs.append({target(out.to)})"
        elif out.of and (parts := items(out, state, name, narrow)):
            yield f"outs += [Send({out.to!r}, {payload(out, state, name, reads, narrow)}) for part in {parts}]"
        elif out.spread is not None:
            box = ", 'box': box" if out.box else ""
            if out.box:
                yield f"box = {state.read(name, 'box', default=f'{state.graph.box}()', narrow=narrow)}"
            count = f"{out.least} + n % {out.spread + 1}" if out.spread else f"{out.least}"
            yield f"outs += [Send({out.to!r}, {{'seed': n % 1009 + i{box}}}) for i in range({count})]"


def _injected(node: Node) -> list[str]:
    """Parameters that LangGraph gives a value by their type."""
    called = node.asking == "call"
    own = node.asking == "parameter"
    wanted = {
        "runtime: Runtime": node.tries > 1 or (not called and ("context" in node.looks or (not own and (node.store or node.says)))),
        "store: BaseStore": own and node.store,
        "writer: StreamWriter": own and node.says,
    }
    return [text for text, needed in wanted.items() if needed]


def _parameters(node: Node, graph: Graph) -> list[str]:
    looks = node.asking != "call" and {"step", "triggers", "path", "user"} & {*node.looks}
    return [
        "state",
        *(["config: RunnableConfig"] if looks else []),
        *_injected(node),
        *(["shared=shared"] if node.shared and graph.hides == "default" else []),
        *(["*", "salt"] if node.form == "partial" else []),
    ]


def _body(node: Node, state: State) -> Iterator[str]:
    writer = {"runtime": "runtime.stream_writer", "parameter": "writer", "call": "get_stream_writer()"}[node.asking]
    if is_chain(node):
        yield "state, answer = state['given'], state['answer']"
    yield from _number(node, state)
    yield from asking(node, writer, is_chain(node))
    if node.pause:
        yield f"{'await apause' if node.coroutine else 'pause'}(n % {node.pause + 1}, {node.name!r})"
    if node.error:
        retried = f" and runtime.execution_info.node_attempt < {node.tries}" if node.tries > 1 else ""
        yield f"if n % {node.error} == 0{retried}:"
        yield f"    raise Boom('{node.name} failed')" if node.tries == 1 else f"    raise ConnectionError('{node.name} failed')"
    if node.asks:
        yield f"if n % {node.asks} == 0:"
        yield f"    n = number(n, interrupt(f'{node.name} asks {{n % 97}}'))"
    yield from _shared_objects(node, state)
    if node.says:
        yield f"{writer}(f'{node.name} says {{n % 97}}')"
    if node.child and node.called:
        call = f"await {node.name}_child.ainvoke" if node.coroutine else f"{node.name}_child.invoke"
        yield f"inner = {call}({{'seed': n % 101, 'box': {node.child.box}(){given(node.child.keys, 'n')}}})"
        yield "n = number(n, inner.get('log'))"
    yield from _result(node, state)


def _number(node: Node, state: State) -> Iterator[str]:
    """The statements that leave in `n` what the node is given."""
    if any(out.to == node.name and out.of and out.payload in OPENED for out in outs_of(routers(state.graph))):
        yield "state = opened(state)"
    yield from state.numbered(node.name, node, state.narrow(node))


def _shared_objects(node: Node, state: State) -> Iterator[str]:
    """What the node does to objects that others hold too."""
    store = {"runtime": "runtime.store", "parameter": "store", "call": "get_store()"}[node.asking]
    seen = "list" if state.graph.ordered else "sorted"
    _, changed, read = SHARED[state.graph.hides]
    box = state.read(node.name, "box", default=f"{state.graph.box}()", narrow=state.narrow(node))
    if node.store == "change":
        yield f"{store}.put(('notes',), f'{node.name}:{{n}}', {{'n': n}})"
    if node.store == "read":
        yield f"n = number(n, sorted(item.key for item in {store}.search(('notes',), limit=10_000)))"
    if node.shared:
        yield changed if node.shared == "change" else f"n = number(n, {seen}({read}))"
    if node.takes == "change":
        yield "value(state, 'marks_grown', []).append(n % 97)"
    if node.box == "change":
        yield {"list": f"{box}.append(n % 97)", "dict": f"{box}[n % 97] = n", "Pile": f"{box}.add(n % 97)"}[state.graph.box]
    if node.box == "read":
        yield f"n = number(n, {seen}({box}{'.items' if state.graph.box == 'Pile' else ''}))"


def _result(node: Node, state: State) -> Iterator[str]:
    """The statements that return."""
    lines, update = _update(node, state)
    yield from lines
    if node.parent:
        yield f"return Command(graph=Command.PARENT, update={update}, goto={node.parent!r})"
    elif node.command:
        yield from options(node.command, state, node.name, state.narrow(node))
        yield f"return Command(update={update}, goto=outs)"
    elif node.returns == "list" and state.written(node):
        yield f"return [Command(update={update}), {{}}]"
    elif node.returns == "pairs":
        yield f"return Command(update={update})"
    else:
        yield f"return {update}{' or None' if update == 'update' else ''}"


def _update(node: Node, state: State) -> tuple[list[str], str]:
    """Statements, and the expression that is then the node's update."""
    entries = {key: state.value(node, key) for key in state.written(node)}
    sure = {key: text for key, text in entries.items() if key not in node.maybe}
    perhaps = {key: text for key, text in entries.items() if key in node.maybe}
    match node.returns:
        case "object" if state.graph.state != "typed":
            return [f"update = {_display(sure)}", *_added(perhaps)], "Keys(**update)"
        case "helper":
            return [], f"packed({', '.join([*_named(sure), *([f'**({_display(perhaps)} if n % 2 else {{}})'] if perhaps else [])])})"
        case "merged":
            return [], f"{_display(sure)} | ({_display(perhaps)} if n % 2 else {{}})" if perhaps else _display(sure)
        case "pairs" if not node.parent:
            return [f"update = {_display(sure)}", *_added(perhaps)] if perhaps else [], "[*update.items()]" if perhaps else _pairs(sure)
        case "call" if not perhaps:
            return [], f"dict({', '.join(_named(sure))})"
        case "grown":
            return ["update = {}", *(f"update[{key!r}] = {text}" for key, text in sure.items()), *_added(perhaps)], "update"
        case _ if perhaps:
            return [f"update = {_display(sure)}", *_added(perhaps)], "update"
    return [], _display(sure)


def _added(perhaps: dict[str, str]) -> list[str]:
    return ["if n % 2:", *(f"    update[{key!r}] = {text}" for key, text in perhaps.items())] if perhaps else []


def _named(entries: dict[str, str]) -> list[str]:
    return [f"{key}={text}" for key, text in entries.items()]


def _display(entries: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key!r}: {text}" for key, text in entries.items()) + "}"


def _pairs(entries: dict[str, str]) -> str:
    return "[" + ", ".join(f"({key!r}, {text})" for key, text in entries.items()) + "]"
