"""A port for a server that starts at once. Another process could take it meanwhile, so it is for nothing else."""

import socket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
