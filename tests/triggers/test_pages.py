"""The console: automations switched by a click, festivals kept, triggers written without JSON."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns import automation_table
from campaigns.admin.trigger_form import TriggerForm
from campaigns.domain.automations import AUTOMATIONS
from campaigns.models import Campaign, Festival
from campaigns.services import automations, campaign_drafts
from config.base import clock
from config.wiring import panels
from members.customer_words import LifecycleStage
from members.models import Segment
from tests.factories import campaigns, console
from tests.triggers.test_triggers import GOOD

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-11")]

DOCUMENT = "docs/automations.md"
PAGE_QUERIES = 40


@pytest.fixture
def boss(client: Client) -> User:
    panels.install()
    console.programme()
    user = console.staff()
    client.force_login(user)
    return user


def states() -> set[str]:
    return set(Campaign.objects.filter(is_preset=True).values_list("state", flat=True))


def test_the_document_is_the_table_in_force() -> None:
    with open(DOCUMENT, encoding="utf-8") as document:  # noqa: PTH123
        assert document.read() == automation_table.table(), "manage.py automations --table"


@pytest.mark.req("ENG-18", "ENG-26")
def test_a_preset_brings_automations_that_are_off_until_somebody_wants_them() -> None:
    call_command("preset", "classic", verbosity=0)
    assert Campaign.objects.filter(is_preset=True).count() == len(AUTOMATIONS)
    assert states() == {"draft"}
    call_command("preset", "classic", "--automations", verbosity=0)
    call_command("preset", "classic", "--automations", verbosity=0)
    assert states() == {"live"}
    call_command("automations", "--off", *(each.code for each in AUTOMATIONS), verbosity=0)
    assert states() == {"paused"}


def test_an_automation_is_switched_on_and_off_by_a_click(client: Client, boss: User) -> None:
    for verb, state in (("on", "live"), ("on", "live"), ("off", "paused"), ("on", "live")):
        client.post(reverse("admin:automation_switch", args=["birthday", verb]))
        assert Campaign.objects.get(code="auto-birthday").state == state
    page = client.get(reverse("admin:automations"))
    assert page.status_code == 200
    shown = page.content.decode()
    assert reverse("admin:automation_switch", args=["birthday", "off"]) in shown
    assert reverse("admin:automation_switch", args=["welcome-3", "on"]) in shown


def test_what_an_operator_has_changed_is_not_started_by_a_click(client: Client, boss: User) -> None:
    automations.install(actor="t", at=clock.now())
    draft = Campaign.objects.get(code="auto-birthday").versions.get()
    effects = [{"kind": "points", "points": 10_000}]
    campaign_drafts.save(
        version_id=draft.pk, names=campaign_drafts.Names("生日"), terms={"effects": effects},
        actor="t", at=clock.now(),
    )  # fmt: skip
    client.post(reverse("admin:automation_switch", args=["birthday", "on"]))
    assert Campaign.objects.get(code="auto-birthday").state == "draft"


def test_the_pages_cost_a_fixed_number_of_statements(
    client: Client, boss: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    automations.install(actor="t", at=clock.now())
    for each in AUTOMATIONS:
        automations.switch_on(code=each.code, actor="t", at=clock.now())
    for name in ("automations", "festivals"):
        with django_assert_max_num_queries(PAGE_QUERIES):
            assert client.get(reverse(f"admin:{name}")).status_code == 200


def test_festivals_are_kept_by_operators(client: Client, boss: User) -> None:
    filled = {
        "code": "own-day", "name_zh": "店庆<b>", "kind": "lunar", "month": "8", "day": "15",
        "is_enabled": "on",
    }  # fmt: skip
    client.post(reverse("admin:festival_add"), filled)
    kept = Festival.objects.get(code="own-day")
    assert kept.rule == {"kind": "lunar", "month": 8, "day": 15}
    again = client.post(reverse("admin:festival_add"), filled)
    assert "errorlist" in again.content.decode() or "lc-error" in again.content.decode()

    change = reverse("admin:festival_change", args=[kept.pk])
    assert client.get(change).status_code == 200
    refused = client.post(change, {**filled, "kind": "dates", "dates": "2027-02-30"})
    assert refused.status_code == 200
    client.post(change, {**filled, "kind": "dates", "dates": "2027-03-08, 2027-03-09"})
    kept.refresh_from_db()
    assert kept.rule == {"kind": "dates", "dates": ["2027-03-08", "2027-03-09"]}
    shown = client.get(reverse("admin:festivals")).content.decode()
    assert "店庆&lt;b&gt;" in shown


@pytest.mark.req("CMP-01")
@pytest.mark.parametrize("stored", GOOD, ids=lambda data: f"{data['kind']}{len(data)}")
def test_a_trigger_that_is_shown_in_the_form_is_read_back(
    boss: User, stored: dict[str, Any]
) -> None:
    shown = TriggerForm(stored)
    for name in ("segment", "festival", "survey"):
        if name in stored:
            shown.fields[name].choices = [(stored[name], "x")]  # type: ignore[attr-defined]
    data = QueryDict(mutable=True)
    for name, field in shown.fields.items():
        value = shown.initial.get(name, field.initial)
        if value is True:
            value = "on"
        if value not in (None, "", False):
            data.setlist(
                f"trigger-{name}", [str(v) for v in value] if isinstance(value, list) else [value]
            )
    form = TriggerForm(stored, data)
    for name, field in form.fields.items():
        if name in stored and hasattr(field, "choices") and name != "kind":
            values = stored[name] if isinstance(stored[name], list) else [stored[name]]
            field.choices = [(value, "x") for value in values]  # what the programme has
    assert form.read() == stored, form.errors


def posted(**values: Any) -> QueryDict:
    """Return what the form of a trigger posts."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(f"trigger-{name}", value if isinstance(value, list) else [value])
    return data


