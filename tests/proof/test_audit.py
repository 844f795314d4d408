"""The audit names the right rows of what is broken and is silent on what is not."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from config.base import acts_audit, audit, pg
from config.wiring import audits
from rewards.models import PointsAccount
from tests.proof import corruption, ledgers
from tests.proof.corruption import CORRUPTIONS, Corruption

pytestmark = pytest.mark.req("ORG-06", "PTS-11")


@pytest.mark.parametrize("preset", ["classic", "retail_cn"])
def test_audit_is_silent_where_everything_has_happened(own_database: str, preset: str) -> None:
    ledgers.rich(preset)

    assert corruption.findings() == {}


@pytest.mark.parametrize("planted", CORRUPTIONS, ids=lambda planted: planted.name)
def test_audit_names_the_corrupted_row(rich_ledger: str, planted: Corruption) -> None:
    with corruption.corrupted(planted) as row:
        found = corruption.findings()

    assert row in [violation.ids[planted.row] for violation in found[planted.check]]


def test_every_check_but_that_of_rights_has_its_corruption() -> None:
    audits.install()

    # The record of staff acts has tamperings of its own: tests/safety/test_tampering.py.
    planted = {each.check for each in CORRUPTIONS} | acts_audit.TEXTS.keys()

    assert {check.code for check in audit.registered()} - planted == {
        "append_only_rights", "override_single"
    }  # fmt: skip


def test_rolled_back_corruptions_leave_a_clean_ledger(rich_ledger: str) -> None:
    with corruption.corrupted(CORRUPTIONS[0]):
        pass

    assert corruption.findings() == {}


def test_audit_names_rights_that_the_application_should_not_have(own_database: str) -> None:
    role = str(connection.settings_dict["USER"])
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON rewards_entry TO {role}")
        cursor.execute(f"GRANT UPDATE (purpose) ON members_consent TO {role}")

    found = corruption.findings()["append_only_rights"]

    assert [tuple(violation.ids.values()) for violation in found] == [
        ("members_consent", "UPDATE"),
        ("rewards_entry", "UPDATE"),
    ]


def test_command_reports_rows_and_exits_non_zero(own_database: str) -> None:
    made = ledgers.programme(members=1)
    account = PointsAccount.objects.get(member=made.members[0])
    PointsAccount.objects.update(available=5, earned=5)
    out = StringIO()

    with pytest.raises(CommandError, match="2 of"):
        call_command("loyalty_audit", "account_balances", "account_lifetime", stdout=out)

    assert f"account={account.pk} bucket=available: 0 ≠ 5" in out.getvalue()
    assert "account_balances (1)" in out.getvalue()


def test_command_reports_as_json(rich_ledger: str) -> None:
    out = StringIO()

    call_command("loyalty_audit", "--json", stdout=out)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == len(audit.registered())
    assert not any(line["broken"] for line in lines)


def test_a_check_cannot_write(rich_ledger: str) -> None:
    writing = audit.Check(
        "writing", "", "UPDATE members_member SET channel = '' RETURNING id, '' AS e, '' AS f"
    )

    with pytest.raises(DatabaseError, match="read-only transaction"):
        list(audit.run([writing]))


def test_command_refuses_an_unknown_check(rich_ledger: str) -> None:
    with pytest.raises(CommandError, match="unknown checks: nonsense"):
        call_command("loyalty_audit", "nonsense", stdout=StringIO())
