"""Presets: loaded once, whole, and brought up to date by new versions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rewards.domain.cart import GOODS, PAID, Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.models import PointsPolicy, RuleVersion
from rewards.presets import PRESETS
from rewards.services import intake, presets
from rewards.services.presets import PresetConflictError
from rewards.services.programme import current_book
from tests.factories import members
from tests.rewards import files
from tiers.models import LadderVersion, QualificationRule, Tier, TierTerm

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(days=30)

pytestmark = pytest.mark.django_db


def load(code: str, at: datetime = AT) -> list[str]:
    return presets.load(preset=PRESETS[code], at=at).changes


def active() -> list[tuple[Any, ...]]:
    versions = RuleVersion.objects.filter(state="active").order_by("rule__code", "number")
    return list(versions.values_list("rule__code", "valid_from", "valid_until"))


def buy() -> None:
    """Receive a first order, so that versions can no more be replaced."""
    members.member(("phone", "13900000001", ""), at=AT)
    order = OrderFact(
        source="till", order_no="A", version=1, changed_at=None,
        member=MemberRef(kind="phone", value="+8613900000001"), status=PAID, placed_at=AT,
        currency="CNY", lines=(Line(1, "K", GOODS, None, None, 1_000, 10_000),),
    )  # fmt: skip
    assert intake.receive([order], touchpoint=None, at=AT)[0].status == 200


def test_classic_is_what_the_design_says() -> None:
    load("classic")

    assert list(
        TierTerm.objects.order_by("tier__rank").values_list(
            "tier__code", "tier__name_zh", "multiplier", "discount_percent"
        )
    ) == [
        ("basic", "普通会员", Decimal("1.00"), Decimal(0)),
        ("silver", "银卡会员", Decimal("1.10"), Decimal(2)),
        ("gold", "金卡会员", Decimal("1.25"), Decimal(5)),
        ("diamond", "钻石会员", Decimal("1.50"), Decimal(8)),
    ]
    rules = QualificationRule.objects.order_by("tier__rank", "group")
    names = ("tier__code", "purpose", "metric", "window_days", "threshold")
    asked: list[tuple[Any, ...]] = list(rules.values_list(*names))
    assert asked == [
        ("silver", "entry", "spend", 365, 1_000), ("silver", "entry", "interactions", 365, 12),
        ("gold", "entry", "spend", 365, 3_000), ("gold", "entry", "interactions", 365, 36),
        ("diamond", "entry", "spend", 365, 6_000), ("diamond", "entry", "interactions", 365, 72),
    ]  # fmt: skip
    assert active() == [("base", None, None), ("tier", None, None)]
    policy = PointsPolicy.objects.get()
    assert (policy.effective_from, policy.expiry, policy.expires_after) == (None, "month_end", 12)
    assert (policy.return_window_days, policy.late_fact_days, policy.claim_days) == ({}, 35, 30)
    ladder = LadderVersion.objects.get()
    assert (ladder.effective_from, ladder.validity_days, ladder.withdraw_days) == (None, 365, 30)
    assert "check_in" not in ladder.qualifying_kinds


@pytest.mark.parametrize("code", sorted(PRESETS))
def test_a_second_load_changes_nothing(code: str) -> None:
    assert load(code)
    before = files.row_counts()

    assert load(code, LATER) == []

    assert files.row_counts() == before


@pytest.mark.parametrize("code", sorted(PRESETS))
def test_a_second_load_after_orders_changes_nothing(code: str) -> None:
    load(code)
    buy()

    assert load(code, LATER) == []


def test_another_preset_replaces_the_first_as_long_as_nothing_was_received() -> None:
    load("classic")

    load("retail_cn")

    assert LadderVersion.objects.count() == PointsPolicy.objects.count() == 1
    assert {valid_from for _code, valid_from, _until in active()} == {None}
    assert current_book().policy_at(AT).return_window_days == {"web": 7, "app": 7, "miniapp": 7}
    assert {"birthday_month", "member_day", "check_in"} <= {code for code, *_rest in active()}


def test_another_preset_is_effective_from_now_on_once_orders_were_received() -> None:
    load("retail_cn")
    buy()

    load("classic", LATER)

    ladders = LadderVersion.objects.order_by("number").values_list("number", "effective_from")
    assert list(ladders) == [(1, None), (2, LATER)]
    ended = {code for code, _from, until in active() if until == LATER}
    assert ended == {
        "birthday_month", "member_day", "review", "survey", "check_in", "check_in_streak", "share",
        "share_verified",
    }  # fmt: skip
    assert {code for code, _from, until in active() if until is None} == {"base", "tier"}
    assert current_book().policy_at(AT).return_window_days != {}
    assert current_book().policy_at(LATER).return_window_days == {}


def test_what_staff_have_set_up_besides_stays() -> None:
    load("classic")
    base = RuleVersion.objects.get(rule__code="base")
    own = RuleVersion.objects.get(rule__code="member_day")
    own.state, own.created_by = "active", "staff:ann"
    own.rule.code = "our_day"
    own.rule.save()
    own.save()

    load("retail_cn")

    assert ("our_day", None, None) in active()
    assert RuleVersion.objects.filter(pk=base.pk).exists()


def test_tiers_of_another_making_are_not_overwritten() -> None:
    Tier.objects.create(code="bronze", rank=0, name_zh="铜", name_en="Bronze")

    with pytest.raises(PresetConflictError) as refused:
        load("classic")

    assert refused.value.details == {"tiers": ["bronze"]}
    assert not LadderVersion.objects.exists()
