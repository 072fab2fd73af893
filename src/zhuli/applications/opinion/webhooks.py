"""POSTs to webhooks: signed as Standard Webhooks 1.0 says, to public addresses only unless private ones are allowed.

The address is checked as it is resolved for the connection itself, so that a name can't lead elsewhere between the two.
Redirects are not followed.
"""

import hmac
import ipaddress
import socket
from base64 import b64encode
from hashlib import sha256
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

SECONDS = 15.0


class Refused(Exception):
    """The address is not to be called; the text says why."""


class _PublicOnly(AbstractResolver):
    """The system's resolver, without addresses that are not public."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise Refused(f"{host} leads to a private address. The setting private_webhooks allows these.")
        return public

    async def close(self) -> None:
        await self._system.close()


def is_public(address: str) -> bool:
    """Whether an IP address is anybody's on the internet, an IPv4 one in an IPv6 one included."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return (mapped or found).is_global and not found.is_multicast


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """ "v1," and the HMAC-SHA256 of "id.timestamp.body" as base64; the key is the secret's bytes."""
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(secret.encode(), signed, sha256)).decode()


async def post(url: str, body: bytes, *, id_: str, secret: str, now: int, private: bool) -> str | None:
    """None where it was taken (2xx); otherwise what went wrong, in a sentence. id_: the same with every attempt."""
    headers = {
        "content-type": "application/json",
        "user-agent": "zhuli",
        "webhook-id": id_,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, id_, now, body),
    }
    try:
        if not private:
            _check_literal(url)
        resolver: Any = None if private else _PublicOnly()
        connector = aiohttp.TCPConnector(resolver=resolver, force_close=True)
        limit = aiohttp.ClientTimeout(total=SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit, trust_env=False) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return None if 200 <= answer.status < 300 else f"The webhook answered with status {answer.status}."
    except Refused as error:
        return str(error)
    except TimeoutError:
        return f"The webhook did not answer within {SECONDS:g} seconds."
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = error.__cause__ if isinstance(error.__cause__, Refused) else error
        return str(why) if isinstance(why, Refused) else f"The webhook can't be reached ({type(error).__name__})."


def _check_literal(url: str) -> None:
    """Addresses that are written as such are not resolved, and looked at here."""
    host = URL(url).host or ""
    try:
        public = is_public(host)
    except ValueError:
        return  # a name
    if not public:
        raise Refused(f"{host} is a private address. The setting private_webhooks allows these.")
