"""Rows that are written once."""

from typing import ClassVar

from django.db import models


class AppendOnly(models.Model):
    """A row that is never updated, deleted or truncated.

    Triggers refuse it to everyone (`config.base.append_only` in the migrations), rights to the
    application: `append_only` tells the grant step to leave UPDATE, DELETE and TRUNCATE away.
    """

    append_only: ClassVar[bool] = True

    class Meta:
        abstract = True
