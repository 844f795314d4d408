"""Where the sockets of embedded servers lie."""

import hashlib
import os
import tempfile
from pathlib import Path

# The kernel cuts socket addresses at 108 bytes, on some systems at 104.
PATH_LIMIT = 100


def directory(home: Path, name: str) -> Path:
    """Return a folder for the server's socket: under its home, or a short one if that is deep."""
    near = home / "socket"
    if len(os.fsencode(near / name)) < PATH_LIMIT:
        return near
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"loyalty-{os.geteuid()}-{digest}"


def prepare(folder: Path, owner_id: int | None = None) -> None:
    """Make the folder, for its owner alone.

    Raises: PermissionError when somebody else has made it.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner_id is not None and folder.stat().st_uid != owner_id:
        os.chown(folder, owner_id, owner_id)
    expected = os.geteuid() if owner_id is None else owner_id
    if folder.is_symlink() or folder.stat().st_uid != expected:
        raise PermissionError(f"{folder} belongs to somebody else")
