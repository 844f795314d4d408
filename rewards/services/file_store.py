"""Where files of staff are kept: in folders with names that nobody can guess."""

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.conf import settings

FOLDER_BYTES: Final = 16
MAX_NAME: Final = 100


def new_place(area: str, file_name: str) -> str:
    """Make a folder for a file and return where in it the file goes, as it is stored in a row."""
    name = "".join(c if c.isalnum() or c in "._- " else "_" for c in Path(file_name).name)
    stored = f"{area}/{secrets.token_hex(FOLDER_BYTES)}/{name[-MAX_NAME:].lstrip('.') or 'file'}"
    path_of(stored).parent.mkdir(parents=True, mode=0o700)
    return stored


def path_of(stored: str) -> Path:
    """Return the path of a stored file."""
    return Path(settings.MEDIA_ROOT) / stored


def keep(stored: str, chunks: Iterable[bytes]) -> Path:
    """Write a file down and return its path."""
    path = path_of(stored)
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
    return path


def forget(stored: str) -> None:
    """Remove a file with what was written beside it."""
    if stored:
        shutil.rmtree(path_of(stored).parent, ignore_errors=True)
