"""What staff do with rewards, stock and redemptions."""

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from config.base import clock
from members.models import Member
from rewards import supply
from rewards.domain.spreadsheet import safe
from rewards.models import Redemption, Reward, RewardCode, StockMovement
from rewards.services import adjustment, preset_catalogue, redeeming
from tests.factories import catalogue, console, members

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Member:
    console.programme()
    cache.clear()
    return members.member()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


def _mug(pieces: int = 9, **values: object) -> Reward:
    return catalogue.reward("mug", 0, pieces=pieces, needs_address=True, **values)


def _redeem(ann: Member, **wish: object) -> Redemption:
    address = {"name": "=cmd()", "line": "<b>南京路</b>"}
    return catalogue.redeem(ann, "mug", at=clock.now(), address=address, **wish).redemption


def _do(visitor: Client, row: Redemption, verb: str, **body: str) -> str:
    address = reverse("admin:redemption_verb", args=[row.pk, verb])
    assert visitor.get(address).status_code == 200
    visitor.post(address, body)
    row.refresh_from_db()
    return row.status


@pytest.mark.req("RWD-11")
def test_a_redemption_is_sent_and_taken_back(visitor: Client, ann: Member) -> None:
    mug = _mug()
    row = _redeem(ann)

    assert _do(visitor, row, "fulfil", carrier="SF", tracking_number="SF1") == "fulfilled"
    assert (row.carrier, row.tracking_number) == ("SF", "SF1")
    assert _do(visitor, row, "return", reason="broken", stock_back="on") == "returned"
    assert catalogue.left(mug) == (9, 0)
    page = visitor.get(reverse("admin:rewards_redemption_change", args=[row.pk]))
    assert page.status_code == 200


def test_what_cannot_be_done_is_said(visitor: Client, ann: Member) -> None:
    _mug()
    row = _redeem(ann)
    redeeming.cancel(redemption=row.public_id, at=clock.now(), actor="till")

    address = reverse("admin:redemption_verb", args=[row.pk, "fulfil"])
    answer = visitor.post(address, {}, headers={"accept-language": "en"})

    assert "cannot be handed over now" in answer.text
    assert visitor.get(reverse("admin:redemption_verb", args=[row.pk, "eat"])).status_code == 404


@pytest.mark.req("RWD-11")
def test_the_fulfilment_list_has_addresses_and_no_formulas(visitor: Client, ann: Member) -> None:
    _mug()
    _redeem(ann, quantity=2)

    page = visitor.get(reverse("admin:fulfilment"))
    assert "&lt;b&gt;南京路&lt;/b&gt;" in page.text
    file = visitor.get(reverse("admin:fulfilment"), {"format": "csv"})
    text = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    assert ",mug,mug,2,'=cmd()," in text
    assert safe("+1") == "'+1"


def test_pages_are_shut_without_the_permission(client: Client, ann: Member) -> None:
    mug = _mug()
    row = _redeem(ann)
    client.force_login(console.staff("looker", is_superuser=False))

    for name, args in (
        ("fulfilment", []), ("reward_stock", [mug.pk]), ("redemption_verb", [row.pk, "cancel"]),
    ):  # fmt: skip
        assert client.get(reverse(f"admin:{name}", args=args)).status_code == 403


def test_stock_is_received_and_corrected_with_a_reason(visitor: Client, ann: Member) -> None:
    mug = _mug(pieces=5)
    address = reverse("admin:reward_stock", args=[mug.pk])

    assert visitor.get(address).status_code == 200
    visitor.post(address, {"quantity": "-2", "reason": "broken"})
    too_much = visitor.post(address, {"quantity": "-9", "reason": "lost"})
    visitor.post(address, {"quantity": "1"})

    assert too_much.status_code == 200
    assert catalogue.left(mug) == (3, 0)
    last = StockMovement.objects.order_by("id").last()
    assert last is not None
    assert (last.quantity, last.reason, last.actor[:6]) == (-2, "broken", "staff:")


@pytest.mark.req("RWD-15")
def test_the_start_page_warns_of_stock_that_does_not_last(visitor: Client, ann: Member) -> None:
    _mug(pieces=10, cover_days=30)
    catalogue.reward("bag", 0, pieces=3, low_stock_at=3)
    catalogue.reward("cup", 0, pieces=99, low_stock_at=3, cover_days=5)
    for _number in range(6):
        _redeem(ann)

    found = supply.running_out(clock.now())

    assert [(each.code, each.free, each.cover_days) for each in found] == [
        ("mug", 4, 20), ("bag", 3, None),
    ]  # fmt: skip
    todos = visitor.get(reverse("admin:index")).context["todos"]
    (stock,) = ((count, url) for todo, count, url in todos if todo.code == "stock")
    assert stock == (2, reverse("admin:dashboard", args=["rewards"]))
    assert "mug" in visitor.get(stock[1]).text


@pytest.mark.req("RWD-13")
def test_a_reward_that_hardly_anybody_could_pay_is_warned_of(visitor: Client, ann: Member) -> None:
    adjustment.adjust(
        member=ann.pk, points=500, reason="x", at=clock.now(), actor="s", limit_points=None
    )
    far, near = catalogue.reward("far", 10**6), catalogue.reward("near", 1)

    warning = "Hardly any member"
    for reward, is_warned in ((far, True), (near, False)):
        page = visitor.get(
            reverse("admin:rewards_reward_change", args=[reward.pk]),
            headers={"accept-language": "en"},
        )
        assert (warning in page.text) is is_warned


def test_the_member_page_shows_redemptions(visitor: Client, ann: Member) -> None:
    _mug()
    row = _redeem(ann)

    page = visitor.get(reverse("admin:members_member_change", args=[ann.pk]))

    assert reverse("admin:rewards_redemption_change", args=[row.pk]) in page.text


def test_the_catalogue_of_the_presets_is_loaded_once(ann: Member) -> None:
    first = preset_catalogue.load(at=clock.now())
    Reward.objects.filter(code="member_mug").update(points=250)

    assert len(first) == 6
    assert preset_catalogue.load(at=clock.now()) == []
    assert Reward.objects.get(code="member_mug").points == 250
    tea = catalogue.redeem(ann, "trial_pack", at=clock.now(), address={"name": "a", "line": "b"})
    assert tea.redemption.points == 0


def test_codes_are_loaded_from_a_file_by_name(tmp_path: object, ann: Member) -> None:
    file = tmp_path / "codes.txt"  # type: ignore[operator]
    file.write_text("A-1\nA-2\nA-1\n", encoding="utf-8")
    catalogue.reward("card", 10, kind="gift_card")

    for _again in range(2):
        call_command("import_reward_codes", "card", str(file))

    assert RewardCode.objects.count() == 2
    with pytest.raises(CommandError):
        call_command("import_reward_codes", "mug", str(file))
