"""Where no key is asked for, only this machine's own programs are answered: not a web page that a browser on it has open.

A page may send a POST without asking first (text/plain needs no preflight), and its name may be made to lead here (DNS
rebinding). Browsers say so themselves: by the Origin that they send, and by the Host that they believe to talk to. An image or
a script that a page names they ask for without an Origin, and say by Sec-Fetch-Site whose it is (https://www.w3.org/TR/fetch-metadata/).
"""

import ipaddress
from collections.abc import Collection, Mapping
from functools import lru_cache

from zhuli.core.errors import Forbidden


def check(
    hosts: Collection[str],
    origins: Collection[str],
    *,
    part_of: str | None,
    allowed_hosts: Collection[str],
    cors: Collection[str],
) -> None:
    """hosts, origins: the headers. part_of: see outer_page. Forbidden for a name of another machine, and a page of one."""
    if not hosts:
        raise Forbidden(
            "This server has no API keys, so it answers only to names of this machine, and the request has no Host header. "
            "Send one, like 'Host: localhost', or make a key (zhuli keys create).",
            code="host_not_allowed",
        )
    for host in hosts:
        if not is_loopback(name := _name(host)) and name not in map(_name, allowed_hosts):
            raise Forbidden(
                f"This server has no API keys, so it answers only to names of this machine, not to '{name[:100]}'. Make a key "
                "(zhuli keys create), or name the host in the setting allowed_hosts.",
                code="host_not_allowed",
            )
    for origin in origins or filter(None, [part_of]):
        if not {origin, "*"} & set(cors) and not _is_own(origin, hosts):
            raise Forbidden(
                f"This server has no API keys, so web pages of other origins ('{origin[:100]}') may not use it. Make a key "
                "(zhuli keys create), or name the origin in the setting cors_origins.",
                code="origin_not_allowed",
            )


def outer_page(headers: Mapping[bytes, bytes]) -> str | None:
    """What to call the foreign page of which what is asked for is a part; None for a page of its own, and where none is."""
    site = headers.get(b"sec-fetch-site")
    is_part = site in (b"cross-site", b"same-site") and headers.get(b"sec-fetch-dest") != b"document"
    return f"a {site.decode()} page" if site and is_part else None


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """A name or an address that only this machine has."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own(origin: str, hosts: Collection[str]) -> bool:
    """Whether a page of this very server sent it. Compared as text: not every Origin that is sent is a URL."""
    return any(
        origin.lower() in (f"http://{name}", f"https://{name}") for name in (host.strip().lower() for host in hosts)
    )


def _name(host: str) -> str:
    """Of a Host header, without its port, a trailing dot and an address's brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        return address if bracket and (not port or (port[0] == ":" and port[1:].isdigit())) else host
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and host.count(":") == 1 else host
    return name.rstrip(".")
