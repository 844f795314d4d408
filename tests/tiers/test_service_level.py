"""The member's service level is the tier that counts, whoever or whatever changed it."""

from datetime import timedelta

import pytest

from members.models import Member
from tests.engine.shop import Shop, day
from tiers.models import Tier
from tiers.services import rollout, standing
from tiers.services.standing import OverrideTerms

pytestmark = [pytest.mark.django_db, pytest.mark.req("BEN-05")]


def level(member: Member) -> int:
    return Member.objects.get(pk=member.pk).service_level


def test_an_order_and_its_refund_write_it_down() -> None:
    shop = Shop()
    member = shop.join("m")
    assert level(member) == 0
    shop.buy(member, "A", 3_000, on=1)
    assert level(member) == 2
    shop.give_back("A", "R", on=2)
    assert level(member) == 0


def test_an_override_counts_while_it_runs_and_no_longer() -> None:
    shop = Shop()
    member = shop.join("m")
    shop.buy(member, "A", 1_000, on=1)
    assert level(member) == 1
    terms = OverrideTerms(member.pk, Tier.objects.get(code="diamond").pk, day(5), "VIP")
    standing.set_override(terms=terms, actor="staff:a", approver="staff:b", at=day(2))
    assert level(member) == 3
    shop.buy(member, "B", 2_000, on=3)
    assert level(member) == 3, "gold lies underneath"
    rollout.follow_overrides(at=day(5) + timedelta(hours=1), recorded_at=day(5))
    assert level(member) == 2
