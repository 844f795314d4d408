"""The page of one case: its conversation, its clocks, and what can be done."""

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members.admin.base import channel_name, colleague
from members.admin.case_rows import rows_of
from members.admin.member import masked_name
from members.domain.cases import UNDONE, Verb, verbs_for
from members.models import Case, CaseNote
from members.services import account_managers, cases, notes

VIEW: Final = "members.view_case"
WORK: Final = "members.work_case"
ASSIGN: Final = "members.assign_case"
NOTE, ASSIGN_TO = "note", "assign"

BUTTONS: Final[Mapping[Verb, tuple[Promise, str]]] = {
    Verb.REPLY: (_("Answered the member"), "reply"),
    Verb.WAIT: (_("Asked the member, wait"), "hourglass_top"),
    Verb.HEAR: (_("The member answered"), "forum"),
    Verb.RESOLVE: (_("Solved"), "task_alt"),
    Verb.REOPEN: (_("Reopen"), "restart_alt"),
    Verb.CLOSE: (_("Close"), "lock"),
}
"""What the page offers besides taking a case, in this order."""


def case_page(request: HttpRequest, object_id: str) -> HttpResponse:
    """Show a case, or do what a button of it says."""
    act = request.POST.get("act", "")
    needed = (ASSIGN if act == ASSIGN_TO else WORK) if request.method == "POST" else VIEW
    if not request.user.has_perm(needed):
        raise PermissionDenied
    rows = Case.objects.select_related("member__profile", "owner", "order", "fact")
    case = rows.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
    if case is None:
        raise Http404
    if request.method == "POST":
        return _done(request, case, act)
    (row,) = rows_of([case], clock.now())
    may_work = request.user.has_perm(WORK)
    may_assign = request.user.has_perm(ASSIGN) and case.state in UNDONE
    verbs = verbs_for(case.state)
    context = {
        **site.current().each_context(request),
        "title": row.title,
        "row": row,
        "case": case,
        "channel": channel_name(case.channel),
        "member_name": masked_name(case.member) if case.member else "",
        "conversation": _conversation(case),
        "may_work": may_work,
        "may_take": may_work and Verb.TAKE in verbs and case.owner_id is None,
        "buttons": [(verb, *BUTTONS[verb]) for verb in BUTTONS if verb in verbs],
        "colleagues": (
            [(user.pk, colleague(user)) for user in account_managers.colleagues()]
            if may_assign
            else None
        ),
        "facts": sorted(
            (key, value) for key, value in case.details.items() if isinstance(value, str | int)
        ),
    }
    return TemplateResponse(request, "admin/members/case.html", context)


def _conversation(case: Case) -> list[tuple[CaseNote, str]]:
    """Return what was said, the oldest first, readable."""
    found = list(CaseNote.objects.filter(case=case).order_by("at", "id"))
    sealed = [(note.member_id or 0, note.body if note.member_id else "") for note in found]
    read = notes.read_many(sealed)
    return [
        (note, text if note.member_id else note.body)
        for note, text in zip(found, read, strict=True)
    ]


def _done(request: HttpRequest, case: Case, act: str) -> HttpResponse:
    back = redirect("admin:members_case_change", case.pk)
    work = _work(request, case, act)
    try:
        work()
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, gettext("Done."))
    return back


def _work(request: HttpRequest, case: Case, act: str) -> Callable[[], object]:
    at, actor = clock.now(), actor_of(request)
    text = request.POST.get("text", "")
    if act == NOTE:
        return lambda: cases.note(case_id=case.pk, text=text, at=at, actor=actor)
    if act == ASSIGN_TO:
        owner = _colleague(request.POST.get("owner", ""))
        reason = request.POST.get("reason", "")
        return lambda: cases.assign(
            case_id=case.pk, owner_id=owner, at=at, actor=actor, reason=reason
        )
    if act not in list(Verb):
        raise Http404
    return lambda: cases.work(
        case_id=case.pk, verb=Verb(act), at=at, actor=actor, text=text, owner_id=request.user.pk
    )


def _colleague(chosen: str) -> int | None:
    """Return whom the list names; nobody puts the case back into the queue."""
    if not chosen:
        return None
    if chosen not in {str(user.pk) for user in account_managers.colleagues()}:
        raise Http404
    return int(chosen)
