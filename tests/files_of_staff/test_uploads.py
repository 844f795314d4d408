"""Bringing files in through the console: nothing is written before it was seen."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from config.base import clock
from config.base.errors import DomainError
from members.models import Member
from rewards.models import CouponTemplate, Stock, StockMovement, Upload
from rewards.services import file_store, row_import, uploads
from tests.factories import catalogue, console

pytestmark = pytest.mark.django_db

MEMBERS = "手机号,name,joined_at\n13800138001,Ann,2026-01-05\nnonsense,Bob,2026-01-05\n"
PAGE_QUERIES = 12


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def visitor(client: Client) -> Client:
    console.programme()
    client.force_login(console.staff())
    return client


def bring(client: Client, text: str, kind: str, **more: object) -> Upload:
    file = SimpleUploadedFile("list.csv", text.encode())
    response = client.post(reverse("admin:imports"), {"kind": kind, "file": file, **more})
    assert response.status_code == 302
    return Upload.objects.latest("pk")


def step(client: Client, upload: Upload, name: str, **columns: str) -> Upload:
    body = {"step": name, **{f"column-{ours}": theirs for ours, theirs in columns.items()}}
    client.post(reverse("admin:import_file", args=[upload.pk]), body)
    return uploads.work_on(upload_id=upload.pk, at=clock.now())


def page(client: Client, upload: Upload) -> str:
    return client.get(reverse("admin:import_file", args=[upload.pk])).text


@pytest.mark.req("MEM-08", "MEM-13")
def test_a_file_of_members_is_rehearsed_and_then_loaded(visitor: Client) -> None:
    before = Member.objects.count()
    upload = bring(visitor, MEMBERS, "members")
    assert "手机号" in page(visitor, upload)

    checked = step(visitor, upload, "check", phone="手机号")

    assert (checked.state, checked.report["rejected"]) == ("checked", 1)
    assert checked.report["would_enrol"] == 1
    assert Member.objects.count() == before
    rejects = visitor.get(reverse("admin:import_rejects", args=[upload.pk]))
    assert b"3,not_a_phone_number,phone" in b"".join(rejects)

    loaded = step(visitor, upload, "load")

    assert (loaded.state, loaded.report["enrolled"]) == ("loaded", 1)
    assert Member.objects.count() == before + 1


def test_the_same_file_again_changes_nothing(visitor: Client) -> None:
    good = "phone\n13800138001\n"
    for _time in range(2):
        upload = bring(visitor, good, "members")
        step(visitor, upload, "check", phone="phone")
        upload = step(visitor, upload, "load")
    assert upload.report == {"loaded_before": 2}
    assert "lc-callout" in page(visitor, upload)


def test_columns_that_are_missing_are_named_and_nothing_begins(visitor: Client) -> None:
    upload = bring(visitor, "a,b\n1,2\n", "orders")

    response = visitor.post(
        reverse("admin:import_file", args=[upload.pk]), {"step": "check"}, follow=True
    )

    upload.refresh_from_db()
    assert upload.state == "uploaded"
    assert "order_no" not in str(upload.mapping)
    assert [str(message) for message in response.context["messages"]]


@pytest.mark.req("RWD-02")
def test_stock_moves_by_a_file_and_bad_rows_stay_out(visitor: Client) -> None:
    mug = catalogue.reward("mug", 100, pieces=2)
    text = f"reward,quantity,reason\nmug,5,delivery\nmug,-99,\nnothing,1,\nmug,0,\n{mug.code},1,\n"
    upload = bring(visitor, text, "stock")
    columns = {"reward": "reward", "quantity": "quantity", "reason": "reason"}

    checked = step(visitor, upload, "check", **columns)
    assert (checked.report["would_apply"], checked.report["rejected"]) == (2, 3)
    assert Stock.objects.get(reward=mug).on_hand == 2
    loaded = step(visitor, upload, "load")

    assert (loaded.report["applied"], loaded.report["rejected"]) == (2, 3)
    assert Stock.objects.get(reward=mug).on_hand == 8
    assert StockMovement.objects.filter(actor=f"{upload.uploaded_by}").count() == 2


def test_coupon_codes_need_their_template(visitor: Client) -> None:
    template = CouponTemplate.objects.create(
        code="ten", name_zh="十元券", name_en="Ten", kind="amount", amount=10
    )
    file = SimpleUploadedFile("codes.csv", b"AAAA-BBBB\n")
    refused = visitor.post(reverse("admin:imports"), {"kind": "coupons", "file": file})
    assert (refused.status_code, Upload.objects.count()) == (200, 0)

    upload = bring(visitor, "AAAABBBB\nCCCCDDDD\n", "coupons", template=template.pk)
    assert step(visitor, upload, "check").report["loaded"] == 2
    assert template.coupons.count() == 0
    step(visitor, upload, "load")

    assert template.coupons.count() == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x00\x80"])
def test_what_is_no_file_of_text_is_refused_and_not_kept(
    visitor: Client, content: bytes, tmp_path: Path
) -> None:
    file = SimpleUploadedFile("list.csv", content)
    response = visitor.post(reverse("admin:imports"), {"kind": "members", "file": file})

    assert response.status_code == 200
    assert response.context["form"].errors["file"]
    assert not Upload.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_that_is_too_large_is_refused(visitor: Client, settings: Settings) -> None:
    settings.LOYALTY_UPLOAD_MEGABYTES = 0
    file = SimpleUploadedFile("list.csv", b"phone\n1\n")
    response = visitor.post(reverse("admin:imports"), {"kind": "members", "file": file})
    assert response.context["form"].errors["file"]


def test_a_file_is_loaded_only_after_it_was_looked_at(visitor: Client) -> None:
    upload = bring(visitor, MEMBERS, "members")
    with pytest.raises(DomainError) as refused:
        uploads.load(upload=upload)
    assert refused.value.code == "upload_state"


def test_a_worker_that_died_is_followed_by_another(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = bring(visitor, "phone\n13800138001\n", "members")
    step(visitor, upload, "check", phone="phone")
    upload = uploads.load(upload=Upload.objects.get(pk=upload.pk))

    def killed(_import: object) -> dict[str, int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(row_import, "load", killed)
        with pytest.raises(KeyboardInterrupt):
            uploads.work_on(upload_id=upload.pk, at=clock.now())
    assert uploads.waiting(at=clock.now()) == [upload.pk]

    assert uploads.work_on(upload_id=upload.pk, at=clock.now()).state == "loaded"
    assert uploads.waiting(at=clock.now()) == []


def test_files_are_forgotten_and_what_became_of_them_is_not(visitor: Client) -> None:
    upload = bring(visitor, "phone\n13800138001\n", "members")
    path = file_store.path_of(upload.stored)

    assert uploads.forget_old(before=clock.now() - timedelta(days=1)) == 0
    assert uploads.forget_old(before=clock.now() + timedelta(seconds=1)) == 1

    assert not path.exists()
    assert visitor.get(reverse("admin:import_file", args=[upload.pk])).status_code == 200


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "..", ".hidden", "a/b", "名单 1.csv"):
        path = file_store.path_of(file_store.new_place("uploads", name))
        assert path.resolve().is_relative_to(tmp_path / "uploads")


def test_pages_of_files_are_for_those_who_may(client: Client, visitor: Client) -> None:
    upload = bring(visitor, MEMBERS, "members")
    reader = console.staff("reader", is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)
    for address in (
        reverse("admin:imports"),
        reverse("admin:import_file", args=[upload.pk]),
        reverse("admin:import_rejects", args=[upload.pk]),
    ):
        assert client.get(address).status_code == 403


def test_pages_of_files_read_little(
    visitor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    last: Iterable[Upload] = [bring(visitor, MEMBERS, "members") for _time in range(3)]
    with django_assert_max_num_queries(PAGE_QUERIES):
        visitor.get(reverse("admin:imports"))
    with django_assert_max_num_queries(PAGE_QUERIES):
        page(visitor, list(last)[-1])
