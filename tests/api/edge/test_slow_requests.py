"""Requests that come slowly, without end or too large: ended within limits, in the API's words, on a real socket."""

import json
import socket
import time
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.harness.server import Server

HEAD = b"POST /v1/threads HTTP/1.1\r\nhost: 127.0.0.1\r\n"


def talk(server: Server, *pieces: bytes, patience: float = 20) -> tuple[int, dict[str, Any]]:
    """Send the pieces, one after the other whatever is answered, then read the answer: status and body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as connection:
        for piece in pieces:
            connection.sendall(piece)
        status, body = answer_on(connection)
    return status, json.loads(body)


def answer_on(connection: socket.socket) -> tuple[int, bytes]:
    """The next answer: status and body."""
    answer = b""
    while b"\r\n\r\n" not in answer or not _whole(answer):
        got = connection.recv(65536)
        if not got:
            break
        answer += got
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def _whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(lengths) and len(body) >= int(lengths[0])


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, *[b"x-more: %s\r\n" % (b"a" * 1000)] * 65],
        [HEAD + b"x-more: %s\r\n" % (b"a" * 1000) * 70 + b"content-length: 2\r\n\r\n{}"],
        [HEAD + b"x-more: " + b"a" * 66_000],
    ],
    ids=["one by one", "all at once", "a single one"],
)
def test_headers_without_end_are_refused(server: Server, pieces: list[bytes]) -> None:
    status, body = talk(server, *pieces)
    assert status == 431 and "headers are too large" in body["error"]["message"]
    assert body["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("begun", [b"", b"PO", HEAD])
def test_headers_that_do_not_come_are_waited_for_within_limits(start_server: StartServer, begun: bytes) -> None:
    server = start_server(header_seconds=0.5)
    status, body = talk(server, begun)
    assert status == 408 and "0.5 seconds" in body["error"]["message"]


def test_a_connection_that_rests_between_requests_is_not_slow(start_server: StartServer) -> None:
    server = start_server(header_seconds=0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert answer_on(connection) == (200, b"ok\n")
            time.sleep(0.8)  # longer than headers may take


def test_a_body_that_stops_coming_is_given_up(start_server: StartServer) -> None:
    server = start_server(body_seconds=0.5)
    status, body = talk(server, HEAD + b"content-length: 100\r\n\r\n", b'{"metadata"')
    assert status == 408 and "did not arrive in time" in body["error"]["message"]


@pytest.mark.parametrize("begun", [b"0\r\n", b"1"], ids=["trailers", "extensions of a chunk"])
@pytest.mark.parametrize("path", [b"/v1/threads", b"/healthz"], ids=["before the answer", "behind the answer"])
def test_what_stands_beside_a_body_is_no_more_than_headers(server: Server, path: bytes, begun: bytes) -> None:
    """Trailers are headers that come later: they may have no end either, nor a single one of them."""
    head = HEAD.replace(b"POST /v1/threads", (b"POST " if path != b"/healthz" else b"GET ") + path)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n" + begun)
        more = b";a=" + b"a" * 1000 if begun == b"1" else b"x-more: %b\r\n" % (b"a" * 1000)
        with pytest.raises(ConnectionError):
            connection.sendall(more * 60_000)


def test_trailers_are_no_headers(server: Server) -> None:
    """They come when the headers have been looked at."""
    head = HEAD + b"transfer-encoding: chunked\r\n\r\n"
    status, body = talk(server, head, b"2\r\n{}\r\n0\r\nidempotency-key: a\tb\r\n\r\n")
    assert status == 200 and body["object"] == "thread"


@pytest.mark.parametrize("late", [b"a", b"\r\n"], ids=["of a body", "before a request"])
def test_what_trickles_behind_an_answer_is_given_up(start_server: StartServer, late: bytes) -> None:
    """A connection is not held for ever by a letter now and then."""
    server = start_server(header_seconds=0.5)
    length = b"1000" if late == b"a" else b"0"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: " + length + b"\r\n\r\n")
        assert answer_on(connection) == (200, b"ok\n")
        with pytest.raises(ConnectionError):
            trickle(connection, late)


def trickle(connection: socket.socket, piece: bytes) -> None:
    """Ten times a second, for ten seconds."""
    for _ in range(100):
        connection.sendall(piece)
        time.sleep(0.1)


def test_a_body_that_ends_behind_its_answer_leaves_the_connection_as_it_was(start_server: StartServer) -> None:
    server = start_server(header_seconds=0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n")
            assert answer_on(connection) == (200, b"ok\n")
            connection.sendall(b"a")
            connection.sendall(b"a")
            time.sleep(0.8)  # longer than headers may take


def test_an_offer_of_another_protocol_is_passed_over(start_server: StartServer) -> None:
    """As Java's HttpClient makes it with each request; the log is not filled with advice on websockets."""
    server = start_server(header_seconds=0.5)
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(HEAD + offer + b"content-length: 2\r\n\r\n{}")
            assert answer_on(connection)[0] == 200
    assert "WebSocket" not in server.log()


@pytest.mark.parametrize("told", [True, False])
def test_a_refused_body_is_read_on_so_that_its_sender_hears_the_refusal(start_server: StartServer, told: bool) -> None:
    """As proxies send: all of the body, before they look at an answer."""
    server = start_server(max_body_bytes=100_000)
    length = b"content-length: 180000" if told else b"transfer-encoding: chunked"
    piece = b"a" * 18_000 if told else b"%x\r\n%s\r\n" % (18_000, b"a" * 18_000)
    end = b"" if told else b"0\r\n\r\n"
    status, body = talk(server, HEAD + length + b"\r\n\r\n", *[piece] * 10, end)
    assert status == 413 and "At most 100000 bytes" in body["error"]["message"]


def test_the_connection_is_good_for_another_request_behind_a_refused_body(start_server: StartServer) -> None:
    server = start_server(max_body_bytes=100_000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(HEAD + b"content-length: 180000\r\n\r\n" + b"a" * 180_000)
        assert answer_on(connection)[0] == 413
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert answer_on(connection) == (200, b"ok\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # https:// by mistake
        b"GET /v1/models HTTP/9.9\r\n\r\n",
        b"GET http://127.0.0.1 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost 127.0.0.1\r\n\r\n",
        HEAD + b"content-length: two\r\n\r\n",
        HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
        HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_the_apis_shape(server: Server, sent: bytes) -> None:
    status, body = talk(server, sent)
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert "HTTP" in body["error"]["message"] and {"param", "code"} <= set(body["error"])
    assert "Traceback" not in server.log()
