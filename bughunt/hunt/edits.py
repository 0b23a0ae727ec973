"""What tells one state of a workspace's files from another."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path


def files_hash(workspace: Path) -> str:
    """A hash of the names and contents of the Python files; empty where they cannot be read."""
    from bughunt.workspace.scope import files_of

    digest = sha256()
    try:
        for name, path in sorted(files_of(workspace).items()):
            if not name.endswith(".py"):
                continue
            contents = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            digest.update(f"{name}\0{len(contents)}\0".encode(errors="surrogateescape") + contents)
    except OSError:
        return ""
    return digest.hexdigest()[:32]
