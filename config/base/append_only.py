"""Refuse changes of append-only tables in the database itself, whoever asks and however."""

from typing import Any

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION loyalty_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Refused: % of append-only table %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class RefuseChanges(migrations.RunSQL):
    """Let a table only grow: UPDATE, DELETE and TRUNCATE are refused for every role.

    There is no setting that switches it off; only a migration removes the triggers.
    """

    def __init__(self, table: str) -> None:
        """Name the table."""
        self.table = table
        super().__init__(
            f"""{_FUNCTION}
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
            CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION loyalty_refuse_change();""",
            f"""DROP TRIGGER append_only ON {table};
            DROP TRIGGER no_truncate ON {table};""",
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how a migration writes this operation."""
        return (type(self).__qualname__, [self.table], {})
