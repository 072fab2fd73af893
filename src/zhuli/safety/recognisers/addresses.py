"""Where somebody is reached, told by its form: e-mail, IP addresses, accounts of messengers, and what opens a URL."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from zhuli.safety.recognisers.found import Found

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_USER_IN_URL = re.compile(r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,15}://([^\s/@:]{1,128}:[^\s/@]{1,256})@", re.IGNORECASE)
_KEY_IN_URL = re.compile(
    r"[?&;](?:access_token|refresh_token|id_token|token|api_?key|apikey|password|passwd|pwd|secret|client_secret|"
    r"sig|signature|sessionid|auth)=([^\s&#;]{4,2048})",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![A-Za-z0-9_.])(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9_]|\.\d)")
_IPV6 = re.compile(r"(?<![A-Za-z0-9_:.])[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?![A-Za-z0-9_:])")
_IS_A_VERSION = re.compile(r"(?:\bv|version|release|build|版本号?)[\s:：]*$", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"(?:(?<![A-Za-z])QQ(?:号码|号)?|(?<![A-Za-z])we\s?chat(?:\s+id)?|微信号?|(?<![A-Za-z])skype(?:\s+id)?|(?<![A-Za-z])telegram|(?<![A-Za-z])whatsapp)"
    r"(?:\s*(?:is|id|[:：是为]|@)\s*)+([A-Za-z0-9][A-Za-z0-9_.-]{4,30})",
    re.IGNORECASE,
)


def credentials(text: str, _: str | None) -> Iterator[Found]:
    """Names with passwords in URLs, and values of parameters that open something."""
    for pattern in (_USER_IN_URL, _KEY_IN_URL):
        yield from (Found("credentials", *found.span(1)) for found in pattern.finditer(text))


def emails(text: str, _: str | None) -> Iterator[Found]:
    """E-mail addresses."""
    yield from (Found("email", *found.span()) for found in _EMAIL.finditer(text))


def ip_addresses(text: str, _: str | None) -> Iterator[Found]:
    """IPv4 and IPv6 addresses but for those that every machine has; a number of a version is none."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            if _is_address(found[0]) and not _IS_A_VERSION.search(text, max(0, found.start() - 12), found.start()):
                yield Found("ip", *found.span())


def accounts(text: str, _: str | None) -> Iterator[Found]:
    """Accounts of messengers that are introduced as such: "QQ: 12345678", "my WeChat is liwei_88"."""
    yield from (Found("account", *found.span(1)) for found in _ACCOUNT.finditer(text))


def _is_address(written: str) -> bool:
    try:
        address = ip_address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
