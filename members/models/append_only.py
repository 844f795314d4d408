"""Rows that are written once: refused by triggers for everyone, by rights for the application."""

from typing import ClassVar

import pgtrigger
from django.db import models


class AppendOnly(models.Model):
    """A row that is never updated, deleted or truncated.

    `append_only` also tells the grant step to leave UPDATE, DELETE and TRUNCATE away from the
    application role.
    """

    append_only: ClassVar[bool] = True

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'Cannot truncate append-only table %', TG_TABLE_NAME;",
            ),
        ]
