"""Real vLLM servers of a small model, as processes; and the engine's own counters."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENFORCE_STRICT_TOOL_CALLING": "0",  # of a tool call's white space nothing else keeps a model of random weights
    "OMP_NUM_THREADS": "1",  # of several engines on few cores each one would take all of them
}
ARGUMENTS: dict[str, Any] = {
    "enforce_eager": True,
    "dtype": "float32",  # in 16 bits the size of a batch decides many near ties of a model of random weights
    "max_num_seqs": 32,
    "max_model_len": 2_048,
    "scheduling_policy": "priority",
    "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
    "enable_auto_tool_choice": True,
    "tool_call_parser": "hermes",
    "enable_prompt_tokens_details": True,
    "block_size": 32,
}


class Replica:
    """A vLLM server, from `start` to `stop` or `kill`; it can be started again on the same port."""

    def __init__(self, model: Path, log: Path, **arguments: Any) -> None:
        self.model, self.log, self._arguments = model, log, {**ARGUMENTS, **arguments}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Begins to start; `ready` waits for the end of that."""
        flags = [word for key, value in self._arguments.items() for word in _flag(key, value)]
        command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(self.model), "--served-model-name", "tiny"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self._port), *flags],
                env={**os.environ, **ENVIRONMENT, "VLLM_ENABLE_V1_MULTIPROCESSING": "0"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ready(self, seconds: float = 300) -> None:
        """Waits until it answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()[-3_000:]
            try:
                with urlopen(self.url.replace("/v1", "/health"), timeout=5):
                    return
            except (URLError, OSError):
                time.sleep(0.2)
        raise TimeoutError(f"no server after {seconds:g} s; {self.log} says why")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, its engine with it, in the middle of whatever it does."""
        if self._process is not None:
            os.killpg(self._process.pid, how)
            self._process.wait(timeout=60)
            self._process = None

    def pause(self) -> None:
        """It hangs, until `go_on`."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def figures(self) -> Mapping[str, float]:
        """The engine's counters, summed over labels."""
        with urlopen(self.url.replace("/v1", "/metrics"), timeout=30) as response:
            return figures(response.read().decode())


def figures(text: str) -> Mapping[str, float]:
    """Prometheus' text, summed over labels; `name{finished_reason="abort"}` is kept as `name:abort`, too."""
    found: dict[str, float] = {}
    for name, labels, value in re.findall(r"^(vllm:\w+)(\{[^}]*\})? ([-0-9.e+]+)$", text, re.MULTILINE):
        reason = re.search(r'finished_reason="(\w+)"', labels)
        for key in (name, *([f"{name}:{reason[1]}"] if reason else [])):
            found[key] = found.get(key, 0.0) + float(value)
    return found


def _flag(key: str, value: Any) -> list[str]:
    flag = f"--{key.replace('_', '-')}"
    if value is True:
        return [flag]
    return [flag, json.dumps(value) if isinstance(value, dict) else str(value)]
