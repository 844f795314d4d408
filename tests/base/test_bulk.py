"""Rows reach PostgreSQL alike, as one document or as an array per column."""

import orjson
import pytest

from config.base import bulk
from config.base.bulk import Table

TABLE = Table("shown", ("n", "word", "data"), ("bigint", "text", "jsonb"))
WORDS = (
    None, "", "NULL", "{a,b}", 'a "quoted" \\ word', "\\n", "\\\\u0001", "tab\tline\nreturn\r",
    "\b\f\x01\x1f\x7f", "汉字 é", "\\\n",
)  # fmt: skip


@pytest.mark.django_db
def test_arrays_hold_what_a_document_holds_when_texts_are_odd() -> None:
    """What JSON escapes and arrays do not comes through as it was."""
    rows = [(n, word, orjson.dumps({"k": word}).decode()) for n, word in enumerate(WORDS)]
    ask = "SELECT n, word, data FROM "
    shown = bulk.fetch(ask + TABLE._source(True), TABLE.arrays(rows))
    assert shown == rows
    assert shown == bulk.fetch(ask + TABLE._source(False), [TABLE.document(rows)])
