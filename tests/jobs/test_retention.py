"""What interactions carried is let go of when its time is over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.base import clock
from members.models import Interaction, InteractionKind, ReceivedFact
from members.services import retention
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.services.answers import Outcome
from tests.engine.shop import Shop, day, unknown

KEPT_DAYS = 180
SECRET: dict[str, object] = {"page": "/wedding-rings"}

pytestmark = [pytest.mark.django_db, pytest.mark.req("MEM-17")]


@pytest.fixture
def view() -> Callable[..., Outcome]:
    """Return how to have a member look at a page on a day."""
    shop = Shop()
    member = shop.join("m")

    def send(ref: str, kind: str, *, on: float, who: MemberRef | None = None) -> Outcome:
        whose = who or MemberRef(public_id=member.public_id)
        (outcome,) = shop.send(InteractionFact("app", ref, whose, kind, day(on), SECRET), at=on)
        return outcome

    return send


def forget(on: float) -> int:
    return retention.forget_content(at=day(on), progress=lambda done, total: None)


def content(ref: str) -> tuple[Any, Any]:
    fact = ReceivedFact.objects.get(ref=ref)
    interaction = Interaction.objects.filter(ref=ref).first()
    return (interaction and interaction.data), fact.body["data"]


def test_content_goes_when_the_days_of_its_kind_are_over(view: Callable[..., Outcome]) -> None:
    view("old", "page_view", on=1)
    view("new", "page_view", on=2)
    assert forget(1 + KEPT_DAYS) == 0, "the last day that it is kept is a full one"
    assert forget(2 + KEPT_DAYS) == 1
    assert forget(2 + KEPT_DAYS) == 0
    assert content("old") == ({}, {})
    assert content("new") == (SECRET, SECRET)


def test_content_of_other_kinds_stays(view: Callable[..., Outcome]) -> None:
    view("answers", "survey", on=1)
    assert forget(5_000) == 0
    assert content("answers") == (SECRET, SECRET)
    InteractionKind.objects.filter(code="survey").update(keep_days=0)
    assert forget(1) == 0
    assert forget(2) == 1


def test_an_event_of_which_the_content_is_gone_is_still_received_once(
    view: Callable[..., Outcome],
) -> None:
    view("old", "page_view", on=1)
    forget(2 + KEPT_DAYS)
    again = view("old", "page_view", on=1)
    assert (again.status, again.data["replayed"]) == (200, True)
    assert Interaction.objects.count() == 1
    assert content("old") == ({}, {})


def test_content_that_waits_for_its_member_goes_too(view: Callable[..., Outcome]) -> None:
    assert view("stranger", "page_view", on=1, who=unknown("nobody")).status == 202
    assert forget(2 + KEPT_DAYS) == 1
    assert content("stranger") == (None, {})
    assert forget(2 + KEPT_DAYS) == 0


def test_much_is_forgotten_slice_by_slice(
    view: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    for number in range(5):
        view(f"v{number}", "search", on=1)
    seen: list[int] = []
    at = clock.day_start(clock.local_day(day(1)) + timedelta(days=KEPT_DAYS + 1))
    assert retention.forget_content(at=at, progress=lambda done, total: seen.append(done)) == 5
    assert seen == [2, 4, 5]
