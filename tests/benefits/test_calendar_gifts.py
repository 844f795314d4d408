"""Birthday gifts and gifts for years of membership: on the right day, once, whatever runs when."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from config.base import clock
from members.domain.status import TRANSITIONS, Verb
from members.models import Member
from rewards.models import GrantCalendar
from rewards.services import calendar_gifts, membership
from tests.benefits.shops import grants_of
from tests.engine.shop import Shop, day
from tests.factories.benefits import only
from tests.factories.gifts import rule, uses
from tests.flows.stories import join, proven_shop
from tiers.models import LadderVersion

pytestmark = pytest.mark.django_db

MADE = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from (shop for shop in proven_shop() if only() is not None)


def at(text: str, hour: int = 12) -> datetime:
    """Return an hour of a local day."""
    return clock.day_start(date.fromisoformat(text)) + timedelta(hours=hour)


def run(text: str, hour: int = 12) -> int:
    """Let the job run at an hour of a local day."""
    now = at(text, hour)
    return calendar_gifts.give_calendar_gifts(at=now, recorded_at=now)


def born(shop: Shop, name: str, birthday: str, **values: Any) -> Member:
    """Enrol somebody on 2 March 2026, or when it is said."""
    values.setdefault("joined_at", day(0))
    return join(shop, name, birthday=date.fromisoformat(birthday), **values)


def birthday_rule() -> None:
    rule("birthday", "birthday", (0, [uses("cake")]), (1, [uses("wine")]), made_at=day(0),
         repeat="year")  # fmt: skip


def days_of(who: Member) -> list[str]:
    return [grant[1] for grant in grants_of(who)]


@pytest.mark.req("BEN-02")
def test_the_gift_comes_on_the_day_and_once_however_often_the_job_runs(shop: Shop) -> None:
    birthday_rule()
    ann = born(shop, "ann", "1990-03-20")
    assert [run("2026-03-19", 23), run("2026-03-20", 0), run("2026-03-20"), run("2026-03-20")] == [
        0, 1, 0, 0,
    ]  # fmt: skip
    assert run("2026-03-21") == 0
    run("2027-03-20")
    assert days_of(ann) == ["2026", "2027"]


@pytest.mark.req("BEN-02")
def test_the_gift_is_that_of_the_tier_and_no_second_one_follows_a_rise(shop: Shop) -> None:
    birthday_rule()
    ann, bob = born(shop, "ann", "1990-03-20"), born(shop, "bob", "1990-03-20")
    shop.buy(bob, "B", 1000, on=1)
    run("2026-03-20", 9)
    shop.buy(ann, "A", 1000, on=18.01)
    run("2026-03-20", 13)
    held = {
        who: list(who.entitlements.values_list("benefit__code", flat=True)) for who in (ann, bob)
    }
    assert held == {ann: ["cake"], bob: ["wine"]}


@pytest.mark.req("BEN-02")
def test_an_edited_birthday_gives_no_second_gift(shop: Shop) -> None:
    birthday_rule()
    ann = born(shop, "ann", "1990-03-20")
    run("2026-03-20")
    membership.update_profile(
        member=ann.pk, at=at("2026-03-25"), actor="staff:li",
        values={"birthday": date(1990, 4, 1)},
    )  # fmt: skip
    run("2026-04-01")
    run("2027-04-01")
    assert days_of(ann) == ["2026", "2027"]


@pytest.mark.req("BEN-02")
def test_days_without_any_run_are_caught_up_in_order(shop: Shop) -> None:
    birthday_rule()
    people = [born(shop, f"m{n}", f"1990-03-{n}") for n in (19, 20, 21, 22)]
    run("2026-03-19")
    assert run("2026-03-22") == 3, "three days of downtime"
    assert all(days_of(who) == ["2026"] for who in people)
    assert GrantCalendar.objects.get().done_on == date(2026, 3, 21)


@pytest.mark.req("BEN-02")
def test_who_enrols_on_the_day_gets_it_and_who_enrols_after_it_does_not(shop: Shop) -> None:
    birthday_rule()
    run("2026-03-20", 1)
    ann = join(shop, "ann", 18.1, birthday=date(1990, 3, 20))
    run("2026-03-20", 16)
    bob = join(shop, "bob", 18.6, birthday=date(1990, 3, 20))
    run("2026-03-21", 16)
    run("2026-12-31")
    assert (days_of(ann), days_of(bob)) == (["2026"], [])


@pytest.mark.req("BEN-02")
@pytest.mark.parametrize(("policy", "on"), [("before", "2026-02-28"), ("after", "2026-03-01")])
def test_who_was_born_on_a_leap_day_has_a_birthday_every_year(
    settings: Settings, shop: Shop, policy: str, on: str
) -> None:
    settings.LOYALTY_LEAP_DAY = policy
    rule("birthday", "birthday", (0, [uses("cake")]), made_at=MADE, repeat="year")
    ann = born(shop, "ann", "2000-02-29", joined_at=datetime(2025, 6, 1, tzinfo=UTC))
    run("2026-02-27")
    day_before = (date.fromisoformat(on) - timedelta(days=1)).isoformat()
    run(day_before)
    assert days_of(ann) == []
    run(on)
    assert days_of(ann) == ["2026"]
    run("2028-02-28")
    assert days_of(ann)[-1] == "2027"
    run("2028-02-29")
    assert days_of(ann)[-1] == "2028"


@pytest.mark.req("BEN-02")
def test_slices_take_everybody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_gifts, "SLICE", 2)
    birthday_rule()
    people = [born(shop, f"m{n}", "1990-03-20") for n in range(5)]
    assert run("2026-03-20") == 5
    assert all(days_of(who) == ["2026"] for who in people)


def tenure_rule() -> None:
    rule("loyal", "tenure", (0, [uses("medal")]), made_at=day(0), years=[1, 3])


@pytest.mark.req("ENG-07")
def test_each_milestone_of_membership_is_celebrated_once_on_its_day(shop: Shop) -> None:
    tenure_rule()
    ann = join(shop, "ann", joined_at=day(0))
    for text in ("2027-03-01", "2027-03-02", "2027-03-03", "2028-03-02", "2029-03-01"):
        run(text)
    assert days_of(ann) == ["years:1"]
    assert run("2029-03-02", 0) == 1
    run("2029-03-02")
    assert days_of(ann) == ["years:1", "years:3"]


@pytest.mark.req("ENG-07")
@pytest.mark.parametrize(("counts", "on"), [(True, "2027-03-02"), (False, "2027-03-12")])
def test_frozen_days_put_the_milestone_off_where_they_do_not_count(
    shop: Shop, *, counts: bool, on: str
) -> None:
    LadderVersion.objects.update(tenure_counts_suspension=counts)
    tenure_rule()
    ann, bob = join(shop, "ann", joined_at=day(0)), join(shop, "bob", joined_at=day(0))
    for verb, when in ((Verb.FREEZE, day(100)), (Verb.UNFREEZE, day(110))):
        membership.change_status(
            verb=verb, member=ann.pk, reason=TRANSITIONS[verb].reasons[0], note="",
            actor="staff:li", at=when,
        )  # fmt: skip
    run((date.fromisoformat(on) - timedelta(days=1)).isoformat())
    assert days_of(ann) == []
    run(on)
    assert days_of(ann) == ["years:1"]
    assert days_of(bob) == ["years:1"]


@pytest.mark.req("ENG-07")
def test_who_joined_on_a_leap_day_is_celebrated_too(shop: Shop) -> None:
    tenure_rule()
    ann = join(shop, "ann", joined_at=datetime(2024, 2, 29, 4, tzinfo=UTC))
    run("2027-02-27")
    assert days_of(ann) == []
    run("2027-02-28")
    assert days_of(ann) == ["years:3"]


def test_without_rules_of_the_calendar_no_day_is_gone_through(shop: Shop) -> None:
    join(shop, "ann")
    assert run("2026-03-20") == 0
    assert not GrantCalendar.objects.exists()
