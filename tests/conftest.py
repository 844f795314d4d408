"""Fixtures for every test."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connections
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests import databases
from tests.chance import pytest_runtest_protocol
from tests.requirements import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_terminal_summary,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_runtest_logreport",
    "pytest_runtest_protocol",
    "pytest_terminal_summary",
]

# A machine under load is no failure; `make prove` looks longer.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.register_profile("prove", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Let no test go on in the language that the one before asked a page in."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def database_template(django_db_blocker: DjangoDbBlocker) -> str:
    """Return the name of a migrated, empty database to clone."""
    with django_db_blocker.unblock():
        return databases.template()


@pytest.fixture(scope="session")
def django_db_setup(database_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this test process a database of its own; each test rolls back in it."""
    with django_db_blocker.unblock():
        before = databases.current()
        name = databases.clone(database_template)
        databases.use(name)
    yield
    with django_db_blocker.unblock():
        databases.use(before)
        databases.drop(name)


@pytest.fixture
def own_database(
    database_template: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """Give the test a database that it alone uses and may commit to; return its name.

    For concurrency, and for what happens on commit. Not together with `db`.
    """
    with django_db_blocker.unblock():
        before = databases.current()
        name = databases.clone(database_template)
        databases.use(name)
        try:
            yield name
        finally:
            connections.close_all()
            databases.use(before)
            databases.drop(name)