@pytest.mark.req("CMP-01")
@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({"kind": "birthday", "hour": "0"}, {"hour": 0}),
        ({"kind": "points_expiring", "days": "0"}, {"days": 0}),
        (
            {"kind": "survey", "min_score": "-5", "max_score": "0"},
            {"min_score": -5, "max_score": 0},
        ),
    ],
)
def test_a_nought_is_a_number(boss: User, values: dict[str, str], read: dict[str, int]) -> None:
    assert TriggerForm({}, posted(**values)).read() == {"kind": values["kind"], **read}


def test_what_looks_like_a_number_and_is_none_is_refused(boss: User) -> None:
    form = TriggerForm({}, posted(kind="first_purchase", years="1, ²"))
    assert form.read() is None
    assert "years" in form.errors


def test_stages_are_chosen_by_name(boss: User) -> None:
    form = TriggerForm({}, posted(kind="lifecycle", stages=["dormant", "won_back"]))
    assert form.read() == {"kind": "lifecycle", "stages": ["dormant", "won_back"]}
    assert str(LifecycleStage.DORMANT.label) in str(form["stages"])


def test_what_is_retired_stays_in_a_trigger_that_names_it(boss: User) -> None:
    old = campaigns.segment("old", at=clock.now())
    Segment.objects.filter(pk=old.pk).update(retired_at=clock.now())
    Festival.objects.create(
        code="gone", name_zh="旧节", rule={"kind": "lunar", "month": 8, "day": 15}, is_enabled=False
    )
    stored: tuple[dict[str, Any], ...] = (
        {"kind": "segment_left", "segment": "old"}, {"kind": "festival", "festival": "gone"},
    )  # fmt: skip
    for each in stored:
        assert TriggerForm(each, posted(**each)).read() == each
        assert TriggerForm({}, posted(**each)).read() is None


def test_a_trigger_that_cannot_be_is_said_at_its_field(boss: User) -> None:
    data = QueryDict(mutable=True)
    data.update({"trigger-kind": "survey", "trigger-min_score": "9", "trigger-max_score": "1"})
    form = TriggerForm({"kind": "order"}, data)
    assert form.read() is None
    assert "max_score" in form.errors
