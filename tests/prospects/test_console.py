"""Prospects and their offers in the console, and by files: masked, by two people."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.models import ProspectOffer
from campaigns.services import prospect_offers
from config.base import clock
from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval, Prospect
from members.services import approvals, prospects
from rewards.models import Upload
from rewards.services import uploads
from rewards.services.export_kinds import KINDS
from tests.engine.shop import Shop, day
from tests.factories import console, members
from tests.prospects.world import Recorder, address, enter, join, number_of, offer, phone, prospect

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-13")]

EN = {"accept-language": "en"}
PAGE_QUERIES = 14
Signed = Callable[..., Client]


@pytest.fixture
def signed(client: Client) -> Signed:
    """Return how to sign somebody in with these permissions, as if just confirmed."""
    panels.install()

    def sign(name: str, *permissions: str) -> Client:
        user = User.objects.filter(username=name).first() or console.staff(name, is_superuser=False)
        console.allow(user, *permissions)
        client.force_login(user)
        session = client.session
        session["loyalty_confirmed_at"] = 2.0**40
        session.save()
        return client

    return sign


def test_a_prospect_is_masked_until_somebody_says_why(signed: Signed) -> None:
    made = prospect(("phone", "", "+8613817264095"), ("email", "", "lee@example.com"))
    mo = signed("mo", "members.view_prospect", "members.reveal_prospect")
    list_ = reverse("admin:members_prospect_changelist")
    page = reverse("admin:members_prospect_change", args=[made.pk])
    for term in ("13817264095", "lee@example.com"):
        assert page in mo.get(list_, {"q": term}).text
    shown = [mo.get(list_, {"q": "4095"}).text, mo.get(page, headers=EN).text]
    assert all("…4095" in text for text in shown)
    assert "Agreed to marketing" in shown[1]
    assert "addressable" not in shown[1], "the code of the state, as a tuple"
    assert not any("7264095" in text or "lee@example.com" in text for text in shown)
    address_ = reverse("admin:prospect_reveal", args=[made.pk])
    assert "13817264095" not in mo.post(address_, {"reason": ""}).text
    answer = mo.post(address_, {"reason": "asks what we keep"})
    assert "+8613817264095" in answer.text
    assert "lee@example.com" in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_looks_in_clear_are_limited_a_day(signed: Signed, settings: Settings) -> None:
    settings.LOYALTY_REVEALS_PER_DAY = 1
    address_ = reverse("admin:prospect_reveal", args=[prospect().pk])
    mo = signed("mo", "members.reveal_prospect")
    assert "+86" in mo.post(address_, {"reason": "x"}).text
    assert "+86" not in mo.post(address_, {"reason": "x"}).text


def test_a_consent_by_hand_needs_its_proof(signed: Signed) -> None:
    li = signed("li", "members.add_prospect", "members.view_prospect")
    body = {"phone": "13900001234", "source": "fair", "has_agreed": "on", "text_version": "v1"}
    assert li.post(reverse("admin:prospect_add"), body).status_code == 200
    assert not Prospect.objects.exists()
    assert li.post(reverse("admin:prospect_add"), {**body, "evidence": "form 7"}).status_code == 302
    made = Prospect.objects.get()
    assert made.may_be_addressed
    assert (made.consent_version, made.entered_by) == ("v1", "staff:li")
    assert prospects.contacts_of([made])[made.pk] == {"phone": "+8613900001234"}


def test_a_caller_is_opted_out_or_forgotten(signed: Signed) -> None:
    made = prospect()
    address_ = reverse("admin:prospect_forget", args=[made.pk])
    mo = signed("mo", "members.erase_prospect", "members.view_prospect")
    mo.post(address_, {"do": "stop", "reason": "called"})
    made.refresh_from_db()
    assert (made.may_be_addressed, made.forgotten_at) == (False, None)
    mo.post(address_, {"do": "forget", "reason": "called"})
    made.refresh_from_db()
    assert made.forgotten_because == "asked"
    assert mo.get(address_).status_code == 404


def test_an_offer_runs_when_a_second_person_agrees(
    shop: Shop, sms: Recorder, signed: Signed
) -> None:
    template = offer("other").template
    ProspectOffer.objects.all().delete()
    rights = ("campaigns.add_prospectoffer", "campaigns.change_prospectoffer")
    li = signed("li", *rights, "campaigns.view_prospectoffer")
    body = {
        "code": "new-tea", "name_zh": "新茶", "kind": "new_product", "product": "tea-1",
        "sources": "landing, fair", "min_days": "0", "template": template.pk, "points": "50",
        "valid_days": "7", "starts_at": "2026-03-01T00:00", "holdout_percent": "0",
        "most_given": "5",
    }  # fmt: skip
    refused = li.post(reverse("admin:prospect_offer_add"), {**body, "product": ""}, headers=EN)
    assert "Name the new product" in refused.text
    assert li.post(reverse("admin:prospect_offer_add"), body).status_code == 302
    made = ProspectOffer.objects.get()
    assert (made.sources, made.state) == (["landing", "fair"], "draft")
    form = li.get(reverse("admin:prospect_offer_change", args=[made.pk])).text
    assert 'type="datetime-local" name="starts_at" value="2026-03-01T00:00"' in form
    prospect()
    page = reverse("admin:prospect_offer", args=[made.pk])
    assert "1 prospects have agreed" in li.get(page, headers=EN).text
    assert address() == 0
    li.post(reverse("admin:prospect_offer_ask", args=[made.pk]), {"reason": "spring"})
    approval = Approval.objects.get()
    with pytest.raises(DomainError):
        approvals.approve(approval_id=approval.pk, actor="staff:li", at=day(0))
    with pytest.raises(prospect_offers.OfferError):
        prospect_offers.write(offer_id=made.pk, terms={}, actor="staff:li", at=day(0))
    approvals.approve(approval_id=approval.pk, actor="staff:bo", at=day(0))
    assert address() == 1
    assert "tea-1 50" in sms.got[0].text.body


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"points": "0"}, "Give points or a coupon"),
        ({"points": "2147483648"}, "2147483647"),
        ({"valid_days": "32768"}, "32767"),
        ({"max_days": "32768"}, "32767"),
        ({"most_given": "2147483648"}, "2147483647"),
    ],
)
def test_a_number_that_no_offer_can_have_is_refused_at_its_field(
    signed: Signed, wrong: dict[str, str], told: str
) -> None:
    template = offer("other").template
    li = signed("li", "campaigns.add_prospectoffer", "campaigns.view_prospectoffer")
    body = {
        "code": "new-tea", "name_zh": "新茶", "kind": "recommendation", "min_days": "0",
        "template": template.pk, "points": "50", "valid_days": "7", "starts_at_0": "2026-03-01",
        "starts_at_1": "00:00", "starts_at": "2026-03-01 00:00", "holdout_percent": "0",
        "most_given": "5", **wrong,
    }  # fmt: skip
    answer = li.post(reverse("admin:prospect_offer_add"), body, headers=EN)
    assert (answer.status_code, ProspectOffer.objects.count()) == (200, 1)
    assert told in answer.text


def test_a_refused_offer_is_a_draft_again(shop: Shop) -> None:
    panels.install()
    made = offer(state="draft", started_at=None)
    approval = prospect_offers.ask(offer_id=made.pk, reason="x", actor="staff:li", at=day(0))
    approvals.refuse(approval_id=approval.pk, actor="staff:bo", at=day(0))
    made.refresh_from_db()
    assert made.state == "draft"


def test_the_page_of_an_offer_compares_with_the_hold_out(
    shop: Shop, sms: Recorder, signed: Signed,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    everybody = [prospect() for _number in range(12)]
    running = offer(holdout_percent=50, most_given=1)
    address()
    told = [each for each in everybody if number_of(each) in {got.to for got in sms.got}]
    for each in told[:2]:
        join(each)
    li = signed("li", "campaigns.view_prospectoffer", "campaigns.run_prospectoffer")
    page = reverse("admin:prospect_offer", args=[running.pk])
    li.get(page)
    with django_assert_max_num_queries(PAGE_QUERIES):
        text = li.get(page, headers=EN).text
    assert f"{len(told)} addressed, {12 - len(told)} held out" in text
    assert f"<dd>{clock.local(running.starts_at):%Y-%m-%d %H:%M}</dd>" in text
    assert text.count("percentage points") == 1, "the unit is said once"
    assert "lc-interval" in text
    assert "Given as often as the offer allows" in text
    li.post(reverse("admin:prospect_offer_end", args=[running.pk]), {"reason": "enough"})
    running.refresh_from_db()
    assert running.state == "ended"


def test_a_file_of_prospects_is_rehearsed_and_loaded(
    signed: Signed, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    members.member(("phone", "13900005555", ""))
    text = (
        "phone,email,source,consented_at,text_version,evidence,interest_kind,interest\n"
        "13900006661,,fair,2026-03-01,v1,f-1,product,tea\n"
        ",lee@example.com,fair,,,,,\n"
        "13900005555,,fair,,,,,\n"
        "nonsense,,fair,,,,,\n"
        "13900006662,,fair,,,,mood,x\n"
    )
    data = signed("da", "rewards.add_upload")
    file = SimpleUploadedFile("list.csv", text.encode())
    data.post(reverse("admin:imports"), {"kind": "prospects", "file": file})
    upload = Upload.objects.get()
    columns = {f"column-{name}": name for name in text.split("\n", maxsplit=1)[0].split(",")}
    page = reverse("admin:import_file", args=[upload.pk])
    data.post(page, {"step": "check", **columns})
    checked = uploads.work_on(upload_id=upload.pk, at=clock.now())
    expected = {"rows": 5, "rejected": 2, "new": 2, "member": 1}
    assert (checked.state, checked.report) == ("checked", expected)
    assert not Prospect.objects.exists()
    rejects = b"".join(data.get(reverse("admin:import_rejects", args=[upload.pk])))
    assert b"not_a_phone_number" in rejects
    data.post(page, {"step": "load"})
    loaded = uploads.work_on(upload_id=upload.pk, at=clock.now())
    assert loaded.report["new"] == 2
    assert sorted(each.may_be_addressed for each in Prospect.objects.all()) == [False, True]


def test_a_list_that_is_taken_out_names_no_contact() -> None:
    prospect(("phone", "", "+8613817264095"))
    kind = KINDS["prospects"]
    (row,) = kind.cells(kind.within(None, None))
    assert len(row) == len(kind.columns)
    assert "4095" not in str(row)
    assert kind.permission == "members.view_prospect"


def test_entering_costs_few_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    wanted = prospects.NewProspect((phone(), ("email", "", "x@example.com")), "landing")
    with django_assert_max_num_queries(9):
        enter(wanted)
    with django_assert_max_num_queries(12):
        enter(wanted)
