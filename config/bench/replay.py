"""What the product wrote for one call, as a pgbench script that writes the same for any member.

The script is made from the rows themselves, so it has the same tables, rows, columns and sizes, now
and after the next migration. It only writes: it reads nothing, locks nothing first, decides nothing
and asks for no id. All statements go in one pipeline, which is the fastest that PostgreSQL takes
them one transaction an order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import Model

from config.bench import databases

IDS_PER_ORDER: Final = 64
UPDATED_BY_ORDERS: Final = {
    "rewards.PointsAccount": "id = :member::bigint + {to_account}",
    "rewards.FoldSnapshot": "member_id = :member",
    "members.MemberProfile": "member_id = :member",
    "tiers.Standing": "member_id = :member AND ended_at IS NULL",
}
"""What an order of a known member changes, and how the row is found."""
UPDATED_BY_REDEMPTIONS: Final = {
    "rewards.PointsAccount": "id = :member::bigint + {to_account}",
    "rewards.Lot": "account_id = :member::bigint + {to_account} AND remaining > 0",
    "rewards.Stock": "id = (SELECT min(id) + mod(:key::bigint, count(*)) FROM rewards_stock)",
}
"""The same of a redemption; stocks are taken in turns, and their ids have no gaps."""
_FIRST: Final = (
    "members.Order", "members.ReceivedFact", "members.MemberEvent", "rewards.Reservation",
    "rewards.Redemption", "rewards.Entry",
)  # fmt: skip
_NEW_TEXTS: Final = ("order_no", "ref", "key")
_OWNERS: Final = ("account_id", "entry_id", "order_id", "interaction_id", "reward_id")

_ROWS = "SELECT {values} FROM {table} x WHERE xmin::text::bigint >= %s ORDER BY {key}"
_LAST = "SELECT xmin::text::bigint FROM members_receivedfact ORDER BY id DESC LIMIT 1"
_NEXT = "SELECT pg_current_xact_id()::text::bigint"

_HEAD = """\
\\set number :number + 1
\\set key (:client_id + 2) * 10000000000 + :number * {ids}
\\set member random({first}, {last})
\\startpipeline
BEGIN;
"""
_TAIL = """\
COMMIT;
\\endpipeline
"""

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Members:
    """The ids of the members that take part, and what to add to get their accounts."""

    first: int
    last: int
    to_account: int


def members() -> Members:
    """Return the members of the database in use."""
    ((first, last, count, to_account),) = databases.execute(
        "SELECT min(member_id), max(member_id), count(*), min(id) - min(member_id)"
        " FROM rewards_pointsaccount"
    )
    assert last - first + 1 == count, "the members' ids have gaps"
    return Members(first, last, to_account)


def last_order() -> dict[type[Model], list[Row]]:
    """Return the rows that the transaction of the last received fact wrote, by model."""
    ((transaction,),) = databases.execute(_LAST)
    return written_since(int(transaction))


def mark() -> int:
    """Return a number; `written_since` finds what transactions after it have written."""
    ((transaction,),) = databases.execute(_NEXT)
    return int(transaction) + 1


def written_since(transaction: int) -> dict[type[Model], list[Row]]:
    """Return the rows written since, by model, savepoints of the transaction included."""
    written: dict[type[Model], list[Row]] = {}
    for model in sorted(apps.get_models(), key=_rank):
        columns = [str(field.column) for field in model._meta.concrete_fields]
        values = ", ".join(f'x."{column}"::text' for column in columns)
        key = model._meta.pk.column
        statement = _ROWS.format(values=values, table=model._meta.db_table, key=f'x."{key}"')
        rows = databases.execute(statement, [transaction])
        if rows:
            written[model] = [dict(zip(columns, row, strict=True)) for row in rows]
    return written


def script(
    written: Mapping[type[Model], Sequence[Row]],
    who: Members,
    updated: Mapping[str, str] = UPDATED_BY_ORDERS,
) -> str:
    """Return the pgbench script that writes such rows for a random member.

    `updated` names the models whose rows are changed, not added, and how each is found.
    """
    ids = _new_ids(written, updated)
    entries = len(written[apps.get_model("rewards.Entry")])
    text = [_HEAD.format(ids=IDS_PER_ORDER, first=who.first, last=who.last)]
    for model, rows in written.items():
        if found := updated.get(model._meta.label):
            where = found.format(to_account=who.to_account)
            text += [_update(model, row, entries, where) for row in rows]
    for model, rows in written.items():
        if model._meta.label not in updated:
            text.append(_insert(model, rows, ids, who))
    return "".join([*text, _TAIL])


def _rank(model: type[Model]) -> tuple[int, str]:
    label = model._meta.label
    return (_FIRST.index(label) if label in _FIRST else len(_FIRST), label)


def _new_ids(
    written: Mapping[type[Model], Sequence[Row]], updated: Mapping[str, str]
) -> dict[tuple[type[Model], str], str]:
    """Give every new row a number within the order's block of ids."""
    ids: dict[tuple[type[Model], str], str] = {}
    for model, rows in written.items():
        if model._meta.label not in updated and model._meta.pk.related_model is None:
            for row in rows:
                ids[model, str(row["id"])] = f":key::bigint + {len(ids)}"
    assert len(ids) < IDS_PER_ORDER
    return ids


def _insert(
    model: type[Model],
    rows: Sequence[Row],
    ids: Mapping[tuple[type[Model], str], str],
    who: Members,
) -> str:
    columns = ", ".join(f'"{column}"' for column in rows[0])
    values = []
    for place, row in enumerate(rows, start=1 - len(rows)):
        cells = [
            _cell(model, column, value, ids, who) if column != "seq" else _seq(place, who)
            for column, value in row.items()
        ]
        values.append(f"({', '.join(cells)})")
    return f"INSERT INTO {model._meta.db_table} ({columns}) VALUES {', '.join(values)};\n"  # noqa: S608


def _update(model: type[Model], row: Row, entries: int, where: str) -> str:
    cells = {column: literal(value) for column, value in row.items()}
    if "seq" in cells:
        cells["seq"] = f"seq + {entries}"
    changed = ", ".join(
        f'"{column}" = {value}'
        for column, value in cells.items()
        if column not in (model._meta.pk.column, "member_id", "kind", *_OWNERS)
    )
    return f"UPDATE {model._meta.db_table} SET {changed} WHERE {where};\n"  # noqa: S608


def _seq(place: int, who: Members) -> str:
    account = f":member::bigint + {who.to_account}"
    return f"(SELECT seq + {place} FROM rewards_pointsaccount WHERE id = {account})"  # noqa: S608


def _cell(
    model: type[Model],
    column: str,
    value: str | None,
    ids: Mapping[tuple[type[Model], str], str],
    who: Members,
) -> str:
    field = next(each for each in model._meta.concrete_fields if each.column == column)
    related: Any = field.related_model or (model if field.primary_key else None)
    if value is None:
        return "NULL"
    if column == "member_id":
        return ":member"
    if column == "account_id":
        return f":member::bigint + {who.to_account}"
    if column == "public_id":
        return "gen_random_uuid()"
    if (related, value) in ids:
        return ids[related, value]
    return "'B' || :key::bigint" if column in _NEW_TEXTS else literal(value)


def literal(value: str | None) -> str:
    """Return a value as text that pgbench finds no variable in."""
    if value is None:
        return "NULL"
    quoted = value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{quoted}'"
