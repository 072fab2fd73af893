"""Install the releases of constraints.txt into the running Python, with uv: what pip takes minutes of one core for.

    python tools/install_known.py

pip's own settings of where packages come from hold, those of the environment too. Nothing is resolved and nothing kept outside.
Where it fails, pip can do the same: the exit code says so.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
PATIENCE = "180"
"""Seconds that uv waits for a server that says nothing."""

OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}
"""What uv calls a setting of pip."""


def main() -> int:
    settings = pips_settings()
    sources = [part for name, option in OPTIONS.items() for value in settings.get(name, ()) for part in (option, value)]
    environment = {"UV_HTTP_TIMEOUT": PATIENCE, **os.environ}
    if certificates := settings.get("cert"):
        environment.setdefault("SSL_CERT_FILE", certificates[-1])
    return subprocess.call(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-cache", "--no-config", "--no-deps"),
            # As pip has it: the best of what all of them have, whichever comes first.
            *("--index-strategy", "unsafe-best-match", "--python", sys.executable),
            *sources,
            *("--requirements", str(CONSTRAINTS)),
        ],
        env=environment,
    )


def pips_settings() -> dict[str, list[str]]:
    """Values by name; those of the environment come last."""
    listed = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    found: dict[str, list[str]] = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        found.setdefault(name.rpartition(".")[2], []).extend(ast.literal_eval(value).split())
    for values in found.values():
        values[:] = dict.fromkeys(values)
    found["index-url"] = found.get("index-url", [])[-1:]
    return found


if __name__ == "__main__":
    sys.exit(main())
