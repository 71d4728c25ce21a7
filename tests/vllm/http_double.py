"""A server on a real socket that answers as it is told, well or badly; and what chat models need around it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request: its body, and ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: Double
    body: dict[str, Any]

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        double = self.server
        with double.lock:
            answer = double.answers.pop(0) if double.answers else double.otherwise
            double.asked.append(copy(self))  # one handler serves all requests of a connection
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            double.left.set()

    def do_GET(self) -> None:
        self.say(200, "vllm:num_requests_running 2.0\nvllm:num_requests_waiting 1.0\n" if self.path == "/metrics" else "{}")

    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def begin(self) -> None:
        """A stream of events, which ends with the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Double(ThreadingHTTPServer):
    """Gives `answers` in turn, then `otherwise` to all further requests."""

    daemon_threads = True
    request_queue_size = 1_024

    def __init__(self, *answers: Answer, otherwise: Answer | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers, self.otherwise = [*answers], otherwise or saying("one two three")
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self.left = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.left.set()  # who asked has gone


@contextmanager
def serve(*answers: Answer, otherwise: Answer | None = None) -> Iterator[Double]:
    """A server, as long as the block lasts."""
    double = Double(*answers, otherwise=otherwise)
    thread = threading.Thread(target=double.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.shutdown()
        double.server_close()
        thread.join()


# ---- ways to answer

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def message(finish: str = "stop", **said: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": finish}
    return {"id": "chatcmpl-1", "model": "m", "choices": [choice], "usage": USAGE}


def saying(text: str) -> Answer:
    """An answer, word by word if it is asked for as a stream."""

    def answer(asked: Asked) -> None:
        if not asked.body["stream"]:
            asked.say(200, json.dumps(message(content=text)))
            return
        asked.begin()
        words = text.split(" ")
        for place, word in enumerate(words):
            asked.event(json.dumps(chunk(content=word if place == len(words) - 1 else f"{word} ")))
        asked.event(json.dumps(chunk("stop")))
        asked.event(json.dumps({"model": "m", "choices": [], "usage": USAGE}))
        asked.event("[DONE]")

    return answer


def streaming(*events: dict[str, Any] | str, done: bool = True) -> Answer:
    def answer(asked: Asked) -> None:
        asked.begin()
        for event in events:
            asked.event(event if isinstance(event, str) else json.dumps(event))
        if done:
            asked.event("[DONE]")

    return answer


def whole(said: Any) -> Answer:
    return lambda asked: asked.say(200, said if isinstance(said, str) else json.dumps(said))


def failing(status: int, text: str = '{"error": {"message": "out of order"}}') -> Answer:
    return lambda asked: asked.say(status, text)


def hanging_up(asked: Asked) -> None:
    asked.close_connection = True


def never(asked: Asked) -> None:
    """Works on an answer for ever, until whoever asked has gone."""
    if asked.body["stream"]:
        asked.begin()
    while True:
        time.sleep(0.01)
        asked.connection.settimeout(0.01)
        try:
            if not asked.connection.recv(1):
                asked.server.left.set()
                return
        except TimeoutError:
            pass
