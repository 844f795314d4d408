"""What a site in production must not run on: checked before it serves."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

MINIMUM_SERVER_VERSION = 150000


def database_messages(using: str = DEFAULT_DB_ALIAS) -> list[CheckMessage]:
    """Return what is wrong with the database and with our role in it."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('fsync'),"
            " current_setting('full_page_writes'), rolsuper, EXISTS (SELECT FROM pg_class"
            " WHERE relkind = 'r' AND relowner = pg_roles.oid AND relname = 'members_member')"
            " FROM pg_roles WHERE rolname = current_user"
        )
        version, fsync, full_pages, is_superuser, owns_tables = cursor.fetchone()
    return [
        *_version(version),
        *(_durability(fsync, full_pages) if settings.LOYALTY_IS_PRODUCTION else []),
        *(_role(is_superuser, owns_tables) if settings.LOYALTY_IS_PRODUCTION else []),
    ]


def _version(version: int) -> list[CheckMessage]:
    if version >= MINIMUM_SERVER_VERSION:
        return []
    return [Error("PostgreSQL must be 15 or newer", id="loyalty.E001")]


def _durability(fsync: str, full_pages: str) -> list[CheckMessage]:
    if (fsync, full_pages) == ("on", "on"):
        return []
    hint = "A crash would lose or corrupt acknowledged points."
    return [Error("fsync and full_page_writes must be on", hint=hint, id="loyalty.E002")]


def _role(is_superuser: bool, owns_tables: bool) -> list[CheckMessage]:
    if is_superuser:
        hint = "Rights and triggers do not bind a superuser: append-only tables would not be."
        return [Error("DATABASE_URL must not be a superuser's", hint=hint, id="loyalty.E003")]
    if owns_tables:
        hint = "Set DATABASE_OWNER_URL for migrations, and a role of its own in DATABASE_URL."
        return [
            checks.Warning("the site runs as the owner of its tables", hint=hint, id="loyalty.W001")
        ]
    return []


@register(Tags.security)
def check_public_address(**options: Any) -> list[CheckMessage]:
    """Warn of links in messages that lead to an address without encryption, or to nobody's."""
    if not settings.LOYALTY_IS_PRODUCTION or settings.LOYALTY_PUBLIC_URL.startswith("https://"):
        return []
    hint = "Messages carry links to it by which members opt out."
    return [checks.Warning("LOYALTY_PUBLIC_URL is not https", hint=hint, id="loyalty.W002")]


@register(Tags.database)
def check_database(*, databases: Sequence[str] | None = None, **options: Any) -> list[CheckMessage]:
    """Check the databases that a command is about to use."""
    return [message for using in databases or [] for message in database_messages(using)]


def refuse_unsafe_database() -> None:
    """Stop the start of a site on an unsafe database. One that is down is for readiness to tell.

    Raises: ImproperlyConfigured, naming everything that is wrong.
    """
    try:
        errors = [message for message in database_messages() if message.is_serious()]
    except OperationalError:
        return
    if errors:
        raise ImproperlyConfigured("; ".join(f"{error.msg}. {error.hint}" for error in errors))
