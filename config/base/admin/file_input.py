"""The field in which a file is chosen."""

from typing import Any

from django import forms


class FileInput(forms.FileInput):
    """A plain file field of the browser's own.

    Unfold's script would write the file's name into a text field that only its own widget has,
    and fail; a field that is marked as listened to is left alone by it.
    """

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        marked = {"x-data": "", "x-init": "$el.hasChangeListener = true"}
        super().__init__({**marked, **(attrs or {})})
