"""A hub on this machine that speaks Hugging Face's protocol: redirects with size and SHA-256, and ranges; it can break off."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """files: by 'OWNER/REPOSITORY/resolve/REVISION/FILE'. break_after: bytes after which a connection ends, so often."""

    files: dict[str, bytes]
    break_after: int = 0
    breaks: int = 0
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def hub(files: dict[str, bytes], *, break_after: int = 0, breaks: int = 0) -> Iterator[Hub]:
    state = Hub(files, break_after, breaks)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            state.asked.append((self.command, self.path, self.headers.get("Range")))
            content = state.files.get(self.path.removeprefix("/bytes").strip("/"))
            if content is None:
                self._send(404, {})
            elif not self.path.startswith("/bytes/"):
                digest = hashlib.sha256(content).hexdigest()
                linked = {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{digest}"'}
                self._send(302, {"Location": f"{state.url}/bytes{self.path}", **linked})
            else:
                start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
                rest = content[start:]
                self._send(206 if start else 200, {}, rest if body else b"", length=len(rest))

        def _send(self, status: int, headers: dict[str, str], body: bytes = b"", length: int = 0) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()
            if state.breaks and body:
                state.breaks -= 1
                self.wfile.write(body[: state.break_after])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test asks `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
