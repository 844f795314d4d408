"""Lists that leave the console as files for spreadsheets."""

import csv
from collections.abc import Iterator, Sequence

from django.http import HttpRequest, StreamingHttpResponse

from config.base.admin import acting
from rewards.admin.warehouse import Echo
from rewards.domain.spreadsheet import safe


def answer(
    request: HttpRequest, name: str, lines: Iterator[Sequence[object]]
) -> StreamingHttpResponse:
    """Return lines as a file, and write down that they were taken out."""
    acting.record(request, "export", reason=name)
    writer = csv.writer(Echo())
    # The mark tells spreadsheets that the text is UTF-8.
    text = ("\ufeff" + writer.writerow(row) if not n else writer.writerow(row)
            for n, row in enumerate(map(_safe, lines)))  # fmt: skip
    answer = StreamingHttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _safe(row: Sequence[object]) -> list[object]:
    """Return a row in which no text is a formula; numbers stay numbers."""
    return [safe(cell) if isinstance(cell, str) else cell for cell in row]
