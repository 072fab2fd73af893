"""Models that can be had from a hub: by a name of ours, or as 'OWNER/REPOSITORY:FILE.gguf'. Pure."""

from dataclasses import dataclass

from zhuli.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class HubFile:
    """sha256: None where only the hub knows it. size: bytes; 0 where only the hub knows it."""

    repository: str
    file: str
    revision: str = "main"
    sha256: str | None = None
    size: int = 0
    licence: str = ""
    sentence: str = ""


AVAILABLE = {
    "qwen2.5-0.5b": HubFile(
        repository="Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        file="qwen2.5-0.5b-instruct-q4_k_m.gguf",
        revision="9217f5db79a29953eb74d5343926648285ec7e67",
        sha256="74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
        size=491_400_032,
        licence="Apache-2.0",
        sentence="Small, English and Chinese, calls tools; the first model where a hub answers.",
    ),
}
"""Models that can be had by name."""

FIRST = "qwen2.5-0.5b"


def named(name: str) -> HubFile:
    """The file of a name in AVAILABLE, or of 'OWNER/REPOSITORY:FILE.gguf'. ConfigurationError says what would be right."""
    if found := AVAILABLE.get(name):
        return found
    repository, _, file = name.partition(":")
    if repository.count("/") != 1 or not file.endswith(".gguf") or ".." in name:
        known = ", ".join(AVAILABLE)
        raise ConfigurationError(f"There is no model '{name}'. Give one of {known}, or 'OWNER/REPOSITORY:FILE.gguf'.")
    return HubFile(repository, file)
