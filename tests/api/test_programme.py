"""The programme as everybody reads it: what holds, by version, in words that follow the rules."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from campaigns.services import launching
from config.base import clock
from members.models import Brand
from members.services import brand
from members.services.brand import BrandContent
from rewards.models import PointsPolicy, Rule, RuleVersion
from rewards.models.rule import RuleEffect, RuleState
from rewards.presets import PRESETS
from rewards.services import presets
from tests.factories import campaigns, console
from tiers.models import Benefit, LadderVersion, Tier, TierBenefit, TierTerm

pytestmark = [pytest.mark.django_db, pytest.mark.req("TIR-13", "INT-11")]

LOADED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def classic() -> None:
    presets.load(preset=PRESETS["classic"], at=LOADED)


def read(query: str = "", language: str = "en", **headers: str) -> dict[str, Any]:
    answer = Client().get(f"/api/v1/programme{query}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def tier(body: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = (each for each in body["ladder"]["tiers"] if each["code"] == code)
    result: dict[str, Any] = found
    return result


def test_everybody_reads_the_ladder_in_force(classic: None) -> None:
    body = read()
    codes = [each["code"] for each in body["ladder"]["tiers"]]
    assert codes == ["basic", "silver", "gold", "diamond"]
    gold = tier(body, "gold")
    assert (gold["multiplier"], gold["discount_percent"]) == ("1.25", "5")
    thresholds = [(way["all"][0]["metric"], way["all"][0]["threshold"]) for way in gold["entry"]]
    assert thresholds == [("spend", "3000"), ("interactions", "36")]
    assert gold["retention"] == gold["entry"], "what earns it keeps it, where nothing else is said"
    assert gold["name"] == {"text": "Gold", "zh": "金卡会员", "en": "Gold"}
    assert "3,000" in gold["entry"][0]["sentence"]["en"]
    assert tier(body, "basic")["entry"] == []
    assert (body["version"], body["effective_from"], body["upcoming"]) == (1, None, None)


def test_retention_is_told_where_it_differs() -> None:
    presets.load(preset=PRESETS["retail_cn"], at=LOADED)
    gold = tier(read(), "gold")
    assert gold["retention"][0]["all"][0]["threshold"] == "2400"


def test_rules_and_points_are_told_in_words() -> None:
    presets.load(preset=PRESETS["retail_cn"], at=LOADED)
    body = read()
    sentences = {rule["code"]: rule["sentence"]["en"] for rule in body["earning"]}
    assert sentences["base"] == "Gives 1 points per 1 paid."
    assert sentences["member_day"].startswith("Multiplies the base points by 2. Only if: Day of")
    assert "month of the birthday" in sentences["birthday_month"]
    assert "12" not in sentences["birthday_month"], "not twelve times the same"
    assert "At most 200 points per member" in sentences["review"]
    points = body["points"]
    assert points["pay"] == {
        "points": 100, "amount": "1.00", "min_points": 100, "step_points": 100,
        "max_percent": "50",
    }  # fmt: skip
    said = " ".join(each["en"] for each in points["sentences"])
    assert "12 months" in said
    assert "7 full days" in said
    assert "up to 50 %" in said


def test_drafts_are_nobody_s_business(classic: None) -> None:
    assert {rule["code"] for rule in read()["earning"]} == {"base", "tier"}


def test_benefits_stand_with_their_tier(classic: None) -> None:
    benefit = Benefit.objects.create(
        code="delivery", name_zh="免费配送", name_en="Free delivery", description_en="To the door"
    )
    silver = Tier.objects.get(code="silver")
    TierBenefit.objects.create(tier=silver, benefit=benefit, quota=2)
    told = next(b for b in tier(read(), "silver")["benefits"] if b["code"] == "delivery")
    assert (told["code"], told["quota"], told["period"]) == ("delivery", 2, "year")
    assert told["sentence"]["en"].startswith("2 times")
    assert told["name"]["zh"] == "免费配送"
    assert "delivery" not in {b["code"] for b in tier(read(), "gold")["benefits"]}


def test_the_language_is_the_reader_s_and_both_are_there(classic: None) -> None:
    english, chinese = read(language="en"), read(language="zh-Hans")
    assert tier(english, "gold")["name"]["text"] == "Gold"
    assert tier(chinese, "gold")["name"]["text"] == "金卡会员"
    assert english["brand"]["programme_name"]["en"] == chinese["brand"]["programme_name"]["en"]


def test_versions_are_counted_by_every_change(classic: None) -> None:
    now = clock.now()
    begun, coming = now - timedelta(days=10), now + timedelta(days=10)
    ladder = LadderVersion.objects.create(number=2, effective_from=coming)
    for each in Tier.objects.all():
        TierTerm.objects.create(ladder=ladder, tier=each, multiplier=Decimal(3))
    rule = Rule.objects.create(code="spring", name_zh="春", name_en="Spring")
    RuleVersion.objects.create(
        rule=rule, number=1, state=RuleState.ACTIVE, effect=RuleEffect.FIXED, points=9,
        valid_from=begun, created_at=begun, created_by="system",
    )  # fmt: skip
    body = read()
    assert (body["version"], body["upcoming"]["version"]) == (2, 3)
    assert datetime.fromisoformat(body["upcoming"]["effective_from"]) == coming
    assert tier(body, "gold")["multiplier"] == "1.25"
    assert "spring" in {each["code"] for each in body["earning"]}
    first = read("?version=1")
    assert "spring" not in {each["code"] for each in first["earning"]}
    assert first["effective_until"] == body["effective_from"]
    third = read("?version=3")
    assert tier(third, "gold")["multiplier"] == "3"
    later = (coming + timedelta(days=1)).isoformat().replace("+", "%2B")
    assert read(f"?at={later}")["version"] == 3
    assert read(f"?at={later}") == third


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?version=9", 404, "programme_version_unknown"),
        ("?version=0", 404, "programme_version_unknown"),
        ("?version=x", 400, "parameter_invalid"),
        ("?at=today", 400, "parameter_invalid"),
        ("?at=2026-01-01T00:00:00", 400, "parameter_invalid"),
        ("?version=1&at=2026-01-01T00:00:00Z", 400, "parameter_invalid"),
        ("?lang=en", 400, "parameter_invalid"),
    ],
)
def test_what_cannot_be_asked_is_refused(classic: None, query: str, status: int, code: str) -> None:
    answer = Client().get(f"/api/v1/programme{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_without_a_programme_there_is_nothing_to_tell() -> None:
    answer = Client().get("/api/v1/programme")
    assert (answer.status_code, answer.json()["code"]) == (503, "programme_missing")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.req("INT-05")
def test_what_has_not_changed_is_not_sent_again(classic: None) -> None:
    first = Client().get("/api/v1/programme", headers={"Accept-Language": "en"})
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert "Accept-Language" in first.headers["Vary"]
    known = {"If-None-Match": first.headers["ETag"]}
    again = Client().get("/api/v1/programme", headers={"Accept-Language": "en", **known})
    assert (again.status_code, again.content) == (304, b"")
    other = Client().get("/api/v1/programme", headers={"Accept-Language": "zh-Hans", **known})
    assert other.status_code == 200
    PointsPolicy.objects.create(number=2, effective_from=clock.now() + timedelta(seconds=90))
    soon = Client().get("/api/v1/programme", headers={"Accept-Language": "en", **known})
    assert soon.status_code == 200
    assert 80 <= int(soon.headers["Cache-Control"].rpartition("=")[2]) <= 90


def content(name: str) -> BrandContent:
    return BrandContent(name, name, "花", "petals", texts={"tagline": {"zh": "你好", "en": "Hi"}})


def test_the_brand_is_kept_once_and_by_version(classic: None) -> None:
    now = clock.now()
    brand.publish(content=content("花园"), effective_from=now, at=now, actor="staff:a")
    told = read()["brand"]
    assert (told["version"], told["programme_name"]["text"]) == (2, "花园")
    assert told["texts"] == [{"code": "tagline", "text": "Hi", "zh": "你好", "en": "Hi"}]
    assert read("?version=1")["brand"]["programme_name"]["en"] == "Member programme"
    presets.load(preset=PRESETS["classic"], at=clock.now())
    assert Brand.objects.count() == 2, "a preset never replaces what people have written"


def test_two_versions_of_the_brand_cannot_begin_together(classic: None) -> None:
    now = clock.now()
    brand.publish(content=content("a"), effective_from=now, at=now, actor="staff:a")
    with pytest.raises(brand.BrandTakenError):
        brand.publish(content=content("b"), effective_from=now, at=now, actor="staff:a")


def test_the_console_publishes_a_version(client: Client, classic: None) -> None:
    client.force_login(console.staff())
    address = reverse("admin:members_brand_add")
    page = client.get(address)
    assert page.status_code == 200
    assert "会员计划" in page.text, "it begins with what the present version says"
    values = {
        "programme_name_zh": "花园会", "programme_name_en": "Garden club",
        "points_name_zh": "花瓣", "points_name_en": "petals", "logo_url": "https://x.example/l.svg",
        "primary_colour": "#112233", "accent_colour": "#445566", "tagline_zh": "<b>好</b>",
        "tagline_en": "Good",
    }  # fmt: skip
    bad = client.post(address, {**values, "primary_colour": "red", "logo_url": "javascript:x"})
    assert bad.status_code == 200
    assert Brand.objects.count() == 1
    assert client.post(address, values).status_code == 302
    told = read()["brand"]
    assert (told["version"], told["programme_name"]["en"]) == (2, "Garden club")
    cache.clear()
    shown = client.get(reverse("admin:index"), headers={"accept-language": "en"})
    assert "Garden club" in shown.text, "the console calls the programme by its name"
    made = Brand.objects.get(number=2)
    page = client.get(reverse("admin:members_brand_change", args=[made.pk]))
    assert page.status_code == 200
    assert "<b>好</b>" not in page.text


@pytest.mark.req("LEG-02")
def test_terms_of_campaigns_are_told_while_they_hold(classic: None) -> None:
    until = datetime(2026, 3, 1, tzinfo=UTC)
    said = {"terms_zh": "条款", "terms_version": "2026-02"}
    campaign = campaigns.running(at=LOADED, code="may", percent=10, ends_at=until, **said)
    campaigns.running(at=LOADED, code="silent")
    later = LOADED + timedelta(days=20)
    campaigns.follow_up(campaign, at=later, terms_en="Terms", starts_at=later)
    campaigns.draft(at=LOADED, code="draft", **said)

    (found,) = read("?at=2026-01-31T00:00:00Z")["campaigns"]
    assert found["terms"] == {"text": "Terms", "zh": "条款", "en": "Terms"}
    assert (found["code"], found["version"], found["terms_version"]) == ("may", 2, "2026-02")
    assert datetime.fromisoformat(found["ends_at"]) == until
    (before,) = read("?at=2026-01-10T00:00:00Z")["campaigns"]
    assert before["version"] == 1
    assert read("?at=2026-03-01T00:00:00Z")["campaigns"] == []

    launching.end(campaign_id=campaign.pk, actor="t", at=later + timedelta(days=1))
    assert read("?at=2026-01-31T00:00:00Z")["campaigns"] == []
