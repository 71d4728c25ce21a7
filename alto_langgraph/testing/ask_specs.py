"""Describes, as a printable value, how a random graph's node asks a model that streams, and what it does with the parts of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AnswerForm = Literal["lines", "sentences", "numbered", "sections", "json", "xml", "tags", "parser", "structured", "tools"]
"""What the answer is: text in lines, sentences, a numbered list, markdown sections, JSON or XML (parsed, or its tags found wherever they
are); JSON that LangChain's parser reads; an object of a pydantic class; tool calls."""

AskedBy = Literal["invoke", "stream", "lcel", "pieces", "node"]
"""How the model is asked: for its whole answer, for its chunks, as a part of a chain, for what a chain makes of its chunks, by a chain that
the node is the end of."""

Streams = Literal["", "yes", "no"]
"""What the node's metadata says of running it again on parts of an answer."""

Asks = Literal["once", "in a row", "at once", "chained"]
"""How many answers there are: one; two, the second one asked for after the first, or beside it; one whose prompt another answer made."""

Payload = Literal["text", "dict", "state", "nested", "dataclass", "pydantic", "alias"]
"""What is sent of a part: itself, a dict, a dict that has state in it, a dict of lists and objects, an object, what the state holds too."""

Which = Literal["all", "all but the last", "last"]
"""Of which parts of an answer."""

Trap = Literal[
    "sorted",
    "reversed",
    "distinct",
    "halved",
    "numbered",
    "marker",
    "whole",
    "raises",
    "breaks",
    "silent",
    "mutates",
    "counts first",
    "counts last",
]
"""Why what the first parts say isn't what the whole answer says, or why the node isn't to be run twice: it sorts, reverses, dedups, or
drops parts, numbers them "i of n", sends them only where the answer has a marker, makes everything else depend on the whole answer, fails
at its end; the model fails on the way, or doesn't stream; the node changes its own input, or something outside of the state."""

TRAPS_THAT_COUNT: frozenset[Trap] = frozenset({"counts first", "counts last"})


@dataclass(frozen=True)
class Ask:
    """A question to a model, put by a node.

    Args:
        form: What the answer is.
        by: How the model is asked.
        times: How many answers there are.
        bound: Whether the runnable that is asked is made once, outside of the node.
        key: State key to which the parts of the answer are written; "" for none.
        alias: Whether the parts are mutable objects.
        streams: What its metadata says; "yes" only counts where that is true.
        traps: What keeps the first parts from being final.
    """

    form: AnswerForm = "lines"
    by: AskedBy = "invoke"
    times: Asks = "once"
    bound: bool = False
    key: str = ""
    alias: bool = False
    streams: Streams = ""
    traps: tuple[Trap, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the node does something outside of the state that shows how often it ran."""
        return bool(TRAPS_THAT_COUNT & {*self.traps})
