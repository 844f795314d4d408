"""Two at one moment: a prospect joins once, an offer is given once, a budget is not overrun.

Each guarantee has its negative control: without the lock the race must show.
"""

import copy
import threading
from pathlib import Path

import pytest
from django.db import connections, transaction

from campaigns.models import ProspectAddress
from campaigns.services import prospect_joining
from config.base.errors import DomainError
from members.models import Member, MemberEvent, Prospect
from members.services import prospect_erasure, prospects
from rewards.domain.prospect_rows import prospect_row
from rewards.models import Entry
from rewards.services.prospect_import import ProspectTaker
from rewards.services.rejects import RejectsFile
from tests.engine.shop import Shop, day
from tests.members.test_erasure_race import wait_until_somebody_waits_for_a_lock
from tests.prospects.world import (
    Recorder,
    address,
    enrol,
    number_of,
    offer,
    phone,
    prospect,
    subscribe,
)
from tests.staff.test_races import meanwhile

pytestmark = [pytest.mark.req("CMP-13")]


def let_join(member: Member) -> int:
    return prospect_joining.join(member_id=member.pk, occurred_at=day(1), at=day(1))


def given() -> int:
    return Entry.objects.filter(reason="prospect_offer", source="issuance").count()


def two_of_one() -> tuple[Member, Member]:
    """Return two members who have each a contact of one prospect, who was told of an offer."""
    Shop()
    subscribe()
    one = prospect(phone(), ("email", "", "lee@example.com"))
    offer()
    address()
    return enrol(("phone", "", number_of(one))), enrol(("email", "", "lee@example.com"))


def test_of_two_enrolments_at_once_one_is_given(own_database: str, sms: Recorder) -> None:
    first, second = two_of_one()
    assert meanwhile(lambda: let_join(first), lambda: let_join(second)) == 0
    assert given() == 1
    assert Prospect.objects.get().converted_to_id == first.pk
    assert MemberEvent.objects.filter(kind="prospect.joined").count() == 1


@pytest.mark.chance
def test_without_the_prospects_lock_both_would_be_given(
    own_database: str, sms: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_of_one()
    seen = list(Prospect.objects.all())
    monkeypatch.setattr(prospects, "convert", lambda **_values: copy.deepcopy(seen))
    rows = list(ProspectAddress.objects.select_related("offer__coupon_template"))
    monkeypatch.setattr(prospect_joining, "_told", lambda _joined: copy.deepcopy(rows))
    meanwhile(lambda: let_join(first), lambda: let_join(second))
    assert given() == 2


@pytest.mark.prove
def test_one_enrolment_handed_over_twice_at_once_is_given_once(
    own_database: str, sms: Recorder
) -> None:
    first, _second = two_of_one()
    assert meanwhile(lambda: let_join(first), lambda: let_join(first)) == 0
    assert given() == 1


def test_a_budget_holds_for_two_at_once(own_database: str, sms: Recorder) -> None:
    Shop()
    subscribe()
    people = [prospect(), prospect()]
    running = offer(most_given=1)
    address()
    first, second = (enrol(("phone", "", number_of(each))) for each in people)
    assert meanwhile(lambda: let_join(first), lambda: let_join(second)) == 1
    assert given() == 1
    running.refresh_from_db()
    assert running.given == 1
    assert ProspectAddress.objects.get(prospect=people[1]).not_given == "budget_spent"


def test_who_comes_back_while_the_time_runs_out_is_not_forgotten(own_database: str) -> None:
    key = phone()
    one = prospect(key)
    over = one.expires_at
    forgotten = meanwhile(
        lambda: prospect(key, at=5), lambda: prospect_erasure.forget_expired(at=over)
    )
    assert forgotten == 0
    one.refresh_from_db()
    assert (one.forgotten_at, one.expires_at > over) == (None, True)


def test_a_file_locks_whom_it_names_in_one_order(own_database: str, tmp_path: Path) -> None:
    keys = [phone(), phone()]
    first, second = (prospect(key) for key in keys)
    rows = [
        prospect_row(number, (key[2], "", "fair", "", "", "", "", "", ""))
        for number, key in enumerate(reversed(keys))
    ]
    taken: list[object] = []

    def take() -> None:
        with RejectsFile(tmp_path / "rejects.csv") as rejects, transaction.atomic():
            taken.append(ProspectTaker(day(1), "t").take(rows, rejects))
        connections.close_all()

    thread = threading.Thread(target=take)
    with transaction.atomic():
        assert prospects.lock([first.pk])
        thread.start()
        wait_until_somebody_waits_for_a_lock()
        free = Prospect.objects.filter(pk=second.pk).select_for_update(skip_locked=True)
        assert list(free) == [second]
    thread.join(timeout=20)
    assert taken == [{"known": 2}]


@pytest.mark.prove
def test_the_same_contact_entered_twice_at_once_is_one_prospect(own_database: str) -> None:
    key = phone()
    made = meanwhile(lambda: prospect(key), lambda: prospect(key))
    assert not isinstance(made, DomainError)
    assert Prospect.objects.count() == 1
