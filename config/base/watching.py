"""Which tables are watched for staff acts, and the triggers that watch them.

Every table is, but those the wiring leaves out: tables of the hot paths and of the site's own
bookkeeping. Secret and personal columns are told to have changed, never to what.

Source: MEM-10, LEG-09.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from psycopg import sql

TRIGGER: Final = "staff_act"
ACTS_TABLE: Final = "config_staffact"

_GUARD: Final = "coalesce(current_setting('loyalty.acting', true), '') <> ''"

_FOUND: Final = """
SELECT c.relname, CASE WHEN g.tgtype::int & 4 > 0 THEN 'INSERT OR ' ELSE '' END,
       encode(g.tgargs, 'hex')
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE g.tgname = %s AND NOT g.tgisinternal AND g.tgenabled <> 'D'
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the wiring says about tables: which to leave out, and what to hide of the others."""

    unwatched: frozenset[str]
    not_when_added: frozenset[str] = frozenset()
    hidden: dict[str, Collection[str]] = field(default_factory=dict)
    approvals: str = ""
    members: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """How one table is watched: at which operations, and the trigger's arguments."""

    table: str
    added: str
    arguments: tuple[str, str, str, str]

    @property
    def found(self) -> tuple[str, str]:
        """Return how the trigger reads in the catalogue."""
        return self.added, "".join(f"{argument}\0" for argument in self.arguments).encode().hex()


_plan: list[Plan] = []


def install(plan: Plan) -> None:
    """Say which tables are watched; a second time replaces the first."""
    _plan[:] = [plan]


def watches() -> list[Watch]:
    """Return how each watched table is watched."""
    (plan,) = _plan
    found: dict[str, Watch] = {}
    all_models: list[type[models.Model]] = list(apps.get_models(include_auto_created=True))
    for model in all_models:
        table = model._meta.db_table
        if table in plan.unwatched or not model._meta.managed or model._meta.proxy:
            continue
        added = "" if table in plan.not_when_added else "INSERT OR "
        found[table] = Watch(table, added, _arguments(model, plan))
    return [found[table] for table in sorted(found)]


def _arguments(model: type[models.Model], plan: Plan) -> tuple[str, str, str, str]:
    meta = model._meta
    columns = {str(column.column): column for column in meta.concrete_fields}
    hidden = {name for name, column in columns.items() if _is_binary(column)}
    hidden |= set(plan.hidden.get(meta.db_table, ()))
    key = str(meta.pk.column)
    member = "member_id" if "member_id" in columns else ""
    if meta.db_table == plan.members:
        member = key
    kind = "approval" if meta.db_table == plan.approvals else ""
    return key, "{" + ",".join(sorted(hidden)) + "}", member, kind


def _is_binary(column: "models.Field[Any, Any]") -> bool:
    inner = getattr(column, "base_field", column)
    return isinstance(inner, models.BinaryField)


def watch_tables(using: str = DEFAULT_DB_ALIAS) -> None:
    """Give every watched table its trigger, and no other table one. Call it as the owner.

    Running it again changes nothing, and locks nothing.
    """
    wanted = {watch.table: watch for watch in watches()}
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [ACTS_TABLE])
        if cursor.fetchone() != (True,):
            return
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")
        existing = {name for (name,) in cursor.fetchall()}
        cursor.execute(_FOUND, [TRIGGER])
        found = {table: (added, arguments) for table, added, arguments in cursor.fetchall()}
        for table in sorted(existing):
            watch = wanted.get(table)
            if found.get(table) == (watch.found if watch else None):
                continue
            _drop(cursor, table)
            if watch is not None:
                _create(cursor, watch)


def _drop(cursor: Any, table: str) -> None:
    statement = sql.SQL("DROP TRIGGER IF EXISTS {trigger} ON {table}")
    cursor.execute(statement.format(trigger=sql.Identifier(TRIGGER), table=sql.Identifier(table)))


def _create(cursor: Any, watch: Watch) -> None:
    cursor.execute(
        sql.SQL(
            "CREATE CONSTRAINT TRIGGER {trigger} AFTER {added} UPDATE OR DELETE ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({guard})"
            " EXECUTE FUNCTION loyalty_record_change({arguments})"
        ).format(
            trigger=sql.Identifier(TRIGGER),
            added=sql.SQL(watch.added),
            table=sql.Identifier(watch.table),
            guard=sql.SQL(_GUARD),
            arguments=sql.SQL(", ").join(map(sql.Literal, watch.arguments)),
        )
    )
