"""Asks /healthz every ten milliseconds over one kept connection, in a process of its own, until it is stopped.

    python -m benchmarks.health_probe PORT     a line each: when it asked (perf_counter) and the seconds until the answer

What it asks while the last answer is still out it asks as soon as that is there, so a stop of a second is one line of a second.
"""

import socket
import sys
from time import perf_counter, sleep

EVERY = 0.01


def main(port: int) -> None:
    """Ask and write until the server ends."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            began = perf_counter()
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok\n"):
                piece = connection.recv(65536)
                if not piece:
                    return
                answer += piece
            took = perf_counter() - began
            sys.stdout.write(f"{began:.6f} {took:.6f}\n")
            sys.stdout.flush()
            sleep(max(0.0, EVERY - took))


if __name__ == "__main__":
    main(int(sys.argv[1]))
