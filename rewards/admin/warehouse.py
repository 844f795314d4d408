"""The fulfilment list for the warehouse: what is to be sent, to whom, as a page and as a file."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from config.base.admin import acting, site
from config.base.names import name_of
from rewards.domain.spreadsheet import safe
from rewards.models import Redemption, RedemptionStatus
from rewards.services import redeeming

PERMISSION: Final = "rewards.change_redemption"
SHOWN: Final = 500
ADDRESS: Final = ("name", "phone", "province", "city", "district", "line", "postal_code", "note")


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def fulfilment_page(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Show what is to be handed over or sent, oldest first; `?format=csv` gives the file.

    Source: RWD-11.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.GET.get("format") == "csv":
        acting.record(request, "export", reason="fulfilment")
        answer = StreamingHttpResponse(_lines(_to_send()), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="fulfilment.csv"'
        answer["Cache-Control"] = "no-store"
        return answer
    rows = _to_send()
    context = {
        **site.current().each_context(request),
        "title": gettext("Fulfilment list"),
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
    }
    return TemplateResponse(request, "admin/rewards/fulfilment.html", context)


def _to_send() -> Sequence[tuple[Redemption, dict[str, str]]]:
    """Return open redemptions that are delivered, with their addresses as far as readable."""
    ready = Q(status=RedemptionStatus.APPROVED) | Q(
        status=RedemptionStatus.REQUESTED, reward__needs_approval=False
    )
    rows = Redemption.objects.filter(ready, reward__needs_address=True)
    found = list(rows.select_related("reward", "member").order_by("requested_at", "id"))
    addresses = redeeming.addresses_of(found)
    return [(row, addresses.get(row.pk, {})) for row in found]


def _lines(rows: Iterable[tuple[Redemption, dict[str, str]]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    heading = ["redemption", "requested_at", "reward", "reward_name", "quantity", *ADDRESS]
    # A spreadsheet takes a file for UTF-8 only with this mark in front.
    yield "\ufeff" + str(writer.writerow(heading))
    for row, address in rows:
        cells = [
            str(row.public_id), row.requested_at.isoformat(), row.reward.code,
            name_of(row.reward), str(row.quantity), *(address.get(name, "") for name in ADDRESS),
        ]  # fmt: skip
        yield str(writer.writerow([safe(cell) for cell in cells]))
