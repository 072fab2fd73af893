"""What a server has in its blob store."""

from tests.harness.server import Server


def blobs_of(server: Server) -> list[str]:
    """Every file in the blob store's folder, unfinished ones too."""
    return sorted(path.name for path in (server.folder / "files").rglob("*") if path.is_file())
