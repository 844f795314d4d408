"""What tiers give, and calling off what members have redeemed: seen first, then done."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval
from members.services import approvals
from rewards.models import PointsAccount
from rewards.services import calling_off
from tests.engine.shop import Shop, day
from tests.factories import benefits, catalogue, console
from tiers.models import Entitlement, Tier, TierBenefit
from tiers.services import benefit_terms, rollout
from tiers.services.benefit_terms import Terms

pytestmark = pytest.mark.django_db

MAKER, CHECKER = "staff:li.na", "staff:wang.wei"
MATRIX_QUERIES = 12
ENGLISH = {"accept-language": "en"}


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


def ask(tier: str, code: str, terms: Terms, starts: float | None = None, at: float = 5) -> Approval:
    return benefit_terms.ask(
        tier=Tier.objects.get(code=tier), benefit=benefits.benefit(code), terms=terms,
        starts_at=None if starts is None else day(starts), reason="fairer", actor=MAKER, at=day(at),
    )  # fmt: skip


def approve(approval: Approval, at: float = 5) -> None:
    approvals.approve(approval_id=approval.pk, actor=CHECKER, at=day(at))


def refusal(work: object) -> str:
    assert callable(work)
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


@pytest.mark.req("BEN-04")
def test_a_tier_gives_otherwise_once_a_second_person_agrees() -> None:
    shop = Shop()
    benefits.only(("silver", "wrap", 2))
    approve(ask("basic", "care", Terms(True, 3, "month"), 6))
    approve(ask("silver", "wrap", Terms(True, None, "year"), 6))
    ann = shop.join("ann", at=7)
    rollout.sync_all(at=day(7), recorded_at=day(7))

    rows = TierBenefit.objects.filter(benefit__code="wrap").order_by("number")
    said = list(rows.values_list("number", "quota", "effective_from", "effective_until"))
    assert said == [(1, 2, None, day(6)), (2, None, day(6), None)]
    assert Entitlement.objects.get(member=ann).quota == 3
    approve(ask("silver", "wrap", Terms(gives=False), 10, at=9), 9)
    assert benefit_terms.current(day(9), tier__code="silver")
    assert not benefit_terms.current(day(10), tier__code="silver")


@pytest.mark.req("BEN-04")
def test_a_request_is_refused_when_something_else_came_between() -> None:
    Shop()
    benefits.only(("silver", "wrap", 2))
    assert refusal(lambda: ask("silver", "wrap", Terms(True, 2))) == "nothing_changes"
    assert refusal(lambda: ask("silver", "wrap", Terms(True, 3), 4)) == "start_passed"
    approval = ask("silver", "wrap", Terms(True, 3))
    assert refusal(lambda: ask("silver", "wrap", Terms(True, 4))) == "draft_in_review"
    TierBenefit.objects.update(effective_until=day(4))
    assert refusal(lambda: approve(approval)) == "terms_changed"


@pytest.mark.req("BEN-04", "TIR-06")
def test_who_asks_and_who_decides_see_that_a_higher_tier_gives_less(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Shop()
    for tier in ("silver", "gold", "diamond"):
        benefits.gives(tier, "wrap", 2)
    client.force_login(console.staff())
    silver, wrap = Tier.objects.get(code="silver"), benefits.benefit("wrap")
    page = reverse("admin:benefit_terms", args=[silver.pk, wrap.pk])
    assert "wrap" in client.get(page, headers=ENGLISH).text
    body = {"gives": "on", "quota": 9, "period": "year", "on_leave": "end", "reason": "r"}
    response = client.post(page, body)
    matrix = reverse("admin:benefit_matrix")
    assert response.url == matrix  # type: ignore[attr-defined]
    with django_assert_max_num_queries(MATRIX_QUERIES):
        assert "2 · Calendar year" in client.get(matrix, headers=ENGLISH).text
    approval = Approval.objects.get(kind="benefit.terms")
    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    text = client.get(decide, headers=ENGLISH).text
    assert "gives less of wrap than" in text
    assert "9 · Calendar year" in text


@pytest.mark.req("PTS-05")
def test_calling_off_shows_what_it_undoes_and_gives_the_points_back(client: Client) -> None:
    shop = Shop()
    tour = catalogue.reward("tour", 40, kind="experience", tracks_stock=True)
    may = catalogue.slot(tour, "may", day(90), 5)
    people = [shop.join(name) for name in ("ann", "bob")]
    for who in people:
        shop.buy(who, f"O-{who.pk}", 500, on=1)
        catalogue.redeem(who, "tour", at=day(40), slot="may")
    found = calling_off.consequences(tour)
    assert [(each.slot, each.redemptions, each.members, each.points) for each in found] == [
        (None, 2, 2, 80), (may, 2, 2, 80),
    ]  # fmt: skip
    client.force_login(console.staff())
    page = reverse("admin:reward_call_off", args=[tour.pk])
    assert "may" in client.get(page).text
    before = sum(PointsAccount.objects.values_list("available", flat=True))

    client.post(page, {"slot": may.pk, "reason": "rain"})
    assert calling_off.consequences(tour)[0].redemptions == 2
    client.post(page, {"slot": may.pk, "reason": "rain", "is_sure": "on"})

    assert calling_off.consequences(tour)[0].redemptions == 0
    assert sum(PointsAccount.objects.values_list("available", flat=True)) == before + 80
    tour.refresh_from_db()
    assert tour.is_active
