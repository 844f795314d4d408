"""Cases as people see them: what they are about, how pressing, and how long is left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext, ngettext

from config.base.panels import Visit
from members import words
from members.admin.base import colleague
from members.models import Case, CaseState
from members.models.case import UNDONE
from members.services import notes

STATE_COLOURS: Final[Mapping[str, str]] = {
    "open": "warning", "in_progress": "info", "waiting_member": "info", "resolved": "success",
    "closed": "success",
}  # fmt: skip
PRIORITY_COLOURS: Final[Mapping[int, str]] = {1: "danger", 2: "warning", 3: "info", 4: "info"}
SOON: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a case: what it counts to, how long is left, and how alarming that is."""

    title: str
    left: str
    colour: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case for people; `title` and `text` are unsealed."""

    case: Case
    title: str
    text: str
    clocks: Sequence[Clock]
    owner: str
    state_colour: str
    priority_colour: str


def rows_of(cases: Iterable[Case], at: datetime) -> list[CaseRow]:
    """Return cases as people see them; what was said is unsealed for all at once."""
    found = list(cases)
    said = notes.read_many([(case.member_id or 0, case.sealed) for case in found])
    return [_row(case, text, at) for case, text in zip(found, said, strict=True)]


def _row(case: Case, said: str, at: datetime) -> CaseRow:
    title, _line, text = said.partition("\n")
    if case.code:
        title = words.case(case.code)
    return CaseRow(
        case, title or str(case.get_kind_display()), text, clocks_of(case, at),
        "" if case.owner is None else colleague(case.owner), STATE_COLOURS[case.state],
        PRIORITY_COLOURS[case.priority],
    )  # fmt: skip


def clocks_of(case: Case, at: datetime) -> list[Clock]:
    """Return the clocks of a case that run now."""
    running = []
    if case.state in UNDONE:
        if case.first_responded_at is None and case.first_response_due_at:
            running.append((gettext("Answer"), case.first_response_due_at))
        if case.state != CaseState.WAITING_MEMBER and case.resolve_due_at:
            running.append((gettext("Solution"), case.resolve_due_at))
    return [_clock(title, due, at) for title, due in running]


def _clock(title: str, due: datetime, at: datetime) -> Clock:
    left = due - at
    if left <= timedelta():
        late = gettext("%(time)s late") % {"time": duration(-left)}
        return Clock(title, late, "danger", due)
    text = gettext("%(time)s left") % {"time": duration(left)}
    return Clock(title, text, "warning" if left <= SOON else "success", due)


def duration(length: timedelta) -> str:
    """Return a length of time by its two biggest units at most: 1 day 3 hours, 12 minutes."""
    minutes = int(length.total_seconds()) // 60
    days, hours, minutes = minutes // 1_440, minutes // 60 % 24, minutes % 60
    parts = [
        ngettext("%(n)d day", "%(n)d days", days) % {"n": days} if days else "",
        ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours} if hours else "",
        ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes} if minutes else "",
    ]
    told = [part for part in parts if part][:2]
    return " ".join(told) or gettext("less than a minute")


def event_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an event of a case says in the timeline: which case, and what it is about."""
    number = int(payload.get("case", 0))
    cases = visit.once(
        "members.cases_by_number",
        lambda: (
            {
                row.case.pk: row.title
                for row in rows_of(
                    Case.objects.filter(member_id=visit.subject.pk).select_related("owner"),
                    visit.at,
                )
            }
            if visit.may("members.view_case")
            else {}
        ),
    )
    title = cases.get(number, "")
    return [f"#{number} {title}".strip()]


def agent_details(_visit: Visit, _payload: Mapping[str, Any]) -> list[str]:
    """Return what a change of the dedicated agent says; who it is stands on the page."""
    return []
