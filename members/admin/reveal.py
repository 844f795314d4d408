"""The member page with the personal data in clear, once, for a reason."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from config.base import clock
from config.base.admin import acting
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members.admin.member import MemberAdmin
from members.models import IdentifierKind, Member
from members.services import reveals

PERMISSION: Final = "members.reveal_member"
MAX_REASON: Final = 200


@require_POST
def reveal_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show the member page with name, birthday, phone and e-mail in clear, for this view alone.

    Source: SVC-01, STF-06.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if not Member.objects.filter(pk=member_id).exists():
        raise Http404
    reason = request.POST.get("reason", "").strip()[:MAX_REASON]
    try:
        revealed = reveals.reveal(
            member_id=member_id, reason=reason, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:members_member_change", member_id)
    acting.record(request, "reveal", reason=reason, member_id=member_id)
    page = admin.site._registry[Member]
    assert isinstance(page, MemberAdmin)
    response = page.shown(request, str(member_id), {"revealed": _rows(revealed)})
    response["Cache-Control"] = "no-store"
    return response


def _rows(revealed: reveals.Revealed) -> list[tuple[str, Any]]:
    """Return what is shown, named; what is not known is left away."""
    kinds = dict(IdentifierKind.choices)
    rows: list[tuple[str, Any]] = [(gettext("Full name"), revealed.name)]
    if revealed.birthday is not None:
        rows.append((gettext("Birthday"), f"{revealed.birthday:%Y-%m-%d}"))
    rows += [(str(kinds[IdentifierKind(kind)]), value) for kind, value in revealed.identifiers]
    return [(title, value) for title, value in rows if value]
