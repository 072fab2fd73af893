"""Stands for a program that the warm process runs as a fork, where somebody else than a test starts it: a server, say.

    python -IS relay.py SOCKET MODULE ARGUMENT...

Its descriptors are the fork's, locks among them; it ends as the fork ends, and the fork ends with it.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, program: str, *arguments: str) -> None:
    descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    with socket.socket(socket.AF_UNIX) as answers:
        answers.connect(address)
        request = {
            "program": program,
            "arguments": arguments,
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "new_session": False,
        }
        data = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(answers, [data], sorted(filter(_is_open, descriptors)))
        answers.sendall(data[sent:])
        for number in (0, 1, 2):  # who has the other end sees the fork's end, not ours
            os.close(number)
        _end(_last_line(answers))


def _is_open(descriptor: int) -> bool:
    """The list had one to itself."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _last_line(answers: socket.socket) -> int:
    """What comes behind the process's id; 1 if the warm process has ended."""
    told = b""
    while told.count(b"\n") < 2:
        if not (more := answers.recv(64)):
            return 1
        told += more
    return int(told.split(b"\n")[1])


def _end(code: int) -> None:
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main(*sys.argv[1:])
