"""From draft to force: two people, what was reviewed and nothing else, frozen afterwards."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals, drafts
from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.services import rule_drafts, rule_publication
from rewards.services.rule_drafts import RuleNames
from tests.engine import shop as shops
from tests.engine.shop import Shop, day

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-04")]

AT = day(1)
MINUTE = timedelta(minutes=1)
NAMES = RuleNames("双倍积分", "Double points")


@pytest.fixture
def shop() -> Shop:
    panels.install()
    return Shop()


def write(**terms: Any) -> RuleVersion:
    said = {"effect": "multiplier", "factor": Decimal(2), "conditions": None, **terms}
    return rule_drafts.create(names=NAMES, terms=said, actor="staff:eve", at=AT)


def send(draft: RuleVersion, at: datetime = AT) -> Approval:
    return rule_drafts.submit(draft_id=draft.pk, reason="promo", actor="staff:eve", at=at)


def agree(approval: Approval, at: datetime = AT) -> None:
    approvals.approve(approval_id=approval.pk, actor="staff:bob", at=at)


def published(at: datetime = AT, **terms: Any) -> RuleVersion:
    draft = write(**terms)
    agree(send(draft), at)
    draft.refresh_from_db()
    return draft


def refused(code: str, call: Any, **values: Any) -> None:
    with pytest.raises(DomainError) as caught:
        call(**values)
    assert caught.value.code == code


def test_an_order_earns_by_a_rule_from_the_instant_it_is_published(shop: Shop) -> None:
    who = shop.join("a")
    draft = write()
    shop.buy(who, "before", 100, on=1)
    assert shop.points(who) == {"before base": 100}, "a draft counts for nothing"
    agree(send(draft))
    draft.refresh_from_db()
    assert draft.state == RuleState.ACTIVE
    assert draft.valid_from == rule_publication.earliest(AT)
    shop.buy(who, "after", 100, on=2)
    late = 1 + 4 / 1440
    shop.buy(who, "late", 100, on=late, at=2)
    found = shop.points(who)
    assert found["after double_points"] == 100
    assert "late double_points" not in found, "placed before the rule began"


def test_the_first_instant_is_beyond_every_purchase_decided_by_now(shop: Shop) -> None:
    for seconds in (0, 1, 59, 59.9):
        at = AT + timedelta(seconds=seconds)
        assert rule_publication.earliest(at) - at > timedelta(minutes=5)
        assert rule_publication.earliest(at) - at <= timedelta(minutes=7)


def test_a_later_begin_is_kept_and_the_version_before_ends_there(shop: Shop) -> None:
    first = published()
    copy = rule_drafts.copy(version_id=first.pk, actor="staff:eve", at=AT)
    assert (copy.number, copy.valid_from, copy.state) == (2, None, RuleState.DRAFT)
    terms = {**rule_drafts.terms_of(copy), "factor": Decimal(3), "valid_from": day(9)}
    rule_drafts.save(draft_id=copy.pk, names=NAMES, terms=terms, actor="staff:eve", at=AT)
    agree(send(copy))
    first.refresh_from_db()
    copy.refresh_from_db()
    assert first.valid_until == copy.valid_from == day(9)
    who = shop.join("a")
    shop.buy(who, "two", 100, on=5)
    shop.buy(who, "three", 100, on=10)
    found = shop.points(who)
    assert found["two double_points"] == 100
    assert found["three double_points"] == 200


def test_nobody_publishes_alone(shop: Shop) -> None:
    draft = write()
    approval = send(draft)
    refused("approval_own_request", approvals.approve, approval_id=approval.pk,
            actor="staff:eve", at=AT)  # fmt: skip
    draft.refresh_from_db()
    assert draft.state == RuleState.DRAFT


def test_a_draft_that_changed_has_to_be_sent_again(shop: Shop) -> None:
    draft = write()
    approval = send(draft)
    RuleVersion.objects.filter(pk=draft.pk).update(factor=Decimal(9))
    refused("draft_changed", approvals.approve, approval_id=approval.pk, actor="staff:bob", at=AT)
    draft.refresh_from_db()
    approval.refresh_from_db()
    assert (draft.state, approval.state) == (RuleState.DRAFT, ApprovalState.REQUESTED)


def test_renaming_a_rule_that_is_in_review_is_a_change(shop: Shop) -> None:
    approval = send(write())
    Rule.objects.filter(code="double_points").update(name_zh="三倍积分")
    refused("draft_changed", approvals.approve, approval_id=approval.pk, actor="staff:bob", at=AT)


def test_saving_a_change_takes_a_draft_back_from_review(shop: Shop) -> None:
    draft = write()
    approval = send(draft)
    refused("draft_in_review", send, draft=draft)
    said = rule_drafts.terms_of(draft)
    save: dict[str, Any] = {"draft_id": draft.pk, "names": NAMES, "actor": "staff:eve", "at": AT}
    rule_drafts.save(**save, terms=said)
    approval.refresh_from_db()
    assert approval.state == ApprovalState.REQUESTED, "nothing has changed"
    rule_drafts.save(**save, terms={**said, "factor": Decimal(3)})
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by) == (ApprovalState.WITHDRAWN, "staff:eve")
    agree(send(draft))


def test_who_sent_a_draft_can_take_it_back(shop: Shop) -> None:
    draft = write()
    refused("draft_not_in_review", rule_drafts.withdraw, draft_id=draft.pk,
            actor="staff:eve", at=AT)  # fmt: skip
    approval = send(draft)
    rule_drafts.withdraw(draft_id=draft.pk, actor="staff:eve", at=AT)
    assert drafts.pending(kind=rule_drafts.PUBLISH, draft_ids=[draft.pk]) == {}
    refused("approval_decided", approvals.approve, approval_id=approval.pk,
            actor="staff:bob", at=AT)  # fmt: skip


def test_a_published_version_never_changes(shop: Shop) -> None:
    version = published()
    said = rule_drafts.terms_of(version)
    refused("version_frozen", rule_drafts.save, draft_id=version.pk, names=NAMES,
            terms={**said, "factor": Decimal(5)}, actor="staff:eve", at=AT)  # fmt: skip
    refused("version_frozen", rule_drafts.discard, draft_id=version.pk, actor="x", at=AT)
    refused("version_frozen", rule_drafts.submit, draft_id=version.pk, reason="r", actor="x", at=AT)
    version.refresh_from_db()
    assert version.factor == 2


def test_a_draft_thrown_away_takes_its_unused_rule_along(shop: Shop) -> None:
    draft = write()
    send(draft)
    rule_drafts.discard(draft_id=draft.pk, actor="staff:eve", at=AT)
    assert not Rule.objects.filter(code="double_points").exists()
    assert not Approval.objects.filter(state=ApprovalState.REQUESTED).exists()
    version = published()
    copy = rule_drafts.copy(version_id=version.pk, actor="staff:eve", at=AT)
    rule_drafts.discard(draft_id=copy.pk, actor="staff:eve", at=AT)
    assert Rule.objects.filter(code="double_points").exists()


def test_two_rules_of_one_name_get_codes_of_their_own(shop: Shop) -> None:
    assert [write().rule.code, write().rule.code] == ["double_points", "double_points_2"]


def test_what_would_leave_the_programme_undecidable_is_not_published(shop: Shop) -> None:
    published(group="promo", group_mode="best")
    draft = write(group="promo", group_mode="first")
    approval = send(draft)
    refused("group_mode_conflict", approvals.approve, approval_id=approval.pk,
            actor="staff:bob", at=AT)  # fmt: skip
    draft.refresh_from_db()
    assert draft.state == RuleState.DRAFT
    who = shop.join("a")
    assert shop.buy(who, "o", 100, on=2).status == 200


def test_a_later_version_that_is_published_is_not_overrun(shop: Shop) -> None:
    first = published(valid_from=day(9))
    copy = rule_drafts.copy(version_id=first.pk, actor="staff:eve", at=AT)
    approval = send(copy)
    refused("later_version_published", approvals.approve, approval_id=approval.pk,
            actor="staff:bob", at=AT)  # fmt: skip
    said = {**rule_drafts.terms_of(copy), "valid_until": day(9)}
    rule_drafts.save(draft_id=copy.pk, names=NAMES, terms=said, actor="staff:eve", at=AT)
    agree(send(copy))
    first.refresh_from_db()
    assert first.valid_from == day(9)


def test_a_period_that_is_over_is_not_published(shop: Shop) -> None:
    draft = write(valid_until=day(2))
    approval = send(draft)
    refused("rule_already_over", approvals.approve, approval_id=approval.pk,
            actor="staff:bob", at=day(2) - MINUTE)  # fmt: skip
    refused("rule_already_over", rule_drafts.submit, draft_id=write(valid_until=AT).pk,
            reason="r", actor="x", at=AT)  # fmt: skip


def ask_to_end(version: RuleVersion, until: datetime | None = None) -> Approval:
    return rule_drafts.ask_to_end(
        version_id=version.pk, until=until, reason="over", actor="staff:eve", at=day(3)
    )


def test_a_rule_ends_when_two_agree_and_late_purchases_keep_their_points(shop: Shop) -> None:
    who = shop.join("a")
    version = published()
    approval = ask_to_end(version)
    refused("draft_in_review", ask_to_end, version=version)
    agree(approval, day(3))
    version.refresh_from_db()
    assert version.valid_until == rule_publication.earliest(day(3))
    shop.buy(who, "late", 100, on=2, at=4)
    shop.buy(who, "after", 100, on=4)
    found = shop.points(who)
    assert found["late double_points"] == 100
    assert "after double_points" not in found
    refused("version_not_in_force", rule_drafts.ask_to_end, version_id=version.pk, until=None,
            reason="r", actor="x", at=day(5))  # fmt: skip


def test_a_version_that_has_not_begun_goes_back_to_being_a_draft(shop: Shop) -> None:
    version = published(valid_from=day(20))
    agree(ask_to_end(version), day(3))
    version.refresh_from_db()
    assert (version.state, version.valid_until) == (RuleState.DRAFT, None)


def test_the_request_says_what_would_change(shop: Shop) -> None:
    first = published()
    copy = rule_drafts.copy(version_id=first.pk, actor="staff:eve", at=AT)
    said = {**rule_drafts.terms_of(copy), "factor": Decimal(3), "cap_points": 50,
            "cap_period": "day"}  # fmt: skip
    rule_drafts.save(draft_id=copy.pk, names=NAMES, terms=said, actor="staff:eve", at=AT)
    found = rule_publication.effects(send(copy), day(2), {})
    assert len(found) == 4, "in words; what it gives, how much at most, from when"
    assert rule_publication.effects(ask_to_end(first), day(3), {})[0].after == ""
    assert day(0) == shops.NOON
