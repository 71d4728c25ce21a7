"""A real Chroma server in a process of its own, and a proxy before it that can be told to misbehave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class ChromaServer:
    """`chroma run`, which can be stopped, and started again on the same data and port."""

    def __init__(self, path: Path) -> None:
        self.path, self.port = path, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen([*command, "--path", str(self.path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/api/v2/heartbeat", timeout=5).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError("Chroma's server doesn't start.")

    def kill(self) -> None:
        """At once, as when a machine dies."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Its connections stay open, and nothing comes from it."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)


@contextmanager
def running(path: Path) -> Iterator[ChromaServer]:
    server = ChromaServer(path)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Proxy:
    """Hands everything on to a server but what goes to `/query` (or another `place`), while it has other answers for that.

    Args:
        port: The server's.
    """

    def __init__(self, port: int) -> None:
        self.target, self.place = f"http://127.0.0.1:{port}", "/query"
        self.answers: list[tuple[int, bytes] | None] = []
        """For the next requests there: a status and a body, or None to break the connection off; then the server's own."""
        self.seen: list[bytes] = []
        """Bodies of the requests there."""
        self._client = httpx.Client(timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path.endswith(proxy.place):
                    proxy.seen.append(body)
                    if proxy.answers:
                        answer = proxy.answers.pop(0)
                        if answer is None:
                            self.connection.shutdown(socket.SHUT_RDWR)
                            self.close_connection = True
                            return
                        return self.say(*answer)
                headers = {"content-type": "application/json"}
                found = proxy._client.request(self.command, proxy.target + self.path, content=body, headers=headers)
                return self.say(found.status_code, found.content)

            def say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

            do_GET = do_POST = do_PUT = do_DELETE = answer

        return Handler

    @contextmanager
    def open(self) -> Iterator[Proxy]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._client.close()
            thread.join()
