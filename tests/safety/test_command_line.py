"""Commands and shells are acts of who runs them."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from config.base import command_line
from config.models import StaffAct
from tests import databases

pytestmark = pytest.mark.req("LEG-09")

ROOT = Path(__file__).resolve().parents[2]
# Reviewed: these change little, so each row they change is written down.
WRITTEN_DOWN = frozenset(
    (
        "automations",
        "axes_list_attempts", "axes_reset", "axes_reset_failure_logs", "axes_reset_ip",
        "axes_reset_ip_username", "axes_reset_logs", "axes_reset_username", "changepassword",
        "clearsessions", "createcachetable", "createsuperuser", "dbshell", "flush",
        "generateschema", "inbound", "preset", "remove_stale_contenttypes", "roles", "shell",
        "startapp", "startproject", "touchpoint",
    )
)  # fmt: skip


def manage(database: str, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = databases.environment(database) | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_is_sorted_by_what_it_leaves() -> None:
    known = command_line.NOBODYS | command_line.BULK | WRITTEN_DOWN
    assert set(get_commands()) - known == set()


def test_a_command_writes_down_what_it_changed_and_that_it_ran(own_database: str) -> None:
    made = manage(
        own_database, "touchpoint", "till", "--channel", "pos", "--scopes", "orders:write"
    )
    text = "from members.models import Touchpoint; Touchpoint.objects.update(name='Till 1')"
    told = manage(own_database, "shell", "-c", text, SSH_CONNECTION="10.2.3.4 5 6 7")
    failed = manage(own_database, "preset", "no-such-preset")
    manage(own_database, "loyalty_audit", "--list")

    assert (made.returncode, told.returncode) == (0, 0), made.stderr + told.stderr
    assert failed.returncode != 0
    acts = list(StaffAct.objects.order_by("seq"))
    assert {act.actor for act in acts} == {f"os:{command_line._user()}"}
    runs = [(act.act, act.source, act.after) for act in acts if act.operation == "act"]
    assert runs == [
        ("touchpoint", "command", {"outcome": "finished"}),
        ("shell", "shell", {"outcome": "finished"}),
        ("preset", "command", {"outcome": "failed"}),
    ]
    assert {"members_touchpoint", "members_apikey"} <= {
        act.table for act in acts if act.act == "touchpoint"
    }
    key = next(act for act in acts if act.table == "members_apikey")
    assert key.after is not None
    assert key.after["secret_hash"] == "•"
    change = next(act for act in acts if act.act == "shell" and act.table)
    assert (change.after, change.address) == ({"name": "Till 1"}, "10.2.3.4")


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert command_line._user() == f"#{os.getuid()}"
