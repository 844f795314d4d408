"""A rich ledger, made once for all tests that only read it or roll back what they do to it."""

from collections.abc import Iterator

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from tests import databases
from tests.proof import ledgers


@pytest.fixture(autouse=True)
def deliveries_kept(settings: Settings) -> None:
    """Let every delivery of the ledger count as kept: its days are not the wall's."""
    settings.LOYALTY_DELIVERIES_KEPT_DAYS = 36_500


@pytest.fixture(scope="module")
def rich_ledger(
    database_template: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """Give the module a database with a rich ledger of its own; nothing may be left in it."""
    with django_db_blocker.unblock():
        before = databases.current()
        name = databases.clone(database_template)
        databases.use(name)
        try:
            ledgers.rich()
            yield name
        finally:
            connections.close_all()
            databases.use(before)
            databases.drop(name)
