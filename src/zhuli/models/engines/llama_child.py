"""llama.cpp in a process of its own: run as a program, it answers requests that come in on its standard input.

A process, because the engine takes over signals, holds the interpreter while it loads, opens a listener and, should it
crash, takes its process along. Knows llama.cpp and nothing of zhuli, which it does not import; models.llama_link is the
other end.

In, a line each:   the settings; then {"id", "chat": body} | {"id", "count": [text, …]} | {"id", "cancel": true}
Out, a line each:  {"ready": props} | {"failed": why}; then "ID JSON" for each chunk and "ID" at the end of an answer
It ends when its input does, that is, at the latest with the process that started it.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, socket
from threading import Lock, Thread
from typing import Any, BinaryIO

import xllamacpp

ERRORS_ONLY = 1
"""llama.cpp's log level; the next ones write a line for each cancelled request, then several for every request."""


def main() -> None:
    """Load the model that the arguments name, and answer what standard input asks, until it ends."""
    out = _own_output()
    requests = sys.stdin.buffer
    settings = json.loads(requests.readline())
    # The engine always opens its HTTP listener: in a folder of this user's it is not open to others on the machine.
    with tempfile.TemporaryDirectory(prefix="zhuli-llama-") as folder:
        path = f"{folder}/http.sock"
        try:
            server = xllamacpp.Server(parameters_of(settings, path))
        except (RuntimeError, TypeError, ValueError) as error:
            out.write(json.dumps({"failed": str(error)}).encode() + b"\n")
            return
        out.write(json.dumps({"ready": _ask(path, "GET", "/props")}).encode() + b"\n")
        child = Child(server, path, out)
        for line in requests:
            child.take(json.loads(line))
    # The destructor of the engine would wait for what still runs.
    os._exit(0)


class Child:
    """Takes requests and answers each from a thread of its own; the engine batches them and lets the rest wait."""

    def __init__(self, server: Any, path: str, out: BinaryIO) -> None:
        self._server = server
        self._path = path
        self._out = out
        self._writing = Lock()
        self._running: set[int] = set()

    def take(self, request: dict[str, Any]) -> None:
        """One request from standard input: a chat, a count of tokens, or that an answer is not wanted any more."""
        number = request["id"]
        if "cancel" in request:
            self._running.discard(number)
        elif "chat" in request:
            self._running.add(number)
            body = json.dumps(request["chat"]).encode()
            self._answer(number, lambda: self._server.handle_chat_completions(body, self._passing_on(number)))
        else:
            self._answer(number, lambda: self._count(number, request["count"]))

    def _answer(self, number: int, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self._running.discard(number)
                self._write(b"%d\n" % number)

        Thread(target=run, daemon=True).start()

    def _passing_on(self, number: int) -> Callable[[bytes], bool]:
        def take(chunk: bytes) -> bool:
            """True ends the answer; the engine asks after each token, and after each batch of the prompt."""
            if number not in self._running:
                return True
            self._write(b"%d %s\n" % (number, chunk))
            return False

        return take

    def _count(self, number: int, texts: list[str]) -> None:
        counts = [len(_ask(self._path, "POST", "/tokenize", {"content": text})["tokens"]) for text in texts]
        self._write(b"%d %s\n" % (number, json.dumps(counts).encode()))

    def _write(self, line: bytes) -> None:
        with self._writing:
            self._out.write(line)


def _own_output() -> BinaryIO:
    """Standard output for this program alone; whatever the engine prints there goes to standard error."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def parameters_of(settings: dict[str, Any], listen: str) -> xllamacpp.CommonParams:
    """The engine's parameters; `listen` is the path of its HTTP socket."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = settings["path"]
    parameters.hostnames = [listen]
    parameters.n_threads_http = 8
    parameters.ui = False
    parameters.verbosity = ERRORS_ONLY
    parameters.n_parallel = settings["slots"]
    parameters.n_ctx = settings["slots"] * settings["context_window"]
    parameters.n_batch = parameters.n_ubatch = settings["batch"]
    parameters.n_gpu_layers = settings["gpu_layers"]
    # Trying out what fits into a GPU's memory costs half a second, for nothing where there is no GPU.
    parameters.fit_params = settings["gpu_layers"] != 0
    parameters.cache_ram_mib = settings["prompt_cache_mb"]
    kind = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{settings['kv_cache_type'].upper()}")
    parameters.cache_type_k = parameters.cache_type_v = kind
    if threads := settings["threads"]:
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    if file := settings["chat_template_file"]:
        parameters.chat_template = Path(file).read_text(encoding="utf-8")
    if adapter := settings["lora_path"]:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, settings["lora_scale"])]
    return parameters


def _ask(path: str, method: str, route: str, body: dict[str, Any] | None = None) -> Any:
    """What the engine offers over HTTP alone."""
    connection = HTTPConnection("localhost")
    connection.sock = socket(AF_UNIX)
    connection.sock.connect(path)
    try:
        connection.request(method, route, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


if __name__ == "__main__":
    main()
