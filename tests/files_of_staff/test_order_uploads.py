"""Orders from files that staff bring in; staging them takes a session of its own."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.base import clock, jobs
from members.models import Order
from rewards.models import Upload
from rewards.services import uploads
from tests.factories import console


@pytest.mark.req("MEM-13", "INT-10")
def test_orders_are_loaded_with_the_people_who_are_not_known(
    own_database: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(jobs, "hint", lambda task, *arguments: None)
    console.programme()
    visitor = Client()
    visitor.force_login(console.staff())
    text = (
        "source,order_no,status,placed_at,identifier_kind,identifier,line_no,sku,quantity,amount\n"
        "old,1,paid,2026-03-01T10:00:00+08:00,phone,13800138007,1,milk,1,20.00\n"
    )
    file = SimpleUploadedFile("list.csv", text.encode())
    visitor.post(reverse("admin:imports"), {"kind": "orders", "file": file})
    upload = Upload.objects.get()
    body = {f"column-{name}": name for name in text.splitlines()[0].split(",")}
    address = reverse("admin:import_file", args=[upload.pk])
    visitor.post(address, {"step": "check", "enrols": "on", "is_history": "on", **body})
    assert uploads.work_on(upload_id=upload.pk, at=clock.now()).report["would_enrol"] == 1

    visitor.post(address, {"step": "load"})
    loaded = uploads.work_on(upload_id=upload.pk, at=clock.now())

    assert loaded.report["applied"] == 1
    assert Order.objects.filter(source="old", order_no="1").count() == 1
