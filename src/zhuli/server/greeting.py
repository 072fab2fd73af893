"""What an operator reads when a server is up: where it is, whether a key is needed, and a line to try it with. Pure."""

import ipaddress

GREETING = """
zhuli is ready.

  Base URL  {base_url}
  API key   {key}
  Models    {models}
  Docs      {url}/docs
{note}
Try it:

  {curl}
"""

_WITHOUT_KEYS = "none is needed: there are none, and only this machine is served"
_WITH_KEYS = "needed; `zhuli keys create --project NAME` makes one"
_STAND_IN = """
  {model} is a stand-in: it is small, speaks English only, and is often wrong. A better one: `zhuli models pull {better}`,
  or any model server in the models file (docs/models.md).
"""
_SHOWN = 4


def greeting(host: str, port: int, *, models: list[str], keyed: bool, better: str | None = None) -> str:
    """For a server that listens on `host`:`port`. better: what the first of `models` only stands in for."""
    url = f"http://{_reachable(host)}:{port}"
    return GREETING.format(
        base_url=f"{url}/v1",
        url=url,
        key=_WITH_KEYS if keyed else _WITHOUT_KEYS,
        models=", ".join(models[:_SHOWN]) + (" …" if len(models) > _SHOWN else ""),
        note=_STAND_IN.format(model=models[0], better=better) if better else "",
        curl=_curl(url, models[0], keyed=keyed),
    )


def _curl(url: str, model: str, *, keyed: bool) -> str:
    parts = [
        f"curl {url}/v1/chat/completions",
        "-H 'Content-Type: application/json'",
        *(['-H "Authorization: Bearer $OPENAI_API_KEY"'] if keyed else []),
        f"""-d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'""",
    ]
    return " \\\n    ".join(parts)


def _reachable(host: str) -> str:
    """`host` as a URL on this machine has it: a server on every address answers on the loopback one."""
    if host == "":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
