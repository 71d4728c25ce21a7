"""Traces in files, for a look without a server: a line of OTLP JSON for each batch of spans."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from alto_langgraph.tracing.encoding import line

DIRECTORY = Path(".alto") / "traces"
LARGEST = 256 * 2**20
"""Bytes after which a file is left and another one begun."""


class FileExporter(SpanExporter):
    """Writes spans to files of their own: one for each process, named by when it began.

    Args:
        directory: Where to. It is made when there is something to write.
        largest: Bytes after which another file is begun.
    """

    def __init__(self, directory: Path, largest: int = LARGEST) -> None:
        self._directory, self._largest = directory, largest
        self._file: int | None = None
        self._size = self._number = 0
        self._pid = os.getpid()

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """Appends a line, all of it or nothing.

        Raises:
            OSError: there is no room, or the directory isn't there or can't be written to.
        """
        text = line(spans)
        file = self._opened()
        try:
            written = os.write(file, text)
            while written < len(text):
                written += os.write(file, memoryview(text)[written:])
        except OSError:
            os.ftruncate(file, self._size)
            os.lseek(file, self._size, os.SEEK_SET)
            raise
        self._size += len(text)
        return SpanExportResult.SUCCESS

    def _opened(self) -> int:
        if self._file is not None and (self._pid != os.getpid() or self._size >= self._largest):
            self.shutdown()
        if self._file is None:
            self._directory = self._directory.absolute()  # not sooner: an event loop may be what sets tracing up
            self._directory.mkdir(parents=True, exist_ok=True)
            self._pid, self._size = os.getpid(), 0
            self._file = self._new()
        return self._file

    def _new(self) -> int:
        """A file that nobody else writes to; its name has nothing in it that an app could choose."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
        while True:
            self._number += 1
            name = f"{stamp}-{self._pid}-{self._number}.jsonl"
            try:
                return os.open(self._directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                continue

    def shutdown(self) -> None:
        """Leaves the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """What was exported has been written."""
        return True
