"""Files to import: CSV in UTF-8 or a Chinese code page, or Parquet, read row by row.

Nothing is held in memory but the rows in hand, whatever the size of the file.
"""

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

UTF_8: Final = "utf-8-sig"
# A superset of GB2312 and GBK.
CHINESE: Final = "gb18030"
CHUNK_BYTES: Final = 1 << 20
PARQUET_MAGIC: Final = b"PAR1"
ROWS_AT_ONCE: Final = 20_000

Row = tuple[int, list[str]]
"""Where a row stands in the file (its line; its number in Parquet), and its cells."""


class FileUnreadableError(DomainError):
    """The file cannot be read at all."""


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that is no row: it has too many cells, or too few, or a quotation never ends."""

    line: int
    code: str


@dataclass(frozen=True)
class ImportFile:
    """One file, looked through once: its digest, its length, its encoding and its header.

    Units: a length is in lines, rows for Parquet.
    """

    path: Path
    digest: bytes
    length: int
    encoding: str
    header: tuple[str, ...] = field(default=())

    @property
    def is_parquet(self) -> bool:
        """Tell whether the file is a Parquet file."""
        return not self.encoding

    def rows(self, told: Callable[[int], None] | None = None) -> Iterator[Row | BrokenRow]:
        """Yield the rows; `told` hears how far reading has come."""
        read = _parquet_rows if self.is_parquet else _csv_rows
        return read(self, told or _unheard)


def _unheard(done: int) -> None:
    """Hear how far reading has come, and do nothing."""


def opened(path: Path, encoding: str = "") -> ImportFile:
    """Return a file that can be read, or say why it cannot.

    Raises: FileUnreadableError.
    """
    try:
        with path.open("rb") as file:
            digest, lines, found = _looked_through(file, encoding)
    except OSError as error:
        message = _("The file cannot be read.")
        raise FileUnreadableError("file_unreadable", message, reason=error.strerror) from error
    plain = ImportFile(path, digest, lines, found)
    header = tuple(_header(plain))
    if plain.is_parquet:
        lines = pq.ParquetFile(path).metadata.num_rows
    return ImportFile(path, digest, lines, found, header)


def _looked_through(file: BinaryIO, encoding: str) -> tuple[bytes, int, str]:
    """Return digest, number of lines, and encoding; no encoding for Parquet."""
    digest, lines, is_empty = hashlib.sha256(), 0, True
    is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    file.seek(0)
    wanted = [encoding] if encoding else [UTF_8, CHINESE]
    decoders = {} if is_parquet else {name: _decoder(name) for name in wanted}
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        lines += chunk.count(b"\n")
        is_empty = False
        decoders = {name: each for name, each in decoders.items() if _decodes(each, chunk)}
    decoders = {name: each for name, each in decoders.items() if _decodes(each, b"", final=True)}
    if is_empty:
        raise FileUnreadableError("file_empty", _("The file is empty."))
    if is_parquet:
        return digest.digest(), lines, ""
    if not decoders:
        raise FileUnreadableError(
            "encoding_unknown", _("The file is text in none of these encodings."), tried=wanted
        )
    return digest.digest(), lines, next(iter(decoders))


def _decoder(name: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(name)()
    except LookupError as error:
        raise FileUnreadableError(
            "encoding_unknown", _("There is no such encoding."), tried=[name]
        ) from error


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _header(file: ImportFile) -> Sequence[str]:
    if file.is_parquet:
        try:
            return [str(name) for name in pq.ParquetFile(file.path).schema_arrow.names]
        except (pa.ArrowException, OSError) as error:
            raise FileUnreadableError(
                "parquet_unreadable", _("The file is no Parquet file that can be read.")
            ) from error
    with file.path.open(encoding=file.encoding, newline="") as text:
        for cells in csv.reader(text):
            if cells:
                return cells
    raise FileUnreadableError("file_empty", _("The file is empty."))


def _csv_rows(file: ImportFile, told: Callable[[int], None]) -> Iterator[Row | BrokenRow]:
    width = 0
    with file.path.open(encoding=file.encoding, newline="") as text:
        reader = csv.reader(text)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield BrokenRow(line, "row_unreadable")
                continue
            if not cells:
                continue
            if not width:
                width = len(cells)
            elif len(cells) != width:
                yield BrokenRow(line, "columns_wrong")
            else:
                yield line, cells
            if not line % ROWS_AT_ONCE:
                told(line)


def _parquet_rows(file: ImportFile, told: Callable[[int], None]) -> Iterator[Row | BrokenRow]:
    number = 0
    source = pq.ParquetFile(file.path, pre_buffer=False)
    for batch in source.iter_batches(batch_size=ROWS_AT_ONCE, use_threads=False):
        columns = [_as_text(column) for column in batch.columns]
        for cells in zip(*columns, strict=True):
            number += 1
            yield number, list(cells)
        told(number)


def _as_text(column: pa.Array) -> list[str]:
    """Return a column as CSV would hold it; nothing where there is no value."""
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_floating(column.type):
        return [_number(value) for value in column.to_pylist()]
    texts: Any = pc.fill_null(pc.cast(column, pa.string()), "")
    return list(texts.to_pylist())


def _number(value: float | None) -> str:
    """Return the shortest digits that say the same; whole numbers without a point."""
    if value is None:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
