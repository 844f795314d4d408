"""Which PostgreSQL, and as whom.

`DATABASE_URL` is the application's login, `DATABASE_OWNER_URL` that of the role which migrates.
Without them the site runs a server of its own.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.base.embedded import roles
from config.base.settings.environment import env

PREPARE_AFTER = 5
POSTGRES_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")

NOT_POSTGRES_MESSAGE = (
    "{name} 必须是 PostgreSQL（≥ 15）的地址，例如 postgres://用户:密码@主机:5432/库名；"
    "其他数据库不受支持。不设置它，则使用自带的 PostgreSQL。 / "
    "{name} must be the address of a PostgreSQL (>= 15) such as "
    "postgres://user:password@host:5432/name; no other database is supported. "
    "Leave it out to use the PostgreSQL that comes with the site."
)

OTHER_DATABASE_MESSAGE = (
    "DATABASE_OWNER_URL 与 DATABASE_URL 必须是同一个数据库的两个角色。 / "
    "DATABASE_OWNER_URL and DATABASE_URL must be two roles of one database."
)


def postgres_from_url(name: str) -> dict[str, Any]:
    """Return the database that the variable names.

    Raises: ImproperlyConfigured for anything but PostgreSQL.
    """
    scheme = env.str(name).partition("://")[0]
    if scheme not in POSTGRES_SCHEMES:
        raise ImproperlyConfigured(NOT_POSTGRES_MESSAGE.format(name=name))
    return dict(env.db_url(name))


def databases() -> dict[str, dict[str, Any]]:
    """Return `DATABASES`: one database, used with the application's rights."""
    if env.str("DATABASE_URL", default=""):
        chosen = postgres_from_url("DATABASE_URL")
    else:
        chosen = {
            "ENGINE": "config.base.database",
            "NAME": env.str("LOYALTY_DATABASE_NAME", default=roles.DATABASE),
            "USER": roles.APPLICATION,
        }
    chosen["CONN_MAX_AGE"] = None
    chosen["CONN_HEALTH_CHECKS"] = True
    options = chosen.setdefault("OPTIONS", {})
    # Django switches the driver's prepared statements off unless it is told when to use them.
    options["prepare_threshold"] = PREPARE_AFTER
    if pool_size := env.int("LOYALTY_POOL_SIZE", default=0):
        # Django keeps no connection of its own beside a pool.
        chosen["CONN_MAX_AGE"] = 0
        options["pool"] = {"min_size": 1, "max_size": pool_size}
    return {"default": chosen}


def owner_login() -> dict[str, str]:
    """Return what changes in the database settings for the role that owns the tables.

    Raises: ImproperlyConfigured when the two addresses name different databases.
    """
    if env.str("DATABASE_OWNER_URL", default=""):
        owner = postgres_from_url("DATABASE_OWNER_URL")
        site = postgres_from_url("DATABASE_URL")
        if any(owner[part] != site[part] for part in ("HOST", "PORT", "NAME")):
            raise ImproperlyConfigured(OTHER_DATABASE_MESSAGE)
        return {"USER": owner["USER"], "PASSWORD": owner["PASSWORD"]}
    if env.str("DATABASE_URL", default=""):
        return {}
    return {"USER": roles.OWNER}


def postgres_options() -> dict[str, str]:
    """Return server settings that `LOYALTY_POSTGRES_OPTIONS` adds (`name=value`, spaces between).

    Source: used by the test suite, whose data may be lost, to spare the disk.
    """
    pairs = env.str("LOYALTY_POSTGRES_OPTIONS", default="").split()
    return dict(pair.split("=", 1) for pair in pairs)
