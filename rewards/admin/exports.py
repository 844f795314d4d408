"""Taking a list out: which, of what time, and why."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock, jobs
from config.base.admin import acting, formats, site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from rewards.models import Export, ExportFormat, ExportState
from rewards.services import exports
from rewards.services.export_kinds import KINDS
from rewards.services.exports import Wish
from rewards.tasks import make_export

PERMISSION: Final = "rewards.add_export"
LISTED: Final = 30
COLOURS: Final = {
    "requested": "info", "running": "info", "ready": "success", "failed": "danger",
}  # fmt: skip


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Who took which list out, why, and how many rows it had."""

    list_display = ("list_name", "rows", "reason", "requested_by", "requested_at", "state_label")
    list_filter = ("kind", "state")
    concealed = ("stored",)

    @admin.display(description=_("list"))
    def list_name(self, export: Export) -> str:
        """Return which list it is."""
        return title_of(export.kind)

    @labelled(_("state"), COLOURS)
    def state_label(self, export: Export) -> tuple[str, str]:
        """Return how far the export has come, with its colour."""
        return export.state, export.get_state_display()


class ExportForm(forms.Form):
    """Which list, of what time, in which format, and why."""

    kind = forms.ChoiceField(label=_("List"))
    since_on = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until_on = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    format = forms.ChoiceField(label=_("Format"), choices=ExportFormat.choices)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It is kept with your name and the number of rows."),
    )  # fmt: skip

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [
            (code, each.title)
            for code, each in KINDS.items()
            if request.user.has_perm(each.permission)
        ]


def title_of(code: str) -> str:
    """Return what a list is called; the code where there is none any more."""
    return str(KINDS[code].title) if code in KINDS else code


def exports_page(request: HttpRequest) -> HttpResponse:
    """Ask for a list, and show those that were asked for before.

    Source: MEM-08, LEG-09.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = ExportForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and _asked(request, form):
        return redirect("admin:exports")
    rows = list(Export.objects.filter(requested_by=actor_of(request)).order_by("-pk")[:LISTED])
    open_states = (ExportState.REQUESTED, ExportState.RUNNING)
    context = {
        **site.current().each_context(request),
        "title": gettext("Export lists"),
        "form": form,
        "exports": [
            (row, title_of(row.kind), COLOURS[row.state], formats.share(row.rows, row.total))
            for row in rows
        ],
        "is_at_work": any(row.state in open_states for row in rows),
        "kept_days": exports.KEPT_FOR.days,
    }
    return TemplateResponse(request, "admin/rewards/exports.html", context)


def _asked(request: HttpRequest, form: ExportForm) -> bool:
    wish = Wish(language=get_language() or "", **form.cleaned_data)
    try:
        export = exports.request(wish=wish, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        field = str(error.details.get("field", "")) or None
        form.add_error(field, str(error.message))
        return False
    jobs.hint(make_export, export.pk)
    return True


def export_file(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """Give the file to who asked for it, and to nobody else."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    export = get_object_or_404(Export, pk=export_id, requested_by=actor_of(request))
    kind = KINDS.get(export.kind)
    if kind is None or not request.user.has_perm(kind.permission):
        raise PermissionDenied
    try:
        path = exports.download(export=export)
    except DomainError as error:
        return HttpResponse(str(error.message), status=error.status)
    acting.record(request, "export", reason=export.reason, list=export.kind, rows=export.rows)
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
    answer["Cache-Control"] = "no-store"
    return answer
