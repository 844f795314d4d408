"""Freezing, unfreezing and closing: who may go where, and what it does to facts and commands."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from members.domain.status import TRANSITIONS, Verb
from members.models import Member, MemberEvent, MemberStatus, ReceivedFact, Suspension
from members.services import notes
from members.services.status import StatusError
from rewards.services import membership, recompute
from rewards.services.commands import MemberFrozenError, MemberNotFoundError
from tests.engine.shop import Shop, counts, day
from tests.factories import console
from tests.factories import members as people

pytestmark = pytest.mark.django_db

KNOWN = {"verified_by": "called_back"}


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


def change(shop: Shop, who: Member, verb: Verb, on: float, **values: str) -> Member:
    """Change a status on a day, for the first reason there is."""
    shop.now = max(shop.now, day(on))
    reason = values.get("reason", TRANSITIONS[verb].reasons[0])
    return membership.change_status(
        verb=verb, member=who.pk, reason=reason, note=values.get("note", ""),
        actor="staff:eve", at=shop.now,
    )  # fmt: skip


def no_difference(who: Member) -> bool:
    """Tell whether folding from zero gives what is stored."""
    return recompute.recompute_slice([who.pk]) == []


def test_freezing_and_unfreezing_leave_an_interval_and_events(shop: Shop) -> None:
    ann = shop.join("ann")
    change(shop, ann, Verb.FREEZE, 3, note="电话核实中")
    change(shop, ann, Verb.UNFREEZE, 5)
    (suspension,) = Suspension.objects.filter(member=ann)
    assert (suspension.from_at, suspension.ended_at) == (day(3), day(5))
    assert suspension.reason == "member_request"
    frozen, unfrozen = MemberEvent.objects.filter(
        kind__in=["member.frozen", "member.unfrozen"]
    ).order_by("id")
    assert (frozen.kind, frozen.occurred_at) == ("member.frozen", day(3))
    assert frozen.payload["actor"] == "staff:eve"
    assert "电话" not in str(frozen.payload), "free text is sealed"
    assert notes.read(member=ann.pk, sealed=frozen.payload["note"]) == "电话核实中"
    assert (unfrozen.kind, "note" in unfrozen.payload) == ("member.unfrozen", False)
    ann.refresh_from_db()
    assert ann.status == MemberStatus.ACTIVE


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        (status, verb)
        for status in MemberStatus.values
        for verb in Verb
        if status not in TRANSITIONS[verb].before
    ],
)
def test_a_status_that_leads_nowhere_refuses(shop: Shop, status: str, verb: Verb) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    merged = bob.pk if status == MemberStatus.MERGED else None
    Member.objects.filter(pk=ann.pk).update(status=status, merged_into=merged)
    with pytest.raises(StatusError) as refused:
        change(shop, ann, verb, 1)
    assert (refused.value.code, refused.value.status) == ("status_change_refused", 409)
    ann.refresh_from_db()
    assert ann.status == status
    assert not Suspension.objects.exists()


def test_closing_a_frozen_member_ends_the_suspension(shop: Shop) -> None:
    ann = shop.join("ann")
    change(shop, ann, Verb.FREEZE, 1)
    change(shop, ann, Verb.CLOSE, 2)
    assert Suspension.objects.get().ended_at == day(2)
    ann.refresh_from_db()
    assert ann.status == MemberStatus.CLOSED


@pytest.mark.parametrize(
    ("values", "code"),
    [({"reason": "because"}, "reason_unknown"), ({"note": "x" * 501}, "note_too_long")],
)
def test_a_reason_is_one_of_ours_and_a_note_is_short(
    shop: Shop, values: dict[str, str], code: str
) -> None:
    ann = shop.join("ann")
    with pytest.raises(StatusError, check=lambda error: error.code == code):
        change(shop, ann, Verb.FREEZE, 1, **values)
    ann.refresh_from_db()
    assert ann.status == MemberStatus.ACTIVE


def test_nobody_is_frozen_who_is_not_there(shop: Shop) -> None:
    with pytest.raises(MemberNotFoundError):
        membership.change_status(
            verb=Verb.FREEZE, member=0, reason="other", note="", actor="staff:eve", at=day(0)
        )


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("suspension_ends_after_start", [(3, 2)]),
        ("suspension_no_overlap", [(0, 3), (2, 4)]),
        ("suspension_no_overlap", [(0, None), (5, None)]),
    ],
)
def test_the_database_refuses_impossible_suspensions(
    shop: Shop, name: str, rows: list[tuple[float, float | None]]
) -> None:
    ann = shop.join("ann")
    made = [
        Suspension(
            member=ann,
            from_at=day(start),
            ended_at=None if end is None else day(end),
            reason="other",
        )
        for start, end in rows
    ]
    with pytest.raises(IntegrityError, match=name):
        Suspension.objects.bulk_create(made)


def test_facts_of_a_frozen_member_earn_and_commands_are_refused(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    change(shop, ann, Verb.FREEZE, 2)
    assert counts(shop.buy(ann, "B", 30, on=3)) == (200, 30, 30)
    commands: list[Callable[[], object]] = [
        lambda: shop.hold(ann, 10, on=4),
        lambda: shop.adjust(ann, 10, on=4),
        lambda: shop.adjust(ann, -10, on=4),
    ]
    for command in commands:
        with pytest.raises(MemberFrozenError) as refused:
            command()
        assert (refused.value.code, refused.value.status) == ("member_frozen", 403)
    assert shop.balance(ann) == (0, 100, 0, 0)
    change(shop, ann, Verb.UNFREEZE, 5)
    shop.adjust(ann, 10, on=6)
    assert shop.balance(ann) == (0, 110, 0, 0)
    assert no_difference(ann)


def test_facts_after_closing_are_kept_and_earn_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    change(shop, ann, Verb.CLOSE, 2)
    closed = shop.buy(ann, "B", 500, on=3)
    assert counts(closed) == (200, 0, 0)
    again = shop.buy(ann, "B", 500, on=3, at=4)
    assert (counts(again), again.data["replayed"]) == ((200, 0, 0), True)
    conflict = shop.buy(ann, "B", 501, on=3, at=4)
    assert conflict.code == "fact_conflict"
    assert shop.points(ann) == {"A base": 900}
    assert shop.tier(ann) == "basic", "900 of 1,000: what came after closing is no progress"
    assert ReceivedFact.objects.filter(member=ann).count() == 2
    with pytest.raises(MemberFrozenError, check=lambda error: error.code == "member_not_active"):
        shop.adjust(ann, 10, on=4)
    assert no_difference(ann)


def test_what_is_refunded_after_closing_is_taken_back(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    change(shop, ann, Verb.CLOSE, 2)
    shop.give_back("A", "r1", on=3, amount=20)
    assert shop.points(ann) == {"A base": 50}
    assert no_difference(ann)


def test_a_late_fact_of_a_closed_member_leaves_the_others_as_they_were(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=5)
    change(shop, ann, Verb.CLOSE, 6)
    shop.buy(ann, "L", 30, on=2, at=7)
    shop.buy(ann, "B", 10, on=7)
    assert shop.points(ann) == {"A base": 70}
    assert no_difference(ann)


def test_the_console_asks_for_a_reason(client: Client) -> None:
    console.programme()
    member = people.member()
    client.force_login(console.staff("eve"))
    address = reverse("admin:member_status", args=[member.pk])
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert address in page.text
    assert client.post(address, {"verb": "freeze", "reason": "because", **KNOWN}).status_code == 200
    assert (
        client.post(address, {"verb": "unfreeze", "reason": "mistake", **KNOWN}).status_code == 200
    )
    member.refresh_from_db()
    assert member.status == MemberStatus.ACTIVE
    body = {"verb": "freeze", "reason": "investigation", "note": "see call", **KNOWN}
    assert client.post(address, body).status_code == 302
    member.refresh_from_db()
    assert member.status == MemberStatus.FROZEN
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert "see call" in page.text, "the timeline unseals the note"
    client.post(address, {"verb": "close", "reason": "abuse", **KNOWN})
    assert client.get(address).status_code == 404, "closing is for good"
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert address not in page.text


def test_the_console_lets_only_those_who_may(client: Client) -> None:
    console.programme()
    member = people.member()
    client.force_login(console.staff("visitor", is_superuser=False))
    address = reverse("admin:member_status", args=[member.pk])
    assert client.post(address, {"verb": "freeze", "reason": "other"}).status_code == 403
    member.refresh_from_db()
    assert member.status == MemberStatus.ACTIVE
