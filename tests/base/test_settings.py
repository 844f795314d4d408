"""Settings by environment: what is taken, what is refused and in which words."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.base import checks
from config.base.settings import database, secret, security

ROOT = Path(__file__).resolve().parents[2]
SAFE: dict[str, Any] = {
    "debug": False,
    "secret_key": "k" * 50,
    "clock": "wall",
    "keys": "1:key",
}


def manage(tmp_path: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run manage.py in an environment of its own."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=bare | {"LOYALTY_DATA_DIR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_safe_production_settings_are_accepted() -> None:
    assert security.unsafe_settings(**SAFE) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"debug": True}, "DEBUG"),
        ({"secret_key": ""}, "SECRET_KEY"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"secret_key": "django-insecure-" + "x" * 50}, "SECRET_KEY"),
        ({"clock": "due"}, "LOYALTY_CLOCK"),
        ({"keys": ""}, "LOYALTY_KEYS"),
    ],
)
def test_unsafe_production_settings_are_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named) as refused:
        security.refuse_unsafe(**SAFE | change)
    assert "不安全的生产配置" in str(refused.value)


def test_production_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", LOYALTY_ENV="production", DEBUG="1", LOYALTY_CLOCK="due")
    assert done.returncode != 0
    for name in ("DEBUG", "SECRET_KEY", "LOYALTY_CLOCK", "LOYALTY_KEYS"):
        assert name in done.stderr


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://u:p@h/db", "nonsense"])
def test_anything_but_postgresql_is_refused_in_both_languages(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured) as refused:
        database.databases()
    assert "其他数据库不受支持" in str(refused.value)
    assert "no other database is supported" in str(refused.value)


def test_configured_database_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://app:pw@db.example:5433/shop")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgres://owner:secret@db.example:5433/shop")
    chosen = database.databases()["default"]
    assert chosen["ENGINE"] == "django.db.backends.postgresql"
    assert (chosen["NAME"], chosen["USER"], chosen["PORT"]) == ("shop", "app", 5433)
    assert database.owner_login() == {"USER": "owner", "PASSWORD": "secret"}


def test_owner_of_another_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://app:pw@db.example/shop")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgres://owner:pw@db.example/other")
    with pytest.raises(ImproperlyConfigured, match="two roles of one database"):
        database.owner_login()


def test_pool_replaces_kept_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.databases()["default"]["CONN_MAX_AGE"] is None
    monkeypatch.setenv("LOYALTY_POOL_SIZE", "8")
    chosen = database.databases()["default"]
    assert chosen["CONN_MAX_AGE"] == 0
    assert chosen["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 8}


def test_kept_secret_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    made = secret.kept_secret(path)
    assert secret.kept_secret(path) == made
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_two_folders_get_different_secrets(tmp_path: Path) -> None:
    assert secret.kept_secret(tmp_path / "a") != secret.kept_secret(tmp_path / "b")


@pytest.mark.django_db
def test_production_refuses_a_database_that_forgets(settings: Any) -> None:
    # The suite's own server runs without fsync: what a test wants, and what a site must not have.
    assert checks.database_messages() == []
    settings.LOYALTY_IS_PRODUCTION = True
    found = {message.id for message in checks.database_messages()}
    assert "loyalty.E003" not in found
    assert checks._durability("off", "on")[0].id == "loyalty.E002"
    assert checks._role(is_superuser=True, owns_tables=True)[0].id == "loyalty.E003"
    assert checks._role(is_superuser=False, owns_tables=True)[0].id == "loyalty.W001"
    assert checks._version(140010)[0].id == "loyalty.E001"


def test_production_warns_of_links_without_encryption(settings: Any) -> None:
    settings.LOYALTY_PUBLIC_URL = "http://localhost:8000"
    assert checks.check_public_address() == []
    settings.LOYALTY_IS_PRODUCTION = True
    assert [message.id for message in checks.check_public_address()] == ["loyalty.W002"]
    settings.LOYALTY_PUBLIC_URL = "https://loyalty.example"
    assert checks.check_public_address() == []


@pytest.mark.req("MEM-10")
def test_the_deployment_check_has_nothing_to_say(tmp_path: Path) -> None:
    done = manage(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING", LOYALTY_ENV="production",
        SECRET_KEY=secrets.token_urlsafe(48), ALLOWED_HOSTS="loyalty.example",
        LOYALTY_KEYS=f"1:{base64.b64encode(bytes(32)).decode()}",
        LOYALTY_PUBLIC_URL="https://loyalty.example",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout
