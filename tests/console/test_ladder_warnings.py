"""Warnings about ladders that contradict nothing, but are hardly meant."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.factories import benefits, console
from tiers import lint
from tiers.models import LadderVersion, QualificationRule, TierTerm

pytestmark = [pytest.mark.django_db, pytest.mark.req("TIR-06")]


@pytest.fixture
def ladder() -> LadderVersion:
    console.programme()
    return LadderVersion.objects.get()


def test_a_sound_ladder_has_no_warnings(ladder: LadderVersion) -> None:
    assert lint.warnings_of(ladder) == []


def test_tiers_of_the_same_worth_are_named(ladder: LadderVersion) -> None:
    TierTerm.objects.filter(tier__code="gold").update(multiplier="1.10")
    with translation.override("en"):
        assert lint.warnings_of(ladder) == ["Gold is worth no more than Silver."]


def test_a_higher_tier_that_asks_no_more_is_named(ladder: LadderVersion) -> None:
    QualificationRule.objects.filter(tier__code="gold").update(threshold=1000)
    with translation.override("en"):
        assert lint.warnings_of(ladder) == ["Gold asks for no more Spend than Silver."]


def test_a_tier_that_nothing_leads_to_is_named_on_the_page(
    client: Client, ladder: LadderVersion
) -> None:
    QualificationRule.objects.filter(tier__code="diamond").delete()
    client.force_login(console.staff())
    address = reverse("admin:tiers_ladderversion_change", args=[ladder.pk])
    text = client.get(address, headers={"accept-language": "en"}).text
    assert "Nothing leads to Diamond." in text


@pytest.mark.req("BEN-04")
def test_a_higher_tier_with_a_lower_discount_or_fewer_benefits_is_named(
    ladder: LadderVersion,
) -> None:
    TierTerm.objects.filter(tier__code="silver").update(discount_percent=3)
    TierTerm.objects.filter(tier__code="gold").update(discount_percent=2)
    TierTerm.objects.filter(tier__code="diamond").update(discount_percent=4)
    for tier, code, quota in (
        ("silver", "care", None), ("gold", "care", 5), ("diamond", "care", 5),
        ("silver", "wrap", 2), ("gold", "wrap", 4), ("gold", "agent", None),
        ("diamond", "wrap", None),
    ):  # fmt: skip
        benefits.gives(tier, code, quota)
    with translation.override("en"):
        assert lint.warnings_of(ladder) == [
            "Gold has a lower discount than Silver.",
            "Gold gives less of care than Silver.",
            "Diamond gives less of agent than Gold.",
        ]
