"""Bringing a file in: choose it, say what its columns are, look at the rehearsal, load it."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock, jobs
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.admin.file_input import FileInput
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from rewards import import_words
from rewards.models import CouponTemplate, Upload, UploadKind, UploadState
from rewards.models.files import AT_WORK
from rewards.services import file_store, uploads
from rewards.services.import_files import ImportFile
from rewards.services.rejects import rejects_path
from rewards.tasks import work_on_upload

PERMISSION: Final = "rewards.add_upload"
LISTED: Final = 30
REJECTS_SHOWN: Final = 50
COLUMN: Final = "column-"
COLOURS: Final = {
    "uploaded": "info", "checking": "info", "checked": "warning", "loading": "info",
    "loaded": "success", "failed": "danger",
}  # fmt: skip


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files that were brought in, and what became of them."""

    list_display = ("file_name", "kind", "state_label", "uploaded_by", "uploaded_at")
    list_filter = ("state", "kind")
    concealed = ("stored",)

    @labelled(_("state"), COLOURS)
    def state_label(self, upload: Upload) -> tuple[str, str]:
        """Return how far the file has come, with its colour."""
        return upload.state, upload.get_state_display()


class UploadForm(forms.Form):
    """Which file, and what it holds."""

    kind = forms.ChoiceField(label=_("What the rows are"), choices=UploadKind.choices)
    file = forms.FileField(
        widget=FileInput,
        label=_("File"),
        help_text=_("CSV in UTF-8 or GB 18030, or Parquet, with a heading."),
    )
    template = forms.ModelChoiceField(
        label=_("Coupon template"), required=False, help_text=_("For coupon codes only."),
        queryset=CouponTemplate.objects.order_by("code"),
    )  # fmt: skip


def imports_page(request: HttpRequest) -> HttpResponse:
    """Take a file in, and show those that came before.

    Source: MEM-08, MEM-13.
    """
    _demand(request)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = _received(request, form)
        if upload is not None:
            return redirect("admin:import_file", upload.pk)
    rows = Upload.objects.order_by("-pk")[:LISTED]
    context = {
        **site.current().each_context(request),
        "title": gettext("Import files"),
        "form": form,
        "uploads": [(row, COLOURS[row.state]) for row in rows],
    }
    return TemplateResponse(request, "admin/rewards/imports.html", context)


def _received(request: HttpRequest, form: UploadForm) -> Upload | None:
    file = form.cleaned_data["file"]
    try:
        return uploads.receive(
            kind=form.cleaned_data["kind"], file_name=file.name, size=file.size,
            chunks=file.chunks(), actor=actor_of(request), at=clock.now(),
            template=form.cleaned_data["template"],
        )  # fmt: skip
    except DomainError as error:
        form.add_error("file", str(error.message))
        return None


def import_page(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show one file where it stands, and take the next step."""
    _demand(request)
    upload = get_object_or_404(Upload.objects.select_related("coupon_template"), pk=upload_id)
    if request.method == "POST":
        _step(request, upload)
        return redirect("admin:import_file", upload.pk)
    context = {
        **site.current().each_context(request),
        "title": upload.file_name,
        "upload": upload,
        "colour": COLOURS[upload.state],
        "is_at_work": upload.state in AT_WORK,
        "percent": formats.share(upload.done, upload.total),
        "figures": import_words.figures(upload.report),
        "loaded_before": "loaded_before" in upload.report,
        **_rejects(upload),
        **_columns(upload),
    }
    return TemplateResponse(request, "admin/rewards/import.html", context)


def _step(request: HttpRequest, upload: Upload) -> None:
    try:
        if request.POST.get("step") == "load":
            uploads.load(upload=upload)
        else:
            uploads.check(
                upload=upload,
                columns={
                    name.removeprefix(COLUMN): str(value)
                    for name, value in request.POST.items()
                    if name.startswith(COLUMN)
                },
                enrols="enrols" in request.POST,
                is_history="is_history" in request.POST,
            )
    except DomainError as error:
        names = error.details.get("names", [])
        told = ", ".join(import_words.column(str(name)) for name in names)
        messages.error(request, f"{error.message} {told}".strip())
        return
    jobs.hint(work_on_upload, upload.pk)


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of ours, and which of the file's is taken for it."""

    name: str
    title: str
    is_required: bool
    chosen: str

    @property
    def field(self) -> str:
        """Return the name of its field."""
        return f"{COLUMN}{self.name}"


def _columns(upload: Upload) -> Mapping[str, Any]:
    """Return what there is to choose, with the first rows; nothing once the file is loaded."""
    known = uploads.COLUMNS.get(upload.kind)
    if upload.state in (*AT_WORK, UploadState.LOADED) or not upload.stored:
        return {}
    file = uploads.file_of(upload)
    sample = {"header": file.header, "sample": uploads.sample_of(file)}
    if known is None:
        return {**sample, "choices": (), "can_check": True}
    told = dict(upload.mapping.get("columns", {}))
    choices = [
        ColumnChoice(
            name, import_words.column(name), name in known.required,
            told.get(name, _guess(name, file)),
        )
        for name in known.names
    ]  # fmt: skip
    return {**sample, "choices": choices, "can_check": True}


def _guess(name: str, file: ImportFile) -> str:
    """Return the file's column that is named like ours, or as people call it."""
    wanted = {name.casefold(), import_words.column(name).casefold()}
    return next((each for each in file.header if each.strip().casefold() in wanted), "")


def _rejects(upload: Upload) -> Mapping[str, Any]:
    path = rejects_path(file_store.path_of(upload.stored)) if upload.stored else None
    if path is None or not path.exists() or not upload.report.get("rejected"):
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(islice(_told(csv.DictReader(file)), REJECTS_SHOWN))
    return {"rejects": rows, "more_rejects": max(0, upload.report["rejected"] - len(rows))}


def _told(rows: Iterable[Mapping[str, str]]) -> Iterator[Sequence[str]]:
    for row in rows:
        name = row["field"]
        yield (
            row["line"], import_words.column(name) if name else "", row["value"],
            import_words.fault(row["code"]),
        )  # fmt: skip


def rejects_file(request: HttpRequest, upload_id: int) -> HttpResponseBase:
    """Give the rejected rows as a file."""
    _demand(request)
    upload = get_object_or_404(Upload, pk=upload_id)
    path = rejects_path(file_store.path_of(upload.stored)) if upload.stored else None
    if path is None or not path.exists():
        raise Http404
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
    answer["Cache-Control"] = "no-store"
    return answer


def _demand(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
