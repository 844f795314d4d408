"""The next points policy: asked for by one, agreed to by another, in force from its instant."""

import pytest
from django.test import Client
from django.urls import reverse

from config.base import clock
from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval
from members.services import approvals
from rewards.models import PointsPolicy
from rewards.services import policy_versions
from rewards.services.programme import current_book
from tests.engine.shop import Shop, day
from tests.factories import console

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-02", "PTS-07")]

MAKER, CHECKER = "staff:li.na", "staff:wang.wei"
ENGLISH = {"accept-language": "en"}


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


def ask(at: float = 5, starts: float | None = None, **changes: object) -> Approval:
    base = policy_versions.in_force(day(at))
    terms = {name: getattr(base, name) for name in policy_versions.TERMS}
    return policy_versions.ask(
        terms=terms | changes, starts_at=None if starts is None else day(starts),
        reason="shorter", actor=MAKER, at=day(at),
    )  # fmt: skip


def approve(approval: Approval, at: float = 5) -> None:
    approvals.approve(approval_id=approval.pk, actor=CHECKER, at=day(at))


def refusal(work: object) -> str:
    assert callable(work)
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


def test_a_policy_holds_from_the_next_midnight_on() -> None:
    Shop()
    before = policy_versions.in_force(day(5))
    assert before is not None
    approve(ask(pay_points=200, claim_days=7))

    made = PointsPolicy.objects.latest("number")
    assert made.effective_from == clock.day_start(clock.local_day(day(6)))
    book = current_book()
    assert book.policy_at(day(5)).claim_days == before.claim_days
    assert (book.policy_at(day(6)).claim_days, book.policy_at(day(6)).paying.points) == (7, 200)


def test_a_policy_is_refused_that_says_nothing_new_or_begins_in_the_past() -> None:
    Shop()
    assert refusal(ask) == "nothing_changes"
    assert refusal(lambda: ask(claim_days=7, starts=4)) == "policy_start_passed"
    approval = ask(claim_days=7, starts=8)
    assert refusal(lambda: ask(claim_days=8)) == "draft_in_review"
    assert refusal(lambda: approve(approval, 9)) == "policy_start_passed"
    assert PointsPolicy.objects.count() == 1


def test_a_policy_goes_through_the_console(client: Client) -> None:
    console.programme()
    client.force_login(console.staff())
    page = reverse("admin:policy_new")
    form = client.get(page, headers=ENGLISH).context["form"]
    values = {name: form[name].value() for name in form.fields}
    body = {
        name: str(value)
        for name, value in values.items()
        if value is not None and value is not False
    }
    assert client.post(page, body | {"expiry": "fixed_date", "reason": "r"}).status_code == 200
    wrong = client.post(page, body | {"pay_step_points": "0", "reason": "r"}, headers=ENGLISH)
    assert "Write a number above 0." in wrong.text
    assert not Approval.objects.exists()
    asked = client.post(page, body | {"window_pos": "9", "excluded_skus": "b, a", "reason": "r"})
    assert asked.status_code == 302, asked.context["form"].errors
    approval = Approval.objects.get(kind="policy.publish")
    assert approval.payload["terms"]["return_window_days"] == {"pos": 9}
    client.force_login(console.staff("wang.wei"))
    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    assert "a, b" in client.get(decide, headers=ENGLISH).text
    client.post(decide, {"decision": "approve"})
    assert PointsPolicy.objects.latest("number").excluded_skus == ["a", "b"]
